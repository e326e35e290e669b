"""Kill -9 on the way of live entries: none is lost, none stands twice, and all go with their article."""

from __future__ import annotations

import pytest

from tests.stack import Json, Stack, an_article, until, without_id

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]

POSTED = "store.revisions_written", "store.entries_written", "store.heads_written", "store.updates_announced"


async def post(stack: Stack, method: str, path: str, body: Json) -> str:
    """Send without waiting; the event's id."""
    response = await stack.send(method, path, body, prefer="respond-async")
    assert response.status_code == 202, response.text
    return str(response.json()["event_id"])


async def reaches(stack: Stack, event_id: str, state: str) -> Json:
    async def reached() -> Json | None:
        answer = await stack.client.get(f"{stack.url('store')}/events/{event_id}")
        status: Json = answer.json() if answer.status_code == 200 else {}
        return status if status.get("state") == state else None

    return await until(reached, f"event {event_id} is {state}")


async def entries_of(stack: Stack, article_id: str) -> list[tuple[str, int, int, str]]:
    """Id, number, revision and headline of each entry, oldest first."""
    answer = await stack.client.get(f"{stack.url('store')}/articles/{article_id}/entries")
    assert answer.status_code == 200, answer.text
    return [
        (each["id"], each["number"], each["revision"], each["entry"]["headline"])
        for each in reversed(answer.json()["entries"])
    ]


async def a_live_article(stack: Stack, article_id: str, trap: str) -> Json:
    """A live article that stands on a page, with a store that the trap waits in."""
    await stack.settled()
    await stack.stop("store")
    await stack.start("store", trap=trap)
    return await stack.publish(article_id, live=True)


@pytest.mark.parametrize("point", POSTED)
async def test_a_store_killed_on_the_way_of_an_entry_loses_none(stack: Stack, point: str) -> None:
    """It dies with the first change of an entry, and its successor files the rest."""
    times = 1 if point == "store.entries_written" else 2  # publishing the article comes by the others
    article_id = f"posted-{point.replace('.', '-').replace('_', '-')}"
    await a_live_article(stack, article_id, f"{point}=kill@{times}")
    path = f"/articles/{article_id}/entries"
    sent = [
        await post(stack, "POST", path, {"id": "e1", "headline": "First"}),
        await post(stack, "POST", path, {"id": "e2", "headline": "Second"}),
        await post(stack, "PUT", f"{path}/e1", {"headline": "First, put right"}),
    ]
    assert await stack.dies("store") == -9
    await stack.start("store")
    statuses = [await reaches(stack, event_id, "rendered") for event_id in sent]
    assert [status["revision"] for status in statuses] == [2, 3, 4]
    assert await entries_of(stack, article_id) == [
        ("e1", 1, 4, "First, put right"), ("e2", 2, 3, "Second")
    ]  # fmt: skip
    page = (await stack.page(statuses[-1]["url"])).text
    assert "First, put right" in page
    assert "Second" in page


async def test_a_store_killed_while_it_hides_entries_hides_all_of_them(stack: Stack) -> None:
    """And shows all of them when the article is back."""
    article = await a_live_article(stack, "hidden", "store.entries_announced=kill@1")
    for name in ("e1", "e2"):
        await stack.send("POST", "/articles/hidden/entries", {"id": name, "headline": f"Headline {name}"})
    withdrawn = await post(stack, "POST", "/articles/hidden/withdrawal", {"note": "Legal"})
    assert await stack.dies("store") == -9
    await stack.start("store")
    await reaches(stack, withdrawn, "rendered")
    assert (await stack.page(article["url"])).status_code == 410
    back = await stack.send(
        "POST", "/articles/hidden/publication", without_id(an_article("hidden", live=True))
    )
    assert back.status_code == 200, back.text
    page = (await stack.page(article["url"])).text
    assert "Headline e1" in page
    assert "Headline e2" in page
