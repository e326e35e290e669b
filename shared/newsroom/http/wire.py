"""HTTP as it comes off the socket, before it is a request: bounded heads, problems for what is no HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import Response
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from newsroom.http.problems import Kind, problem_response

MAX_HEAD_BYTES = 32 * 1024


class _HeadTooLarge(Exception):
    """Ends the parser from within its callbacks."""


class ProblemProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, where a head may grow without end and what is no HTTP is told in plain text."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._is_in_head = False
        self._has_just_begun = False

    def data_received(self, data: bytes) -> None:
        self._has_just_begun = False
        super().data_received(data)
        # A single header that never ends comes to no callback: count what is fed while a head is open.
        if self._is_in_head and not self._has_just_begun and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > 2 * MAX_HEAD_BYTES:
                self._refuse_head()

    def on_message_begin(self) -> None:
        self._head_bytes, self._is_in_head, self._has_just_begun = 0, True, True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn for everything that its parser refuses; `msg` says no more than that."""
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse_head()
        else:
            self._send(problem_response(Kind.MALFORMED_REQUEST, f"{msg} Send HTTP/1.1."))

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            raise _HeadTooLarge

    def _refuse_head(self) -> None:
        detail = f"Address and headers together may have at most {MAX_HEAD_BYTES} bytes."
        self._send(problem_response(Kind.HEAD_TOO_LARGE, detail))

    def _send(self, response: Response) -> None:
        headers = [*response.raw_headers, (b"cache-control", b"no-store"), (b"connection", b"close")]
        lines = [f"HTTP/1.1 {response.status_code} \r\n".encode()]
        lines += [name + b": " + value + b"\r\n" for name, value in headers]
        self.transport.write(b"".join([*lines, b"\r\n", bytes(response.body)]))
        self.transport.close()
