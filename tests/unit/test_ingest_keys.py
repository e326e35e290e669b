"""Keys made, listed and revoked over HTTP; each change is a record on the topic, never a secret."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
from pydantic import SecretStr

from newsroom import topics
from newsroom.kafka.fake import FakeLog, FakePublisher
from newsroom.keys import Role, decode_key, digest
from newsroom.records import Message, Position
from newsroom.times import now, rfc3339
from services.ingest.keyadmin import KeyAdmin
from tests.ingest_parts import Ingest, a_key, a_story, an_ingest, until

SECRET = "nrk_the_very_first_secret"


@pytest.fixture
async def ingest() -> AsyncIterator[Ingest]:
    async with an_ingest() as running:
        yield running


def with_key(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def test_a_key_that_was_made_works_at_once(ingest: Ingest) -> None:
    response = await ingest.post("/keys", {"name": "wire-desk", "role": "editor"})
    made = response.json()
    assert response.status_code == 201
    assert (made["name"], made["role"]) == ("wire-desk", "editor")
    assert made["secret"].startswith("nrk_")
    answer = await ingest.call("POST", "/articles", a_story(), headers=with_key(made["secret"]))
    assert answer.status_code == 202
    assert ingest.event().actor == "wire-desk"


async def test_no_secret_stands_on_the_topic_or_in_the_list(ingest: Ingest) -> None:
    secret = (await ingest.post("/keys", {"name": "wire-desk", "role": "editor"})).json()["secret"]
    for record in ingest.log.records(topics.KEYS):
        assert secret.encode() not in (record.value or b"")
    listed = (await ingest.call("GET", "/keys")).text
    assert secret not in listed
    assert digest(secret) not in listed


async def test_keys_are_listed_by_name_with_role_and_state(ingest: Ingest) -> None:
    listed = (await ingest.call("GET", "/keys")).json()["keys"]
    assert [key["name"] for key in listed] == ["the-editor", "the-publisher", "the-reader", "the-reporter"]
    assert set(listed[0]) == {"name", "role", "created_at"}


async def test_a_key_may_expire(ingest: Ingest) -> None:
    expires_at = rfc3339(now() + timedelta(days=1))
    body = {"name": "intern", "role": "reporter", "expires_at": expires_at}
    assert (await ingest.post("/keys", body)).json()["expires_at"] == expires_at


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": "Wire Desk", "role": "editor"}, "/name"),
        ({"name": "", "role": "editor"}, "/name"),
        ({"name": "x" * 41, "role": "editor"}, "/name"),
        ({"name": "wire", "role": "admin"}, "/role"),
        ({"name": "wire"}, "/role"),
        ({"name": "wire", "role": "editor", "secret": "mine"}, "/secret"),
        ({"name": "wire", "role": "editor", "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"name": "wire", "role": "editor", "expires_at": "tomorrow"}, "/expires_at"),
    ],
)
async def test_a_key_that_cannot_be_made_says_why(ingest: Ingest, body: dict[str, str], pointer: str) -> None:
    response = await ingest.post("/keys", body)
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


async def test_a_name_is_never_given_twice_not_even_after_a_revocation(ingest: Ingest) -> None:
    body = {"name": "wire-desk", "role": "editor"}
    await ingest.post("/keys", body)
    assert (await ingest.post("/keys", body)).status_code == 409
    await ingest.call("DELETE", "/keys/wire-desk")
    response = await ingest.post("/keys", body)
    assert (response.status_code, response.json()["type"]) == (409, "/problems/name-taken")


async def test_a_revoked_key_opens_nothing_and_stays_in_the_list(ingest: Ingest) -> None:
    secret = (await ingest.post("/keys", {"name": "wire-desk", "role": "editor"})).json()["secret"]
    response = await ingest.call("DELETE", "/keys/wire-desk")
    assert (response.status_code, response.content) == (204, b"")
    answer = await ingest.call("POST", "/articles", a_story(), headers=with_key(secret))
    assert answer.status_code == 401
    listed = (await ingest.call("GET", "/keys")).json()["keys"]
    assert next(key for key in listed if key["name"] == "wire-desk")["revoked_at"]
    newest = [decode_key(record) for record in ingest.log.records(topics.KEYS)][-1]
    assert newest.revoked_at is not None


async def test_revoking_again_is_no_error(ingest: Ingest) -> None:
    await ingest.call("DELETE", "/keys/the-reader")
    count = len(ingest.log.records(topics.KEYS))
    assert (await ingest.call("DELETE", "/keys/the-reader")).status_code == 204
    assert len(ingest.log.records(topics.KEYS)) == count


async def test_a_key_that_never_was_cannot_be_revoked(ingest: Ingest) -> None:
    response = await ingest.call("DELETE", "/keys/nobody")
    assert (response.status_code, response.json()["type"]) == (404, "/problems/not-found")


async def test_the_last_publisher_keeps_its_key(ingest: Ingest) -> None:
    response = await ingest.call("DELETE", "/keys/the-publisher")
    assert (response.status_code, response.json()["type"]) == (409, "/problems/conflict")
    await ingest.post("/keys", {"name": "another", "role": "publisher"})
    assert (await ingest.call("DELETE", "/keys/the-publisher")).status_code == 204


async def test_a_log_that_is_away_is_told_and_hangs_nobody(ingest: Ingest) -> None:
    ingest.log.go_away()
    for method, path, body in (
        ("POST", "/keys", {"name": "wire", "role": "editor"}),
        ("DELETE", "/keys/the-reader", None),
    ):
        begun = time.monotonic()
        response = await ingest.call(method, path, body)
        assert time.monotonic() - begun < 20
        assert (response.status_code, response.json()["type"]) == (503, "/problems/away")
    assert (await ingest.call("GET", "/keys")).status_code == 200


async def test_the_operators_key_is_put_on_the_log(ingest: Ingest) -> None:
    await KeyAdmin(ingest.keys, ingest.publisher).ensure_first(SecretStr(SECRET))
    key = ingest.keys.ring.by_name("publisher")
    assert key is not None
    assert (key.role, key.secret_sha256) == (Role.PUBLISHER, digest(SECRET))


async def test_the_operators_key_is_put_there_once(ingest: Ingest) -> None:
    admin = KeyAdmin(ingest.keys, ingest.publisher)
    await admin.ensure_first(SecretStr(SECRET))
    count = len(ingest.log.records(topics.KEYS))
    await admin.ensure_first(SecretStr(SECRET))
    assert len(ingest.log.records(topics.KEYS)) == count


async def test_an_operators_key_that_was_revoked_stays_revoked(ingest: Ingest) -> None:
    await ingest.put_key(a_key("gone", Role.PUBLISHER, SECRET, revoked_at=now()))
    await KeyAdmin(ingest.keys, ingest.publisher).ensure_first(SecretStr(SECRET))
    assert ingest.keys.ring.find(SECRET, now()) is None


async def test_another_operators_key_gets_a_name_of_its_own(ingest: Ingest) -> None:
    admin = KeyAdmin(ingest.keys, ingest.publisher)
    await admin.ensure_first(SecretStr(SECRET))
    await admin.ensure_first(SecretStr("nrk_after_the_first_was_lost"))
    assert ingest.keys.ring.by_name("publisher") is not None
    second = ingest.keys.ring.find("nrk_after_the_first_was_lost", now())
    assert second is not None
    assert second.name.startswith("publisher-")


# --- two instances at the same moment


class SlowPublisher(FakePublisher):
    """Holds keys back before they are written: `let` so many go."""

    def __init__(self, log: FakeLog) -> None:
        super().__init__(log)
        self.asked = 0
        self._allowed = asyncio.Semaphore(0)

    async def publish(self, message: Message) -> Position:
        self.asked += 1
        await self._allowed.acquire()
        return await super().publish(message)

    def let(self, count: int) -> None:
        for _ in range(count):
            self._allowed.release()


@dataclass
class Two:
    """Two instances on one log; the second one's writes are held back."""

    log: FakeLog
    fast: Ingest
    slow: Ingest
    held: SlowPublisher

    async def slow_asks(self, method: str, path: str, body: object = None) -> asyncio.Task[httpx.Response]:
        """A request to the second that has come as far as its first write."""
        request = asyncio.create_task(self.slow.call(method, path, body))
        await until(lambda: self.held.asked == 1, "the slow one about to write")
        return request

    async def both_read(self) -> None:
        assert await self.fast.keys.catch_up(30)
        assert await self.slow.keys.catch_up(30)


