"""Backup and restore on a log in memory: the same records again, whatever happens on the way."""

from __future__ import annotations

import errno
import gzip
import io
import json
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from desk.archive import Damaged, Head, Writer, verified
from desk.copying import Log, back_up, restore
from newsroom import topics
from newsroom.errors import Away, Conflict, Misconfigured
from newsroom.kafka.fake import FakeLog, FakePublisher, FakeSpans
from newsroom.records import Message, Record, TopicPartition

CONTENTS = [b'{"headline":"\xc3\x84"}', b"\xff\x00raw", b"", b'"\n\r\xe2\x80\xa8'.ljust(40, b"x")]


class FakeCluster:
    """See `desk.copying.Cluster`."""

    def __init__(self, log: FakeLog) -> None:
        self.log = log
        self.names: set[str] = set()

    async def id(self) -> str:
        return self.log.cluster_id

    async def ends(self, topic: str) -> Mapping[TopicPartition, int]:
        return self.log.end_offsets(topic)

    async def groups(self) -> set[str]:
        return self.names


def a_log(log: FakeLog) -> Log:
    return Log(FakeCluster(log), FakeSpans(log, most=3), FakePublisher(log))


async def a_filled_log(events: int = 60) -> FakeLog:
    """Events of several articles with all kinds of bytes, keys of which one was written anew, and others."""
    log = FakeLog(cluster_id="filledfilledfilledfill")
    for number in range(events):
        headers = (("ce_id", f"evt_{number}".encode()), ("raw", b"\xff"), ("raw", b""))
        value = CONTENTS[number % len(CONTENTS)]
        await log.append(Message(topics.EVENTS, f"a{number % 7}".encode(), value, headers))
    for key in (b"publisher", b"wire", b"publisher"):
        await log.append(Message(topics.KEYS, key, b'{"role":"editor"}'))
    await log.append(Message(topics.UPDATES, b"a1", b"made from events"))
    log.compact(topics.KEYS)
    return log


def content(log: FakeLog) -> list[tuple[object, ...]]:
    """What a restore has to give back, in its order."""
    return [
        (record.topic, record.partition, record.key, record.value, tuple(record.headers))
        for topic in (topics.EVENTS, topics.KEYS)
        for record in log.records(topic)
    ]


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def no_tell(_what: str, _done: int, _total: int) -> None:
    """Nobody looks."""


class Interrupted(Exception):
    """As Ctrl-C would."""


def interrupting(after: int) -> Callable[[str, int, int], None]:
    """A look at the progress that ends it once so many records are done."""

    def tell(_what: str, done: int, _total: int) -> None:
        if done >= after:
            raise Interrupted

    return tell


async def test_a_restored_log_is_the_one_that_was_backed_up(tmp_path: Path) -> None:
    """Partition by partition, with key, bytes and headers; the offsets of events too."""
    filled, empty = await a_filled_log(), FakeLog()
    copied = await back_up(a_log(filled), tmp_path / "b", no_tell)
    assert (copied.events, copied.keys, copied.skipped) == (60, 2, 0)
    assert await restore(a_log(empty), tmp_path / "b", no_tell) == copied
    assert content(empty) == content(filled)
    assert empty.end_offsets(topics.EVENTS) == filled.end_offsets(topics.EVENTS)
    assert empty.records(topics.UPDATES) == []


async def test_a_backup_is_its_owners_alone_and_plain_lines_for_zcat(tmp_path: Path) -> None:
    await back_up(a_log(await a_filled_log()), tmp_path / "b", no_tell)
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o600
    assert names_in(tmp_path) == ["b"]
    lines = [json.loads(line) for line in gzip.decompress((tmp_path / "b").read_bytes()).splitlines()]
    assert lines[0]["newsroom_backup"] == 1
    assert sum("record" in line for line in lines) == 62
    assert "sha256" in lines[-1]


