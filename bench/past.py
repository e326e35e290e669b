"""The past of a newsroom: articles as if so many a day had been published for years, all at once in MongoDB.

A few are published over HTTP. What store and render wrote of them is cast anew for all others and inserted as
bytes, so that what stands is what they would have written. The log knows nothing of it, and no page of it is
on the disk.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient, WriteConcern
from pymongo.collection import Collection

from bench.articles import ZONE, a_request, an_article
from bench.load import worked_off
from bench.moulds import Identity, Mould
from bench.stack import Broken, Editor, Newsroom
from newsroom.articles import ArticleText
from services.store.documents import DECISIONS, HEADS
from services.store.renderings import RENDERINGS

MODELS = 40
PER_DAY = 143
"""A thousand in a week, a million in nineteen years."""
TODAY = datetime(2024, 6, 7, 19, tzinfo=UTC)
"""Midnight in Almaty, a week into a month. The past ends here, so that it is the same on whatever day."""
RENDER_DATABASE = "newsroom_render"
_STORE_DATABASE = "newsroom_store"
_DOCUMENTS = (
    (_STORE_DATABASE, DECISIONS, "article_id"),
    (_STORE_DATABASE, HEADS, "_id"),
    (_STORE_DATABASE, RENDERINGS, "_id"),
    (RENDER_DATABASE, "articles", "_id"),
)
"""Where the documents of an article are, and which field has its id."""
_SECTIONS = ("Central Asia", "World", "Economy", "Society", "Culture")
_BATCH = 1_000
_SAY_SECONDS = 10.0
_AT_ONCE = 8
_PARAGRAPH = "<p>" + "Nobody at the ministry would say more about it before the council meets. " * 5 + "</p>"


class Past:
    """The articles that a newsroom has. `begin`, then `grow` as often as wanted."""

    def __init__(self, newsroom: Newsroom, say: Callable[[str], None]) -> None:
        self._newsroom, self._say = newsroom, say
        self._client: MongoClient[RawBSONDocument] = MongoClient(
            newsroom.mongo_url, document_class=RawBSONDocument
        )
        self._collections = [
            self._client[database].get_collection(name, write_concern=WriteConcern(w=1))
            for database, name, _ in _DOCUMENTS
        ]
        self._dice = Random(8)
        self._moulds: list[Sequence[Mould]] = []
        self.count = 0

    def close(self) -> None:
        self._client.close()

    async def begin(self) -> None:
        """Publish the articles of which all others are cast. Raises: Broken."""
        models = [self._next() for _ in range(MODELS)]
        editor, room = Editor(self._newsroom), asyncio.Semaphore(_AT_ONCE)

        async def publish(number: int, model: Identity) -> None:
            async with room:
                await editor.send("/articles", a_request(model.article_id, a_model(number, model)))

        try:
            await asyncio.gather(*(publish(number, model) for number, model in enumerate(models)))
            await worked_off(self._newsroom)
        finally:
            await editor.close()
        self._moulds = [self._moulds_of(model) for model in models]

    def _next(self) -> Identity:
        """Another article, published before all others."""
        self.count += 1
        return Identity.thrown(self._dice, TODAY - self.count * timedelta(days=1) / PER_DAY, ZONE)

    def _moulds_of(self, model: Identity) -> Sequence[Mould]:
        documents = [
            _found(collection, {field: model.article_id})
            for collection, (_, _, field) in zip(self._collections, _DOCUMENTS, strict=True)
        ]
        known = replace(model, event_id=documents[0]["_id"])
        return [Mould(bytes(document.raw), known) for document in documents]

    def grow(self, count: int) -> None:
        """Until there are so many."""
        with without_indexes(self._collections), ThreadPoolExecutor(len(self._collections)) as writers:
            said = time.monotonic()
            while self.count < count:
                batches = self._cast(min(_BATCH, count - self.count))
                list(writers.map(_insert, self._collections, batches))
                if time.monotonic() - said > _SAY_SECONDS:
                    said = time.monotonic()
                    self._say(f"{self.count:,} of {count:,} articles")
            self._say(f"{count:,} articles: indexes")
        self._count_listings()
        self._client.admin.command("fsync")

    def _cast(self, count: int) -> Sequence[Sequence[RawBSONDocument]]:
        """The documents of so many more articles, for each collection."""
        batches: list[list[RawBSONDocument]] = [[] for _ in _DOCUMENTS]
        for _ in range(count):
            words = self._next().words()
            for batch, mould in zip(batches, self._dice.choice(self._moulds), strict=True):
                batch.append(RawBSONDocument(mould.cast(words)))
        return batches

    def _count_listings(self) -> None:
        """Each listing has been written once at least."""
        render: Any = MongoClient(self._newsroom.mongo_url)
        with render:
            listings = render[RENDER_DATABASE]["listings"]
            written = set(listings.distinct("_id"))
            found = set(render[RENDER_DATABASE]["articles"].distinct("listings")) - written
            if found:
                listings.insert_many([{"_id": path, "counter": 1} for path in sorted(found)])


def a_model(number: int, model: Identity) -> ArticleText:
    """The text that many articles are to have, but for the id in its headline.

    One in three stands in the section and under the tags and the author of what is measured, so that each
    listing of that is full with a thousand.
    """
    text = an_article(model.article_id).model_copy(
        update={"body": _PARAGRAPH * 2, "published_at": model.time}
    )
    if number % 3 == 0:
        return text
    return text.model_copy(
        update={
            "section": _SECTIONS[number % len(_SECTIONS)],
            "tags": (f"Subject {number}", f"Subject {number // 4}"),
            "authors": (f"Reporter {number // 2}",),
        }
    )


@contextmanager
def without_indexes(collections: Sequence[Collection[RawBSONDocument]]) -> Iterator[None]:
    """Make them anew at the end, as they were: all of a collection in one go are much faster than each
    document's.
    """
    standing = []
    for collection in collections:
        found = [dict(index) for index in collection.list_indexes() if index["name"] != "_id_"]
        standing.append((collection, found))
        collection.drop_indexes()
    yield
    for collection, indexes in standing:
        if indexes:
            collection.database.command("createIndexes", collection.name, indexes=indexes)


def _found(collection: Collection[RawBSONDocument], query: Mapping[str, str]) -> RawBSONDocument:
    document = collection.find_one(query)
    if document is None:
        raise Broken(f"{collection.full_name} has no document of an article that is rendered")
    return document


def _insert(collection: Collection[RawBSONDocument], documents: Sequence[RawBSONDocument]) -> None:
    collection.insert_many(documents, ordered=False)