@pytest.fixture
async def two() -> AsyncIterator[Two]:
    log = FakeLog()
    held = SlowPublisher(log)
    async with an_ingest(log) as fast, an_ingest(log, publisher=held) as slow:
        yield Two(log, fast, slow, held)


async def opens(ingest: Ingest, secret: str) -> bool:
    answer = await ingest.call("POST", "/articles", a_story(), headers=with_key(secret))
    return answer.status_code == 202


WIRE = {"name": "wire-desk", "role": "editor"}


async def test_no_key_is_called_as_the_scheduler_is(two: Two) -> None:
    """What falls due is written under that name: nobody may pass for it."""
    answer = await two.fast.post("/keys", {"name": "scheduler", "role": "editor"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/name")


async def test_of_two_instances_that_make_one_name_the_first_on_the_log_counts(two: Two) -> None:
    """Also after compaction, which keeps the newest record only, and for a process that starts then."""
    late = await two.slow_asks("POST", "/keys", WIRE)
    made = await two.fast.post("/keys", WIRE)
    two.held.let(9)
    refused = await late
    assert (made.status_code, refused.status_code) == (201, 409)
    assert refused.json()["type"] == "/problems/name-taken"
    await two.both_read()
    two.log.compact(topics.KEYS)
    async with an_ingest(two.log) as later:
        for ingest in (two.fast, two.slow, later):
            found = ingest.keys.ring.find(made.json()["secret"], now())
            assert found is not None
            assert found.name == "wire-desk"
    assert await opens(two.fast, made.json()["secret"])


async def test_one_that_puts_the_first_key_back_undoes_no_revocation(two: Two) -> None:
    """The key that came first is revoked between the loser's reading and its writing."""
    late = await two.slow_asks("POST", "/keys", WIRE)
    await two.fast.post("/keys", WIRE)
    two.held.let(1)
    await until(lambda: two.held.asked == 2, "the loser about to put the first key back")
    assert (await two.fast.call("DELETE", "/keys/wire-desk")).status_code == 204
    two.held.let(9)
    assert (await late).status_code == 409
    two.log.compact(topics.KEYS)
    (kept,) = [key for key in map(decode_key, two.log.records(topics.KEYS)) if key.name == "wire-desk"]
    assert kept.revoked_at is not None


async def test_operators_keys_that_differ_both_open(two: Two) -> None:
    """Two instances that start at once, one of them with a new secret."""
    admin = KeyAdmin(two.slow.keys, two.held)
    late = asyncio.create_task(admin.ensure_first(SecretStr("nrk_after_the_first_was_lost")))
    await until(lambda: two.held.asked == 1, "the slow one about to write")
    await KeyAdmin(two.fast.keys, two.fast.publisher).ensure_first(SecretStr(SECRET))
    two.held.let(9)
    await late
    await two.both_read()
    for ingest in (two.fast, two.slow):
        for secret in (SECRET, "nrk_after_the_first_was_lost"):
            assert ingest.keys.ring.find(secret, now()) is not None


class LastWords(FakePublisher):
    """Nothing can be read any more once it has written."""

    def __init__(self, log: FakeLog) -> None:
        super().__init__(log)
        self._goes = log

    async def publish(self, message: Message) -> Position:
        position = await super().publish(message)
        self._goes.go_away()
        return position


async def test_a_key_that_could_not_be_read_back_is_not_handed_out() -> None:
    """Whether another instance was faster is not known then."""
    log = FakeLog()
    async with an_ingest(log, publisher=LastWords(log)) as ingest:
        answer = await ingest.post("/keys", WIRE)
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/away")


async def test_after_two_revocations_at_once_the_operators_next_key_is_put_there(two: Two) -> None:
    """Each saw the other's key still good. No revocation is undone; a new first key is the way back in."""
    await two.fast.post("/keys", {"name": "another", "role": "publisher"})
    await two.both_read()
    late = await two.slow_asks("DELETE", "/keys/the-publisher")
    assert (await two.fast.call("DELETE", "/keys/another")).status_code == 204
    two.held.let(9)
    assert (await late).status_code == 204
    await two.both_read()
    assert (await two.fast.call("GET", "/keys")).status_code == 401
    await KeyAdmin(two.fast.keys, two.fast.publisher).ensure_first(SecretStr(SECRET))
    assert (await two.fast.call("GET", "/keys", role=None, headers=with_key(SECRET))).status_code == 200
