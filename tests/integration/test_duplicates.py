"""Every record of every topic that a service reads comes a second time, the same bytes: nothing changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from faults.stage.environment import SERVICES
from newsroom import topics
from newsroom.kafka.cluster import partition_for
from newsroom.kafka.producer import KafkaPublisher
from newsroom.kafka.reader import TopicReader
from newsroom.records import Message, Record
from tests.running import RunningKafka, RunningMongo
from tests.stack import Json, Stack, a_stack, an_article, until, without_id

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]

READ_BY_SOMEBODY = (
    topics.EVENTS,
    topics.UPDATES,
    topics.LISTINGS,
    topics.NOTICES,
    topics.OUTCOMES,
    topics.KEYS,
)
ARTICLES = ("plain", "gone", "wrong", "back", "secret")


class Story:
    """A newsroom with one story of each kind behind it, and the ids of all that was sent."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.event_ids: list[str] = []
        self.canaries = 0

    async def tell(self) -> None:
        for article_id in ("plain", "gone", "wrong", "back"):
            await self._post("/articles", an_article(article_id), 201)
        await self._post("/articles", an_article("secret") | {"draft": True}, 201)
        newer = without_id(an_article("plain", section="World"))
        await self._post("/articles/plain/updates", {"note": "More.", "article": newer}, 200)
        correction = {"kind": "correction", "note": "Not seven.", "article": newer}
        await self._post("/articles/plain/corrections", correction, 200)
        await self._post("/articles/plain/amendments", {"article": newer}, 200)
        await self._post("/articles/wrong/retraction", {"note": "All wrong."}, 200)
        for article_id in ("gone", "back"):
            await self._post(f"/articles/{article_id}/withdrawal", {"note": "Legal."}, 200)
        await self._post("/articles/back/publication", without_id(an_article("back")), 200)
        rejected = {"note": "n", "article": without_id(an_article("nobody"))}
        await self._post("/articles/nobody/updates", rejected, 202, prefer="respond-async")
        for name in ("kept", "revoked"):
            await self._post_key(name)
        await self.stack.client.delete(f"{self.stack.url('ingest')}/keys/revoked")

    async def _post(self, path: str, body: Json, status: int, **headers: str) -> Json:
        response = await self.stack.send("POST", path, body, **headers)
        assert response.status_code == status, response.text
        answer: Json = response.json()
        self.event_ids.append(answer["event_id"])
        return answer

    async def _post_key(self, name: str) -> None:
        response = await self.stack.send("POST", "/keys", {"name": name, "role": "reader"})
        assert response.status_code == 201, response.text

    async def canary(self, partition: int) -> str:
        """Publish an article whose records stand behind all that was in that partition; its id."""
        while True:
            self.canaries += 1
            article_id = f"canary-{self.canaries}"
            if partition_for(article_id.encode(), 12) == partition:
                break
        await self._post("/articles", an_article(article_id), 201)
        return article_id

    async def world(self) -> dict[str, Any]:
        """All that anybody can see of the newsroom, once it has come to rest."""
        await self.stack.settled()
        store, ingest = self.stack.url("store"), self.stack.url("ingest")
        return {
            "files": self.stack.files(),
            "histories": {
                article_id: await self._json(f"{store}/articles/{article_id}/revisions")
                for article_id in ARTICLES
            },
            "heads": {
                article_id: await self._json(f"{store}/articles/{article_id}") for article_id in ARTICLES
            },
            "events": {
                event_id: [await self._fate(service, event_id) for service in (ingest, store)]
                for event_id in self.event_ids
            },
            "keys": await self._json(f"{ingest}/keys"),
        }

    async def _fate(self, service: str, event_id: str) -> Json:
        """What became of an event. Without its times: they measure work, and work is done again."""
        status = await self.stack.client.get(f"{service}/events/{event_id}")
        assert status.status_code == 200, status.text
        return {name: value for name, value in status.json().items() if name != "times"}

    async def _json(self, url: str) -> object:
        response = await self.stack.client.get(url)
        return response.json() if response.status_code == 200 else response.status_code


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(
    fresh_kafka: Callable[[], RunningKafka], mongo: RunningMongo, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Story]:
    async with a_stack(fresh_kafka().bootstrap, mongo.url, tmp_path_factory.mktemp("stack")) as stack:
        story = Story(stack)
        await story.tell()
        yield story
        stack.delete_databases()


