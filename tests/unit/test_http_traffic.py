"""Around every request: one trace, one log line, metrics by route, and headers that every answer carries."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import structlog
from fastapi import FastAPI, Response
from httpx import ASGITransport, AsyncClient
from starlette.responses import StreamingResponse
from structlog.testing import capture_logs

from newsroom.http.app import create_app
from newsroom.http.health import Health
from newsroom.settings import CommonSettings
from newsroom.telemetry import current_traceparent, trace_id

TRACE = "0af7651916cd43dd8448eb211c80319c"


def an_app() -> FastAPI:
    app = create_app(
        title="Test", description="", version="1", health=Health("test"), settings=CommonSettings()
    )

    @app.get("/things/{name}")
    async def thing(name: str) -> dict[str, str | None]:
        structlog.get_logger("test").info("inside", name=name)
        return {"trace": trace_id(current_traceparent())}

    @app.get("/kept")
    async def kept() -> Response:
        return Response(headers={"Cache-Control": "max-age=60"})

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("a secret")

    @app.get("/half")
    async def half() -> Response:
        return StreamingResponse(_half())

    return app


async def _half() -> AsyncIterator[bytes]:
    yield b"half "
    raise RuntimeError("in mid-stream")


@pytest.fixture
async def client() -> AsyncIterator[AsyncClient]:
    async with AsyncClient(transport=ASGITransport(app=an_app()), base_url="http://test") as client:
        yield client


async def test_the_callers_trace_goes_on(client: AsyncClient) -> None:
    response = await client.get("/things/a", headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})
    assert response.json()["trace"] == TRACE
    assert response.headers["x-trace-id"] == TRACE


@pytest.mark.parametrize("sent", [None, "", "00-x", f"00-{'0' * 32}-b7ad6b7169203331-01", "x" * 5000])
async def test_without_a_good_trace_one_is_made(client: AsyncClient, sent: str | None) -> None:
    headers = {} if sent is None else {"traceparent": sent}
    made = [(await client.get("/things/a", headers=headers)).headers["x-trace-id"] for _ in range(2)]
    assert all(re.fullmatch(r"[0-9a-f]{32}", trace) for trace in made)
    assert made[0] != made[1]


async def test_a_request_is_one_line_with_its_route_and_no_path(client: AsyncClient) -> None:
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        response = await client.get("/things/nrk_secret?key=nrk_secret")
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["method"], line["route"], line["status"]) == ("GET", "/things/{name}", 200)
    assert line["trace_id"] == response.headers["x-trace-id"]
    assert "nrk_secret" not in str(line)
    assert [entry["trace_id"] for entry in lines] == [line["trace_id"]] * len(lines)


async def test_health_and_metrics_are_quiet(client: AsyncClient) -> None:
    with capture_logs() as lines:
        await client.get("/health/live")
        await client.get("/metrics")
    assert {line["log_level"] for line in lines} == {"debug"}


async def test_requests_are_counted_by_route_and_never_by_path(client: AsyncClient) -> None:
    for number in range(3):
        await client.get(f"/things/{number}")
        await client.get(f"/nowhere/{number}")
        await client.request(f"MADE-UP-{number}", "/nowhere")
    told = (await client.get("/metrics")).text
    assert 'newsroom_http_requests_total{method="GET",route="/things/{name}",status="200"}' in told
    assert 'newsroom_http_requests_total{method="OTHER",route="unmatched",status="404"}' in told
    assert "/nowhere" not in told
    assert "MADE-UP" not in told


async def test_every_answer_is_marked(client: AsyncClient) -> None:
    for path in ("/things/a", "/nowhere", "/broken", "/health/live", "/docs"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["cache-control"], path
    assert (await client.get("/kept")).headers["cache-control"] == "max-age=60"


async def test_a_bug_is_an_answer_and_a_log_line_with_its_trace(client: AsyncClient) -> None:
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        response = await client.get("/broken")
    assert response.status_code == 500
    (line,) = [line for line in lines if line["event"] == "request_failed"]
    assert line["trace_id"] == response.headers["x-trace-id"]


async def test_half_an_answer_is_never_ended_as_a_whole_one(client: AsyncClient) -> None:
    """The error reaches the server, which cuts the connection."""
    with pytest.raises(RuntimeError, match="in mid-stream"):
        await client.get("/half")
