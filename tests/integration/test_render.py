"""Render on real Kafka and MongoDB: updates become files, and outages and nonsense pass without a trace."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr
from pymongo import MongoClient

from newsroom import topics
from newsroom.http.app import Health
from newsroom.ids import new_event_id
from newsroom.kafka import cluster
from newsroom.kafka.producer import KafkaPublisher
from newsroom.kafka.reader import TopicReader
from newsroom.notices import Notice, decode_notice
from newsroom.outcomes import Rendering, decode_outcome
from newsroom.records import Message, Record
from newsroom.updates import ArticleUpdate, EntryAnnouncement, EntryUpdate, entry_message, update_message
from services.render.__main__ import Render
from services.render.app import create_site
from services.render.rebuild import StoreClient
from services.render.settings import RenderSettings
from tests.render_parts import (
    BEGINNING,
    SITE_URL,
    a_hidden,
    a_live,
    a_post,
    a_public,
    a_withdrawn,
    an_announcement,
)
from tests.running import RunningKafka, RunningMongo
from tests.wire_parts import served

pytestmark = pytest.mark.real
ROOT = Path(__file__).parent.parent.parent
PATIENCE_SECONDS = 120.0
PARTITIONS = next(spec.partitions for spec in topics.ALL if spec.name == topics.UPDATES)


async def until(condition: Callable[[], Awaitable[object]], what: str) -> None:
    """Wait for the condition. Raises: TimeoutError that names it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not await condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE_SECONDS:.0f} s for: {what}")
        await asyncio.sleep(0.05)


def _with_event(update: ArticleUpdate) -> ArticleUpdate:
    return update.model_copy(update={"event_ids": (new_event_id(),)})


class Newsroom:
    """A log, a database and a pages folder for one test, which stands in the store's place."""

    def __init__(self, kafka: RunningKafka, mongo: RunningMongo, folder: Path) -> None:
        self.kafka, self.mongo, self.pages = kafka, mongo, folder
        self.database = f"render_{secrets.token_hex(4)}"
        self.mark = secrets.token_hex(3)
        self.publisher = KafkaPublisher(kafka.bootstrap, client_id="test")
        self.seen: list[Record] = []

    def name(self, article_id: str) -> str:
        """An article id that no other test on this broker has."""
        return f"{article_id}-{self.mark}"

    def public(self, article_id: str, revision: int = 1) -> ArticleUpdate:
        return a_public(self.name(article_id), revision, tags=(f"Tag {self.mark}",))

    async def announce(self, *updates: ArticleUpdate) -> None:
        """As the store does: each names the event that made it, so readers were not told of it before."""
        for update in updates:
            await self.publisher.publish(update_message(an_announcement(_with_event(update))))

    async def announce_live(self, posts: Sequence[EntryUpdate], update: ArticleUpdate) -> None:
        """The posts of a batch and, after them, their article, all in its partition."""
        partition = cluster.partition_for(update.article_id.encode(), PARTITIONS)
        messages = [entry_message(EntryAnnouncement(post, BEGINNING), partition) for post in posts]
        await self.publisher.publish_all([*messages, update_message(an_announcement(_with_event(update)))])

    def settings(self) -> RenderSettings:
        return RenderSettings(
            kafka=self.kafka.bootstrap,
            mongo=SecretStr(self.mongo.url),
            render_database=self.database,
            pages=self.pages,
            site_file=ROOT / "site.toml",
            site_url=SITE_URL,
        )

    @asynccontextmanager
    async def rendering(self) -> AsyncIterator[Running]:
        """A render that runs for the length of the block, ready."""
        running = Running(self.settings())
        task = asyncio.create_task(running.render.run())
        keys = asyncio.create_task(running.render.keys.run())
        try:
            await until(running.is_ready, "render is ready")
            yield running
            assert not task.done(), task.exception()
        finally:
            await running.render.stop()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await keys
            await running.client.aclose()

    @asynccontextmanager
    async def reading(self, *names: str) -> AsyncIterator[None]:
        """Everything that comes to these topics in the block is kept in `seen`, to their ends."""
        readers = [
            TopicReader(self.kafka.bootstrap, name, self.seen.append, client_id="test", begin="end")
            for name in names
        ]
        tasks = [asyncio.create_task(reader.run()) for reader in readers]
        for reader in readers:
            assert await reader.catch_up(20)
        try:
            yield
            for reader in readers:
                assert await reader.catch_up(PATIENCE_SECONDS)
        finally:
            await asyncio.gather(*(reader.stop() for reader in readers))
            await asyncio.gather(*tasks)

    def of(self, topic: str) -> list[Record]:
        return [record for record in self.seen if record.topic == topic]

    def notices(self) -> list[Notice]:
        found = [decode_notice(record) for record in self.of(topics.NOTICES)]
        return [notice for notice in found if notice.article_id.endswith(self.mark)]

    def rendered(self, article_id: str) -> int:
        """Up to which revision the article was said to be rendered."""
        found = [decode_outcome(record) for record in self.of(topics.OUTCOMES)]
        mine = [
            one for one in found if isinstance(one, Rendering) and one.article_id == self.name(article_id)
        ]
        return max((rendering.revision for rendering in mine), default=0)

    async def is_rendered(self, article_id: str, revision: int) -> None:
        async def there() -> bool:
            return self.rendered(article_id) >= revision

        await until(there, f"{article_id} is rendered at revision {revision}")


