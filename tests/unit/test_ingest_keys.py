"""Keys made, listed and revoked over HTTP; each change is a record on the topic, never a secret."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pydantic import SecretStr

from newsroom import topics
from newsroom.keys import Role, decode_key, digest
from newsroom.times import now, rfc3339
from services.ingest.keyadmin import KeyAdmin
from tests.ingest_parts import Ingest, a_key, a_story, an_ingest

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


async def test_a_log_that_is_away_is_told_within_two_seconds(ingest: Ingest) -> None:
    ingest.log.go_away()
    for method, path, body in (
        ("POST", "/keys", {"name": "wire", "role": "editor"}),
        ("DELETE", "/keys/the-reader", None),
    ):
        begun = time.monotonic()
        response = await ingest.call(method, path, body)
        assert time.monotonic() - begun < 2
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
