"""Kill -9 between any two steps of store and render; then the site is what a rebuild would write."""

from __future__ import annotations

import asyncio

import pytest

from newsroom.steps import POINTS
from tests.stack import Json, Stack, an_article, until, without_id

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]

NEED_ENTRIES = "store.entries_written", "store.entries_announced"
NEEDS_THE_CLOCK = "store.due_events_written"
ON_THE_WAY = [
    point for points in POINTS.values() for point in points if point not in (*NEED_ENTRIES, NEEDS_THE_CLOCK)
]
"""Those that every story comes by; tests of their own go by the others."""


async def post(stack: Stack, path: str, body: Json) -> str:
    """Send without waiting; the event's id."""
    response = await stack.send("POST", path, body, prefer="respond-async")
    assert response.status_code == 202, response.text
    return str(response.json()["event_id"])


async def state_of(stack: Stack, event_id: str) -> Json:
    response = await stack.client.get(f"{stack.url('ingest')}/events/{event_id}")
    if response.status_code == 503:
        return {"state": "unknown"}
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


async def reaches(stack: Stack, event_id: str, *states: str) -> Json:
    async def reached() -> Json | None:
        status = await state_of(stack, event_id)
        return status if status["state"] in states else None

    return await until(reached, f"event {event_id} is {' or '.join(states)}")


@pytest.mark.parametrize("point", ON_THE_WAY)
async def test_a_process_killed_at_any_step_loses_nothing(stack: Stack, point: str) -> None:
    """The process dies in the middle of a story; after a restart every event has its effect, once."""
    service = point.partition(".")[0]
    await stack.settled()  # so that the trap waits for this story
    await stack.stop(service)
    await stack.start(service, trap=f"{point}=kill@2")
    article_id = point.replace(".", "-")
    told = an_article(article_id)
    sent = [await post(stack, "/articles", told)]
    await reaches(stack, sent[0], "rendered")  # so that the process is at work, not joining its group yet
    for number in range(2, 5):
        newer = without_id(told) | {
            "headline": f"{article_id} {number}",
            "body": f"<p>Words of revision {number}.</p>",
        }
        sent.append(
            await post(
                stack, f"/articles/{article_id}/updates", {"note": f"Note {number}.", "article": newer}
            )
        )
        await asyncio.sleep(
            0.15
        )  # lets batches form apart, so that the trap finds some before it and some after it
    assert await stack.dies(service) == -9
    await stack.start(service)
    statuses = [await reaches(stack, event_id, "rendered") for event_id in sent]
    assert [status["revision"] for status in statuses] == [1, 2, 3, 4]
    page = (await stack.page(statuses[-1]["url"])).text
    assert "Words of revision 4." in page
    assert all(f"Note {number}." in page for number in range(2, 5))


async def test_afterwards_the_site_equals_a_rebuild_byte_for_byte(stack: Stack) -> None:
    """Both ways from scratch: the pages deleted; the pages and MongoDB deleted and the log read again."""
    await stack.publish(
        "taken-down", headline="Sesquipedalian headline", body="<p>Unpronounceable secret words.</p>"
    )
    await stack.send("POST", "/articles/taken-down/withdrawal", {"note": "Legal"})
    await stack.publish("killed", headline="Antediluvian headline", body="<p>Unmentionable secret words.</p>")
    await stack.send("POST", "/articles/killed/retraction", {"note": "We were wrong."})
    await stack.settled()
    written = stack.files()
    assert len(written) > 20

    await stack.stop("render")
    stack.delete_pages()
    await stack.start("render")
    await same_site(stack, written)

    notices_before = await stack.notice_count()
    for service in ("render", "store"):
        await stack.stop(service)
    stack.delete_pages()
    stack.delete_databases()
    watch = asyncio.create_task(
        phrases_seen(stack, "Unpronounceable", "Unmentionable", "Sesquipedalian", "Antediluvian")
    )
    for service in ("store", "render"):
        await stack.start(service)
    await same_site(stack, written)
    watch.cancel()
    (seen,) = await asyncio.gather(watch, return_exceptions=True)
    assert isinstance(seen, asyncio.CancelledError), "a withdrawn or retracted word was on a page"
    assert await stack.notice_count() == notices_before, "a rebuild told readers something again"


async def same_site(stack: Stack, written: dict[str, str]) -> None:
    """Wait until the files are those, then see that they stay so when all is quiet."""

    async def is_same() -> bool:
        return stack.files() == written

    try:
        await until(is_same, "the same files")
    except TimeoutError:
        now = stack.files()
        differing = {name for name in now.keys() | written.keys() if now.get(name) != written.get(name)}
        raise AssertionError(
            f"{len(differing)} files differ, for instance {sorted(differing)[:10]}"
        ) from None
    await stack.settled()
    assert stack.files() == written


async def phrases_seen(stack: Stack, *phrases: str) -> bool:
    """Read every page over and over until one of the phrases is seen (True), or until cancelled."""
    while True:
        if stack.public.exists() and await asyncio.to_thread(_has_phrase, stack, phrases):
            return True
        await asyncio.sleep(0.01)


def _has_phrase(stack: Stack, phrases: tuple[str, ...]) -> bool:
    for path in stack.public.rglob("*.*"):
        if path.suffix in (".html", ".atom"):
            try:
                text = path.read_text()
            except OSError:
                continue
            if any(phrase in text for phrase in phrases):
                return True
    return False
