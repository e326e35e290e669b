"""Whatever stands on a topic is a record or a bad one: bytes that are nobody's, and good records in which
something was changed.

Any other error would stop the consumer for good, for the record would be there again after each start.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsroom import events, keys, listings, notices, outcomes, topics, updates
from newsroom.errors import BadRecord
from newsroom.kafka import dead_letters
from newsroom.records import Message, Record
from tests.due_parts import sent
from tests.fuzzed import JSON
from tests.render_parts import a_live, a_notice, a_post, a_public
from tests.store_parts import minute

DECODERS: dict[str, Callable[[Record], object]] = {
    topics.EVENTS: events.decode_event,
    topics.UPDATES: updates.decode_update,
    topics.LISTINGS: listings.decode_mark,
    topics.NOTICES: notices.decode_notice,
    topics.OUTCOMES: outcomes.decode_outcome,
    topics.KEYS: keys.decode_key,
    topics.DEAD_LETTERS: dead_letters.decode_letter,
}
TYPES = (
    b"newsroom.article.published.v1",
    b"newsroom.article.entry_added.v1",
    b"newsroom.outcome.event.v1",
    b"newsroom.outcome.rendering.v1",
    b"",
)
HEADER_NAMES = st.sampled_from(
    ["ce_id", "ce_type", "ce_time", "ce_subject", "ce_source", "ce_specversion", "ce_ifmatch", "content-type",
     "traceparent", "x"]
)  # fmt: skip
ODD = st.sampled_from(
    [-1, 0, 2**31, 2**63, -(2**63) - 1, 10**400, 1e308, "", " ", "\0", "a" * 5000, "../..", "/../", "{{ x }}",
     "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00Z", "Asia/Nowhere", "\u202e", True, [], {}]
)  # fmt: skip
Place = tuple[Any, Any]
"""A list or an object, and where in it something stands."""


A_MARK = listings.ListingMark(path="/x/", article_id="a1", revision=2)
A_LIVE = updates.Announcement(a_live(a_public("a1", 3), [a_post(1)]), minute(3))
A_RENDERING = outcomes.Rendering(article_id="a1", revision=2)


def a_released() -> Message:
    data = events.Released(set_by=3, due_at=minute(5))
    event = replace(sent("published", at=minute(0)), kind=events.EventKind.RELEASED, data=data)
    return events.event_message(event)


def an_outcome() -> Message:
    times = {"stored": minute(1)}
    outcome = outcomes.EventOutcome(
        event_id="evt_" + "a" * 26, article_id="a1", state=outcomes.EventState.STORED, revision=2, times=times
    )
    return outcomes.outcome_message(outcome, minute(1), None)


def a_key() -> keys.ApiKey:
    return keys.ApiKey(
        name="desk", role=keys.Role.EDITOR, secret_sha256=keys.digest("s"), created_at=minute(0)
    )


def as_read(message: Message) -> Record:
    return Record(message.topic, 0, 0, message.key, message.value, tuple(message.headers), 0)


def a_letter() -> Message:
    return dead_letters.letter(as_read(a_released()), "a bad one", "store")


GOOD: Mapping[str, Record] = {
    name: as_read(message)
    for name, message in {
        "publication": events.event_message(sent("published", at=minute(0), create=True)),
        "update": events.event_message(sent("updated", at=minute(0), publish_at=minute(60))),
        "release": a_released(),
        "announcement": updates.update_message(updates.Announcement(a_public("a1", 3), minute(3))),
        "live announcement": updates.update_message(A_LIVE),
        "entry": updates.entry_message(updates.EntryAnnouncement(a_post(1), minute(2)), 0),
        "mark": listings.mark_message(A_MARK, minute(2), None),
        "notice": notices.notice_message(a_notice("a1", 2), None),
        "outcome": an_outcome(),
        "rendering": outcomes.rendering_message(A_RENDERING, minute(2), None),
        "key": keys.key_message(a_key()),
        "letter": a_letter(),
        "retried": dead_letters.mark_message(dead_letters.Mark("dl_" + "a" * 26, "retried", 2), 0),
    }.items()
}
"""One record of each kind, by what it is."""
NUMBERED = ("release", "announcement", "entry", "mark", "notice", "outcome", "rendering")


def decode(record: Record) -> object:
    return DECODERS[record.topic](record)


@st.composite
def some_record(draw: st.DrawFn) -> Record:
    """A record that is nobody's: random bytes or well-formed JSON, under headers that may be ours."""
    value = draw(st.none() | st.binary(max_size=200) | JSON.map(_json))
    named = st.tuples(HEADER_NAMES, st.binary(max_size=40) | st.sampled_from(TYPES))
    headers = draw(st.lists(named, max_size=10))
    key = draw(st.none() | st.binary(max_size=70))
    return Record("x", 0, 0, key, value, tuple(headers), 0)


