"""The application every service starts from: one shape of errors, health, metrics, traces, documentation."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import FastAPI, Response
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from newsroom.doorsettings import networks
from newsroom.http import docs, problems
from newsroom.http.direct import DirectCalls
from newsroom.http.health import Health, HealthReport
from newsroom.http.limits import Limits
from newsroom.http.traffic import TrafficMiddleware
from newsroom.keys import KeyRing
from newsroom.settings import CommonSettings
from newsroom.telemetry import metrics

__all__ = ["Health", "create_app"]


class _Application(FastAPI):
    """FastAPI without the layers that answer bugs, bound bodies and measure: `TrafficMiddleware` and
    `newsroom.http.bodies` do.
    """

    def build_middleware_stack(self) -> ASGIApp:
        app: ASGIApp = DirectCalls(AsyncExitStackMiddleware(self.router), self.routes)
        app = ExceptionMiddleware(app, self.exception_handlers)
        for layer in reversed(self.user_middleware):
            app = layer.cls(app, *layer.args, **layer.kwargs)
        return app


def create_app(
    *, title: str, description: str, version: str, health: Health, settings: CommonSettings
) -> FastAPI:
    """An application with everything but the service's own routes. Connects to nothing.

    `app.state` carries `keys` (an empty ring: put the fed one there), `keys_are_known` (a function: whether
    the ring was read to its end once, before which no key is judged), `stopping` (an event that long answers
    watch), `limits`, `health` and `settings`. Behind a trusted proxy a request's client is the proxy's.
    """
    app = _Application(
        title=title,
        description=description,
        version=version,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.keys = KeyRing()
    app.state.keys_are_known = lambda: True
    app.state.stopping = asyncio.Event()
    app.state.limits = Limits(settings)
    app.state.health = health
    app.state.settings = settings
    problems.install(app)
    app.add_middleware(TrafficMiddleware)
    if settings.trusted_proxies is not None:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(networks(settings.trusted_proxies)))
    _add_health(app, health)
    docs.install(app)
    return app


def _add_health(app: FastAPI, health: Health) -> None:
    failing: dict[int | str, dict[str, Any]] = {
        503: {"model": HealthReport, "description": "Not now: `checks` tells which one fails"}
    }

    @app.get(
        "/health/live",
        tags=["operation"],
        summary="Is the process alive?",
        response_model=HealthReport,
        responses=failing,
    )
    async def live() -> Response:
        return _report(await health.live())

    @app.get(
        "/health/ready",
        tags=["operation"],
        summary="May it be sent work?",
        response_model=HealthReport,
        responses=failing,
    )
    async def ready() -> Response:
        return _report(await health.ready())

    @app.get(
        "/metrics", tags=["operation"], summary="Metrics in Prometheus' text format", response_class=Response
    )
    async def tell_metrics() -> Response:
        return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)


def _report(report: HealthReport) -> Response:
    return Response(report.model_dump_json(), 200 if report.is_good else 503, media_type="application/json")
