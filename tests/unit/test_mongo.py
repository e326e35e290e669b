"""What MongoDB's errors mean: an outage is waited out, everything else is a bug."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import SecretStr
from pymongo import errors

from newsroom import mongo
from newsroom.errors import Away, Misconfigured


def bulk(*codes: int, concern: bool = False) -> errors.BulkWriteError:
    problems = [{"index": place, "code": code, "errmsg": ""} for place, code in enumerate(codes)]
    return errors.BulkWriteError(
        {"writeErrors": problems, "writeConcernErrors": [{"code": 64}] if concern else []}
    )


OUTAGES = [
    errors.AutoReconnect("connection closed"),
    errors.ServerSelectionTimeoutError("no primary"),
    errors.NetworkTimeout("timed out"),
    errors.NotPrimaryError("stepped down"),
    errors.WaitQueueTimeoutError("pool is full"),
    errors.ExecutionTimeout("slow", 50),
    errors.CursorNotFound("gone", 43),
    errors.WTimeoutError("no majority", 64),
    errors.OperationFailure("stepping down", 189),
    errors.OperationFailure("shutting down", 91),
    bulk(11600),
    bulk(concern=True),
]
BUGS = [
    errors.OperationFailure("unknown operator", 2),
    errors.OperationFailure("not authorized", 13),
    errors.DuplicateKeyError("twice", 11000),
    errors.DocumentTooLarge("17 MiB"),
    errors.InvalidOperation("client is closed"),
    bulk(11000),
    bulk(121),
]


@pytest.mark.parametrize("error", OUTAGES, ids=repr)
def test_an_outage_is_told_as_away(error: errors.PyMongoError) -> None:
    with pytest.raises(Away, match="mongodb") as told, mongo.translating():
        raise error
    assert told.value.__cause__ is error


@pytest.mark.parametrize("error", BUGS, ids=repr)
def test_a_bug_stays_what_it_is(error: errors.PyMongoError) -> None:
    with pytest.raises(type(error)), mongo.translating():
        raise error


def test_only_duplicates_are_told_from_what_else_went_wrong() -> None:
    assert mongo.only_duplicates(bulk(11000, 11000))
    assert not mongo.only_duplicates(bulk(11000, 121))
    assert not mongo.only_duplicates(bulk(concern=True))


async def test_a_silent_server_is_away_for_whoever_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongo, "ANSWER_SECONDS", 0.01)
    with pytest.raises(Away, match="silent"):
        async with mongo.answering():
            await asyncio.sleep(10)


@pytest.mark.parametrize("url", ["http://127.0.0.1", "mongodb://", "mongodb://host:port", "mongodb://h/?w"])
def test_a_url_that_is_none_is_told_without_its_secret(url: str) -> None:
    with pytest.raises(Misconfigured, match="NEWSROOM_MONGO") as refusal:
        mongo.connect(SecretStr(url), app_name="test")
    assert "\n" not in str(refusal.value)


async def test_a_server_that_is_not_there_does_not_answer_a_ping() -> None:
    client = mongo.connect(SecretStr("mongodb://127.0.0.1:9/?replicaSet=x"), app_name="test")
    assert not await mongo.ping(client)
    client.close()