async def test_what_comes_after_the_beginning_is_not_in_it(tmp_path: Path) -> None:
    """So that the partitions fit together, however long it takes."""
    filled = await a_filled_log()
    before = content(filled)

    class Growing(FakeSpans):
        async def read(self, where: TopicPartition, begin: int, end: int):  # type: ignore[no-untyped-def]
            await filled.append(Message(topics.EVENTS, b"late", b"late"))
            async for records in super().read(where, begin, end):
                yield records

    await back_up(Log(FakeCluster(filled), Growing(filled), FakePublisher(filled)), tmp_path / "b", no_tell)
    empty = FakeLog()
    await restore(a_log(empty), tmp_path / "b", no_tell)
    assert content(empty) == before
    assert len(content(filled)) > len(before)


@pytest.mark.parametrize("after", [1, 20, 61, 62])
async def test_an_interrupted_backup_goes_on(tmp_path: Path, after: int) -> None:
    """With what stood when it was begun, not reading again what it has."""
    filled, empty = await a_filled_log(), FakeLog()
    before = content(filled)
    with pytest.raises(Interrupted):
        await back_up(a_log(filled), tmp_path / "b", interrupting(after))
    assert not (tmp_path / "b").exists()
    await filled.append(Message(topics.EVENTS, b"late", b"late"))
    copied = await back_up(a_log(filled), tmp_path / "b", no_tell)
    assert after <= copied.skipped <= 62
    await restore(a_log(empty), tmp_path / "b", no_tell)
    assert content(empty) == before


async def test_a_backup_goes_on_behind_whatever_reached_the_disk(tmp_path: Path) -> None:
    """A crash may leave any beginning of the file."""
    filled = await a_filled_log(20)
    await back_up(a_log(filled), tmp_path / "whole", no_tell)
    whole = (tmp_path / "whole").read_bytes()
    for size in range(0, len(whole) + 1, 7):
        (tmp_path / "b.part").write_bytes(whole[:size])
        await back_up(a_log(filled), tmp_path / "b", no_tell)
        with (tmp_path / "b").open("rb") as file:
            _head, sums = verified(file)
        assert sum(each.records for each in sums.values()) == 22
        (tmp_path / "b").unlink()