async def produce_again(bootstrap: str, topic: str) -> list[Record]:
    """Every record of a topic once more, in its partition; those that were there before."""
    found: list[Record] = []
    reader = TopicReader(bootstrap, topic, found.append, client_id="test")
    reading = asyncio.create_task(reader.run())
    assert await reader.catch_up(30)
    await reader.stop()
    await reading
    records = list(found)
    publisher = KafkaPublisher(bootstrap, client_id="test")
    again = [Message(topic, it.key, it.value, it.headers, partition=it.partition) for it in records]
    await publisher.publish_all(again)
    await publisher.stop()
    return records


def data_of(line: str) -> list[Json]:
    """What a line of a stream of server-sent events carries, if it carries something."""
    return [json.loads(line.removeprefix("data: "))] if line.startswith("data: ") else []


@asynccontextmanager
async def an_open_page(stack: Stack) -> AsyncIterator[list[Json]]:
    """Everything that a reader of the whole site's stream is told from now on."""
    heard: list[Json] = []
    connected = asyncio.Event()

    async def listen() -> None:
        async with stack.reader.stream("GET", f"{stack.url('render')}/live", timeout=None) as response:
            connected.set()
            async for line in response.aiter_lines():
                heard.extend(data_of(line))

    listening = asyncio.create_task(listen())
    try:
        await asyncio.wait_for(connected.wait(), 30)
        yield heard
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


def same(after: Any, before: Any, where: str = "") -> None:
    """Raises: AssertionError that names the first place where they differ."""
    if isinstance(after, dict) and isinstance(before, dict):
        for name in sorted(after.keys() | before.keys()):
            same(after.get(name, "nothing"), before.get(name, "nothing"), f"{where}/{name}")
    elif isinstance(after, list) and isinstance(before, list) and len(after) == len(before):
        for index, (left, right) in enumerate(zip(after, before, strict=True)):
            same(left, right, f"{where}/{index}")
    else:
        assert after == before, f"at {where}: {after!r}, before it was {before!r}"


@pytest.mark.parametrize("topic", READ_BY_SOMEBODY)
async def test_a_record_that_comes_twice_changes_nothing(story: Story, topic: str) -> None:
    """Whoever reads a topic without a group is past the repeats when it has what came after them."""
    stack = story.stack
    before = await story.world()
    told = await stack.notice_count()
    async with an_open_page(stack) as heard:
        repeated = await produce_again(stack.bootstrap, topic)
        assert repeated
        same(await story.world(), before)
        assert await stack.notice_count() == told + len(repeated) * (topic == topics.NOTICES)
        partitions = {record.partition for record in repeated} if topic == topics.OUTCOMES else {0}
        canaries = [await story.canary(partition) for partition in sorted(partitions)]

        async def are_heard() -> bool:
            return len(heard) >= len(canaries)

        await until(are_heard, "the canaries' notices")
        assert [notice["article_id"] for notice in heard] == canaries
    after = await story.world()
    same({name: after["events"][name] for name in before["events"]}, before["events"])
    same(after["keys"], before["keys"])


async def test_after_all_repeats_a_restart_changes_nothing_either(story: Story) -> None:
    stack = story.stack
    before = await story.world()
    told = await stack.notice_count()
    for service in SERVICES:
        assert await stack.stop(service) == 0
        await stack.start(service)
    after = await story.world()
    same(after, before)
    assert await stack.notice_count() == told
    assert await newest_notice(stack, "plain") == 3
    assert await newest_notice(stack, "wrong") == 2


async def newest_notice(stack: Stack, article_id: str) -> int:
    """The revision of what a page is told first that was left open at its beginning."""
    url = f"{stack.url('render')}/live/{article_id}?revision=0"
    async with stack.reader.stream("GET", url) as response:
        async for line in response.aiter_lines():
            for notice in data_of(line):
                return int(notice["revision"])
    raise AssertionError("the stream ended")
