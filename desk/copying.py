"""Backup and restore as such: from the log into a file, and from a file into an empty log."""

from __future__ import annotations

import fcntl
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from desk.archive import Head, Members, Sum, Sums, Writer, open_private, told, verified
from newsroom import topics
from newsroom.errors import Conflict, Misconfigured, NewsroomError
from newsroom.kafka.producer import Publisher
from newsroom.kafka.spans import Spans
from newsroom.records import Message, Record, TopicPartition
from newsroom.times import now, rfc3339

COPIED = (topics.KEYS, topics.EVENTS)
"""What could not be made again from anything else."""
MADE = tuple(spec.name for spec in topics.ALL if spec.name not in COPIED)
_SERVICE_GROUPS = ("store-", "render-")
_BATCH_RECORDS = 200
_BATCH_BYTES = 4 * 1024 * 1024
Tell = Callable[[str, int, int], None]
"""Told what is done now, how many records of it are done, and of how many."""


class Cluster(Protocol):
    """What a copy needs to know of the log besides its records. Every call may raise `Away`."""

    async def id(self) -> str: ...

    async def ends(self, topic: str) -> Mapping[TopicPartition, int]: ...

    async def groups(self) -> set[str]: ...


@dataclass(frozen=True)
class Log:
    """A log to copy from or to."""

    cluster: Cluster
    spans: Spans
    publisher: Publisher


@dataclass(frozen=True)
class Copied:
    """What a copy came to. `skipped`: records that stood from an earlier try."""

    events: int
    keys: int
    skipped: int


async def back_up(log: Log, path: Path, tell: Tell) -> Copied:
    """Copy everything that stands now into the file, which is there in whole or not at all.

    Goes on where an interrupted backup into this file broke off, up to where the log ended when that was
    begun. Raises: Misconfigured, Away, Damaged; OSError where the disk is full, with nothing lost.
    """
    part = path.with_name(f"{path.name}.part")
    with _alone(path, part) as file:
        writer = await _writer(log, part, file)
        skipped = sum(each.records for each in writer.sums.values())
        total = sum(writer.head.ends.values())
        async for records in _what_is_missing(log, writer):
            writer.add(records)
            tell("copied", sum(each.records for each in writer.sums.values()), total)
        writer.finish()
        tell("copied, now read back", total, total)
        _head, sums = verified(file)
        if told(sums) != told(writer.sums):
            raise NewsroomError(f"{part} does not read back as it was written: is the disk sound?")
        _put_in_place(part, path)
    return _copied(sums, skipped)


async def _writer(log: Log, part: Path, file: BinaryIO) -> Writer:
    cluster_id = await log.cluster.id()
    writer = Writer.go_on(file)
    if writer is None:
        ends = {where: end for topic in COPIED for where, end in (await log.cluster.ends(topic)).items()}
        return Writer.begin(file, Head(cluster_id, rfc3339(now()), ends))
    if writer.head.cluster != cluster_id:
        raise Misconfigured(
            f"{part} is the beginning of a backup of another log: remove it, or name another file"
        )
    return writer


async def _what_is_missing(log: Log, writer: Writer) -> AsyncIterator[list[Record]]:
    for where, end in sorted(writer.head.ends.items()):
        async for records in log.spans.read(where, writer.sums[where].next_offset, end):
            yield records


async def restore(log: Log, path: Path, tell: Tell) -> Copied:
    """Put the backup on an empty log, each record in its partition, in its order.

    The whole file is checked before the first record is written, and the log is read back after the last. An
    interrupted restore of the same file is gone on with. Raises: Conflict where something else stands there;
    Damaged, Misconfigured, Away.
    """
    with _opened(path) as file:
        _head, sums = verified(file)
        total = sum(each.records for each in sums.values())
        await _check_unused(log)
        standing = await _standing(log, sums)
        _check_beginning(file, standing)
        done = skipped = sum(each.records for each in standing.values())
        for batch in _batches(_behind(file, standing)):
            await log.publisher.publish_all([_message(record) for record in batch])
            done += len(batch)
            tell("restored", done, total)
        tell("restored, now read back", total, total)
        if told(await _standing(log, sums)) != told(sums):
            raise Conflict(
                "what stands on the log is not what the file holds: somebody wrote to it meanwhile, or a "
                "write was repeated; begin again with an empty log"
            )
    return _copied(sums, skipped)


