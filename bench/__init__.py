"""The benchmark: how long a POST takes to become a page, beside the same parts at the bare work."""
