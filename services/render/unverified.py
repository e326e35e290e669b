"""What was written to the pages folder and not compared with the read model since.

An owner that was paused may remove, when it wakes, what a newer one has put in place; it compares
afterwards. Should the database be away then, or the process be killed, this tells what is still to be
compared: in memory, and by notes in the process's temporary folder, which outlast it.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from services.render.notes import Notes, noted_in


class Touch:
    """The files of one article or listing, while one writer changes them."""

    def __init__(self, write_note: Callable[[], None]) -> None:
        self.is_noted = self.is_verified = False
        self._write_note = write_note

    def note(self) -> None:
        """Call before the first change (blocking).

        A full disk is no hindrance, for a removal needs no room: the note is then kept in memory alone.
        """
        if not self.is_noted:
            with suppress(OSError):
                self._write_note()
            self.is_noted = True

    def verified(self) -> None:
        """The files agree with the read model, which was read after the last change."""
        self.is_verified = True


class Unverified:
    """Subjects (article ids and paths of listings) of which files may be missing.

    Used on the event loop, except where it says blocking. `notes` are to lie in the process's own folder.
    """

    def __init__(self, notes: Notes, writers: Executor) -> None:
        self.notes = notes
        self._writers = writers
        self._open = Counter[str]()
        self._left: dict[str, int] = {}
        self._numbers = itertools.count()
        self._found = asyncio.Event()
        self._files = threading.Lock()

    @contextmanager
    def touching(self, subject: str) -> Iterator[Touch]:
        """For one writer: what it noted in the block and did not verify is left."""
        touch = Touch(partial(self._write, subject))
        self._open[subject] += 1
        is_over = True
        try:
            yield touch
        except asyncio.CancelledError:
            is_over = False  # a thread may be writing still: the note stays, for the next process
            raise
        finally:
            if is_over:
                self._end(subject, touch)

    def left(self) -> dict[str, int]:
        """What waits to be verified, each with the number to give to `mended`."""
        return dict(self._left)

    def mended(self, subject: str, number: int) -> None:
        """It was verified, unless another writer has left it since."""
        if self._left.get(subject) == number:
            del self._left[subject]
            self._erase_soon(subject)

    async def wait(self, seconds: float) -> None:
        """Until something is left, but no longer than that."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._found.wait()
        self._found.clear()

    def inherit(self, folder: Path) -> None:
        """Take over what a dead process left in its folder (blocking). Raises: OSError."""
        with self._files:
            for subject in noted_in(folder):
                self.notes.add(subject)
                self._left[subject] = next(self._numbers)

    def _end(self, subject: str, touch: Touch) -> None:
        """At any moment a noted subject is open or left, else its note may go."""
        is_left = touch.is_noted and not touch.is_verified
        if is_left:
            self._left[subject] = next(self._numbers)
            self._found.set()
        self._open[subject] -= 1
        if not self._open[subject]:
            del self._open[subject]
        if touch.is_noted and not is_left:
            self._erase_soon(subject)

    def _erase_soon(self, subject: str) -> None:
        self._writers.submit(self._erase, subject)

    def _write(self, subject: str) -> None:
        with self._files:
            self.notes.add(subject)

    def _erase(self, subject: str) -> None:
        """A note that cannot be removed costs one comparison, no more."""
        with self._files, suppress(OSError):
            if subject not in self._open and subject not in self._left:
                self.notes.remove(subject)