class Running:
    """One render process's parts, wired as in `__main__`, asked without a socket where nothing else is said;
    its store has nothing.
    """

    def __init__(self, settings: RenderSettings) -> None:
        self.render = Render(settings)
        health = Health("render")
        self.render.add_checks(health)
        self.app = create_site(settings, health, self.render.hub, self.render.model, self.render.server())
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url=SITE_URL)
        store = httpx.AsyncClient(transport=httpx.MockTransport(_nothing_to_rebuild))
        self.render.rebuilder._store = StoreClient("http://store", SecretStr("key"), store)

    async def is_ready(self) -> bool:
        return (await self.client.get("/health/ready")).status_code == 200

    async def shows(self, path: str, words: str) -> None:
        async def there() -> bool:
            return words in (await self.client.get(path)).text

        await until(there, f"{path} shows {words!r}")


@asynccontextmanager
async def open_stream(running: Running, article_id: str) -> AsyncIterator[asyncio.Task[httpx.Response]]:
    """A reader who listens, over a socket; all that it hears, once the stream is over."""
    async with served(running.app) as port, httpx.AsyncClient() as client:
        asked = f"http://127.0.0.1:{port}/live/{article_id}?revision=0"
        stream = asyncio.create_task(client.get(asked))

        async def listening() -> bool:
            return running.render.hub.streams == 1

        await until(listening, "a reader listens")
        yield stream


def _nothing_to_rebuild(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"id": "rep_1", "state": "done"})


@pytest_asyncio.fixture
async def newsroom(kafka: RunningKafka, mongo: RunningMongo, tmp_path: Path) -> AsyncIterator[Newsroom]:
    await cluster.ensure_topics(kafka.bootstrap, replication=1, min_insync=1)
    newsroom = Newsroom(kafka, mongo, tmp_path)
    await newsroom.publisher.start()
    yield newsroom
    await newsroom.publisher.stop()
    with MongoClient[dict[str, object]](mongo.url) as client:
        client.drop_database(newsroom.database)


def path_of(update: ArticleUpdate) -> str:
    assert update.path is not None
    return update.path


