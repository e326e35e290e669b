"""The dead letters of the whole newsroom, as `newsroom.dead-letters` tells of them, kept to be looked at.

Derived from that topic alone and in any order, so that it can be read again at any time; kept as long.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

from newsroom import mongo, topics
from newsroom.ids import ARTICLE_ID, is_event_id
from newsroom.kafka.dead_letters import Mark, MarkState, Parked
from newsroom.records import Record
from newsroom.times import rfc3339

DEAD_LETTERS = "dead_letters"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
State = Literal["waiting", "retried", "dropped"]
KEPT = next(timedelta(milliseconds=t.retention_ms) for t in topics.ALL if t.name == topics.DEAD_LETTERS)


@dataclass(frozen=True)
class DeadLetter:
    """A letter as it stands. `attempts`: how many times its record was parked. `size`: bytes of its value,
    which lists leave out.
    """

    id: str
    state: State
    attempts: int
    size: int
    parked: Parked

    @property
    def time(self) -> datetime:
        """When it was parked last."""
        return self.parked.time

    @property
    def event_id(self) -> str | None:
        """The event in it, where its headers still say so."""
        event_id = self.parked.record.header("ce_id") or ""
        return event_id if is_event_id(event_id) else None

    @property
    def article_id(self) -> str | None:
        """The article that its subject or its key names."""
        key = (self.parked.record.key or b"").decode(errors="replace").partition("/")[0]
        named = (self.parked.record.header("ce_subject"), key)
        return next((name for name in named if name and ARTICLE_ID.fullmatch(name)), None)

    def mark(self, state: MarkState) -> Mark:
        """That this was done with the letter as it stands."""
        return Mark(self.id, state, self.attempts)


@dataclass(frozen=True)
class After:
    """A place in the list: behind the letter of that time (RFC 3339) and id."""

    time: str
    letter_id: str


class DeadLetters(Protocol):
    """Where letters are kept. Filing and marking again changes nothing. Every call may raise `Away`."""

    async def file(self, parked: Parked) -> None:
        """Keep a letter, or that it was parked once more where its record stood elsewhere."""
        ...

    async def mark(self, mark: Mark, at: datetime) -> None:
        """Note what was done with a letter. What was done later in its life stays; dropped is final."""
        ...

    async def find(self, letter_id: str) -> DeadLetter | None: ...

    async def newest(
        self, most: int, state: State | None = None, after: After | None = None
    ) -> list[DeadLetter]:
        """Letters without their values, newest first."""
        ...

    async def count_waiting(self) -> int: ...


def rank(mark: Mark) -> int:
    """Orders marks: the later in a letter's life, the higher; of one attempt dropped above retried."""
    return 2 * mark.attempts + (mark.state == "dropped")


class MongoDeadLetters:
    """One document for each letter. A mark that comes before its letter waits in a document for it."""

    def __init__(self, database: mongo.Database) -> None:
        self._documents: mongo.Collection = database[DEAD_LETTERS]

    async def prepare(self) -> None:
        """Create the indexes; those that stand stay."""
        newest = [("time", mongo.DESCENDING), ("_id", mongo.DESCENDING)]
        with mongo.translating():
            await self._documents.create_indexes(
                [
                    mongo.IndexModel(newest, name="newest"),
                    mongo.IndexModel([("state", mongo.ASCENDING), *newest], name="newest_of_state"),
                    mongo.IndexModel([("until", mongo.ASCENDING)], name="kept", expireAfterSeconds=0),
                ]
            )

    async def file(self, parked: Parked) -> None:
        await self._change(parked.id, _filing(parked))

    async def mark(self, mark: Mark, at: datetime) -> None:
        await self._change(mark.letter_id, _marking(mark, at))

    async def _change(self, letter_id: str, stages: list[mongo.Document]) -> None:
        with mongo.translating():
            await self._documents.update_one({"_id": letter_id}, [*stages, *_DERIVED], upsert=True)

    async def find(self, letter_id: str) -> DeadLetter | None:
        async with mongo.answering():
            document = await self._documents.find_one({"_id": letter_id, "time": {"$exists": True}})
        return _to_letter(document) if document else None

    async def newest(
        self, most: int, state: State | None = None, after: After | None = None
    ) -> list[DeadLetter]:
        query: mongo.Document = {"time": {"$exists": True}}
        if state is not None:
            query["state"] = state
        if after is not None:
            query["$or"] = [
                {"time": {"$lt": after.time}},
                {"time": after.time, "_id": {"$lt": after.letter_id}},
            ]
        order = [("time", mongo.DESCENDING), ("_id", mongo.DESCENDING)]
        async with mongo.answering():
            found = self._documents.find(query, {"value": 0}).sort(order).limit(most)
            return [_to_letter(document) for document in await found.to_list(None)]

    async def count_waiting(self) -> int:
        with mongo.translating():
            return await self._documents.count_documents({"state": "waiting"})


_DERIVED: list[mongo.Document] = [
    {"$set": {"attempts": {"$size": {"$ifNull": ["$places", []]}}}},
    {
        "$set": {
            "state": {
                "$cond": [
                    {"$gte": [{"$ifNull": ["$marked.rank", 0]}, {"$multiply": [2, "$attempts"]}]},
                    "$marked.state",
                    "waiting",
                ]
            }
        }
    },
]
"""What follows of everywhere that a letter was parked and of its highest mark."""


def _filing(parked: Parked) -> list[mongo.Document]:
    record = parked.record
    same = {
        "topic": record.topic,
        "key": record.key,
        "value": record.value,
        "headers": [[name, value] for name, value in record.headers],
        "size": len(record.value or b""),
        "cut": parked.is_cut,
    }
    newest = {
        "time": rfc3339(parked.time),
        "partition": record.partition,
        "offset": record.offset,
        "reason": parked.reason,
        "consumer": parked.consumer,
        "number": parked.number,
        "place": parked.place,
        "until": parked.time + KEPT,
    }
    is_newer = {"$gt": [newest["time"], {"$ifNull": ["$time", ""]}]}
    place = f"{record.partition}/{record.offset}"
    return [
        {
            "$set": {
                **{name: {"$literal": value} for name, value in same.items()},
                **{name: {"$cond": [is_newer, {"$literal": v}, f"${name}"]} for name, v in newest.items()},
                "places": {"$setUnion": [{"$ifNull": ["$places", []]}, [place]]},
            }
        }
    ]


def _marking(mark: Mark, at: datetime) -> list[mongo.Document]:
    is_later = {"$gt": [rank(mark), {"$ifNull": ["$marked.rank", 0]}]}
    noted = {"$literal": {"state": mark.state, "rank": rank(mark)}}
    return [
        {
            "$set": {
                "marked": {"$cond": [is_later, noted, "$marked"]},
                "until": {"$ifNull": ["$until", at + KEPT]},
            }
        }
    ]


def _to_letter(document: mongo.Document) -> DeadLetter:
    record = Record(
        topic=document["topic"],
        partition=document["partition"],
        offset=document["offset"],
        key=document["key"],
        value=document.get("value"),
        headers=tuple((name, bytes(value)) for name, value in document["headers"]),
        timestamp_ms=(datetime.fromisoformat(document["time"]) - _EPOCH) // timedelta(milliseconds=1),
    )
    parked = Parked(
        record=record,
        reason=document["reason"],
        consumer=document["consumer"],
        is_cut=document["cut"],
        number=document["number"],
        place=document["place"],
    )
    return DeadLetter(document["_id"], document["state"], document["attempts"], document["size"], parked)
