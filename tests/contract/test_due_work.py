"""One suite for the scheduler's questions, in memory and in MongoDB; there, each must have its index."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from pydantic import SecretStr

from newsroom import mongo
from newsroom.events import Event, EventKind
from newsroom.outcomes import EventState
from services.store.agenda import DueWork, MongoDueWork, Waiting
from services.store.articles import DueEvent, DueTime
from services.store.decisions import Revisions
from services.store.folding import fold
from services.store.revisions import MongoRevisions
from tests.due_parts import FakeDueWork, sent
from tests.running import RunningMongo
from tests.store_parts import FakeRevisions, a_delivery, a_text, an_event_id, file, minute


@dataclass
class Files:
    """Where articles are filed, and asked for what falls due."""

    revisions: Revisions
    work: DueWork
    database: mongo.Database | None = None
    offsets: dict[int, int] = field(default_factory=dict)

    async def file(self, *events: Event, partition: int = 0) -> None:
        for event in events:
            offset = self.offsets[partition] = self.offsets.get(partition, -1) + 1
            loaded = await self.revisions.load([event.article_id], [event.id])
            folded = fold(loaded, [a_delivery(event, offset, partition)], minute(0))
            await file(self.revisions, folded)

    async def due(self, *partitions: int, until: datetime, most: int = 9) -> list[str]:
        return [each.article_id for each in await self.work.due(partitions or (0,), until, most)]


@pytest.fixture(params=["memory", pytest.param("mongodb", marks=pytest.mark.real)])
async def files(request: pytest.FixtureRequest) -> AsyncIterator[Files]:
    if request.param == "memory":
        revisions = FakeRevisions()
        yield Files(revisions, FakeDueWork(revisions))
        return
    running: RunningMongo = request.getfixturevalue("mongo")
    client = mongo.connect(SecretStr(running.url), app_name="test")
    database = client[f"due_{secrets.token_hex(4)}"]
    real = MongoRevisions(database)
    await real.prepare()
    yield Files(real, MongoDueWork(database), database)
    await client.drop_database(database)
    client.close()


async def scheduled(files: Files, article_id: str, at: datetime, partition: int = 0) -> None:
    await files.file(
        sent("published", article_id, at=minute(0), create=True, publish_at=at), partition=partition
    )


async def test_what_is_due_by_a_time_comes_soonest_first(files: Files) -> None:
    await scheduled(files, "later", minute(9))
    await scheduled(files, "late", minute(8))
    await scheduled(files, "soon", minute(5))
    await files.file(sent("published", "public", at=minute(0), create=True))
    await files.file(sent("drafted", "draft", at=minute(0), create=True))
    assert await files.due(until=minute(4)) == []
    assert await files.due(until=minute(5)) == ["soon"]
    assert await files.due(until=minute(8)) == ["soon", "late"]
    assert await files.due(until=minute(20), most=1) == ["soon"]


async def test_only_of_the_partitions_that_are_asked_for(files: Files) -> None:
    await scheduled(files, "a", minute(5), partition=1)
    await scheduled(files, "b", minute(6), partition=2)
    await scheduled(files, "c", minute(7), partition=3)
    assert await files.due(1, 3, until=minute(9)) == ["a", "c"]


async def test_everything_that_time_will_do_is_told(files: Files) -> None:
    """With the revision that set each time; what is due later than asked for is left out."""
    text = a_text("Siege", breaking=True)
    await files.file(
        sent("published", "a", at=minute(0), create=True, text=text, breaking_until=minute(5)),
        sent("updated", "a", at=minute(1), text=text, embargo_until=minute(3)),
    )
    release = DueEvent(EventKind.RELEASED, DueTime(at=minute(3), set_by=2))
    end = DueEvent(EventKind.BREAKING_ENDED, DueTime(at=minute(5), set_by=1))
    assert await files.work.due([0], minute(5), 9) == [Waiting("a", 0, 2, (release, end))]
    assert await files.work.due([0], minute(4), 9) == [Waiting("a", 0, 2, (release,))]


async def test_what_is_moved_lifted_or_cancelled_is_due_no_more(files: Files) -> None:
    for article_id in ("moved", "lifted", "cancelled"):
        await scheduled(files, article_id, minute(5))
    await files.file(sent("updated", "moved", at=minute(1), publish_at=minute(7)))
    await files.file(sent("updated", "lifted", at=minute(1), publish_at=None))
    await files.file(sent("withdrawn", "cancelled", at=minute(1)))
    assert await files.due(until=minute(6)) == []
    assert await files.due(until=minute(9)) == ["moved"]


async def test_the_end_of_an_event_is_known(files: Files) -> None:
    event = sent("published", "a", at=minute(0), create=True)
    await files.file(event)
    decision = await files.work.decision(event.id)
    assert decision is not None
    assert decision.state is EventState.STORED
    assert await files.work.decision(an_event_id("unknown")) is None


@pytest.mark.real
async def test_a_look_for_what_is_due_reads_nothing_else(mongo: RunningMongo) -> None:
    """Of many articles only those that are due: it is asked every few seconds, for ever."""
    client = mongo_client(mongo)
    database = client[f"due_{secrets.token_hex(4)}"]
    revisions = MongoRevisions(database)
    await revisions.prepare()
    files = Files(revisions, MongoDueWork(database), database)
    for number in range(30):
        await files.file(sent("published", f"a{number}", at=minute(number), create=True))
    await scheduled(files, "soon", minute(5))
    await scheduled(files, "later", minute(50))
    await database.command("profile", 2)
    assert await files.due(*range(12), until=minute(9)) == ["soon"]
    await database.command("profile", 0)
    (entry,) = [found async for found in database["system.profile"].find({"command.find": "heads"})]
    await client.drop_database(database)
    client.close()
    assert "COLLSCAN" not in entry["planSummary"]
    assert not entry.get("hasSortStage")
    assert entry["docsExamined"] == 1


def mongo_client(running: RunningMongo) -> mongo.Client:
    return mongo.connect(SecretStr(running.url), app_name="test")