async def test_a_backup_of_another_log_is_not_gone_on_with(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        await back_up(a_log(await a_filled_log()), tmp_path / "b", interrupting(1))
    with pytest.raises(Misconfigured, match="another log"):
        await back_up(a_log(FakeLog()), tmp_path / "b", no_tell)


async def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("precious")
    with pytest.raises(Misconfigured, match="already"):
        await back_up(a_log(await a_filled_log()), tmp_path / "b", no_tell)
    assert (tmp_path / "b").read_text() == "precious"


async def test_any_flipped_byte_is_found_before_anything_is_written(tmp_path: Path) -> None:
    """Each byte of the file, but the few that say nothing: what gzip calls flags and padding of the end."""
    await back_up(a_log(await a_filled_log(8)), tmp_path / "b", no_tell)
    whole = (tmp_path / "b").read_bytes()
    unseen = []
    for place in range(len(whole)):
        torn = bytearray(whole)
        torn[place] ^= 0x01
        try:
            verified(io.BytesIO(torn))
        except Damaged:
            continue
        unseen.append(place)
    last_member = whole.rindex(b"\x1f\x8b\x08")
    assert set(unseen) <= {last_member + 8, last_member + 9}


@pytest.mark.parametrize("cut", [1, 40, 400])
async def test_a_file_without_its_end_is_refused(tmp_path: Path, cut: int) -> None:
    await back_up(a_log(await a_filled_log()), tmp_path / "b", no_tell)
    whole = (tmp_path / "b").read_bytes()
    (tmp_path / "b").write_bytes(whole[:-cut])
    empty = FakeLog()
    with pytest.raises(Damaged):
        await restore(a_log(empty), tmp_path / "b", no_tell)
    assert content(empty) == []
    (tmp_path / "b").write_bytes(whole + b"x")
    with pytest.raises(Damaged):
        await restore(a_log(empty), tmp_path / "b", no_tell)


async def test_what_is_no_backup_is_said_to_be_none(tmp_path: Path) -> None:
    for content_of_it in (b"", b"hello", gzip.compress(b'{"a": 1}\n', mtime=0)):
        (tmp_path / "b").write_bytes(content_of_it)
        with pytest.raises(Damaged, match="no backup"):
            await restore(a_log(FakeLog()), tmp_path / "b", no_tell)


@pytest.mark.parametrize("after", [1, 30, 62])
async def test_an_interrupted_restore_goes_on_where_the_log_ends(tmp_path: Path, after: int) -> None:
    filled, empty = await a_filled_log(), FakeLog()
    await back_up(a_log(filled), tmp_path / "b", no_tell)
    with pytest.raises(Interrupted):
        await restore(a_log(empty), tmp_path / "b", interrupting(after))
    copied = await restore(a_log(empty), tmp_path / "b", no_tell)
    assert copied.skipped >= after
    assert content(empty) == content(filled)
    again = await restore(a_log(empty), tmp_path / "b", no_tell)
    assert again.skipped == 62
    assert content(empty) == content(filled)


async def test_a_restore_through_an_outage_goes_on_without_a_record_twice(tmp_path: Path) -> None:
    """The write may have arrived although nobody said so."""
    filled, empty = await a_filled_log(), FakeLog()
    await back_up(a_log(filled), tmp_path / "b", no_tell)
    log = a_log(empty)
    assert isinstance(log.publisher, FakePublisher)
    log.publisher.lose_next = 1
    with pytest.raises(Away):
        await restore(log, tmp_path / "b", no_tell)
    await restore(log, tmp_path / "b", no_tell)
    assert content(empty) == content(filled)


@pytest.mark.parametrize("topic", [topics.EVENTS, topics.KEYS])
async def test_nothing_is_restored_over_other_records(tmp_path: Path, topic: str) -> None:
    await back_up(a_log(await a_filled_log()), tmp_path / "b", no_tell)
    taken = FakeLog()
    await taken.append(Message(topic, b"a1", b"other"))
    with pytest.raises(Conflict, match="empty log"):
        await restore(a_log(taken), tmp_path / "b", no_tell)
    assert len(content(taken)) == 1


@pytest.mark.parametrize("sign", ["store-0123", "render-4567", topics.LISTINGS, topics.OUTCOMES])
async def test_nothing_is_restored_where_services_have_started(tmp_path: Path, sign: str) -> None:
    """They would take the past for news."""
    await back_up(a_log(await a_filled_log()), tmp_path / "b", no_tell)
    started = FakeLog()
    log = a_log(started)
    if sign.startswith("newsroom."):
        await started.append(Message(sign, b"k", b"v"))
    else:
        assert isinstance(log.cluster, FakeCluster)
        log.cluster.names = {sign}
    with pytest.raises(Conflict, match="first start"):
        await restore(log, tmp_path / "b", no_tell)
    assert content(started) == []


@pytest.mark.parametrize("room", [0, 100, 400, 900])
async def test_a_full_disk_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """The error comes out, what was copied stays, and with room the backup goes on."""
    filled, empty = await a_filled_log(), FakeLog()
    monkeypatch.setattr("desk.copying.open_private", lambda path: FullDisk(path, room))
    with pytest.raises(OSError, match="No space"):
        await back_up(a_log(filled), tmp_path / "b", no_tell)
    monkeypatch.undo()
    await back_up(a_log(filled), tmp_path / "b", no_tell)
    await restore(a_log(empty), tmp_path / "b", no_tell)
    assert content(empty) == content(filled)


class FullDisk(io.FileIO):
    """A file on a disk with so many bytes left; writes what fits, as a disk does."""

    def __init__(self, path: Path, room: int) -> None:
        super().__init__(path, "w+")
        self._room = room

    def write(self, data: bytes) -> int:  # type: ignore[override]
        fits, self._room = data[: self._room], max(0, self._room - len(data))
        super().write(fits)
        if len(fits) < len(data):
            raise OSError(errno.ENOSPC, "No space left on device")
        return len(fits)


def test_a_record_keeps_its_place_and_time(tmp_path: Path) -> None:
    record = Record(topics.EVENTS, 5, 0, None, None, (), 1_700_000_000_123)
    with (tmp_path / "b").open("w+b") as file:
        writer = Writer.begin(file, Head("c", "t", {record.topic_partition: 1}))
        writer.add([record])
        writer.finish()
        head, sums = verified(file)
    assert (head.cluster, sums[record.topic_partition].next_offset) == ("c", 1)
