"""How services err in a test build, each bug a few lines that take the place of sound ones."""
