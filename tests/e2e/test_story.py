"""A story from its first post to its retraction, over HTTP alone, as an editor and a reader live it."""

from __future__ import annotations

import asyncio
import json

import feedparser  # type: ignore[import-untyped]
import httpx
import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]

from tests.stack import Json, Stack, an_article, until, without_id

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]


async def update(stack: Stack, article_id: str, **changes: object) -> httpx.Response:
    article = without_id(an_article(article_id)) | changes
    return await stack.send(
        "POST", f"/articles/{article_id}/updates", {"note": "There is more.", "article": article}
    )


async def shows(stack: Stack, path: str, words: str) -> str:
    """Wait until a page shows the words (listings follow the article's page); its text."""

    async def is_there() -> str | None:
        page = await stack.page(path)
        return page.text if words in page.text else None

    return await until(is_there, f"{path} shows {words!r}")


async def hides(stack: Stack, path: str, words: str) -> None:
    async def is_gone() -> bool:
        return words not in (await stack.page(path)).text

    await until(is_gone, f"{path} no longer shows {words!r}")


async def test_a_post_becomes_a_page_and_stands_in_its_listings(stack: Stack) -> None:
    response = await stack.send("POST", "/articles", an_article("first", headline="Hostages taken in Astana"))
    assert response.status_code == 201
    assert response.headers["preference-applied"] == "wait=20"
    answer = response.json()
    assert answer["state"] == "rendered"
    assert answer["revision"] == 1
    assert answer["url"].startswith(stack.url("render") + "/kazakhstan/")
    page = await stack.page(answer["url"])
    assert page.status_code == 200
    assert 'data-revision="1"' in page.text
    assert page.headers["cache-control"] == "no-cache"
    for listing in ("/", "/kazakhstan/", "/tags/astana/", "/authors/a-reporter/", "/updates/", "/feed.atom"):
        await shows(stack, listing, "Hostages taken in Astana")


async def test_without_waiting_the_answer_names_the_event_and_its_fate_can_be_asked(stack: Stack) -> None:
    response = await stack.send("POST", "/articles", an_article("second"), prefer="respond-async")
    assert response.status_code == 202
    answer = response.json()
    assert response.headers["location"].endswith(f"/events/{answer['event_id']}")
    states: list[str] = []

    async def is_rendered() -> Json | None:
        status = await stack.client.get(stack.url("ingest") + f"/events/{answer['event_id']}")
        assert status.status_code == 200
        states.append(status.json()["state"])
        return status.json() if states[-1] == "rendered" else None

    status = await until(is_rendered, "the event is rendered")
    order = ["accepted", "stored", "rendered"]
    assert [order.index(state) for state in states] == sorted(order.index(state) for state in states)
    assert status["revision"] == 1
    assert {"accepted", "stored", "rendered"} <= set(status["times"])


async def test_a_retry_with_the_same_idempotency_key_has_one_effect(stack: Stack) -> None:
    article = without_id(an_article("x", headline="Only once"))
    answers = [await stack.send("POST", "/articles", article, idempotency_key="retry-1") for _ in range(3)]
    assert len({answer.json()["event_id"] for answer in answers}) == 1
    assert {answer.json()["revision"] for answer in answers} == {1}
    other = await stack.send(
        "POST", "/articles", article | {"headline": "Another"}, idempotency_key="retry-1"
    )
    assert other.status_code == 422
    assert other.headers["content-type"].startswith("application/problem+json")


async def test_if_match_keeps_a_second_editor_from_overwriting_the_first(stack: Stack) -> None:
    await stack.publish("pair")
    article = without_id(an_article("pair"))
    body = {"note": "One.", "article": article}
    first = await stack.send("POST", "/articles/pair/updates", body, if_match='"1"')
    assert first.json()["revision"] == 2
    second = await stack.send("POST", "/articles/pair/updates", body | {"note": "Two."}, if_match='"1"')
    assert second.status_code == 412
    assert "2" in second.json()["detail"]


