"""The server's end of one reader's connection, without a socket: an ASGI call's `send`, and the line that
follows from it.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import Message, Scope

from newsroom.http.lines import EXTENSION, Listener


class Reader:
    """A browser at the other end. `is_full`: it reads nothing of what it is sent."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.is_full = self.is_finished = self.is_cut = False
        self._listener: Listener | None = None

    def offers(self) -> Scope:
        """What the server says of its connection in a request's scope."""
        return {"type": "http", "extensions": {EXTENSION: {"take": self._take}}}

    async def send(self, message: Message) -> None:
        assert self._listener is None, "the line was taken: all else goes over that"
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        elif message["body"]:
            self.write(message["body"])
            self.is_finished = not message.get("more_body", False)

    def _take(self, listener: Listener) -> Reader:
        self._listener = listener
        return self

    def write(self, part: bytes) -> None:
        assert part, "an empty part would end the body"
        assert not self.is_full, "the stream holds back from who does not read"
        self.body += part

    def finish(self) -> None:
        assert not self.is_finished
        self.is_finished = True

    def cut(self) -> None:
        self.is_cut = True
        self.leave()

    def leave(self) -> None:
        """Close the connection."""
        if self._listener is not None:
            self._listener.lost()

    def reads(self) -> None:
        """Read again, after a while in which it did not."""
        self.is_full = False
        assert self._listener is not None
        self._listener.flows()

    def has(self, text: str) -> Callable[[], bool]:
        return lambda: text in self.body.decode()
