"""Each call of the API becomes one event, whole and attributed, on the log."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsroom import ids, topics
from newsroom.articles import ArticleText
from newsroom.events import (
    Amended,
    Corrected,
    Drafted,
    EventData,
    EventKind,
    Published,
    Retracted,
    Updated,
    Withdrawn,
)
from newsroom.times import now
from tests.ingest_parts import Ingest, Json, a_story, an_ingest

TEXT = ArticleText(
    headline="Siege at a bank in Astana ends",
    body="<p>The siege ended without casualties.</p>",
    section="Kazakhstan",
)
CALLS: list[tuple[str, str, Json, EventData, EventKind]] = [
    ("POST", "publication", a_story(), Published(article=TEXT), EventKind.PUBLISHED),
    ("PUT", "draft", a_story(), Drafted(article=TEXT), EventKind.DRAFTED),
    (
        "POST",
        "updates",
        {"note": "It ended.", "article": a_story()},
        Updated(note="It ended.", article=TEXT),
        EventKind.UPDATED,
    ),
    (
        "POST",
        "corrections",
        {"kind": "clarification", "note": "There were two.", "article": a_story()},
        Corrected(kind="clarification", note="There were two.", article=TEXT),
        EventKind.CORRECTED,
    ),
    ("POST", "amendments", {"article": a_story()}, Amended(article=TEXT), EventKind.AMENDED),
    ("POST", "retraction", {"note": "Unfounded."}, Retracted(note="Unfounded."), EventKind.RETRACTED),
    ("POST", "withdrawal", {"note": "Legal."}, Withdrawn(note="Legal."), EventKind.WITHDRAWN),
]


@pytest.fixture
async def ingest() -> AsyncIterator[Ingest]:
    async with an_ingest() as running:
        yield running


@pytest.mark.parametrize(("method", "name", "body", "data", "kind"), CALLS, ids=[call[1] for call in CALLS])
async def test_a_call_becomes_its_event(
    ingest: Ingest, method: str, name: str, body: Json, data: EventData, kind: EventKind
) -> None:
    response = await ingest.call(method, f"/articles/bank-siege/{name}", body)

    event = ingest.event()
    assert response.status_code == 202, response.text
    assert (event.kind, event.article_id, event.data) == (kind, "bank-siege", data)
    assert event.actor == "the-publisher"
    assert event.expected_revision is None
    assert abs(event.time - now()) < timedelta(seconds=5)


async def test_a_new_article_is_published(ingest: Ingest) -> None:
    await ingest.post("/articles", a_story(id="bank-siege"))
    event = ingest.event()
    assert (event.kind, event.article_id) == (EventKind.PUBLISHED, "bank-siege")
    assert event.data == Published(article=TEXT, create=True)


async def test_a_new_article_may_be_a_draft(ingest: Ingest) -> None:
    await ingest.post("/articles", {"headline": "Later", "section": "Kazakhstan", "draft": True})
    event = ingest.event()
    assert event.kind is EventKind.DRAFTED
    assert event.data == Drafted(article=ArticleText(headline="Later", section="Kazakhstan"), create=True)


async def test_an_article_without_an_id_gets_one_of_its_own_each_time(ingest: Ingest) -> None:
    for _ in range(2):
        response = await ingest.post("/articles", a_story())
        assert ids.ARTICLE_ID.fullmatch(response.json()["article_id"])
    first, second = ingest.events()
    assert first.article_id != second.article_id
    assert first.id != second.id


async def test_the_receipt_says_where_to_ask(ingest: Ingest) -> None:
    response = await ingest.post("/articles", a_story(id="bank-siege"))
    event_id = ingest.event().id
    assert ids.is_event_id(event_id)
    assert response.json() == {
        "event_id": event_id,
        "article_id": "bank-siege",
        "status_url": f"/events/{event_id}",
    }
    assert response.headers["location"] == f"/events/{event_id}"
    assert response.headers["content-type"] == "application/json"
    assert (await ingest.call("GET", response.headers["location"])).status_code == 200


async def test_every_field_of_an_article_reaches_the_log(ingest: Ingest) -> None:
    fields: dict[str, Any] = {
        "headline": "Осада банка в Астане",
        "deck": "Полиция задержала одного человека",
        "body": "<p>Осада завершилась.</p>",
        "section": "Казахстан",
        "tags": ["Астана", "Police"],
        "authors": ["А. Репортёр"],
        "dateline": {"place": "Астана, Казахстан", "timezone": "Asia/Almaty"},
        "language": "ru",
        "slug": "osada-banka",
        "breaking": True,
        "published_at": "2023-06-20T10:40:00+06:00",
        "sources": [{"name": "МВД", "url": "https://example.org/1"}],
    }
    await ingest.post("/articles", fields)
    data = ingest.event().data
    assert isinstance(data, Published)
    assert data.article == ArticleText.model_validate(fields)
    assert data.article.published_at == datetime(2023, 6, 20, 4, 40, tzinfo=UTC)


async def test_bodies_are_cleaned_at_the_door(ingest: Ingest) -> None:
    html = '<p onclick="x()">Calm.<script>alert(1)</script><img src="/x.png"></p>'
    await ingest.post("/articles", a_story(body=html))
    (record,) = ingest.log.records(topics.EVENTS)
    assert json.loads(record.value or b"")["article"]["body"] == "<p>Calm.</p>"


async def test_the_record_is_a_cloud_event_keyed_by_its_article(ingest: Ingest) -> None:
    response = await ingest.post("/articles/bank-siege/updates", {"note": "New.", "article": a_story()})
    (record,) = ingest.log.records(topics.EVENTS)
    assert record.key == b"bank-siege"
    headers = {name: value.decode() for name, value in record.headers}
    assert headers["ce_type"] == "newsroom.article.updated.v1"
    assert headers["ce_subject"] == "bank-siege"
    assert headers["ce_id"] == response.json()["event_id"]
    assert headers["ce_actor"] == "the-publisher"
    assert headers["content-type"] == "application/json"
    assert set(json.loads(record.value or b"")) == {"note", "article"}


async def test_the_trace_of_the_request_goes_on_the_record(ingest: Ingest) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    response = await ingest.post("/articles", a_story(), traceparent=f"00-{trace}-b7ad6b7169203331-01")
    assert response.headers["x-trace-id"] == trace
    assert (ingest.event().trace or "").split("-")[1] == trace


async def test_what_says_no_to_a_later_release_is_accepted(ingest: Ingest) -> None:
    nothing = {"publish_at": None, "embargo_until": None, "breaking_until": None, "live": False}
    assert (await ingest.post("/articles", a_story(**nothing))).status_code == 202
    (record,) = ingest.log.records(topics.EVENTS)
    assert not set(nothing) & set(json.loads(record.value or b"")["article"])


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/articles/a/entries"), ("PUT", "/articles/a/entries/b")]
)
async def test_live_entries_say_that_they_come_later(ingest: Ingest, method: str, path: str) -> None:
    response = await ingest.call(method, path, {"headline": "Shots heard"})
    assert response.status_code == 501
    assert "later release" in response.json()["title"]
    assert not ingest.events()
