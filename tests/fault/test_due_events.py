"""Kill -9 around the moment when something falls due: it happens all the same, and once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from newsroom.ids import due_event_id
from newsroom.times import now, rfc3339
from tests.stack import Json, Stack, an_article, until

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]

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
    at = now() + timedelta(seconds=2)
    response = await stack.send("POST", "/articles", an_article(article_id, publish_at=rfc3339(at)))
    assert response.json()["state"] == "stored", response.text
    assert await stack.dies("store") == -9
    await stack.start("store")
    event_id = due_event_id(article_id, "released", 1, rfc3339(at))

    async def is_rendered() -> Json | None:
        answer = await stack.client.get(f"{stack.url('store')}/events/{event_id}")
        status: Json = answer.json()
        return status if answer.status_code == 200 and status["state"] == "rendered" else None

    status = await until(is_rendered, "the release is rendered")
    assert status["revision"] == 2
    assert f"first words of {article_id}" in (await stack.page(status["url"])).text
    revisions = (await stack.client.get(f"{stack.url('store')}/articles/{article_id}/revisions")).json()
    assert [each["kind"] for each in revisions["revisions"]] == ["published", "released"]
