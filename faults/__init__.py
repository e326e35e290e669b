"""The experiment: real load on a real newsroom while it is broken on purpose, and a judge who knows no code.

The way of the data, left to right:

    faults (what breaks) ─┐
    editors, readers ─────┼─► history (done and seen) ─┐
    arena (the newsroom) ─┘                            ├─► checker ─► violations ─► report ─► docs/faults.md
    evidence (the log, the site, the API at rest) ─────┘
"""
