"""What the newsroom is made of that others wrote: told as a bill of materials, asked about known holes."""
