"""What readers of the API ask of the database: lists, an article's history, an event's end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from newsroom import mongo
from newsroom.outcomes import Rendering
from newsroom.times import rfc3339
from newsroom.updates import Status
from services.store.articles import Article, Entry
from services.store.decisions import Decision
from services.store.documents import DECISIONS, ENTRIES, HEADS, to_decision, to_entry, to_head
from services.store.renderings import RENDERINGS, to_rendering


@dataclass(frozen=True)
class Mark:
    """A place in a list: behind the article that was shown last there."""

    time: datetime
    article_id: str


@dataclass(frozen=True)
class Wanted:
    """A part of a list, newest first. `section` and `tag` are slugs; `since` is the earliest time."""

    most: int
    section: str | None = None
    tag: str | None = None
    since: datetime | None = None
    after: Mark | None = None


WaitingFor = Literal["scheduled", "embargoed"]


class Reading(Protocol):
    """Answers from what stands. Every call may raise `Away`."""

    async def article(self, article_id: str) -> Article | None: ...

    async def public(self, wanted: Wanted) -> list[Article]:
        """Public articles, by the time that orders listings."""
        ...

    async def drafts(self, wanted: Wanted) -> list[Article]:
        """Articles with a draft that nothing public has superseded, by their newest revision's time.

        Section and tag do not count.
        """
        ...

    async def waiting(self, what: WaitingFor, wanted: Wanted) -> list[Article]:
        """Articles of which something waits for its schedule or embargo, by when it is due, soonest first.

        `since` is the earliest due time, and a mark's time is one. Section and tag do not count.
        """
        ...

    async def entries(self, article_id: str, most: int, before: int | None = None) -> list[Entry]:
        """The entries of a live article with a number below that one, newest first."""
        ...

    async def entry(self, article_id: str, entry_id: str) -> Entry | None: ...

    async def history(self, article_id: str) -> list[Decision]:
        """Every revision of the article, oldest first, without its text or its entry's."""
        ...

    async def revision(self, article_id: str, number: int) -> Decision | None:
        """One revision with the article after it, or the entry."""
        ...

    async def decision(self, event_id: str) -> Decision | None:
        """The end of an event, without the article after it but for its id."""
        ...

    async def rendering(self, article_id: str) -> Rendering | None:
        """How far the article's public outputs have come."""
        ...


class MongoReading:
    """See `Reading`. Each query has its index (`services.store.revisions`)."""

    def __init__(self, database: mongo.Database) -> None:
        self._heads: mongo.Collection = database[HEADS]
        self._decisions: mongo.Collection = database[DECISIONS]
        self._entries: mongo.Collection = database[ENTRIES]
        self._renderings: mongo.Collection = database[RENDERINGS]

    async def article(self, article_id: str) -> Article | None:
        async with mongo.answering():
            document = await self._heads.find_one({"_id": article_id})
        return to_head(document) if document else None

    async def public(self, wanted: Wanted) -> list[Article]:
        query: mongo.Document = {"status": Status.PUBLIC.value}
        if wanted.section is not None:
            query["listed.section"] = wanted.section
        if wanted.tag is not None:
            query["listed.tags"] = wanted.tag
        return await self._newest(query, "bumped_at", wanted)

    async def drafts(self, wanted: Wanted) -> list[Article]:
        return await self._newest({"draft_revision": {"$exists": True}}, "time", wanted)

    async def waiting(self, what: WaitingFor, wanted: Wanted) -> list[Article]:
        return await self._ordered({"waiting.for": what}, "waiting.until", mongo.ASCENDING, wanted)

    async def _newest(self, query: mongo.Document, field: str, wanted: Wanted) -> list[Article]:
        return await self._ordered(query, field, mongo.DESCENDING, wanted)

    async def _ordered(
        self, query: mongo.Document, field: str, direction: int, wanted: Wanted
    ) -> list[Article]:
        """By a time, then by id; from `since` on, behind the mark."""
        bounds: dict[str, str] = {}
        if wanted.since is not None:
            bounds["$gte"] = rfc3339(wanted.since)
        if wanted.after is not None:
            time, behind = rfc3339(wanted.after.time), "$lt" if direction == mongo.DESCENDING else "$gt"
            bounds[f"{behind}e"] = max(time, bounds.get("$gte", "")) if behind == "$gt" else time
            query["$or"] = [{field: {behind: time}}, {"_id": {"$gt": wanted.after.article_id}}]
        if bounds:
            query[field] = bounds
        async with mongo.answering():
            order = [(field, direction), ("_id", mongo.ASCENDING)]
            found = self._heads.find(query).sort(order).limit(wanted.most)
            return [to_head(document) for document in await found.to_list(None)]

    async def entries(self, article_id: str, most: int, before: int | None = None) -> list[Entry]:
        query: mongo.Document = {"article_id": article_id}
        if before is not None:
            query["number"] = {"$lt": before}
        async with mongo.answering():
            found = self._entries.find(query).sort("number", mongo.DESCENDING).limit(most)
            return [to_entry(document) for document in await found.to_list(None)]

    async def entry(self, article_id: str, entry_id: str) -> Entry | None:
        async with mongo.answering():
            document = await self._entries.find_one({"_id": f"{article_id}/{entry_id}"})
        return to_entry(document) if document else None

    async def history(self, article_id: str) -> list[Decision]:
        query = {"article_id": article_id, "revision": {"$exists": True, "$gt": 0}}
        without_texts = {"article": 0, "entry.text": 0}
        async with mongo.answering():
            found = self._decisions.find(query, without_texts).sort("revision", mongo.ASCENDING)
            return [to_decision(_with_blank_entry(document)) for document in await found.to_list(None)]

    async def revision(self, article_id: str, number: int) -> Decision | None:
        async with mongo.answering():
            document = await self._decisions.find_one({"article_id": article_id, "revision": number})
        return to_decision(document) if document else None

    async def decision(self, event_id: str) -> Decision | None:
        async with mongo.answering():
            document = await self._decisions.find_one({"_id": event_id}, {"article": 0})
        return to_decision(document) if document else None

    async def rendering(self, article_id: str) -> Rendering | None:
        async with mongo.answering():
            document = await self._renderings.find_one({"_id": article_id})
        return to_rendering(document) if document else None


def _with_blank_entry(document: mongo.Document) -> mongo.Document:
    """A decision whose entry was read without its text."""
    entry = document.get("entry")
    return {**document, "entry": {**entry, "text": {}}} if entry else document
