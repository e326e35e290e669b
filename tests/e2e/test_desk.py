"""What editors do, row by row, over HTTP alone: schedules, embargoes, live articles, histories, addresses."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta

import httpx
import pytest

from newsroom.times import now, rfc3339
from tests.stack import Json, Stack, an_article, free_port, until, without_id

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]

SOON = timedelta(seconds=5)
"""Long enough for a post to come before it, also on a busy machine."""
LATE = timedelta(days=1)


def in_time(away: timedelta) -> str:
    return rfc3339(now() + away)


async def wait_for_head(stack: Stack, article_id: str, **wanted: object) -> Json:
    """Wait until the store's head says so; the head."""

    async def is_so() -> Json | None:
        head: Json = (await stack.client.get(stack.url("store") + f"/articles/{article_id}")).json()
        return head if wanted.items() <= head.items() else None

    return await until(is_so, f"{article_id} is {wanted}")


async def is_public(stack: Stack, article_id: str) -> bool:
    return (await stack.reader.get(stack.url("store") + f"/articles/{article_id}")).status_code == 200


async def send(stack: Stack, method: str, path: str, body: Json) -> Json:
    response = await stack.send(method, path, body)
    assert response.is_success, response.text
    answer: Json = response.json()
    return answer


async def history(stack: Stack, article_id: str) -> list[Json]:
    answer = await stack.client.get(stack.url("store") + f"/articles/{article_id}/revisions")
    revisions: list[Json] = answer.json()["revisions"]
    return sorted(revisions, key=lambda each: each["revision"])


async def released(stack: Stack, article_id: str) -> list[Json]:
    return [each for each in await history(stack, article_id) if each["kind"] == "released"]


def path_of(url: str) -> str:
    return httpx.URL(url).path


# --- schedule and embargo


@pytest.mark.parametrize("field", ["publish_at", "embargo_until"])
async def test_a_text_is_public_by_itself_once_its_time_has_come_and_not_before(
    stack: Stack, field: str
) -> None:
    article = an_article(f"timed-{field[:4]}", **{field: in_time(LATE)})
    answer = await send(stack, "POST", "/articles", article)
    assert (answer["state"], answer.get("url")) == ("stored", None)
    assert not await is_public(stack, article["id"])
    due = now() + SOON
    sooner = without_id(article) | {field: rfc3339(due)}
    await send(stack, "POST", f"/articles/{article['id']}/publication", sooner)
    await wait_for_head(stack, article["id"], status="public")
    [release] = await released(stack, article["id"])
    assert datetime.fromisoformat(release["time"]) >= due


async def test_an_embargo_holds_an_update_back_while_the_public_text_stands(stack: Stack) -> None:
    url = (await stack.publish("sealed"))["url"]
    sealed = without_id(an_article("sealed", headline="Under seal", embargo_until=in_time(LATE)))
    await send(stack, "POST", "/articles/sealed/updates", {"note": "One.", "article": sealed})
    later = without_id(an_article("sealed", headline="Still under seal"))
    await send(stack, "POST", "/articles/sealed/updates", {"note": "Two.", "article": later})
    assert "Story sealed" in (await stack.page(url)).text
    lifted = later | {"embargo_until": None}
    answer = await send(stack, "POST", "/articles/sealed/amendments", {"article": lifted})
    assert answer["state"] == "rendered"
    page = (await stack.page(url)).text
    assert "Still under seal" in page
    assert page.index("Two.") < page.index("One.")


async def test_a_time_can_be_moved_lifted_and_cancelled_in_the_last_second(stack: Stack) -> None:
    """What is first on the log counts, for everybody alike: the change, or the release it meant to stop."""
    due = now() + SOON
    for name in ("moved", "lifted", "cancelled", "witness"):
        await send(stack, "POST", "/articles", an_article(name, publish_at=rfc3339(due)))
    await until(lambda: _is_past(due - timedelta(seconds=0.5)), "the last moment")
    moved = without_id(an_article("moved", publish_at=in_time(LATE)))
    lifted = without_id(an_article("lifted", publish_at=None))
    changes: dict[str, tuple[str, Json]] = {
        "moved": ("publication", moved),
        "lifted": ("publication", lifted),
        "cancelled": ("withdrawal", {"note": "Not today."}),
    }
    answers = await asyncio.gather(
        *(stack.send("POST", f"/articles/{name}/{call}", body) for name, (call, body) in changes.items())
    )
    await wait_for_head(stack, "witness", status="public")
    await stack.settled()
    for name, answer in zip(changes, answers, strict=True):
        kinds = [each["kind"] for each in await history(stack, name)]
        if kinds[1] == "released":  # it was too late
            assert kinds == ["published", "released", *(["withdrawn"] if name == "cancelled" else [])]
            assert answer.status_code == (200 if name == "cancelled" else 409)
        else:
            assert kinds == ["published", "withdrawn" if name == "cancelled" else "published"]
            assert answer.is_success
            assert await is_public(stack, name) == (name == "lifted")


