"""HTTP in, events out: the door through which articles come."""
