"""What will fall due soon: asked of the heads, kept by time.

Between the database and `services.store.scheduler`, which puts it on the log.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from newsroom import mongo
from newsroom.events import EventKind
from newsroom.times import rfc3339
from services.store.articles import Article, DueEvent, DueTime, due_events
from services.store.decisions import Decision
from services.store.documents import DECISIONS, HEADS, to_decision


@dataclass(frozen=True)
class Waiting:
    """What time will do to an article as it stands at this revision, the earliest first."""

    article_id: str
    partition: int
    revision: int
    dues: tuple[DueEvent, ...]


def waiting_of(article: Article, until: datetime) -> Waiting:
    """What falls due of the article up to that time."""
    dues = tuple(each for each in due_events(article) if each.due.at <= until)
    return Waiting(article.id, article.partition, article.revision, dues)


class DueWork(Protocol):
    """What the scheduler asks of the database. Every call may raise `Away`."""

    async def due(self, partitions: Collection[int], until: datetime, most: int) -> list[Waiting]:
        """Up to `most` articles of these partitions with something due by then, the earliest first."""
        ...

    async def decision(self, event_id: str) -> Decision | None:
        """The end of an event, if it has one."""
        ...


class MongoDueWork:
    """See `DueWork`. Reads no text: a head says beside its article what falls due of it."""

    def __init__(self, database: mongo.Database) -> None:
        self._heads: mongo.Collection = database[HEADS]
        self._decisions: mongo.Collection = database[DECISIONS]

    async def due(self, partitions: Collection[int], until: datetime, most: int) -> list[Waiting]:
        query = {"due_at": {"$lte": rfc3339(until)}, "partition": {"$in": sorted(partitions)}}
        shown = {"partition": 1, "revision": 1, "due": 1}
        async with mongo.answering():
            found = self._heads.find(query, shown).sort("due_at", mongo.ASCENDING).limit(most)
            return [_to_waiting(document, until) for document in await found.to_list(None)]

    async def decision(self, event_id: str) -> Decision | None:
        async with mongo.answering():
            document = await self._decisions.find_one({"_id": event_id}, {"article": 0, "entry": 0})
        return to_decision(document) if document else None


def _to_waiting(document: mongo.Document, until: datetime) -> Waiting:
    dues = (DueEvent(EventKind(each["kind"]), DueTime.model_validate(each)) for each in document["due"])
    return Waiting(
        article_id=document["_id"],
        partition=document["partition"],
        revision=document["revision"],
        dues=tuple(each for each in dues if each.due.at <= until),
    )


class Agenda:
    """Due events by time. Each is taken once, unless it is noted again in an agenda made anew."""

    def __init__(self, standing: Iterable[Waiting] = ()) -> None:
        self._waiting: dict[str, Waiting] = {}
        self._by_time: list[tuple[datetime, str, int, EventKind]] = []
        for waiting in standing:
            self.note(waiting)

    def note(self, waiting: Waiting) -> None:
        """This is how the article stands now; what stood of an earlier revision is void."""
        former = self._waiting.get(waiting.article_id)
        if former is not None and former.revision > waiting.revision:
            return
        self._waiting[waiting.article_id] = waiting
        for each in waiting.dues:
            if former is None or each not in former.dues:
                self._push(waiting, each)

    def take(self, moment: datetime) -> list[tuple[Waiting, DueEvent]]:
        """What stands and is due by that moment, the earliest first."""
        taken = []
        while self._by_time and self._by_time[0][0] <= moment:
            at, article_id, set_by, kind = heapq.heappop(self._by_time)
            waiting, due = self._waiting.get(article_id), DueEvent(kind, DueTime(at=at, set_by=set_by))
            if waiting is not None and due in waiting.dues:
                taken.append((waiting, due))
        return taken

    def put_back(self, taken: Iterable[tuple[Waiting, DueEvent]]) -> None:
        """These could not be carried out: they are due still."""
        for waiting, due in taken:
            self._push(waiting, due)

    def _push(self, waiting: Waiting, each: DueEvent) -> None:
        heapq.heappush(self._by_time, (each.due.at, waiting.article_id, each.due.set_by, each.kind))