async def _check_unused(log: Log) -> None:
    """Raises: Conflict where services have started on this log: they would tell old news as new."""
    used = {group for group in await log.cluster.groups() if group.startswith(_SERVICE_GROUPS)}
    made = [topic for topic in MADE if any((await log.cluster.ends(topic)).values())]
    if used or made:
        raise Conflict(
            "a newsroom has started on this log already, and would tell its readers all of the past as new: "
            "begin with an empty log and empty databases, and restore before the first start"
        )


async def _standing(log: Log, sums: Sums) -> Sums:
    """What stands of each partition that the file knows. Raises: Misconfigured for other partitions."""
    found: Sums = {}
    for topic in COPIED:
        for where, end in sorted((await log.cluster.ends(topic)).items()):
            found[where] = Sum()
            async for records in log.spans.read(where, 0, end):
                for record in records:
                    found[where].add(record)
    if found.keys() != sums.keys():
        raise Misconfigured("the log has other partitions than the one that was backed up")
    return found


def _check_beginning(file: BinaryIO, standing: Sums) -> None:
    """Raises: Conflict unless what stands of each partition is the beginning of what the file has of it."""
    begun = {where: Sum() for where in standing}
    for record in _records(file):
        where = record.topic_partition
        if begun[where].records < standing[where].records:
            begun[where].add(record)
    if told(begun) != told(standing):
        raise Conflict(
            f"{topics.EVENTS} or {topics.KEYS} holds records that are not the beginning of this backup: "
            "a backup is restored into an empty log only"
        )


def _behind(file: BinaryIO, standing: Sums) -> Iterator[Record]:
    """The records of the file that do not stand yet."""
    seen = dict.fromkeys(standing, 0)
    for record in _records(file):
        seen[record.topic_partition] += 1
        if seen[record.topic_partition] > standing[record.topic_partition].records:
            yield record


def _records(file: BinaryIO) -> Iterator[Record]:
    members = Members(file)
    members.head()
    for chunk in members.chunks():
        yield from chunk


def _batches(records: Iterator[Record]) -> Iterator[list[Record]]:
    """Of one partition each: a write that fails leaves no hole in another one."""
    batch: list[Record] = []
    size = 0
    for record in records:
        is_full = len(batch) >= _BATCH_RECORDS or size >= _BATCH_BYTES
        if batch and (is_full or batch[-1].topic_partition != record.topic_partition):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += len(record.value or b"")
    if batch:
        yield batch


def _message(record: Record) -> Message:
    return Message(record.topic, record.key, record.value, record.headers, record.partition)


def _copied(sums: Sums, skipped: int) -> Copied:
    counts = {topic: sum(s.records for where, s in sums.items() if where.topic == topic) for topic in COPIED}
    return Copied(events=counts[topics.EVENTS], keys=counts[topics.KEYS], skipped=skipped)


@contextmanager
def _alone(path: Path, part: Path) -> Iterator[BinaryIO]:
    """The unfinished file, for this process alone. Raises: Misconfigured, also if the whole one is there."""
    if path.exists():
        raise Misconfigured(f"{path} is there already: name another file, or move it away")
    try:
        file = open_private(part)
    except OSError as error:
        raise Misconfigured(f"{part} cannot be written: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Misconfigured(f"another backup writes {part} now") from error
        yield file


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Raises: Misconfigured."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read: {error.strerror}") from error
    with file:
        yield file


def _put_in_place(part: Path, path: Path) -> None:
    """Raises: Misconfigured where somebody else made that file meanwhile."""
    if path.exists():
        raise Misconfigured(f"{path} was made meanwhile: {part} is the backup, whole and checked")
    part.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
