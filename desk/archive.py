"""The file of a backup: the log of events and the keys, record by record, so that a restore can be checked.

Gzip members one behind the other, so `zcat` reads the whole. Each member is closed and holds lines of JSON:

- the first says what the file is: `{"newsroom_backup": 1, "cluster": …, "made_at": …, "ends": {topic: {…}}}`,
  `ends` being where each partition ended when the backup was begun: all before that is in the file;
- a chunk: `{"topic", "partition", "records"}`, then so many lines `{"offset", "time", "record": [key, value,
  headers]}`. Bytes are text where they are UTF-8, else `{"base64": …}`, absent ones null. `time` is in
  milliseconds;
- the last: `{"partitions": {topic: {partition: {"records", "sha256"}}}, "sha256": …}`. Of a partition the sum
  is over the lines of `record`; that of the file is over all of its bytes before this member.

A file that was interrupted ends with a whole chunk or with the beginning of one, which is cut off.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from newsroom.errors import NewsroomError
from newsroom.records import Record, TopicPartition

VERSION = 1
MODE = 0o600
"""The digests of keys are in it, and drafts."""
CHUNK_RECORDS = 1000
CHUNK_BYTES = 4 * 1024 * 1024
_GZIP = 31
_LEVEL = 6
_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00"
_PIECE = 256 * 1024
Line = dict[str, Any]


class Damaged(NewsroomError):
    """The file is not what was written. The message says where, and what to do."""


@dataclass(frozen=True)
class Head:
    """What a backup is of: which log, begun when (RFC 3339), and where each partition ended then."""

    cluster: str
    made_at: str
    ends: Mapping[TopicPartition, int]


@dataclass
class Sum:
    """What was seen of a partition: how many records, the offset behind the last, and a sum over them."""

    records: int = 0
    next_offset: int = 0
    sha256: Any = field(default_factory=hashlib.sha256)

    def add(self, record: Record) -> None:
        """One record more."""
        self.records += 1
        self.next_offset = record.offset + 1
        self.sha256.update(content(record) + b"\n")

    @property
    def told(self) -> Line:
        return {"records": self.records, "sha256": self.sha256.hexdigest()}


Sums = dict[TopicPartition, Sum]


def content(record: Record) -> bytes:
    """What of a record a restore gives back, as one line: key, value and headers."""
    headers = [[name, _from_bytes(value)] for name, value in record.headers]
    return _dumped([_from_bytes(record.key), _from_bytes(record.value), headers])


class Writer:
    """Writes the file, or goes on with one that was interrupted. Use as a context manager; one at a time."""

    def __init__(self, file: BinaryIO, head: Head, sums: Sums) -> None:
        self._file = file
        self.head = head
        self.sums = sums

    @classmethod
    def begin(cls, file: BinaryIO, head: Head) -> Writer:
        """A new file."""
        file.truncate(0)
        file.seek(0)
        writer = cls(file, head, {where: Sum() for where in head.ends})
        writer._put([_dumped(_from_head(head))])
        return writer

    @classmethod
    def go_on(cls, file: BinaryIO) -> Writer | None:
        """Behind the last whole chunk of the file; None where it has not even a beginning."""
        members = Members(file, is_whole=False)
        head = members.head()
        if head is None:
            return None
        sums = {where: Sum() for where in head.ends}
        for chunk in members.chunks():
            for record in chunk:
                sums[record.topic_partition].add(record)
        file.truncate(members.chunks_end)  # also without a trailer that was written just before the end
        file.seek(members.chunks_end)
        return cls(file, head, sums)

    def add(self, records: Sequence[Record]) -> None:
        """Records of one partition that follow what is there, as chunks, on the disk when this returns."""
        for chunk in _chunks(records):
            first = chunk[0]
            lines = [_dumped({"topic": first.topic, "partition": first.partition, "records": len(chunk)})]
            lines += [_from_record(record) for record in chunk]
            self._put(lines)
            for record in chunk:
                self.sums[record.topic_partition].add(record)

    def finish(self) -> None:
        """Close the file with what can be checked."""
        self._file.seek(0)
        digest = hashlib.file_digest(self._file, "sha256")  # type: ignore[arg-type]
        self._file.seek(0, os.SEEK_END)
        self._put([_dumped({"partitions": told(self.sums), "sha256": digest.hexdigest()})])

    def _put(self, lines: Sequence[bytes]) -> None:
        """A member is there in whole or is cut off later."""
        gzip = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
        self._file.write(gzip.compress(b"\n".join(lines) + b"\n") + gzip.flush())
        self._file.flush()
        os.fsync(self._file.fileno())


class Members:
    """Reads a file member by member. `is_whole`: it was finished, so that whatever is missing is damage."""

    def __init__(self, file: BinaryIO, *, is_whole: bool = True) -> None:
        self._file = file
        self._is_whole = is_whole
        self._rest = b""
        self._digest = hashlib.sha256()
        self.end = 0
        """Where the last member that was read ends."""
        self.chunks_end = 0
        """The same without the trailer."""
        self.trailer: Line | None = None
        file.seek(0)

    def head(self) -> Head | None:
        """What the file says of itself; None where it is unfinished and has no beginning. Raises: Damaged."""
        lines = self._next()
        self.chunks_end = self.end
        try:
            return None if lines is None else _to_head(lines[0])
        except (KeyError, ValueError, TypeError) as error:
            if lines and lines[0].get("newsroom_backup", VERSION) != VERSION:
                raise Damaged("the file was written by another version: restore it with that") from error
            raise Damaged("the file is no backup of a newsroom") from error

    def chunks(self) -> Iterator[list[Record]]:
        """The records chunk by chunk, up to the trailer or to where an unfinished file breaks off.

        Raises: Damaged.
        """
        while (lines := self._next()) is not None:
            if "partitions" in lines[0]:
                self.trailer = lines[0]
                return
            self.chunks_end = self.end
            try:
                records = _to_records(lines)
            except (KeyError, ValueError, TypeError) as error:
                raise self._damaged() from error
            yield records

    def check_trailer(self, sums: Sums) -> None:
        """Raises: Damaged unless all is there, as it was written, and nothing behind it."""
        trailer = self.trailer
        if trailer is None or trailer["partitions"] != told(sums) or self._rest or self._file.read(1):
            raise self._damaged()

    def _next(self) -> list[Line] | None:
        """The next member's lines; None at the end of an unfinished file."""
        before = self._digest.hexdigest()
        data, raw = self._inflated()
        if data is None:
            if self._is_whole:
                raise self._damaged()
            return None
        try:
            lines = [json.loads(line) for line in data.splitlines()]
            if lines[0].get("sha256", before) != before:
                raise self._damaged()
        except (ValueError, AttributeError, IndexError) as error:
            raise self._damaged() from error
        self._digest.update(raw)
        self.end += len(raw)
        return lines

    def _inflated(self) -> tuple[bytes | None, bytes]:
        """One member's content and its bytes in the file; None where it is not whole."""
        gzip = zlib.decompressobj(_GZIP)
        data, raw = bytearray(), bytearray()
        while not gzip.eof:
            piece = self._rest or self._file.read(_PIECE)
            self._rest = b""
            if not piece:
                return None, b""
            raw += piece
            try:
                data += gzip.decompress(piece)
            except zlib.error:
                return None, b""
        self._rest = gzip.unused_data
        whole = bytes(raw[: len(raw) - len(self._rest)])
        return (bytes(data), whole) if whole.startswith(_HEAD) else (None, b"")

    def _damaged(self) -> Damaged:
        if self.end == 0:
            return Damaged("the file is no backup of a newsroom, or its beginning is damaged")
        return Damaged(
            f"the file is damaged or cut behind byte {self.end}: use another copy of it, or another backup"
        )


