"""Makers of bad records: what nobody who follows the contract writes, and somebody will. Pure: dice in,
messages out.

They have articles and events of their own, so that no editor's work is among them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random

from newsroom import keys, listings, notices, outcomes, topics, updates
from newsroom.events import EventKind
from newsroom.records import Message

CONSUMED = (topics.EVENTS, topics.UPDATES, topics.LISTINGS, topics.OUTCOMES)
"""Topics whose readers park what they cannot process."""
TYPES: Mapping[str, str] = {
    topics.EVENTS: EventKind.PUBLISHED.type,
    topics.UPDATES: updates.TYPE,
    topics.LISTINGS: listings.TYPE,
    topics.OUTCOMES: outcomes.EVENT_TYPE,
    topics.NOTICES: notices.TYPE,
    topics.KEYS: keys.TYPE,
}
"""What a good record of each topic calls itself, so that its reader looks further than the headers."""
_COMPACTED = frozenset(spec.name for spec in topics.ALL if spec.compacted)
OVERSIZE_BYTES = 12 * 1024 * 1024
"""More than any record may have; compressed it is small enough for the log."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def not_json(topic: str, dice: Random) -> Message:
    """Good headers around bytes that are no JSON, or JSON of something else."""
    values: Sequence[bytes | None] = (
        b"",
        None,
        b"\x00" * 16,
        b"\xff\xfe\xfa" + dice.randbytes(40),
        b'{"article": {"headline": "cut off in the mid',
        b"null",
        b"[]",
        b"[" * 100_000,
        b'{"article": NaN, "path": Infinity}',
        b'{"article_id": "\\ud800", "path": "\\ud800", "article": {}}',
        json.dumps({"path": "/../../etc/", "article_id": "../..", "revision": "many"}).encode(),
        b'{"revision": 1e999, "article_id": 7, "path": {"path": {}}}',
    )
    return replace(_good(topic, dice), value=dice.choice(values))


def of_unknown_type(topic: str, dice: Random) -> Message:
    """A record whose headers are those of nothing that this version knows."""
    good = _good(topic, dice)
    strange: Sequence[Callable[[], Message]] = (
        lambda: _told(good, ce_type="newsroom.article.exploded.v9"),
        lambda: _told(good, ce_specversion="0.3"),
        lambda: _told(good, ce_time="yesterday, about noon"),
        lambda: _told(good, ce_time="9999-12-31T23:59:59-23:59"),
        lambda: _told(good, ce_id="evt_short"),
        lambda: _told(good, ce_subject="../../etc/passwd"),
        lambda: _told(good, ce_type=""),
        lambda: replace(good, headers=()),
        lambda: replace(good, headers=[("ce_type", b"\xff\xfe"), *good.headers[1:]]),
        lambda: replace(good, headers=[*good.headers, *[("ce_type", b"twice")] * 50]),
        lambda: replace(good, key=b"\x00\xff somebody else's"),
    )
    nameless = replace(good, key=None, value=b"{}")
    without_key = () if topic in _COMPACTED else (lambda: nameless,)  # there the log takes none
    make: Callable[[], Message] = dice.choice((*strange, *without_key))
    return make()


def oversize(topic: str, dice: Random) -> Message:
    """A record that would be a good one, were it not so large."""
    good = _good(topic, dice)
    article = {
        "headline": "Too long",
        "section": "World",
        "body": f"<p>{'long ' * (OVERSIZE_BYTES // 5)}</p>",
    }
    return replace(good, value=json.dumps({"article": article, "create": True}).encode())


def scattered(
    make: Callable[[str, Random], Message], names: Sequence[str], each: int, dice: Random
) -> list[Message]:
    """So many bad records for each topic, in an order of chance."""
    messages = [make(topic, dice) for topic in names for _ in range(each)]
    dice.shuffle(messages)
    return messages


def in_parts(messages: Sequence[Message], most: int) -> Iterator[Sequence[Message]]:
    """The same in their order, a few at a time."""
    for begin in range(0, len(messages), most):
        yield messages[begin : begin + most]


def _good(topic: str, dice: Random) -> Message:
    """Headers as they must be, of an article and an event that nobody knows, around an empty object."""
    article_id = f"nobodys-{dice.randrange(10**9)}"
    event_id = "evt_" + "".join(dice.choices(_LETTERS, k=26))
    attributes = {
        "ce_type": TYPES[topic],
        "ce_specversion": "1.0",
        "ce_id": event_id,
        "ce_source": "/somewhere",
        "ce_subject": article_id,
        "ce_time": "2023-06-20T04:00:00Z",
        "content-type": "application/json",
    }
    headers = [(name, value.encode()) for name, value in attributes.items()]
    return Message(topic, article_id.encode(), b"{}", headers)


def _told(message: Message, **headers: str) -> Message:
    changed = [(name, headers.get(name, value.decode()).encode()) for name, value in message.headers]
    return replace(message, headers=changed)
