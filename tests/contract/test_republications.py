"""One suite for rebuilds and the database's identity in memory and in MongoDB."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from newsroom import mongo
from services.store.identity import Identities, MongoIdentities, new_identity
from services.store.republications import (
    LEASE_SECONDS,
    REPUBLICATIONS,
    MongoRepublications,
    Republications,
    new_republication,
)
from tests.running import RunningMongo
from tests.store_parts import FakeIdentities, FakeRepublications, minute

BOTH = ["memory", pytest.param("mongodb", marks=pytest.mark.real)]


@pytest.fixture
async def database(request: pytest.FixtureRequest) -> AsyncIterator[mongo.Database | None]:
    if request.param == "memory":
        yield None
        return
    running: RunningMongo = request.getfixturevalue("mongo")
    client = mongo.connect(SecretStr(running.url), app_name="test")
    made = client[f"rebuilds_{secrets.token_hex(4)}"]
    yield made
    await client.drop_database(made)
    client.close()


@pytest.fixture
async def republications(database: mongo.Database | None) -> Republications:
    if database is None:
        return FakeRepublications()
    real = MongoRepublications(database)
    await real.prepare()
    return real


@pytest.fixture
def identities(database: mongo.Database | None) -> Identities:
    return FakeIdentities() if database is None else MongoIdentities(database)


everywhere = pytest.mark.parametrize("database", BOTH, indirect=True)


@everywhere
async def test_a_rebuild_is_found_as_it_was_asked(republications: Republications) -> None:
    asked = new_republication(["b", "a", "b"], 2)
    await republications.add(asked)
    assert asked.article_ids == ("a", "b")
    assert await republications.find(asked.id) == asked
    assert await republications.find("rep_none") is None


@everywhere
async def test_the_oldest_is_worked_on_first_and_by_one_alone(republications: Republications) -> None:
    newer = new_republication(None, 1).model_copy(update={"asked_at": minute(2)})
    older = new_republication(None, 1).model_copy(update={"asked_at": minute(1)})
    await republications.add(newer)
    await republications.add(older)
    assert await republications.claim("one") == older
    assert await republications.claim("one") == older
    assert await republications.claim("two") == newer
    assert await republications.claim("three") is None


@everywhere
async def test_many_claim_and_one_gets_it(republications: Republications) -> None:
    await republications.add(new_republication(None, 1))
    claims = await asyncio.gather(*(republications.claim(f"holder {number}") for number in range(8)))
    assert sum(1 for claim in claims if claim is not None) == 1


@everywhere
async def test_progress_is_kept_and_only_its_holder_makes_it(republications: Republications) -> None:
    asked = new_republication(None, 9)
    await republications.add(asked)
    await republications.claim("one")
    further = asked.model_copy(update={"announced": 5, "after": "$a"})
    assert not await republications.note(further, "two")
    assert await republications.find(asked.id) == asked
    assert await republications.note(further, "one")
    assert await republications.find(asked.id) == further


@everywhere
async def test_what_is_done_is_nobodys_work(republications: Republications) -> None:
    asked = new_republication(None, 0)
    await republications.add(asked)
    await republications.claim("one")
    done = asked.model_copy(update={"state": "done", "finished_at": minute(1)})
    assert await republications.note(done, "one")
    assert await republications.find(asked.id) == done
    assert await republications.claim("one") is None
    assert not await republications.note(asked, "one")


@everywhere
async def test_a_released_rebuild_is_free_at_once(republications: Republications) -> None:
    asked = new_republication(None, 0)
    await republications.add(asked)
    await republications.claim("one")
    await republications.release("one")
    assert await republications.claim("two") == asked
    assert not await republications.note(asked, "one")


async def pass_a_lease(database: mongo.Database | None, republications: Republications) -> None:
    """As if so much time went by as a lease lasts."""
    if isinstance(republications, FakeRepublications):
        republications.expire()
    if database is not None:
        earlier = {"$subtract": ["$lease_until", LEASE_SECONDS * 1000 + 1]}
        await database[REPUBLICATIONS].update_many({}, [{"$set": {"lease_until": earlier}}])


@everywhere
async def test_a_lease_ends_by_itself(
    database: mongo.Database | None, republications: Republications
) -> None:
    """Its holder died; it is not renewed."""
    asked = new_republication(None, 0)
    await republications.add(asked)
    assert await republications.claim("dead") == asked
    assert await republications.claim("heir") is None
    await pass_a_lease(database, republications)
    assert await republications.claim("heir") == asked
    assert not await republications.note(asked, "dead")


# --- who the database is


@everywhere
async def test_a_database_gets_one_identity_for_good(identities: Identities) -> None:
    assert await identities.find() is None
    claims = await asyncio.gather(*(identities.claim(new_identity("log", {0: 5, 11: 0})) for _ in range(5)))
    assert len({claim.database_id for claim in claims}) == 1
    assert await identities.find() == claims[0]
    assert claims[0].horizon == {0: 5, 11: 0}


@everywhere
async def test_how_far_history_is_filed_never_goes_back(identities: Identities) -> None:
    await identities.claim(new_identity("log", {0: 5, 1: 5}))
    await identities.note_folded({0: 4, 1: 2})
    await identities.note_folded({0: 3, 1: 5})
    await identities.note_crossed(1)
    await identities.note_crossed(1)
    standing = await identities.find()
    assert standing is not None
    assert standing.folded == {0: 4, 1: 5}
    assert standing.crossed == {1}