async def test_what_falls_due_while_the_store_is_off_is_public_at_its_start_once(stack: Stack) -> None:
    due = now() + SOON
    await send(stack, "POST", "/articles", an_article("overslept", publish_at=rfc3339(due)))
    await stack.stop("store")
    await until(lambda: _is_past(due), "the time has passed")
    stack.spawn("store")
    stack.spawn("store", name="store-two", NEWSROOM_STORE_PORT=str(free_port()))
    await stack.ready("store")
    await wait_for_head(stack, "overslept", status="public")
    await stack.settled()
    assert len(await released(stack, "overslept")) == 1
    await stack.stop("store-two")


async def _is_past(due: datetime) -> bool:
    return now() > due


async def test_breaking_ends_by_itself_and_nobody_is_told(stack: Stack) -> None:
    article = an_article("flash", breaking=True, breaking_until=in_time(SOON))
    url = (await send(stack, "POST", "/articles", article))["url"]
    assert (await history(stack, "flash"))[0]["breaking"]
    await stack.settled()
    told = await stack.notice_count()

    async def is_over() -> bool:
        newest = (await history(stack, "flash"))[-1]
        return bool(newest["kind"] == "breaking_ended")

    await until(is_over, "breaking ends")
    await stack.settled()
    assert not (await wait_for_head(stack, "flash"))["article"]["breaking"]
    assert await stack.notice_count() == told
    assert 'data-revision="1"' in (await stack.page(url)).text


# --- corrections, history, addresses


async def test_several_corrections_stand_in_their_order_and_their_words_in_the_history(stack: Stack) -> None:
    url = (await stack.publish("counted", body="<p>Nine people were inside. It was quiet.</p>"))["url"]
    for number, (kind, count) in enumerate((("correction", "Eight"), ("clarification", "Seven")), 2):
        article = without_id(an_article("counted", body=f"<p>{count} people were inside. It was quiet.</p>"))
        body = {"kind": kind, "note": f"It was {count.lower()}.", "article": article}
        answer = await send(stack, "POST", "/articles/counted/corrections", body)
        assert answer["revision"] == number
    page = (await stack.page(url)).text
    assert page.index("It was seven.") < page.index("It was eight.")
    difference = (await stack.page(f"{url}history/1-3/")).text
    assert re.search(r"<del>.*Nine", difference)
    assert re.search(r"<ins>.*Seven", difference)


async def test_an_amendment_moves_nothing_that_readers_see_as_updated(stack: Stack) -> None:
    await stack.publish("typo")
    await stack.settled()
    before = (await stack.client.get(stack.url("store") + "/articles/typo")).json()
    told = await stack.notice_count()
    mended = without_id(an_article("typo", body="<p>The words, mended. They are others now, and more.</p>"))
    await send(stack, "POST", "/articles/typo/amendments", {"article": mended})
    after = await wait_for_head(stack, "typo", revision=2)
    assert after["updated_at"] == before["updated_at"]
    assert await stack.notice_count() == told


async def test_a_retracted_text_is_in_no_history_and_no_comparison(stack: Stack) -> None:
    url = (await stack.publish("untrue", body="<p>Something untrue. It was said. And said again.</p>"))["url"]
    article = without_id(an_article("untrue", body="<p>Something else. It was said. And said again.</p>"))
    await send(stack, "POST", "/articles/untrue/updates", {"note": "More.", "article": article})
    assert "untrue" in (await stack.page(f"{url}history/1-2/")).text
    await send(stack, "POST", "/articles/untrue/retraction", {"note": "It was not so."})
    assert (await stack.page(f"{url}history/1-2/")).status_code == 404
    store = stack.url("store") + "/articles/untrue"
    for path in ("/diff?from=1&to=2", "/revisions/1", "/revisions/2"):
        assert "Something" not in (await stack.client.get(store + path)).text


async def test_a_withdrawn_article_is_gone_at_each_of_its_addresses_until_it_comes_back(stack: Stack) -> None:
    first = (await stack.publish("fickle", live=True))["url"]
    await send(stack, "POST", "/articles/fickle/entries", an_entry("e1"))
    moved = without_id(an_article("fickle", section="World", live=True))
    second = (await send(stack, "POST", "/articles/fickle/updates", {"note": "On.", "article": moved}))["url"]
    below = ("", "history/", "history/1-3/", "entries/1/")
    await send(stack, "POST", "/articles/fickle/withdrawal", {"note": "Legal."})
    gone = [(await stack.page(url + path)).status_code for url in (first, second) for path in below]
    assert gone == [410] * len(gone)
    await send(stack, "POST", "/articles/fickle/publication", moved)
    assert (await stack.page(second)).status_code == 200
    assert "Post e1" in (await stack.page(f"{second}entries/1/")).text


