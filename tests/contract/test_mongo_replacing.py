"""What is kept by revision never goes back, whether it is put there first, later, late or twice."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from newsroom import mongo
from newsroom.errors import Away
from tests.running import RunningMongo

pytestmark = pytest.mark.real


@pytest.fixture
async def collection(request: pytest.FixtureRequest) -> AsyncIterator[mongo.Collection]:
    running: RunningMongo = request.getfixturevalue("mongo")
    client = mongo.connect(SecretStr(running.url), app_name="test")
    name = f"replacing_{secrets.token_hex(4)}"
    yield client[name]["kept"]
    await client.drop_database(name)
    client.close()


def a_document(name: str, revision: int, said: str = "") -> mongo.Document:
    return {"_id": name, "revision": revision, "said": said or f"{name} {revision}"}


async def standing(collection: mongo.Collection) -> dict[str, str]:
    return {each["_id"]: each["said"] for each in await collection.find().to_list(None)}


async def test_the_first_and_later_ones_of_a_group_come_to_stand(collection: mongo.Collection) -> None:
    await mongo.replace_older(collection, [a_document("a", 1), a_document("b", 3)])
    await mongo.replace_older(collection, [a_document("a", 2), a_document("b", 4), a_document("c", 1)])
    assert await standing(collection) == {"a": "a 2", "b": "b 4", "c": "c 1"}


async def test_what_is_not_behind_stays(collection: mongo.Collection) -> None:
    """Neither the first once more, nor an earlier one, nor another one of the same revision."""
    await mongo.replace_older(collection, [a_document("a", 2), a_document("b", 3), a_document("c", 1)])
    late = [a_document("a", 1), a_document("b", 2), a_document("c", 1, "other"), a_document("d", 1)]
    await mongo.replace_older(collection, [*late, a_document("e", 2)])
    assert await standing(collection) == {"a": "a 2", "b": "b 3", "c": "c 1", "d": "d 1", "e": "e 2"}


async def test_which_field_counts_may_be_said(collection: mongo.Collection) -> None:
    """An entry's first version comes with a later revision of its article."""
    first = {**a_document("a", 5), "version": 1}
    await mongo.replace_older(collection, [first], first="version")
    await mongo.replace_older(collection, [{**a_document("a", 4), "version": 1}], first="version")
    await mongo.replace_older(collection, [{**a_document("a", 7), "version": 2}], first="version")
    assert await standing(collection) == {"a": "a 7"}


async def test_nothing_is_asked_for_nothing(collection: mongo.Collection) -> None:
    await mongo.replace_older(collection, [])
    assert await standing(collection) == {}


async def test_a_server_that_is_not_there_is_away() -> None:
    away = mongo.connect(SecretStr("mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=50"), app_name="test")
    with pytest.raises(Away):
        await mongo.replace_older(away["none"]["kept"], [a_document("a", 1), a_document("b", 2)])
    away.close()
