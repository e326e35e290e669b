"""A process stalls between its steps, is taken for dead, and wakes when another has gone on: no harm."""

from __future__ import annotations

import signal

import pytest

from tests.fault.test_kill_points import post, reaches
from tests.stack import Stack, an_article, free_port, without_id

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]


@pytest.mark.parametrize("point", ["store.batch_taken", "store.revisions_written", "store.heads_written"])
async def test_a_store_that_wakes_late_adds_no_second_history(stack: Stack, point: str) -> None:
    article_id = "late-" + point.replace(".", "-")
    await stack.stop("store")
    await stack.start("store", trap=f"{point}=stop")
    sent = [await post(stack, "/articles", an_article(article_id))]
    assert await stack.springs("store") == point
    sleeper = stack.processes.pop("store")
    stack.processes["sleeper"] = sleeper
    stack.spawn("store", NEWSROOM_STORE_PORT=str(free_port()))  # the sleeper holds the known one
    newer = without_id(an_article(article_id)) | {"body": "<p>Second words.</p>"}
    sent.append(await post(stack, f"/articles/{article_id}/updates", {"note": "More.", "article": newer}))
    statuses = [await reaches(stack, event_id, "stored", "rendered") for event_id in sent]
    sleeper.send_signal(signal.SIGCONT)
    newest = newer | {"body": "<p>Third words.</p>"}
    sent.append(
        await post(stack, f"/articles/{article_id}/updates", {"note": "Still more.", "article": newest})
    )
    statuses = [await reaches(stack, event_id, "rendered") for event_id in sent]
    assert [status["revision"] for status in statuses] == [1, 2, 3]
    await stack.stop("sleeper")
    await stack.stop("store")
    await stack.start("store")
    await stack.settled()
    history = await stack.client.get(f"{stack.url('store')}/articles/{article_id}/revisions")
    assert [entry["revision"] for entry in history.json()["revisions"]] == [1, 2, 3]
    assert "Third words." in stack.read_page(statuses[-1]["url"].removeprefix(stack.url("render")))


@pytest.mark.parametrize("point", ["render.batch_taken", "render.model_written", "render.page_written"])
async def test_a_render_that_wakes_late_leaves_no_old_page(stack: Stack, point: str) -> None:
    article_id = "late-" + point.replace(".", "-")
    url = (await stack.publish(article_id))["url"]
    await stack.stop("render")
    await stack.start("render", trap=f"{point}=stop")
    newer = without_id(an_article(article_id)) | {"body": "<p>Second words.</p>"}
    sent = [await post(stack, f"/articles/{article_id}/updates", {"note": "More.", "article": newer})]
    assert await stack.springs("render") == point
    sleeper = stack.processes.pop("render")
    stack.processes["sleeper"] = sleeper
    port_of_sleeper, stack.ports["render"] = stack.ports["render"], free_port()
    site_url = f"http://127.0.0.1:{port_of_sleeper}"
    stack.spawn("render", NEWSROOM_SITE_URL=site_url)
    newest = newer | {"body": "<p>Third words.</p>"}
    sent.append(
        await post(stack, f"/articles/{article_id}/updates", {"note": "Still more.", "article": newest})
    )
    for event_id in sent:
        await reaches(stack, event_id, "rendered")
    path = url.removeprefix(site_url)
    assert "Third words." in stack.read_page(path)
    sleeper.send_signal(signal.SIGCONT)
    await stack.stop("sleeper")
    await stack.settled()
    assert "Third words." in stack.read_page(path)
    await stack.stop("render")
    stack.ports["render"] = port_of_sleeper
    await stack.start("render")
    await stack.settled()
    written = stack.files()
    await stack.stop("render")
    stack.delete_pages()
    await stack.start("render")
    await stack.settled()
    assert stack.files() == written
