"""`python -m bench.audience`: many open pages in a process of their own, so that no reader waits for another
part of the bench.

Says `open N` once every stream has begun (N may be smaller: the others were refused, or the connection
failed). Then it does what each line of stdin asks: `hear FIRST COUNT SECONDS` waits until so many notices
came whose numbers are not below FIRST, or so long, and answers with one line of JSON, `[[reader, number, at],
…]`: who heard the notice whose note ends in that number, and when (seconds since the epoch). Ends with stdin.
"""

from __future__ import annotations

import argparse
import gc
import json
import re
import resource
import selectors
import socket
import sys
import time
from dataclasses import dataclass

NOTE = "notice number"
"""What the note of a notice begins with, before its number."""
_HEARD = re.compile(rb'"note":"%s (\d+)"' % NOTE.encode())
_GOOD, _BEGIN = b"HTTP/1.1 200 ", b"retry:"
"""How the answer to a reader begins, and what its stream begins with."""
_AT_ONCE = 100
"""Connections on their way: fewer than a server keeps waiting."""
OPEN_SECONDS = 120.0
"""In which all of them have to come."""
_PIECE_BYTES = 16 * 1024
_MOST_FILES = 1024 * 1024
"""Open files to ask for first where the system names no bound."""


@dataclass
class Reader:
    """One open page. `answer`: how what it heard begins; `has_begun`: its stream has; `is_gone`: it was
    refused, or has ended.
    """

    number: int
    connection: socket.socket
    answer: bytes = b""
    has_begun: bool = False
    is_gone: bool = False


class Audience:
    """Readers of the live stream at one address."""

    def __init__(self, host: str, port: int) -> None:
        self._where = host, port
        self._readers: list[Reader] = []
        self._sockets = selectors.DefaultSelector()

    def open(self, paths: list[str]) -> int:
        """Open a stream for each path, some at a time; how many have begun."""
        deadline = time.monotonic() + OPEN_SECONDS
        for first in range(0, len(paths), _AT_ONCE):
            opened = [self._ask(path) for path in paths[first : first + _AT_ONCE]]
            while any(not reader.has_begun and not reader.is_gone for reader in opened):
                if time.monotonic() > deadline:
                    break
                self._hear(deadline - time.monotonic())
        return sum(reader.has_begun and not reader.is_gone for reader in self._readers)

    def hear(self, first: int, count: int, seconds: float) -> list[tuple[int, int, float]]:
        """Wait for so many notices from that number on, or so long: reader, number, when it came."""
        deadline = time.monotonic() + seconds
        heard: list[tuple[int, int, float]] = []
        while len(heard) < count and (left := deadline - time.monotonic()) > 0:
            heard += (each for each in self._hear(left) if each[1] >= first)
        return heard

    def _ask(self, path: str) -> Reader:
        reader = Reader(len(self._readers), socket.create_connection(self._where))
        head = f"GET {path} HTTP/1.1\r\nHost: {self._where[0]}:{self._where[1]}\r\n"
        reader.connection.sendall(f"{head}Accept: text/event-stream\r\n\r\n".encode())
        self._readers.append(reader)
        self._sockets.register(reader.connection, selectors.EVENT_READ, reader)
        return reader

    def _hear(self, seconds: float) -> list[tuple[int, int, float]]:
        """What comes next, within that time. The clock is read before a piece is: reading takes time, too."""
        heard = []
        for key, _ in self._sockets.select(seconds):
            reader: Reader = key.data
            at = time.time()
            piece = self._receive(reader)
            reader.answer = reader.answer or piece[: len(_GOOD)]
            reader.has_begun = reader.has_begun or _BEGIN in piece
            reader.is_gone = reader.is_gone or reader.answer != _GOOD
            heard += [(reader.number, int(number), at) for number in _HEARD.findall(piece)]
        return heard

    def _receive(self, reader: Reader) -> bytes:
        """An event comes in one piece: it is written at once, and is small."""
        try:
            piece = reader.connection.recv(_PIECE_BYTES)
        except OSError:
            piece = b""
        if not piece:
            reader.is_gone = True
            self._sockets.unregister(reader.connection)
            reader.connection.close()
        return piece


def main() -> None:
    """Open what the command line asks for, then listen."""
    parser = argparse.ArgumentParser(prog="python -m bench.audience")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("readers", type=int)
    parser.add_argument("path", help="of a stream; {} in it stands for the reader's number")
    wanted = parser.parse_args()
    raise_open_files()
    audience = Audience(wanted.host, wanted.port)
    opened = audience.open([wanted.path.replace("{}", str(number)) for number in range(wanted.readers)])
    gc.disable()  # it would stop us while we listen, and there is little to collect
    print(f"open {opened}", flush=True)
    for line in sys.stdin:
        _, first, count, seconds = line.split()
        print(json.dumps(audience.hear(int(first), int(count), float(seconds))), flush=True)


def raise_open_files() -> float:
    """Have the system let this process have as many files open as it does; how many that are.

    A system may tell of no bound and yet refuse some: then less is tried, down to what is there already.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    tried = hard
    while tried != soft:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (tried, hard))
        except (ValueError, OSError):
            tried = _MOST_FILES if tried == resource.RLIM_INFINITY else tried // 2
            if soft == resource.RLIM_INFINITY or tried <= soft:
                break
        else:
            return _files(tried)
    return _files(soft)


def _files(limit: int) -> float:
    return float("inf") if limit == resource.RLIM_INFINITY else limit


if __name__ == "__main__":
    main()
