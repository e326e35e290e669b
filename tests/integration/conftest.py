"""A newsroom with stores for the tests of a module here that ask for one."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest

from newsroom import keys
from newsroom.keys import ApiKey, key_message
from newsroom.times import now
from tests.closings import all_closed
from tests.running import RunningKafka, RunningMongo
from tests.store_newsroom import SECRETS, Newsroom


@pytest.fixture(autouse=True)
async def _closed() -> AsyncIterator[None]:
    """Set up before all others of a test, so awaited after them. Modules with one loop have a stack, which
    waits by itself.
    """
    yield
    await all_closed()


@pytest.fixture
async def newsroom(kafka: RunningKafka, mongo: RunningMongo) -> AsyncIterator[Newsroom]:
    """A newsroom with a database of its own on the session's log, a store and a key of each role."""
    made = Newsroom(kafka, mongo)
    async with made.store(), made.following():  # topics stand from here on
        await _add_keys(made)
        yield made


@pytest.fixture
async def resting(kafka: RunningKafka, mongo: RunningMongo) -> AsyncIterator[Newsroom]:
    """The same, with no store but those that the test starts."""
    made = Newsroom(kafka, mongo)
    async with made.store():
        await _add_keys(made)
    async with made.following():
        yield made


async def _add_keys(made: Newsroom) -> None:
    await made.publisher.publish_all(
        [
            key_message(
                ApiKey(name=f"{role}-key", role=role, secret_sha256=keys.digest(secret), created_at=now())
            )
            for role, secret in SECRETS.items()
        ]
    )


@pytest.fixture
def article_id() -> str:
    return f"a{secrets.token_hex(6)}"
