"""What MongoDB's errors mean: an outage is waited out, a refusal ends the start, everything else is a bug."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr
from pymongo import errors

from newsroom import mongo
from newsroom.errors import Away, Misconfigured
from newsroom.servers import NO_FILES, Tls


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


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (errors.OperationFailure("Authentication failed.", 18), "refuses the login"),
        (errors.OperationFailure("not authorized on x", 13), "roles"),
        (
            errors.ServerSelectionTimeoutError("SSL handshake failed: h:1: [SSL: CERTIFICATE_VERIFY_FAILED]"),
            "NEWSROOM_MONGO_CA",
        ),
    ],
    ids=repr,
)
def test_a_server_that_does_not_let_us_in_is_no_outage(error: errors.PyMongoError, advice: str) -> None:
    """To try again would not help: the process says so in one line, and is started again by its keeper."""
    with pytest.raises(Misconfigured, match=advice) as told, mongo.translating():
        raise error
    assert "\n" not in str(told.value)


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


def test_a_file_that_is_no_certificate_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(Misconfigured, match=r"MongoDB's TLS.*ca\.pem"):
        mongo.connect(SecretStr("mongodb://host"), app_name="test", tls=Tls(tmp_path / "ca.pem"))


def test_without_files_the_url_says_whether_tls_is_spoken() -> None:
    assert mongo.tls_options(NO_FILES) == {}


async def test_a_server_that_is_not_there_does_not_answer_a_ping() -> None:
    client = mongo.connect(SecretStr("mongodb://127.0.0.1:9/?replicaSet=x"), app_name="test")
    assert not await mongo.ping(client)
    client.close()