async def test_every_former_address_leads_on_in_one_step_also_after_a_rebuild(stack: Stack) -> None:
    urls = [(await stack.publish("nomad", slug="one"))["url"]]
    for slug, section in (("two", "Kazakhstan"), ("two", "World"), ("three", "World")):
        article = without_id(an_article("nomad", slug=slug, section=section))
        answer = await send(stack, "POST", "/articles/nomad/updates", {"note": "On.", "article": article})
        urls.append(answer["url"])
    *former, present = urls
    assert len(set(urls)) == 4
    await _leads_on(stack, former, present)
    await stack.stop("render")
    stack.delete_pages()
    await stack.start("render")
    await stack.settled()
    await _leads_on(stack, former, present)


async def _leads_on(stack: Stack, former: list[str], present: str) -> None:
    for url in former:
        answer = await stack.page(url)
        assert (answer.status_code, answer.headers["location"]) == (301, path_of(present))
    assert (await stack.page(present)).status_code == 200


# --- live articles


def an_entry(entry_id: str, **changes: object) -> Json:
    return {"id": entry_id, "headline": f"Post {entry_id}", "body": f"<p>Of {entry_id}.</p>", **changes}


async def test_entries_of_several_people_at_once_are_all_there(stack: Stack) -> None:
    url = (await stack.publish("crowd", live=True))["url"]
    names = [f"{person}-{number}" for person in ("anna", "boris", "cem") for number in range(8)]
    path = "/articles/crowd/entries"
    answers = await asyncio.gather(*(send(stack, "POST", path, an_entry(name)) for name in names))
    assert sorted(answer["revision"] for answer in answers) == list(range(2, 26))
    changes = [
        send(stack, "PUT", f"{path}/{name}", {"headline": f"Changed {name}", "body": "<p>Now.</p>"})
        for name in names[:6]
    ]
    await asyncio.gather(*changes)
    listed = (await stack.client.get(stack.url("store") + f"{path}?limit=100")).json()["entries"]
    headlines = {each["id"]: each["entry"]["headline"] for each in listed}
    assert headlines == {n: f"{'Changed' if n in names[:6] else 'Post'} {n}" for n in names}
    pages = "".join([(await stack.page(f"{url}entries/{number}/")).text for number in (1, 2)])
    assert all(headline in pages for headline in headlines.values())


async def test_a_closed_live_article_takes_no_entry_and_says_so(stack: Stack) -> None:
    await stack.publish("closing", live=True)
    await send(stack, "POST", "/articles/closing/entries", an_entry("pin", key_event=True, pinned=True))
    closed = without_id(an_article("closing", live=False))
    answer = await send(stack, "POST", "/articles/closing/updates", {"note": "Over.", "article": closed})
    page = (await stack.page(answer["url"])).text
    assert "Post pin" in page
    assert "coverageEndTime" in page
    refused = await stack.send("POST", "/articles/closing/entries", an_entry("late"))
    assert refused.status_code == 409


async def test_two_editors_of_one_entry_do_not_overwrite_each_other(stack: Stack) -> None:
    await stack.publish("desk-two", live=True)
    path = "/articles/desk-two/entries"
    revision = (await send(stack, "POST", path, an_entry("shared")))["revision"]
    await send(stack, "POST", path, an_entry("other"))
    body = {"headline": "Mine", "body": "<p>Mine.</p>"}
    sent = [stack.send("PUT", f"{path}/shared", body, if_match=f'"{revision}"') for _ in range(2)]
    codes = sorted(answer.status_code for answer in await asyncio.gather(*sent))
    assert codes == [200, 412]


# --- several at once


async def test_one_idempotency_key_at_two_instances_at_once_has_one_effect(stack: Stack) -> None:
    port = free_port()
    stack.spawn("ingest", name="ingest-two", NEWSROOM_INGEST_PORT=str(port))
    await stack.ready("ingest", port)
    calls = [f"{stack.url('ingest')}/articles", f"http://127.0.0.1:{port}/articles"]
    body, headers = without_id(an_article("x")), {"Idempotency-Key": "twice", "Prefer": "wait=20"}
    sent = [stack.client.post(call, json=body, headers=headers) for call in calls * 3]
    answers = [answer.json() for answer in await asyncio.gather(*sent)]
    assert len({(answer["event_id"], answer["article_id"], answer["revision"]) for answer in answers}) == 1
    assert len(await history(stack, answers[0]["article_id"])) == 1
    other = body | {"headline": "Something else"}
    for call in calls:
        assert (await stack.client.post(call, json=other, headers=headers)).status_code == 422
    await stack.stop("ingest-two")
