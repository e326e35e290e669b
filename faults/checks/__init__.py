"""What the checker asks of a history, one module per question. They know `faults.history` and nothing else:
no code of the newsroom, no clock, no file.

    history, evidence ─► account (what became of each operation) ─► promises, order, rest, sight, notices,
    commits, calm ─► violations
"""