def _json(data: object) -> bytes:
    return json.dumps(data).encode()


@st.composite
def changed(draw: st.DrawFn, good: Record) -> Record:
    """The record with one thing or a few in it that its writer would not write: something gone, odd, or
    something else; in its JSON, or in its headers.
    """
    data = json.loads(good.value) if good.value and good.topic != topics.DEAD_LETTERS else None
    headers = list(good.headers)
    for _ in range(draw(st.integers(1, 3))):
        places, mostly = list(_places(data)), draw(st.integers(0, 3))
        if places and mostly:
            _change(draw, *draw(st.sampled_from(places)))
        elif headers:
            number = draw(st.integers(0, len(headers) - 1))
            other = draw(st.binary(max_size=40) | st.sampled_from([value for _, value in good.headers]))
            headers[number] = (headers[number][0], other)
    return replace(good, value=good.value if data is None else _json(data), headers=tuple(headers))


def _places(data: object) -> Iterator[Place]:
    """Everything that stands in it, at any depth."""
    names: list[Any] = list(data) if isinstance(data, dict) else []
    if isinstance(data, list):
        names = list(range(len(data)))
    for name in names:
        yield data, name
        yield from _places(data[name])  # type: ignore[index]


def _change(draw: st.DrawFn, holder: Any, name: Any) -> None:
    """Only of a list or an object that still holds it: what is around it may have been changed before."""
    if draw(st.booleans()):
        holder[name] = draw(ODD | JSON)
    else:
        del holder[name]


@pytest.mark.parametrize("topic", DECODERS)
@given(record=some_record())
def test_a_record_that_is_nobodys_is_bad(topic: str, record: Record) -> None:
    with pytest.raises(BadRecord):
        DECODERS[topic](record)


@pytest.mark.parametrize("name", GOOD)
def test_a_good_record_is_read(name: str) -> None:
    """Or what is changed in it below would show nothing."""
    assert decode(GOOD[name]) is not None


@pytest.mark.parametrize("name", GOOD)
@given(data=st.data())
def test_a_good_record_that_was_changed_is_read_or_bad(name: str, data: st.DataObject) -> None:
    record = data.draw(changed(GOOD[name]))
    with suppress(BadRecord):
        assert decode(record) is not None


@pytest.mark.parametrize("number", [-1, 2**63, 10**400], ids=["below 0", "nine bytes", "very large"])
@pytest.mark.parametrize("name", NUMBERED)
def test_a_number_that_no_revision_can_have_is_bad(name: str, number: int) -> None:
    """MongoDB keeps no number of more than eight bytes, and says so by an error that is no outage."""
    good = GOOD[name]
    assert good.value is not None
    told = json.loads(good.value)
    counted = [field for field, value in told.items() if type(value) is int]
    assert counted
    for field in counted:
        with pytest.raises(BadRecord, match=field):
            decode(replace(good, value=_json(told | {field: number})))


@pytest.mark.parametrize("pages", [-1, 10**6, 10**12])
def test_a_live_article_of_more_pages_than_its_posts_could_fill_is_bad(pages: int) -> None:
    """Render counts through them: of a billion it would die, at each start again."""
    live = json.loads(as_read(updates.update_message(A_LIVE)).value or b"")
    live["public"]["live"]["pages"] = pages
    with pytest.raises(BadRecord, match="pages"):
        decode(replace(GOOD["announcement"], value=_json(live)))


@pytest.mark.parametrize(
    "path", ["", "x/", "//", "/./", "/../", "/a\\b/", "/a\0b/", f"/{'x' * 256}/", f"/{'y/' * 3000}"]
)
@pytest.mark.parametrize("name", ["announcement", "mark"])
def test_a_path_that_no_page_can_have_is_bad(name: str, path: str) -> None:
    """Render would refuse to write there, or the disk would, at each start again."""
    good = GOOD[name]
    told = json.loads(good.value or b"") | {"path": path}
    with pytest.raises(BadRecord, match="path"):
        decode(replace(good, value=_json(told)))


def test_what_mongodb_keeps_is_less_than_what_json_can_say() -> None:
    """So that the test above is not for nothing."""
    with pytest.raises(OverflowError):
        bson.encode({"revision": 2**63})
