"""`python -m desk.parts.fetch FOLDER`: fetch Kafka's jars, in a process of its own.

A download is the one step that may take minutes; as a process it can be ended at any moment, and its memory
goes with it. Progress goes to stdout, a line at a time; exit code 2 and one line on stderr when it fails.
"""

from __future__ import annotations

import sys
from pathlib import Path

from desk.parts import jars
from newsroom.errors import Misconfigured


def main() -> None:
    try:
        jars.class_path(Path(sys.argv[1]), lambda line: print(line, flush=True))
    except Misconfigured as error:
        print(f"newsroom: {error}", file=sys.stderr, flush=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