async def test_what_only_the_log_can_tell_is_a_conflict_under_wait_and_rejected_without(stack: Stack) -> None:
    waited = await update(stack, "nobody-knows-it")
    assert waited.status_code == 409
    body = {"note": "n", "article": without_id(an_article("x"))}
    accepted = await stack.send("POST", "/articles/nobody-knows-it/updates", body, prefer="respond-async")
    assert accepted.status_code == 202

    async def is_rejected() -> Json | None:
        status = (await stack.client.get(stack.url("ingest") + accepted.headers["location"])).json()
        return status if status["state"] == "rejected" else None

    assert (await until(is_rejected, "the event is rejected"))["reason"]


async def test_corrections_stand_on_the_page_and_in_the_ledger_and_amendments_do_not(stack: Stack) -> None:
    url = (await stack.publish("mended"))["url"]
    article = without_id(an_article("mended", body="<p>Seven people were inside.</p>"))
    corrected = await stack.send(
        "POST", "/articles/mended/corrections",
        {"kind": "correction", "note": "An earlier version said eight; it was seven.", "article": article},
    )  # fmt: skip
    assert corrected.status_code == 200
    assert "An earlier version said eight" in (await stack.page(url)).text
    await shows(stack, "/corrections/", "An earlier version said eight")
    before = await stack.notice_count()
    amended = article | {"body": "<p>Seven people were inside the bank.</p>"}
    assert (await stack.send("POST", "/articles/mended/amendments", {"article": amended})).json()[
        "revision"
    ] == 3
    assert "inside the bank" in (await stack.page(url)).text
    assert await stack.notice_count() == before
    history = (await stack.page(url + "history/")).text
    assert "data-revision" in history or "3" in history


async def test_a_draft_is_nowhere_until_it_is_published(stack: Stack) -> None:
    draft = an_article("secret", headline="Embargoed perspicacity") | {"draft": True}
    saved = await stack.send("POST", "/articles", draft)
    assert saved.status_code in (200, 201)
    assert saved.json()["state"] == "stored"
    assert saved.json().get("url") is None
    assert "Embargoed" not in (await stack.page("/")).text
    anonymous = await stack.reader.get(stack.url("store") + "/articles/secret")
    unknown = await stack.reader.get(stack.url("store") + "/articles/unknown-one")
    assert anonymous.status_code == unknown.status_code == 404
    published = await stack.send("POST", "/articles/secret/publication", without_id(an_article("secret")))
    assert published.status_code in (200, 201)
    assert (await stack.page(published.json()["url"])).status_code == 200


async def test_a_withdrawn_article_is_gone_and_can_come_back(stack: Stack) -> None:
    url = (await stack.publish("fleeting", headline="Fleeting headline"))["url"]
    await shows(stack, "/", "Fleeting headline")
    withdrawn = await stack.send("POST", "/articles/fleeting/withdrawal", {"note": "On legal advice"})
    assert withdrawn.status_code == 200
    for path in ("/", "/kazakhstan/", "/updates/", "/feed.atom"):
        assert "Fleeting" not in (await stack.page(path)).text
    gone = await stack.page(url)
    assert gone.status_code == 410
    assert "Fleeting" not in gone.text
    assert "legal" not in gone.text
    again = await stack.send(
        "POST", "/articles/fleeting/publication", without_id(an_article("fleeting", headline="Back"))
    )
    assert again.json()["url"] == url
    assert "Back" in (await stack.page(url)).text


async def test_a_retraction_is_final_and_keeps_the_address(stack: Stack) -> None:
    url = (await stack.publish("wrong", headline="Calumnious headline", deck="Slanderous deck"))["url"]
    retracted = await stack.send("POST", "/articles/wrong/retraction", {"note": "The story was not true."})
    assert retracted.status_code == 200
    page = await stack.page(url)
    assert page.status_code == 200
    assert "The story was not true." in page.text
    for path in (url, url + "history/", "/", "/kazakhstan/", "/updates/", "/feed.atom"):
        text = (await stack.page(path)).text
        assert "Calumnious" not in text
        assert "Slanderous" not in text
    await shows(stack, "/feed.atom", "The story was not true.")
    assert (await update(stack, "wrong")).status_code == 409


