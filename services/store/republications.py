"""Rebuilds: every head, or some of them, announced again; kept, so that a crash ends none.

Whoever holds the lease goes on where the last one stopped; the lease runs by MongoDB's clock, which all
share.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Literal, Protocol

from newsroom import mongo
from newsroom.articles import Contract
from newsroom.times import Moment, now

REPUBLICATIONS = "republications"
LEASE_SECONDS = 30
State = Literal["running", "done"]


class Republication(Contract):
    """One rebuild.

    `after` is the last article announced, in the order of ids; `total` is as counted when it was asked.
    """

    id: str
    state: State = "running"
    is_all: bool
    article_ids: tuple[str, ...] = ()
    total: int
    announced: int = 0
    after: str = ""
    asked_at: Moment
    finished_at: Moment | None = None


def new_republication(article_ids: Sequence[str] | None, total: int) -> Republication:
    """A rebuild of these articles, of all of them where there is no list."""
    return Republication(
        id="rep_" + secrets.token_hex(8),
        is_all=article_ids is None,
        article_ids=tuple(sorted(set(article_ids or ()))),
        total=total,
        asked_at=now(),
    )


class Republications(Protocol):
    """Where rebuilds are kept. Every call may raise `Away`."""

    async def add(self, republication: Republication) -> None: ...

    async def find(self, republication_id: str) -> Republication | None: ...

    async def claim(self, holder: str) -> Republication | None:
        """The oldest running rebuild that nobody else works on, for a lease's time, if there is one."""
        ...

    async def note(self, republication: Republication, holder: str) -> bool:
        """Keep how far it is, or that it is done, and renew the lease; False where that was lost."""
        ...

    async def release(self, holder: str) -> None:
        """Let another go on at once."""
        ...


class MongoRepublications:
    """One document for each rebuild, with who works on it and until when."""

    def __init__(self, database: mongo.Database) -> None:
        self._documents: mongo.Collection = database[REPUBLICATIONS]

    async def prepare(self) -> None:
        """Create the index; one that stands stays."""
        running = mongo.IndexModel(
            [("asked_at", mongo.ASCENDING)], name="running", partialFilterExpression={"state": "running"}
        )
        with mongo.translating():
            await self._documents.create_indexes([running])

    async def add(self, republication: Republication) -> None:
        async with mongo.answering():
            await self._documents.insert_one(_from_republication(republication))

    async def find(self, republication_id: str) -> Republication | None:
        async with mongo.answering():
            document = await self._documents.find_one({"_id": republication_id})
        return _to_republication(document) if document else None

    async def claim(self, holder: str) -> Republication | None:
        free = [
            {"holder": {"$exists": False}},
            {"holder": holder},
            {"$expr": {"$lt": ["$lease_until", "$$NOW"]}},
        ]
        with mongo.translating():
            document = await self._documents.find_one_and_update(
                {"state": "running", "$or": free},
                [{"$set": {"holder": holder, **_LEASE}}],
                sort=[("asked_at", mongo.ASCENDING)],
                return_document=mongo.ReturnDocument.AFTER,
            )
        return _to_republication(document) if document else None

    async def note(self, republication: Republication, holder: str) -> bool:
        progress = {
            name: {"$literal": value}
            for name, value in _from_republication(republication).items()
            if name in ("state", "announced", "after", "finished_at")
        }
        mine = {"_id": republication.id, "holder": holder, "state": "running"}
        with mongo.translating():
            result = await self._documents.update_one(mine, [{"$set": {**progress, **_LEASE}}])
        return result.matched_count == 1

    async def release(self, holder: str) -> None:
        with mongo.translating():
            await self._documents.update_many(
                {"state": "running", "holder": holder}, {"$unset": {"holder": "", "lease_until": ""}}
            )


_LEASE: mongo.Document = {"lease_until": {"$add": ["$$NOW", LEASE_SECONDS * 1000]}}


def _from_republication(republication: Republication) -> mongo.Document:
    document = republication.model_dump(mode="json", exclude_none=True)
    document["_id"] = document.pop("id")
    return document


def _to_republication(document: mongo.Document) -> Republication:
    return Republication.model_validate({**document, "id": document["_id"]})
