"""Who may do what: every call with every role, and keys that are no good."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from newsroom.keys import Role
from newsroom.times import now
from tests.ingest_parts import Ingest, Json, a_key, a_story, an_ingest

EVENT = "evt_" + "a" * 26
NEEDED: list[tuple[str, str, Json | None, Role]] = [
    ("POST", "/articles", {"headline": "A", "section": "B", "draft": True}, Role.REPORTER),
    ("POST", "/articles", a_story(), Role.EDITOR),
    ("PUT", "/articles/a/draft", a_story(), Role.REPORTER),
    ("POST", "/articles/a/publication", a_story(), Role.EDITOR),
    ("POST", "/articles/a/updates", {"note": "N", "article": a_story()}, Role.EDITOR),
    ("POST", "/articles/a/amendments", {"article": a_story()}, Role.EDITOR),
    (
        "POST",
        "/articles/a/corrections",
        {"kind": "correction", "note": "N", "article": a_story()},
        Role.PUBLISHER,
    ),
    ("POST", "/articles/a/retraction", {"note": "N"}, Role.PUBLISHER),
    ("POST", "/articles/a/withdrawal", {"note": "N"}, Role.PUBLISHER),
    ("POST", "/articles/a/entries", {"headline": "A"}, Role.EDITOR),
    ("PUT", "/articles/a/entries/b", {"headline": "A"}, Role.EDITOR),
    ("GET", f"/events/{EVENT}", None, Role.READER),
    ("GET", "/keys", None, Role.PUBLISHER),
    ("POST", "/keys", {"name": "wire", "role": "editor"}, Role.PUBLISHER),
    ("DELETE", "/keys/the-reader", None, Role.PUBLISHER),
]


@pytest.fixture
async def ingest() -> AsyncIterator[Ingest]:
    async with an_ingest() as running:
        yield running


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    ("method", "path", "body", "needed"), NEEDED, ids=[f"{call[0]} {call[1]} as {call[3]}" for call in NEEDED]
)
async def test_a_call_is_open_from_its_role_upwards(
    ingest: Ingest, method: str, path: str, body: Json | None, needed: Role, role: Role
) -> None:
    response = await ingest.call(method, path, body, role=role)
    if role.may_act_as(needed):
        assert response.status_code in (200, 201, 202, 204), response.text
    else:
        problem = response.json()
        assert (response.status_code, problem["type"]) == (403, "/problems/forbidden")
        # Whether a new article needs an editor stands in its body, which a reader's key does not get to.
        told = Role.REPORTER if path == "/articles" and role is Role.READER else needed
        assert problem["detail"] == (
            f"This needs the role {told.value}; the key 'the-{role.value}' has the role {role.value}."
        )
        assert not ingest.events()


@pytest.mark.parametrize(
    ("method", "path", "body"), [call[:3] for call in NEEDED], ids=[f"{call[0]} {call[1]}" for call in NEEDED]
)
async def test_no_call_is_open_without_a_key(
    ingest: Ingest, method: str, path: str, body: Json | None
) -> None:
    response = await ingest.call(method, path, body, role=None)
    assert (response.status_code, response.json()["type"]) == (401, "/problems/unauthenticated")
    assert response.headers["www-authenticate"] == 'Bearer realm="newsroom"'
    assert not ingest.events()


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "Bearer",
        "Bearer ",
        "nrk_publisher_secret",
        "Basic " + base64.b64encode(b"publisher:nrk_publisher_secret").decode(),
        "Bearer nrk_unknown",
        "Bearer nrk_publisher_secret, Bearer nrk_publisher_secret",
        "Bearer " + "x" * 10_000,
    ],
)
async def test_a_key_that_is_no_good_opens_nothing(ingest: Ingest, sent: str) -> None:
    response = await ingest.call("POST", "/articles", a_story(), headers={"Authorization": sent})
    assert response.status_code == 401
    assert response.headers["www-authenticate"]
    assert not ingest.events()


async def test_the_scheme_may_be_written_in_any_case(ingest: Ingest) -> None:
    headers = {"Authorization": "bearer nrk_publisher_secret"}
    assert (await ingest.call("POST", "/articles", a_story(), headers=headers)).status_code == 202


async def test_an_expired_key_opens_nothing(ingest: Ingest) -> None:
    past = now() - timedelta(seconds=1)
    await ingest.put_key(a_key("old", Role.PUBLISHER, "nrk_old", expires_at=past))
    headers = {"Authorization": "Bearer nrk_old"}
    assert (await ingest.call("POST", "/articles", a_story(), headers=headers)).status_code == 401


async def test_a_key_that_another_instance_revokes_opens_nothing_from_then_on(ingest: Ingest) -> None:
    headers = {"Authorization": "Bearer nrk_wire"}
    key = a_key("wire", Role.EDITOR, "nrk_wire")
    await ingest.put_key(key)
    assert (await ingest.call("POST", "/articles", a_story(), headers=headers)).status_code == 202
    await ingest.put_key(key.model_copy(update={"revoked_at": now()}))
    assert (await ingest.call("POST", "/articles", a_story(), headers=headers)).status_code == 401


async def test_the_key_is_judged_before_the_body(ingest: Ingest) -> None:
    response = await ingest.call("POST", "/articles", content=b"{", role=Role.READER)
    assert response.status_code == 403


async def test_nobody_is_told_that_a_key_is_wrong_before_the_keys_are_read() -> None:
    async with an_ingest() as ingest:
        ingest.app.state.keys_are_known = lambda: False
        response = await ingest.post("/articles", a_story())
        assert (response.status_code, response.json()["type"]) == (503, "/problems/away")
        assert response.headers["retry-after"]
