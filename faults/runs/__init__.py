"""One run and many: each in a process of its own, from a recorded seed, and the report that grows."""
