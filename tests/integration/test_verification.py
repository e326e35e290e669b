"""The command line on a running newsroom: the site compared with a rebuild, the life of events followed."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from click.testing import CliRunner, Result

from desk.cli import main
from tests.running import RunningKafka, RunningMongo
from tests.stack import Stack, a_stack, an_article, until, without_id

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(
    fresh_kafka: Callable[[], RunningKafka], mongo: RunningMongo, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """A newsroom with articles of every standing, at rest."""
    folder = tmp_path_factory.mktemp("verified")
    async with a_stack(fresh_kafka().bootstrap, mongo.url, folder) as running:
        await tell(running)
        yield running


async def tell(stack: Stack) -> None:
    for article_id in ("plain", "gone", "wrong"):
        await stack.publish(article_id)
    await stack.publish("live", live=True)
    for number in range(45):
        entry = {"id": f"e{number}", "headline": f"Entry {number}", "key_event": number % 9 == 0}
        await stack.send("POST", "/articles/live/entries", entry, prefer="respond-async")
    await stack.send("POST", "/articles", an_article("secret") | {"draft": True})
    moved = without_id(an_article("plain", section="World"))
    await stack.send("POST", "/articles/plain/updates", {"note": "More.", "article": moved})
    await stack.send("POST", "/articles/plain/amendments", {"article": moved})
    waits = moved | {"headline": "Not yet", "publish_at": "2035-01-01T00:00:00Z"}
    await stack.send("POST", "/articles/plain/updates", {"note": "Later.", "article": waits})
    await stack.send("POST", "/articles/gone/withdrawal", {"note": "Legal."})
    await stack.send("POST", "/articles/wrong/retraction", {"note": "All wrong."})
    await stack.settled()


async def newsroom(stack: Stack, *arguments: str) -> Result:
    """`newsroom …` on that newsroom."""
    addresses = ("--url", stack.url("ingest"), "--store-url", stack.url("store"))
    options = (*addresses, "--site-url", stack.url("render"), "--key", stack.key)
    return await asyncio.to_thread(CliRunner().invoke, main, [*options, *arguments])


async def test_a_site_at_rest_is_what_a_rebuild_would_write(stack: Stack) -> None:
    """Every file of it was compared, and none written."""
    before = stack.files()
    result = await newsroom(stack, "verify", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["equal"] is True
    assert found["articles"] == 5
    assert found["files"] == len([path for path in before if not path.endswith((".br", ".gz"))])
    assert stack.files() == before


async def test_what_was_tampered_with_is_told_and_nothing_else(stack: Stack) -> None:
    """Another page, a missing one, one too many, a sibling of other bytes, an entry's page."""
    page = await _path(stack, "plain")
    live = await _path(stack, "live")
    changed, missing = stack.public / page / "index.html", stack.public / "kazakhstan" / "index.html"
    extra, stale = stack.public / "world" / "old.html", stack.public / "feed.atom.gz"
    entries = stack.public / live / "entries" / "1" / "index.html"
    kept = {file: file.read_bytes() for file in (changed, missing, stale, entries)}
    changed.write_bytes(b"<h1>Tampered</h1>")
    missing.unlink()
    extra.write_bytes(b"Old.")
    stale.write_bytes(gzip.compress(b"an older feed"))
    entries.write_bytes(b"<h1>Tampered</h1>")
    try:
        result = await newsroom(stack, "verify")
        assert result.exit_code == 1, result.output
        told = {tuple(line.split(":")[0].split()) for line in result.stdout.splitlines()[:-3]}
        assert told == {
            ("differs", f"/{page}index.html"),
            ("missing", "/kazakhstan/index.html"),
            ("extra", "/world/old.html"),
            ("sibling", "/feed.atom.gz"),
            ("differs", f"/{live}entries/1/index.html"),
        }
    finally:
        extra.unlink()
        for file, content in kept.items():
            file.write_bytes(content)
    assert (await newsroom(stack, "verify")).exit_code == 0


async def test_a_newsroom_at_work_differs_in_nothing(stack: Stack) -> None:
    """What is on its way is looked at again before anything is said of it."""
    posting = asyncio.create_task(_post_many(stack, 40))
    result = await newsroom(stack, "verify")
    await posting
    assert result.exit_code == 0, result.output


async def test_the_life_of_an_event_is_told_as_it_happens(stack: Stack) -> None:
    """Accepted, stored, rendered, each on a line; of the article that was asked for alone."""
    watching = asyncio.create_task(newsroom(stack, "watch", "watched", "--count", "3", "--json"))
    await until(lambda: _is_followed(stack), "somebody watches")
    await stack.publish("other")
    answer = await stack.publish("watched")
    result = await asyncio.wait_for(watching, 30)
    assert result.exit_code == 0, result.output
    steps = [json.loads(line) for line in result.stdout.splitlines()]
    assert [step["state"] for step in steps] == ["accepted", "stored", "rendered"]
    assert {step["event_id"] for step in steps} == {answer["event_id"]}
    assert steps[-1]["url"] == answer["url"]


async def _path(stack: Stack, article_id: str) -> str:
    head = (await stack.client.get(f"{stack.url('store')}/articles/{article_id}")).json()
    return str(head["url"]).removeprefix(f"{stack.url('render')}/")


async def _post_many(stack: Stack, count: int) -> None:
    for number in range(count):
        await stack.publish(f"busy-{number}")


async def _is_followed(stack: Stack) -> bool:
    """Whether a stream of the life of events is open."""
    metrics = (await stack.reader.get(f"{stack.url('ingest')}/metrics")).text
    return "\nnewsroom_open_streams 1.0\n" in metrics
