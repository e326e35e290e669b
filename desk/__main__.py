"""`python -m desk`: the command line where its own script is not installed, as in a container."""

from __future__ import annotations

from desk.cli import main

if __name__ == "__main__":
    main(prog_name="newsroom")
