"""Becomes the command it is given, tied to the process that started it: `python leash.py PARENT COMMAND...`.

On Linux the kernel then ends the command at once (SIGKILL) when its parent is gone, however that died, so a
supervisor that was killed leaves nothing behind. The setting survives `exec`, and a start in a process of its
own is safe where `preexec_fn` is not (beside threads). Elsewhere the next `newsroom up` finds the leftovers
by their pid files.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie, take back what was inherited of ignored signals, and become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we were tied to it
            sys.exit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606  (the commands are our own)
    except OSError as error:
        sys.exit(f"{command[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    main()
