"""What a connection was sent and does not read: waited for, but not for ever."""

from __future__ import annotations

import asyncio

LEAST_READ_BYTES = 1024
"""Between two looks. Who reads on, however slowly, may go on."""


class Unread:
    """Looks at one connection now and then, and cuts it where it reads nothing."""

    def __init__(self, seconds: float) -> None:
        """`seconds` between two looks."""
        self._seconds = seconds
        self._left = 0
        self._next_look: asyncio.TimerHandle | None = None

    def watch(self, transport: asyncio.WriteTransport) -> None:
        """Begin to look, unless that was begun before."""
        if self._next_look is None:
            self._left = transport.get_write_buffer_size()
            loop = asyncio.get_running_loop()
            self._next_look = loop.call_later(self._seconds, self._look, transport)

    def stop(self) -> None:
        """It has read most of it, or is gone."""
        if self._next_look is not None:
            self._next_look.cancel()
            self._next_look = None

    def _look(self, transport: asyncio.WriteTransport) -> None:
        self._next_look = None
        if self._left - transport.get_write_buffer_size() < LEAST_READ_BYTES:
            transport.abort()
        else:
            self.watch(transport)