async def test_another_section_moves_the_page_and_the_old_address_leads_there(stack: Stack) -> None:
    old = (await stack.publish("mover"))["url"]
    moved = await update(stack, "mover", section="World")
    new = moved.json()["url"]
    assert new != old
    assert (await stack.page(new)).status_code == 200
    former = await stack.page(old)
    assert former.status_code == 301
    assert former.headers["location"] in (new, new.removeprefix(stack.url("render")))
    await hides(stack, "/kazakhstan/", "Story mover")


async def test_an_open_page_hears_of_an_update_and_resumes_where_it_left_off(stack: Stack) -> None:
    await stack.publish("live-one")
    stream = f"{stack.url('render')}/live/live-one?revision=1"
    async with stack.client.stream("GET", stream) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.aiter_lines()
        await update(stack, "live-one")
        first = await asyncio.wait_for(next_event(lines), 30)
    assert first["event"] == "notice"
    notice = json.loads(first["data"])
    assert (notice["article_id"], notice["revision"], notice["kind"]) == ("live-one", 2, "update")
    await update(stack, "live-one", headline="Third")
    async with stack.client.stream("GET", stream, headers={"Last-Event-ID": first["id"]}) as response:
        resumed = await asyncio.wait_for(next_event(response.aiter_lines()), 30)
    assert json.loads(resumed["data"])["revision"] == 3


async def next_event(lines: object) -> dict[str, str]:
    """The next server-sent event that carries data."""
    event: dict[str, str] = {}
    async for line in lines:  # type: ignore[attr-defined]
        if not line and "data" in event:
            return event
        name, _, value = line.partition(": ")
        if name in ("id", "event", "data"):
            event[name] = value
    raise AssertionError("the stream ended before an event came")


async def test_the_feed_is_well_formed_and_keeps_its_ids(stack: Stack) -> None:
    await stack.publish("in-feed", headline="Feed & <b>bold</b> “quotes”")
    text = await shows(stack, "/feed.atom", "“quotes”")
    feed = feedparser.parse(text)
    assert not feed.bozo
    ids = [entry.id for entry in feed.entries]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    "path", ["/nowhere/", "/kazakhstan/2023/06/20/none-abcdef/", "/%2e%2e/%2e%2e/etc/passwd", "/tags/none/"]
)
async def test_unknown_addresses_answer_404_in_the_sites_own_look(stack: Stack, path: str) -> None:
    page = await stack.page(path)
    assert page.status_code == 404
    assert "site." in page.text
    assert "stylesheet" in page.text


async def test_bytes_that_are_no_event_are_parked_and_the_story_goes_on(stack: Stack) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap, acks="all")
    await producer.start()
    try:
        for junk in (b"\xff\xfe", b"{}", b""):
            await producer.send_and_wait("newsroom.events", junk, key=b"after-junk")
            await producer.send_and_wait("newsroom.updates", junk, key=b"after-junk")
            await producer.send_and_wait("newsroom.listings", junk, key=b"/")
    finally:
        await producer.stop()
    assert (await stack.publish("after-junk"))["revision"] == 1
    await shows(stack, "/", "Story after-junk")


@pytest.mark.parametrize("service", ["ingest", "store", "render"])
async def test_every_service_tells_its_health_metrics_and_contract(stack: Stack, service: str) -> None:
    for path in ("/health/live", "/health/ready", "/metrics", "/docs", "/openapi.json"):
        assert (await stack.client.get(stack.url(service) + path)).status_code == 200, path


async def test_logs_follow_one_trace_from_the_post_to_the_page_and_hold_no_secret(stack: Stack) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    article = an_article("traced", body="<p>Unloggable words.</p>")
    response = await stack.send("POST", "/articles", article, traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    assert response.status_code == 201

    async def in_all_logs() -> bool:
        return all(trace in stack.log(service) for service in ("ingest", "store", "render"))

    await until(in_all_logs, "the trace is in every log")
    for service in ("ingest", "store", "render"):
        assert stack.key not in stack.log(service)
        assert "Unloggable" not in stack.log(service)
