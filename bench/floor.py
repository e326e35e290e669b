"""The bare floor: five steps that no way from a POST to a page can do without, one after another.

The same servers, clients, settings and sizes as the newsroom's own, in one process, and nothing else:
no HTTP, no hop, no decision, no listing. What the newsroom takes above it is the price of being a newsroom.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from bench.articles import an_article, an_update
from newsroom import mongo
from newsroom.events import Event, EventKind, Published, event_message
from newsroom.ids import new_event_id
from newsroom.kafka.cluster import ensure_topics
from newsroom.kafka.producer import KafkaPublisher
from newsroom.records import Message
from newsroom.times import now
from newsroom.topics import TopicSpec
from newsroom.updates import Announcement, ArticleUpdate, update_message
from services.render.contexts.articlepages import article_page
from services.render.looks.look import Look, load_look
from services.render.looks.sitefile import load_site
from services.render.posts import NO_POSTS

STEPS = ("event on the log", "revision in MongoDB", "update on the log", "page drawn", "page on the disk")
_EVENTS = TopicSpec("bench.events", 12, is_source=True)
_UPDATES = TopicSpec("bench.updates", 12, compacted=True)
_CLIENT = "newsroom-bench"


class Floor:
    """The five steps on running servers. No newsroom reads what it writes there."""

    def __init__(self, bootstrap: str, mongo_url: str, folder: Path, site_file: Path) -> None:
        self._bootstrap = bootstrap
        self._publisher = KafkaPublisher(bootstrap, client_id=_CLIENT)
        self._mongo = mongo.connect(SecretStr(mongo_url), app_name=_CLIENT)
        self._revisions = self._mongo["newsroom_bench"]["revisions"]
        self._look = load_look(load_site(site_file, "http://127.0.0.1:8000"))
        self._folder = folder

    async def open(self) -> None:
        """Make what it writes to. Raises: Away when a server does not answer."""
        await ensure_topics(self._bootstrap, replication=1, min_insync=1, specs=(_EVENTS, _UPDATES))
        await self._publisher.start()
        self._folder.mkdir(parents=True)

    async def close(self) -> None:
        await self._publisher.stop()
        self._mongo.close()

    async def run(self, name: str) -> dict[str, float]:
        """Do the steps once, for the article called so; the seconds that each took, in order."""
        event = Event(
            id=new_event_id(),
            kind=EventKind.PUBLISHED,
            article_id=f"floor-{name}",
            time=now(),
            data=Published(article=an_article(name), create=True),
            actor="bench",
            request_hash="0" * 64,
        )
        update = an_update(event.article_id, event.data.article)  # type: ignore[union-attr]
        accepted = _moved(event_message(event), _EVENTS)
        announced = _moved(update_message(Announcement(update, now())), _UPDATES)
        revision = {"_id": event.id, "article_id": event.article_id, **update.model_dump(mode="json")}
        took: dict[str, float] = {}
        with _timed(took, STEPS[0]):
            await self._publisher.publish(accepted)
        with _timed(took, STEPS[1]):
            await self._revisions.insert_one(revision)
        with _timed(took, STEPS[2]):
            await self._publisher.publish(announced)
        with _timed(took, STEPS[3]):
            page = page_of(update, self._look)
        with _timed(took, STEPS[4]):
            _write(self._folder / f"{name}.html", page)
        return took


def page_of(update: ArticleUpdate, look: Look) -> bytes:
    """The article's own page and no other, with the bytes that render gives it."""
    public = update.public
    assert public is not None  # noqa: S101  (it was published right here)
    assert public.text is not None  # noqa: S101
    voice = look.voice_in(public.language)
    context = article_page(update, public, public.text, voice.site, voice.wording, NO_POSTS)
    return look.draw("article.html", context, voice)


def _moved(message: Message, topic: TopicSpec) -> Message:
    """The record as it would go to the newsroom's topic, on one that nobody reads."""
    return Message(topic.name, message.key, message.value, message.headers)


def _write(place: Path, content: bytes) -> None:
    """A file that stands whole or not at all, flushed before it is renamed."""
    temporary = place.with_suffix(".tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(place)


@contextmanager
def _timed(took: dict[str, float], step: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    took[step] = time.perf_counter() - begun
