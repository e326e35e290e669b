"""Kill -9 and steps of the clock around the time when something falls due: it happens once, by the clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from newsroom.ids import due_event_id
from newsroom.times import now, rfc3339
from tests.stack import Json, Stack, an_article, until

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]

SOON = timedelta(seconds=5)
"""Long enough for a post to come before it, also on a busy machine."""
POINTS = (
    "store.due_events_written=kill@1",  # on the log, and not in the fold
    "store.heads_written=kill@2",  # the second head is the release's
)


@pytest.mark.parametrize("trap", POINTS)
async def test_a_store_killed_around_a_release_releases_once(stack: Stack, trap: str) -> None:
    """After the restart the page stands, made by the one event that the due time has."""
    await stack.settled()
    await stack.stop("store")
    await stack.start("store", trap=trap)
    article_id = trap.partition("=")[0].replace(".", "-")
    at = now() + SOON
    response = await stack.send("POST", "/articles", an_article(article_id, publish_at=rfc3339(at)))
    assert response.json()["state"] == "stored", response.text
    assert await stack.dies("store") == -9
    await stack.start("store")
    status = await released(stack, article_id, at)
    assert status["revision"] == 2
    assert f"first words of {article_id}" in (await stack.page(status["url"])).text
    assert await history(stack, article_id) == ["published", "released"]


async def test_steps_of_the_clock_by_an_hour_are_followed(stack: Stack) -> None:
    """Set back, it waits, though the time has come once; set forward, it fires; set back again, not twice."""
    clock = stack.folder / "clock"
    set_by(clock, -3600)
    await stack.stop("store")
    stack.spawn("store", NEWSROOM_TEST_CLOCK=str(clock))
    await stack.ready("store")
    soon, late = now() + SOON, now() + timedelta(hours=1)
    for article_id, at in (("soon", soon), ("late", late)):
        response = await stack.send("POST", "/articles", an_article(article_id, publish_at=rfc3339(at)))
        assert response.json()["state"] == "stored", response.text

    async def is_past() -> bool:
        return now() > soon + timedelta(seconds=1)

    await until(is_past, "the time by the clock as it was")
    assert await history(stack, "soon") == ["published"]
    set_by(clock, 0)
    await released(stack, "soon", soon)
    assert await history(stack, "late") == ["published"]
    set_by(clock, 3660)
    page = (await released(stack, "late", late))["url"]
    for offset in (0, 3660):
        set_by(clock, offset)
        await stack.settled()
    assert [await history(stack, each) for each in ("soon", "late")] == [["published", "released"]] * 2
    assert (await stack.page(page)).status_code == 200


def set_by(clock: Path, seconds: int) -> None:
    """Set the store's clock so many seconds off."""
    new = clock.with_suffix(".new")
    new.write_text(str(seconds))
    new.replace(clock)


async def released(stack: Stack, article_id: str, at: datetime) -> Json:
    """Wait until the release that was due then is rendered; what became of its event."""
    event_id = due_event_id(article_id, "released", 1, rfc3339(at))

    async def is_rendered() -> Json | None:
        answer = await stack.client.get(f"{stack.url('store')}/events/{event_id}")
        status: Json = answer.json()
        return status if answer.status_code == 200 and status["state"] == "rendered" else None

    return await until(is_rendered, f"the release of {article_id} is rendered")


async def history(stack: Stack, article_id: str) -> list[str]:
    """The kinds of its revisions."""
    answer = await stack.client.get(f"{stack.url('store')}/articles/{article_id}/revisions")
    return [each["kind"] for each in answer.json()["revisions"]]
