"""Each call of the API becomes one event, whole and attributed, on the log."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsroom import ids, topics
from newsroom.articles import ArticleText, EntryText
from newsroom.events import (
    Amended,
    Corrected,
    Drafted,
    Due,
    Dues,
    EntryAdded,
    EntryChanged,
    EventData,
    EventKind,
    Published,
    Retracted,
    Updated,
    Withdrawn,
    decode_event,
)
from newsroom.times import now, rfc3339
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
    assert abs(event.time - now()) < timedelta(seconds=60)


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
        "translation_of": "bank-siege",
    }
    await ingest.post("/articles", fields)
    data = ingest.event().data
    assert isinstance(data, Published)
    assert data.article == ArticleText.model_validate(fields)
    assert data.article.published_at == datetime(2023, 6, 20, 4, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [
        "a",
        "&amp;",
        "&nbsp;<br>&lt;",
        '<blockquote cite="https://example.org/?a>b"><p> a</p></blockquote>',
        "<p></p>" * 3000 + "<p>a</p>",
    ],
)
async def test_any_text_is_enough_to_be_public(ingest: Ingest, body: str) -> None:
    assert (await ingest.post("/articles", a_story(body=body))).status_code == 202


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
    assert set(json.loads(record.value or b"")) == {"note", "article", "dues"}


async def test_the_trace_of_the_request_goes_on_the_record(ingest: Ingest) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    response = await ingest.post("/articles", a_story(), traceparent=f"00-{trace}-b7ad6b7169203331-01")
    assert response.headers["x-trace-id"] == trace
    assert (ingest.event().trace or "").split("-")[1] == trace


SOON = now() + timedelta(hours=1)
LATER = SOON + timedelta(hours=1)
TIMES = {"publish_at": rfc3339(SOON), "embargo_until": None, "breaking_until": rfc3339(LATER)}
DUES = Dues(publish_at=Due(at=SOON), embargo_until=Due(), breaking_until=Due(at=LATER))


@pytest.mark.parametrize(
    ("path", "wrapping"),
    [
        ("/articles", None),
        ("/articles/a/publication", None),
        ("/articles/a/updates", {"note": "N"}),
        ("/articles/a/corrections", {"note": "N", "kind": "correction"}),
        ("/articles/a/amendments", {}),
    ],
)
async def test_a_due_time_is_set_lifted_or_left_as_the_editor_says(
    ingest: Ingest, path: str, wrapping: Json | None
) -> None:
    for times in (TIMES, {}):
        story = a_story(breaking=True, **times)
        body = story if wrapping is None else {**wrapping, "article": story}
        if path == "/articles":
            body["id"] = "a"
        assert (await ingest.post(path, body)).status_code == 202
    said, unsaid = (event.data for event in ingest.events())
    assert isinstance(said, Published | Updated | Corrected | Amended)
    assert isinstance(unsaid, Published | Updated | Corrected | Amended)
    assert said.dues == DUES
    assert unsaid.dues == Dues()


async def test_what_is_lifted_and_what_is_left_differ_on_the_log(ingest: Ingest) -> None:
    """Absent and null would be one and the same to a writer that leaves nothing out."""
    await ingest.post("/articles", a_story(embargo_until=None))
    (record,) = ingest.log.records(topics.EVENTS)
    decoded = decode_event(record).data
    assert isinstance(decoded, Published)
    assert decoded.dues == Dues(embargo_until=Due())


async def test_a_due_time_just_over_is_taken_so_that_a_retry_is_safe(ingest: Ingest) -> None:
    just_over = rfc3339(now() - timedelta(minutes=4))
    assert (await ingest.post("/articles", a_story(publish_at=just_over))).status_code == 202


async def test_null_due_times_stand_in_no_way_of_a_new_draft(ingest: Ingest) -> None:
    nothing = {"publish_at": None, "embargo_until": None, "breaking_until": None}
    assert (await ingest.post("/articles", a_story(draft=True, **nothing))).status_code == 202
    assert ingest.event().kind is EventKind.DRAFTED


async def test_a_live_article_is_marked_in_its_text(ingest: Ingest) -> None:
    await ingest.post("/articles", a_story(live=True))
    data = ingest.event().data
    assert isinstance(data, Published)
    assert data.article.live


ENTRY = {
    "headline": "Shots heard",
    "body": '<p onclick="x()">Two.</p>',
    "key_event": True,
    "author": "A. Reporter",
}
POSTED = EntryText(headline="Shots heard", body="<p>Two.</p>", key_event=True, author="A. Reporter")


async def test_an_entry_becomes_an_event_of_its_article(ingest: Ingest) -> None:
    response = await ingest.post("/articles/siege/entries", {"id": "0930", **ENTRY})
    event = ingest.event()
    assert (event.kind, event.article_id) == (EventKind.ENTRY_ADDED, "siege")
    assert event.data == EntryAdded(entry_id="0930", entry=POSTED)
    assert response.status_code == 202
    assert response.json()["entry_id"] == "0930"


async def test_an_entry_is_changed_at_its_own_revision(ingest: Ingest) -> None:
    response = await ingest.call("PUT", "/articles/siege/entries/0930", ENTRY, headers={"If-Match": '"7"'})
    event = ingest.event()
    assert (event.kind, event.expected_revision) == (EventKind.ENTRY_CHANGED, 7)
    assert event.data == EntryChanged(entry_id="0930", entry=POSTED)
    assert response.json()["entry_id"] == "0930"


async def test_an_entry_without_an_id_gets_one_of_its_own_each_time(ingest: Ingest) -> None:
    made = [(await ingest.post("/articles/siege/entries", ENTRY)).json()["entry_id"] for _ in range(2)]
    assert all(ids.ARTICLE_ID.fullmatch(entry_id) for entry_id in made)
    assert len(set(made)) == 2


async def test_no_answer_about_an_article_names_an_entry(ingest: Ingest) -> None:
    assert "entry_id" not in (await ingest.post("/articles", a_story())).json()
