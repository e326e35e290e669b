"""The error tree as answers: each error is one problem, and a bug tells nothing of the inside."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from starlette.exceptions import HTTPException

from newsroom.errors import (
    Away,
    BadRecord,
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    Misconfigured,
    NewsroomError,
    NotFound,
    RevisionMismatch,
    Unauthenticated,
)
from newsroom.http.app import create_app
from newsroom.http.health import Health
from newsroom.http.problems import Extras, Kind, Refused, pointer, responses
from newsroom.settings import CommonSettings


def an_app() -> FastAPI:
    return create_app(
        title="Test", description="", version="1", health=Health("test"), settings=CommonSettings()
    )


async def answer_to(error: Exception) -> Response:
    """What a caller sees of an error that a route raises."""
    app = an_app()

    @app.get("/")
    async def fails() -> None:
        raise error

    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        return await client.get("/")


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (Invalid("No."), 422, "invalid"),
        (Unauthenticated("No."), 401, "unauthenticated"),
        (Forbidden("No."), 403, "forbidden"),
        (NotFound("No."), 404, "not-found"),
        (Conflict("No."), 409, "conflict"),
        (RevisionMismatch("No."), 412, "revision-mismatch"),
        (Away("mongodb"), 503, "away"),
        (BadRecord("No."), 500, "internal-error"),
        (Misconfigured("No."), 500, "internal-error"),
        (NewsroomError("No."), 500, "internal-error"),
        (Refused(Kind.TOO_MANY, "No."), 429, "too-many-requests"),
        (HTTPException(413, "No."), 413, "too-large"),
        (HTTPException(418, "No."), 400, "malformed-request"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
async def test_an_error_is_its_problem(error: Exception, status: int, kind: str) -> None:
    response = await answer_to(error)
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, problem["status"], problem["type"]) == (status, status, f"/problems/{kind}")
    assert problem["title"]
    assert problem["detail"]
    assert ("retry-after" in response.headers) == (status in (429, 503))
    assert ("www-authenticate" in response.headers) == (status == 401)


async def test_bad_fields_are_told_with_their_pointers() -> None:
    fields = (FieldError("/tags/1", "must be a string"), FieldError("", "must be an object"))
    problem = (await answer_to(Invalid("Two fields.", fields))).json()
    assert problem["errors"] == [
        {"pointer": "/tags/1", "detail": "must be a string"},
        {"pointer": "", "detail": "must be an object"},
    ]


async def test_a_problem_carries_what_belongs_to_it() -> None:
    extras = Extras(headers={"Retry-After": "9"}, current_revision=4, event_id="evt_1")
    response = await answer_to(Refused(Kind.BUSY, "No.", extras))
    problem = response.json()
    assert (problem["current_revision"], problem["event_id"]) == (4, "evt_1")
    assert response.headers["retry-after"] == "9"


async def test_a_bug_tells_nothing_of_the_inside() -> None:
    response = await answer_to(RuntimeError("password=hunter2"))
    assert (response.status_code, response.json()["type"]) == (500, "/problems/internal-error")
    assert "hunter2" not in response.text
    assert response.headers["x-trace-id"]


async def test_bad_parameters_are_a_problem() -> None:
    app = an_app()

    @app.get("/{number}")
    async def route(number: int, size: int = 1) -> int:
        return number + size

    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        response = await client.get("/x?size=y")
    problem = response.json()
    assert (response.status_code, problem["type"]) == (422, "/problems/invalid")
    assert "path number" in problem["detail"]
    assert "query size" in problem["detail"]


async def test_a_wrong_method_is_told_with_every_right_one() -> None:
    app = an_app()

    @app.get("/thing")
    async def read() -> None: ...

    @app.put("/thing")
    async def write() -> None: ...

    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        response = await client.delete("/thing")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, PUT"
    assert response.json()["detail"] == "DELETE is not among GET, PUT."


@pytest.mark.parametrize(
    ("parts", "expected"),
    [((), ""), (("a", 0), "/a/0"), (("a/b", "m~n"), "/a~1b/m~0n"), (("",), "/"), (("~1",), "/~01")],
)
def test_a_pointer_is_escaped_as_its_standard_says(parts: tuple[str | int, ...], expected: str) -> None:
    assert pointer(*parts) == expected


def test_kinds_have_types_of_their_own() -> None:
    assert len({kind.type for kind in Kind}) == len(Kind)
    assert all(400 <= kind.status <= 599 for kind in Kind)


def test_problems_of_one_status_are_documented_together() -> None:
    documented = responses(Kind.INVALID, Kind.KEY_REUSED)
    assert list(documented) == [422]
    assert set(documented[422]["content"]["application/problem+json"]["examples"]) == {
        "invalid",
        "idempotency-key-reused",
    }