async def test_an_update_becomes_a_page_listings_a_notice_and_a_rendering(newsroom: Newsroom) -> None:
    """And a withdrawal takes all of it back."""
    public = newsroom.public("a1")
    async with newsroom.reading(topics.NOTICES, topics.OUTCOMES), newsroom.rendering() as running:
        await newsroom.announce(public)
        await newsroom.is_rendered("a1", 1)
        page = await running.client.get(path_of(public))
        assert page.status_code == 200
        assert 'data-revision="1"' in page.text
        for listing in ("/", f"/tags/tag-{newsroom.mark}/", "/updates/", "/feed.atom"):
            await running.shows(listing, path_of(public))
        await newsroom.announce(a_withdrawn(public, 2))
        await newsroom.is_rendered("a1", 2)
        assert (await running.client.get(path_of(public))).status_code == 410
        for listing in ("/", f"/tags/tag-{newsroom.mark}/", "/updates/", "/feed.atom"):
            assert path_of(public) not in (await running.client.get(listing)).text
    assert [(notice.revision, notice.kind.value) for notice in newsroom.notices()] == [
        (1, "published"),
        (2, "withdrawn"),
    ]


async def test_posts_of_a_live_article_become_pages_and_notices(newsroom: Newsroom) -> None:
    """In the partition of their article, whose withdrawal takes every page of theirs along."""
    public = newsroom.public("a1")
    posts = [
        a_post(number, article_id=public.article_id, page=number, key_event=number == 1)
        for number in (1, 2, 3)
    ]
    async with newsroom.reading(topics.NOTICES, topics.OUTCOMES), newsroom.rendering() as running:
        await newsroom.announce(public)
        await newsroom.announce_live(posts, a_live(public, posts))
        await newsroom.is_rendered("a1", 4)
        for number in (1, 2, 3):
            page = await running.client.get(f"{path_of(public)}entries/{number}/")
            assert f'id="entry-e{number}"' in page.text
        assert "Entry 1" in (await running.client.get(f"{path_of(public)}entries/key/")).text
        assert "Entry 3" in (await running.client.get(path_of(public))).text
        await running.shows("/updates/", f"{path_of(public)}entries/3/#entry-e3")
        gone = a_withdrawn(public, 5)
        await newsroom.announce_live([a_hidden(post, 5) for post in posts], gone)
        await newsroom.is_rendered("a1", 5)
        for below in ("", "entries/1/", "entries/3/", "entries/key/"):
            assert (await running.client.get(path_of(public) + below)).status_code == 410
        assert "entries/3/" not in (await running.client.get("/updates/")).text
    assert [(notice.revision, notice.kind.value) for notice in newsroom.notices()] == [
        (1, "published"),
        (2, "live_entry"),
        (3, "live_entry"),
        (4, "live_entry"),
        (5, "withdrawn"),
    ]


async def test_a_second_start_goes_on_where_the_first_stopped(newsroom: Newsroom) -> None:
    """Nothing is told again; what came in between is."""
    async with newsroom.reading(topics.NOTICES, topics.OUTCOMES):
        async with newsroom.rendering():
            await newsroom.announce(newsroom.public("a1"))
            await newsroom.is_rendered("a1", 1)
        await newsroom.announce(newsroom.public("a1", 2), newsroom.public("b2"))
        async with newsroom.rendering():
            await newsroom.is_rendered("a1", 2)
            await newsroom.is_rendered("b2", 1)
    told = [(notice.article_id, notice.revision) for notice in newsroom.notices()]
    assert sorted(told) == [
        (newsroom.name("a1"), 1),
        (newsroom.name("a1"), 2),
        (newsroom.name("b2"), 1),
    ]


