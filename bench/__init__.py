"""The benchmark: the newsroom beside the bare floor of its own parts, and beside its peers."""
