"""Every record of the contract survives the way onto a topic and back; bytes that are none are told apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsroom import events, ids, keys, listings, notices, outcomes, updates
from newsroom.articles import ArticleText, Dateline
from newsroom.errors import BadRecord
from newsroom.records import Message, Record
from newsroom.times import now, rfc3339

TEXT = ArticleText(
    headline="Gunman takes hostages",
    body="<p>Police surround a bank.</p>",
    section="Kazakhstan",
    dateline=Dateline(place="Astana, Kazakhstan", timezone="Asia/Almaty"),
)
TIME = datetime(2023, 6, 20, 5, 40, tzinfo=UTC)
EVENT = events.Event(
    id=ids.derive_event_id("desk", "a1", "once"),
    kind=events.EventKind.UPDATED,
    article_id="a1",
    time=TIME,
    data=events.Updated(note="Two are free", article=TEXT),
    actor="desk",
    request_hash="ab" * 32,
    expected_revision=3,
    trace="00-" + "1" * 32 + "-" + "2" * 16 + "-01",
)


def as_read(message: Message) -> Record:
    return Record(message.topic, 0, 0, message.key, message.value, tuple(message.headers), 0)


def test_an_event_comes_back_as_it_went() -> None:
    assert events.decode_event(as_read(events.event_message(EVENT))) == EVENT


def test_an_update_comes_back_as_it_went() -> None:
    public = updates.PublicArticle(
        revision=1, text=TEXT, section="Kazakhstan", language="en",
        published_at=TIME, updated_at=TIME, bumped_at=TIME,
        changes=(updates.Change(revision=1, kind=updates.ChangeKind.PUBLISHED, time=TIME, breaking=True),),
    )  # fmt: skip
    update = updates.ArticleUpdate(
        article_id="a1", revision=1, status=updates.Status.PUBLIC, path="/x/", public=public
    )
    announced = updates.Announcement(update, TIME, again=True, trace=EVENT.trace)
    assert updates.decode_update(as_read(updates.update_message(announced))) == announced


def test_a_notice_an_outcome_a_mark_and_a_key_come_back_as_they_went() -> None:
    notice = notices.Notice(
        article_id="a1",
        revision=2,
        kind=notices.NoticeKind.UPDATE,
        note="n",
        time=TIME,
        path="/x/",
        headline="h",
    )
    assert notices.decode_notice(as_read(notices.notice_message(notice, None))) == notice
    outcome = outcomes.EventOutcome(
        event_id=EVENT.id,
        article_id="a1",
        state=outcomes.EventState.STORED,
        revision=2,
        renders=True,
        times={"stored": TIME},
    )
    assert outcomes.decode_outcome(as_read(outcomes.outcome_message(outcome, TIME, None))) == outcome
    rendering = outcomes.Rendering(article_id="a1", revision=2, path="/x/")
    assert outcomes.decode_outcome(as_read(outcomes.rendering_message(rendering, TIME, None))) == rendering
    mark = listings.ListingMark(path="/kazakhstan/", article_id="a1", revision=2)
    assert listings.decode_mark(as_read(listings.mark_message(mark, TIME, None))).mark == mark
    key = keys.ApiKey(name="desk", role=keys.Role.EDITOR, secret_sha256=keys.digest("s"), created_at=TIME)
    assert keys.decode_key(as_read(keys.key_message(key))) == key


GOOD = as_read(events.event_message(EVENT))


def without(name: str) -> Record:
    return replace(GOOD, headers=tuple(header for header in GOOD.headers if header[0] != name))


def with_header(name: str, value: bytes) -> Record:
    return replace(GOOD, headers=(*GOOD.headers, (name, value)))


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (replace(GOOD, value=b"\xff\xfe not json"), "value is no Updated"),
        (replace(GOOD, value=None), "tombstone"),
        (replace(GOOD, value=b'{"note": 7}'), "/note"),
        (replace(GOOD, key=b"other"), "key is not its subject"),
        (without("ce_specversion"), "ce_specversion"),
        (without("ce_id"), "ce_id"),
        (with_header("ce_time", b"yesterday"), "no RFC 3339 time"),
        (with_header("ce_time", b"0001-01-01T00:00:00+23:59"), "no RFC 3339 time"),
        (with_header("ce_type", b"newsroom.article.exploded.v9"), "unknown to this version"),
        (with_header("ce_id", b"../../x"), "form of an event id"),
        (with_header("ce_ifmatch", b"-1"), "no revision"),
        (with_header("ce_id", b"\xff"), "ce_id"),
    ],
)
def test_what_is_no_event_says_why(record: Record, reason: str) -> None:
    with pytest.raises(BadRecord, match=reason):
        events.decode_event(record)


@given(
    st.binary(max_size=200),
    st.lists(st.tuples(st.sampled_from(["ce_id", "ce_time", "ce_type", "x"]), st.binary(max_size=30))),
)
def test_any_bytes_are_an_event_or_a_bad_record(value: bytes, headers: list[tuple[str, bytes]]) -> None:
    """Nothing else may be raised: another error would stop the consumer instead of parking the record."""
    with pytest.raises(BadRecord):
        events.decode_event(replace(GOOD, value=value, headers=(*GOOD.headers, *headers)))


def test_unknown_fields_of_a_newer_writer_are_ignored() -> None:
    assert GOOD.value is not None
    newer = replace(GOOD, value=GOOD.value.replace(b'{"note"', b'{"mood":"tense","note"'))
    assert events.decode_event(newer) == EVENT


def test_times_are_written_with_fixed_width() -> None:
    assert rfc3339(TIME + timedelta(microseconds=1234)) == "2023-06-20T05:40:00.001Z"
    assert rfc3339(TIME) == "2023-06-20T05:40:00.000Z"


def test_derived_ids_keep_their_parts_apart() -> None:
    assert ids.derive_event_id("ab", "c", "d") != ids.derive_event_id("a", "bc", "d")
    assert ids.is_event_id(ids.new_event_id())
    assert ids.ARTICLE_ID.fullmatch(ids.new_article_id())


class TestKeyRing:
    def test_a_key_opens_until_it_is_revoked_for_ever(self) -> None:
        ring, secret = keys.KeyRing(), keys.new_secret()
        key = keys.ApiKey(
            name="desk", role=keys.Role.EDITOR, secret_sha256=keys.digest(secret), created_at=TIME
        )
        ring.put(key)
        assert ring.find(secret, now()) == key
        ring.put(key.model_copy(update={"revoked_at": TIME}))
        ring.put(key)
        assert ring.find(secret, now()) is None

    def test_a_name_stays_with_the_first_secret_it_was_given_to(self) -> None:
        ring, first, second = keys.KeyRing(), keys.new_secret(), keys.new_secret()
        key = keys.ApiKey(
            name="desk", role=keys.Role.EDITOR, secret_sha256=keys.digest(first), created_at=TIME
        )
        ring.put(key)
        ring.put(key.model_copy(update={"secret_sha256": keys.digest(second)}))
        assert ring.find(first, now()) == key
        assert ring.find(second, now()) is None
        ring.put(key.model_copy(update={"expires_at": TIME}))
        assert ring.find(first, now()) is None, "what else stands in a record of the same secret counts"

    def test_an_expired_key_opens_nothing(self) -> None:
        ring = keys.KeyRing()
        ring.put(
            keys.ApiKey(
                name="a",
                role=keys.Role.READER,
                secret_sha256=keys.digest("s"),
                created_at=TIME,
                expires_at=TIME,
            )
        )
        assert ring.find("s", TIME - timedelta(seconds=1)) is not None
        assert ring.find("s", TIME) is None

    def test_roles_stand_in_a_row(self) -> None:
        assert keys.Role.PUBLISHER.may_act_as(keys.Role.READER)
        assert not keys.Role.REPORTER.may_act_as(keys.Role.EDITOR)


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00Z", "1000-12-31T23:59:59Z", "9999-01-01T00:00:00Z"])
def test_a_time_that_some_zone_could_not_write_with_four_digits_is_a_bad_record(time: str) -> None:
    sound = as_read(events.event_message(EVENT))
    headers = tuple((name, time.encode() if name == "ce_time" else value) for name, value in sound.headers)
    with pytest.raises(BadRecord, match="ce_time"):
        events.decode_event(replace(sound, headers=headers))
