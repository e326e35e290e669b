"""Direct routes answer as FastAPI's own would, and refuse to be declared where they could not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Body, Depends, FastAPI, Header, Path, Query, Request, Response
from fastapi.routing import APIRoute
from httpx import ASGITransport, AsyncClient
from httpx import Response as Answer
from structlog.testing import capture_logs

from newsroom.errors import Conflict
from newsroom.http.app import create_app
from newsroom.http.auth import requires
from newsroom.http.direct import DirectRoute
from newsroom.http.health import Health
from newsroom.keys import ApiKey, Role, digest
from newsroom.settings import CommonSettings
from newsroom.times import now

SECRET = "nrk_" + "x" * 43
Name = Annotated[str, Path(pattern="^[a-z]{1,5}$")]


def a_router(route_class: type[APIRoute]) -> APIRouter:
    router = APIRouter(prefix="/things", route_class=route_class, dependencies=[Depends(not_today)])

    @router.get("/{name}")
    async def thing(
        request: Request,
        name: Name,
        key: Annotated[ApiKey, Depends(requires(Role.EDITOR))],
        number: Annotated[int, Query(ge=1)] = 1,
    ) -> Response:
        return Response(f"{name} {number} {key.name} {request.url.path}", headers={"X-Own": "1"})

    @router.post("/{name}/conflict")
    async def conflict(name: Name) -> Response:
        raise Conflict(f"{name} stands already")

    @router.post("/{name}/bug")
    async def bug(name: Name) -> Response:
        raise RuntimeError(name)

    return router


async def not_today(request: Request) -> None:
    """What every thing depends on."""
    if request.headers.get("X-Today"):
        raise Conflict("not today")


def an_app(route_class: type[APIRoute] = DirectRoute) -> FastAPI:
    app = create_app(
        title="Test", description="", version="1", health=Health("test"), settings=CommonSettings()
    )
    app.state.keys.put(ApiKey(name="desk", role=Role.EDITOR, secret_sha256=digest(SECRET), created_at=now()))
    app.routes.extend(a_router(route_class).routes)
    return app


async def asked(app: FastAPI, method: str, path: str, headers: dict[str, str]) -> Answer:
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        return await client.request(method, path, headers=headers)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/things/siege", {"Authorization": f"Bearer {SECRET}"}, 200),
        ("GET", "/things/siege?number=7", {"Authorization": f"Bearer {SECRET}"}, 200),
        ("GET", "/things/SIEGE?number=0", {"Authorization": f"Bearer {SECRET}"}, 422),
        ("GET", "/things/SIEGE", {}, 401),
        ("GET", "/things/siege", {"Authorization": "Bearer nrk_other"}, 401),
        ("GET", "/things/SIEGE", {"Authorization": f"Bearer {SECRET}", "X-Today": "1"}, 409),
        ("DELETE", "/things/siege", {}, 405),
        ("POST", "/things/siege/conflict", {}, 409),
        ("POST", "/things/siege/bug", {}, 500),
        ("POST", "/nothing", {}, 404),
    ],
)
async def test_the_answer_is_what_fastapi_gives(
    method: str, path: str, headers: dict[str, str], status: int
) -> None:
    """All of it, but for the trace; and the line in the log, but for the time that it took."""
    told = []
    for route_class in (DirectRoute, APIRoute):
        with capture_logs() as lines:
            answer = await asked(an_app(route_class), method, path, headers)
        fields = {name: value for name, value in lines[-1].items() if name != "duration_ms"}
        answer.headers.pop("X-Trace-Id")
        told.append((answer.status_code, answer.headers.multi_items(), answer.content, fields))
    assert told[0] == told[1]
    assert told[0][0] == status


def test_it_is_documented_as_fastapi_documents_it() -> None:
    assert an_app(DirectRoute).openapi() == an_app(APIRoute).openapi()


@pytest.mark.parametrize(("route_class", "is_direct"), [(DirectRoute, True), (APIRoute, False)])
async def test_the_layers_of_fastapi_are_left_out(route_class: type[APIRoute], is_direct: bool) -> None:
    seen: list[str] = []
    app = an_app()
    router = APIRouter(route_class=route_class)

    @router.get("/seen")
    async def see(request: Request) -> Response:
        seen.extend(request.scope)
        return Response()

    app.routes.extend(router.routes)
    await asked(app, "GET", "/seen", {})
    assert ("fastapi_middleware_astack" not in seen) is is_direct


async def test_of_two_routes_the_one_that_was_declared_first_answers() -> None:
    app = an_app()
    router = APIRouter(route_class=DirectRoute)

    @router.get("/{anything:path}")
    async def anything() -> Response:
        return Response("anything")

    app.routes.extend(router.routes)
    assert (await asked(app, "GET", "/health/live", {})).json()["service"] == "test"
    assert (await asked(app, "GET", "/elsewhere", {})).text == "anything"


async def with_a_header(x_own: Annotated[str, Header()]) -> Response:
    return Response(x_own)


async def with_a_body(content: Annotated[str, Body()]) -> Response:
    return Response(content)


async def with_a_response(response: Response) -> Response:
    return response


async def behind_a_header(given: Annotated[Any, Depends(with_a_header)]) -> Response:
    return Response(given)


def in_a_thread() -> Response:
    return Response()


@pytest.mark.parametrize(
    "endpoint", [with_a_header, with_a_body, with_a_response, behind_a_header, in_a_thread]
)
def test_what_it_could_not_give_cannot_be_declared(endpoint: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="without DirectRoute"):
        DirectRoute("/", endpoint, response_model=None)
