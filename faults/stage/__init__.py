"""What is broken: a newsroom in a folder of its own, and how its parts are killed, frozen, cut and filled."""
