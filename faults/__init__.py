"""The experiment: real load on a real newsroom while it is broken on purpose, and a judge who knows no code.

The way of the data, left to right; each room says what it does.

    kinds (what breaks, as catalogue lists it) ─┐
    load (editors, readers) ────────────────────┼─► history (done and seen) ─┐
    stage (the newsroom itself) ────────────────┘                            ├─► checks ─► runs
    evidence (the log, the files, the store's answers at rest) ──────────────┘

`bugs` are planted for the proof that the checks can fail.
"""
