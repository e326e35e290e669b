"""The wall clock of one process, set by a file that `faults.stage.launch` goes by."""

from __future__ import annotations

from pathlib import Path


class Clock:
    """As true as the machine's until it is stepped."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._offset_seconds = 0.0
        self._write()

    def step(self, seconds: float) -> None:
        """Forward by so many seconds, or back."""
        self._offset_seconds += seconds
        self._write()

    def put_right(self) -> None:
        """True again."""
        self.step(-self._offset_seconds)

    def _write(self) -> None:
        """Replaced in one step: the process reads it at any moment."""
        new = self.file.with_suffix(".new")
        new.write_text(str(self._offset_seconds))
        new.replace(self.file)
