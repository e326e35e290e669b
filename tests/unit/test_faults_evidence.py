"""What stands at rest, read from raw records and from files."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]
import pytest
from aiokafka import ConsumerRecord  # type: ignore[import-untyped]

from faults.evidence.files import look_at
from faults.evidence.log import EVENTS, LETTERS, LISTINGS, NOTICES, OUTCOMES, UPDATES, Log
from faults.history import Filed, Letter, Noticed, Outcome, Unreadable, Updated

EVENT_ID = "evt_abcdefghijklmnopqrstuvwxyz"


def a_record(topic: str, value: Any, **headers: str) -> ConsumerRecord:
    raw = value if isinstance(value, bytes | None) else json.dumps(value).encode()
    told = [(name, text.encode()) for name, text in headers.items()]
    return ConsumerRecord(topic, 2, 7, 0, 0, b"a", raw, None, 0, 0, tuple(told))


def taken(record: ConsumerRecord) -> Any:
    """What one record is evidence of."""
    log = Log()
    log.take(record)
    (found,) = [each for kind in vars(log).values() for each in kind]
    return found


def test_an_event_is_known_by_its_id_and_by_the_words_in_it() -> None:
    body = {"article": {"headline": "A zqabcdefghij word", "body": "<p>zqabcdefghij</p>"}}
    record = a_record(EVENTS, body, ce_id=EVENT_ID, ce_type="newsroom.article.published.v1")
    assert taken(record) == Filed(2, 7, "a", EVENT_ID, "published", ("zqabcdefghij",))


@pytest.mark.parametrize("name", ["", "evt_short", "zqabcdefghij"])
def test_what_has_no_id_of_ours_is_no_event(name: str) -> None:
    assert taken(a_record(EVENTS, b"\xff\x00", ce_id=name)) == Filed(2, 7, "a", None)


def test_the_last_of_two_headers_counts() -> None:
    record = a_record(EVENTS, {}, ce_id="evt_other")
    twice = ConsumerRecord(
        EVENTS, 2, 7, 0, 0, b"a", b"{}", None, 0, 0, (*record.headers, ("ce_id", EVENT_ID.encode()))
    )
    assert taken(twice).event_id == EVENT_ID


def test_an_update_tells_article_and_revision() -> None:
    record = a_record(UPDATES, {"article_id": "a", "revision": 3}, ce_type="newsroom.article.announced.v1")
    assert taken(record) == Updated(2, 7, "a", 3)


@pytest.mark.parametrize("topic", [UPDATES, LISTINGS])
@pytest.mark.parametrize("value", [None, b"", b"[]", b"[" * 100_000, b"\xff", {"article_id": 7}])
def test_what_nobody_can_read_is_told_by_its_place(topic: str, value: Any) -> None:
    record = a_record(topic, value, ce_type="newsroom.article.announced.v1")
    assert taken(record) == Unreadable(topic, 2, 7)


def test_outcomes_are_of_events_or_renderings() -> None:
    told = {"event_id": EVENT_ID, "article_id": "a", "state": "stored", "revision": 2}
    assert taken(a_record(OUTCOMES, told, ce_type="newsroom.outcome.event.v1")) == Outcome(
        2, 7, "a", "stored", EVENT_ID, 2
    )
    rendered = a_record(OUTCOMES, {"article_id": "a", "revision": 2}, ce_type="newsroom.outcome.rendering.v1")
    assert taken(rendered) == Outcome(2, 7, "a", "rendered", None, 2)


def test_a_dead_letter_tells_where_its_record_stood() -> None:
    record = a_record(LETTERS, b"", dead_topic=EVENTS, dead_partition="4", dead_offset="9")
    assert taken(record) == Letter(2, 7, EVENTS, 4, 9)


def test_a_withdrawal_is_a_silent_notice() -> None:
    told = {"article_id": "a", "revision": 2, "kind": "withdrawn"}
    assert taken(a_record(NOTICES, told)) == Noticed(7, "a", 2, "withdrawn", silent=True)


def test_files_are_told_by_bytes_and_words_and_stale_siblings(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    page = b"<html>zqabcdefghij</html>"
    (tmp_path / "a/index.html").write_bytes(page)
    (tmp_path / "a/index.html.gz").write_bytes(gzip.compress(page))
    (tmp_path / "a/index.html.br").write_bytes(brotli.compress(b"<html>zqold0000000</html>"))
    (tmp_path / "torn.xml.gz").write_bytes(gzip.compress(page)[:-4])
    (tmp_path / "link.html").symlink_to("/etc/hostname")
    seen = look_at(tmp_path)
    assert seen.stale_siblings == ("a/index.html.br", "torn.xml.gz")
    assert seen.tokens == {
        "zqabcdefghij": ("a/index.html", "a/index.html.gz"),
        "zqold0000000": ("a/index.html.br",),
    }
    assert set(seen.files) == {
        "a/index.html", "a/index.html.br", "a/index.html.gz", "link.html", "torn.xml.gz"
    }  # fmt: skip