def verified(file: BinaryIO) -> tuple[Head, Sums]:
    """Read the whole file and hold it to its sums; what it is of, and what is in it. Raises: Damaged."""
    members = Members(file)
    head = members.head()
    assert head is not None  # noqa: S101  (a whole file has one, or is damaged)
    sums = {where: Sum() for where in head.ends}
    for chunk in members.chunks():
        for record in chunk:
            sums[record.topic_partition].add(record)
    members.check_trailer(sums)
    return head, sums


def told(sums: Sums) -> Line:
    """Sums by topic and partition."""
    by_topic: dict[str, Line] = {}
    for where, each in sorted(sums.items()):
        by_topic.setdefault(where.topic, {})[str(where.partition)] = each.told
    return by_topic


def open_private(path: Path) -> BinaryIO:
    """The file for reading and writing, for its owner only; made if it is not there."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, MODE), "r+b")


def _chunks(records: Sequence[Record]) -> Iterator[list[Record]]:
    chunk: list[Record] = []
    size = 0
    for record in records:
        if chunk and (len(chunk) >= CHUNK_RECORDS or size >= CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(record)
        size += len(record.value or b"")
    if chunk:
        yield chunk


def _from_head(head: Head) -> Line:
    ends: dict[str, dict[str, int]] = {}
    for where, end in sorted(head.ends.items()):
        ends.setdefault(where.topic, {})[str(where.partition)] = end
    return {"newsroom_backup": VERSION, "cluster": head.cluster, "made_at": head.made_at, "ends": ends}


def _to_head(line: Line) -> Head:
    if line["newsroom_backup"] != VERSION:
        raise ValueError(line["newsroom_backup"])
    ends = {
        TopicPartition(topic, int(number)): int(end)
        for topic, partitions in line["ends"].items()
        for number, end in partitions.items()
    }
    return Head(line["cluster"], line["made_at"], ends)


def _from_record(record: Record) -> bytes:
    place = _dumped({"offset": record.offset, "time": record.timestamp_ms})
    return place[:-1] + b',"record":' + content(record) + b"}"


def _to_records(lines: Sequence[Line]) -> list[Record]:
    """Raises: KeyError, ValueError, TypeError for what is no chunk."""
    what, *records = lines
    if what["records"] != len(records):
        raise ValueError("a chunk of another length")
    return [_to_record(what, line) for line in records]


def _to_record(what: Line, line: Line) -> Record:
    key, value, headers = line["record"]
    return Record(
        topic=what["topic"],
        partition=what["partition"],
        offset=line["offset"],
        key=_to_bytes(key),
        value=_to_bytes(value),
        headers=tuple((name, _to_bytes(each) or b"") for name, each in headers),
        timestamp_ms=line["time"],
    )


def _from_bytes(raw: bytes | None) -> str | Line | None:
    if raw is None:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode()}


def _to_bytes(told: str | Line | None) -> bytes | None:
    if told is None:
        return None
    return told.encode() if isinstance(told, str) else base64.b64decode(told["base64"])


def _dumped(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
