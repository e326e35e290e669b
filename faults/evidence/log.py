"""The log at rest, read from beginning to end without the newsroom's own decoding: what that cannot read is
seen as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord  # type: ignore[import-untyped]

from faults.history import Evidence, Filed, Letter, Noticed, Outcome, Unreadable, Updated
from faults.load.words import find

EVENTS, UPDATES, LISTINGS = "newsroom.events", "newsroom.updates", "newsroom.listings"
OUTCOMES, LETTERS, NOTICES = "newsroom.outcomes", "newsroom.dead-letters", "newsroom.notices"
_POLL_MS = 2_000
_MOST_BYTES = 16 * 1024 * 1024
_EVENT_ID = re.compile(r"evt_[a-z2-7]{26}")
_EVENT_TYPE = re.compile(r"newsroom\.article\.([a-z_]+)\.v1")
_ARTICLE, _ENTRY = "newsroom.article.announced.v1", "newsroom.entry.announced.v1"
_MARK = "newsroom.listing.marked.v1"
_OF_EVENT, _RENDERING = "newsroom.outcome.event.v1", "newsroom.outcome.rendering.v1"


@dataclass
class Log:
    """What was read, by what it tells of."""

    filed: list[Filed] = field(default_factory=list)
    updated: list[Updated] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    noticed: list[Noticed] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)

    def take(self, record: ConsumerRecord) -> None:
        """One record, whatever it is."""
        _TAKE[record.topic](self, record, _headers(record))

    def evidence(self) -> Evidence:
        return Evidence(
            filed=tuple(self.filed),
            updated=tuple(self.updated),
            outcomes=tuple(self.outcomes),
            letters=tuple(self.letters),
            noticed=tuple(self.noticed),
            unreadable=tuple(self.unreadable),
        )


async def read_log(bootstrap: str) -> Evidence:
    """All topics that tell of events and their effects, up to their ends now. Raises: KafkaError."""
    consumer = AIOKafkaConsumer(
        *_TAKE,
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=_MOST_BYTES,
    )
    log = Log()
    await consumer.start()
    try:
        places = consumer.assignment()
        ends = await consumer.end_offsets(places)
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                for record in records:
                    log.take(record)
    finally:
        await consumer.stop()
    return log.evidence()


def _take_event(log: Log, record: ConsumerRecord, headers: Mapping[str, str]) -> None:
    kind = _EVENT_TYPE.fullmatch(headers.get("ce_type", ""))
    event_id = _EVENT_ID.fullmatch(headers.get("ce_id", ""))
    log.filed.append(
        Filed(
            record.partition,
            record.offset,
            _text(record.key),
            event_id[0] if event_id else None,
            kind[1] if kind else None,
            find(_text(record.value)),
        )
    )


def _take_update(log: Log, record: ConsumerRecord, headers: Mapping[str, str]) -> None:
    data = _data(record)
    match headers.get("ce_type"), data:
        case str(kind), {"article_id": str(article_id), "revision": int(revision)} if kind == _ARTICLE:
            log.updated.append(Updated(record.partition, record.offset, article_id, revision))
        case str(kind), {"article_id": str()} if kind == _ENTRY:
            pass
        case _:
            log.unreadable.append(Unreadable(record.topic, record.partition, record.offset))


def _take_mark(log: Log, record: ConsumerRecord, headers: Mapping[str, str]) -> None:
    if headers.get("ce_type") != _MARK or "path" not in _data(record):
        log.unreadable.append(Unreadable(record.topic, record.partition, record.offset))


def _take_outcome(log: Log, record: ConsumerRecord, headers: Mapping[str, str]) -> None:
    data = _data(record)
    event_id = data.get("event_id") if headers.get("ce_type") == _OF_EVENT else None
    state = data.get("state") if event_id else "rendered"
    if "article_id" in data and (event_id or headers.get("ce_type") == _RENDERING):
        article_id, revision = data["article_id"], data.get("revision")
        log.outcomes.append(
            Outcome(record.partition, record.offset, article_id, str(state), event_id, revision)
        )


def _take_letter(log: Log, record: ConsumerRecord, headers: Mapping[str, str]) -> None:
    if "dead_topic" in headers:
        log.letters.append(
            Letter(
                record.partition,
                record.offset,
                headers["dead_topic"],
                int(headers["dead_partition"]),
                int(headers["dead_offset"]),
            )
        )


def _take_notice(log: Log, record: ConsumerRecord, _: Mapping[str, str]) -> None:
    match _data(record):
        case {"article_id": str(article_id), "revision": int(revision), "kind": str(kind)}:
            is_silent = kind == "withdrawn"
            log.noticed.append(Noticed(record.offset, article_id, revision, kind, silent=is_silent))


_TAKE: Mapping[str, Callable[[Log, ConsumerRecord, Mapping[str, str]], None]] = {
    EVENTS: _take_event,
    UPDATES: _take_update,
    LISTINGS: _take_mark,
    OUTCOMES: _take_outcome,
    LETTERS: _take_letter,
    NOTICES: _take_notice,
}


def _headers(record: ConsumerRecord) -> dict[str, str]:
    """By name; the last of a name counts."""
    return {name: _text(value) for name, value in record.headers}


def _data(record: ConsumerRecord) -> dict[str, Any]:
    """The value, empty where it is no object of JSON."""
    try:
        told = json.loads(record.value or b"")
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode(errors="replace")