async def test_two_instances_share_the_work(newsroom: Newsroom) -> None:
    """Whoever owns a partition writes into the one folder; each article is told once."""
    updates = [newsroom.public(f"n{number}") for number in range(24)]
    async with newsroom.reading(topics.NOTICES, topics.OUTCOMES), newsroom.rendering() as one:
        async with newsroom.rendering() as two:
            await newsroom.announce(*updates)
            for number in range(24):
                await newsroom.is_rendered(f"n{number}", 1)
            for running in (one, two):
                await running.shows(f"/tags/tag-{newsroom.mark}/", path_of(updates[0]))
        await newsroom.announce(newsroom.public("n0", 2))
        await newsroom.is_rendered("n0", 2)
        await one.shows(path_of(updates[0]), 'data-revision="2"')
    assert len({(notice.article_id, notice.revision) for notice in newsroom.notices()}) == 25


@pytest.mark.parametrize("how", ["killed", "frozen"])
async def test_a_database_that_goes_away_holds_updates_up_and_loses_none(
    newsroom: Newsroom, how: str
) -> None:
    """Pages are served meanwhile; when it is back everything is rendered, without an operator."""
    public = newsroom.public("a1")
    read = (topics.NOTICES, topics.OUTCOMES, topics.DEAD_LETTERS)
    async with newsroom.reading(*read), newsroom.rendering() as running:
        await newsroom.announce(public)
        await newsroom.is_rendered("a1", 1)
        with newsroom.mongo.away() if how == "killed" else newsroom.mongo.frozen():
            await newsroom.announce(newsroom.public("a1", 2))
            await asyncio.sleep(3)  # longer than it would take, were the database there
            assert (await running.client.get(path_of(public))).status_code == 200
            assert newsroom.rendered("a1") == 1
        await newsroom.is_rendered("a1", 2)
        await running.shows(path_of(public), 'data-revision="2"')
    assert newsroom.of(topics.DEAD_LETTERS) == []


async def test_a_broker_that_goes_away_and_comes_back_is_no_operators_business(newsroom: Newsroom) -> None:
    """The site stays up, and what is announced afterwards is rendered."""
    public = newsroom.public("a1")
    async with newsroom.reading(topics.OUTCOMES), newsroom.rendering() as running:
        await newsroom.announce(public)
        await newsroom.is_rendered("a1", 1)
        with newsroom.kafka.away():
            assert (await running.client.get(path_of(public))).status_code == 200
            assert not await running.is_ready()
        await newsroom.announce(newsroom.public("a1", 2))
        await newsroom.is_rendered("a1", 2)
        await until(running.is_ready, "render is ready again")


JUNK: Sequence[bytes | None] = (b"\xff\xfe", b"{}", b"", b'{"path": 1}')


async def test_bytes_that_are_no_record_are_parked_and_the_work_goes_on(newsroom: Newsroom) -> None:
    """On every topic that render reads; of those it handles, the original bytes are kept with the reason."""
    public = newsroom.public("a1")
    key = newsroom.name("junk").encode()
    async with newsroom.reading(topics.DEAD_LETTERS, topics.OUTCOMES), newsroom.rendering() as running:
        for topic in (topics.UPDATES, topics.LISTINGS, topics.NOTICES):
            for junk in JUNK:
                await newsroom.publisher.publish(Message(topic, key, junk))
        await newsroom.announce(public)
        await newsroom.is_rendered("a1", 1)
        await running.shows(f"/tags/tag-{newsroom.mark}/", path_of(public))

        async def all_parked() -> bool:
            return len(mine()) >= 2 * len(JUNK)

        def mine() -> list[Record]:
            return [record for record in newsroom.of(topics.DEAD_LETTERS) if record.key == key]

        await until(all_parked, "all junk is parked")
        assert sorted(record.value or b"" for record in mine()) == sorted([*JUNK, *JUNK])  # type: ignore[type-var]
        async with open_stream(running, newsroom.name("a1")) as stream:
            await newsroom.announce(newsroom.public("a1", 2))
            await newsroom.is_rendered("a1", 2)

            async def told() -> bool:
                return running.render.hub._newest.get(newsroom.name("a1")) == 2

            await until(told, "the notice is in the ring")
            running.render.hub.end()
            assert '"revision":2' in (await stream).text
