"""The HTTP edge that every service stands on: problem details, keys, health, traces, documentation."""
