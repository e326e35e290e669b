"""Around every request: its trace, its log line, its metrics, headers of every answer, and bugs as answers.

Pure ASGI: nothing is buffered, so a stream of events passes through as it is sent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from functools import cache, partial

import structlog
from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsroom.http.problems import Kind, bug_response, problem_response
from newsroom.telemetry import metrics, new_traceparent, trace_id, tracing

STOPPED = "This instance stopped before it was done: send the same request again."
_ANSWER = "newsroom.answer"
_TOLD = ("method", "path", "route", "endpoint", "state")
"""What is told of a request, of all that is in its scope."""
_QUIET = ("/health/", "/metrics")
log = structlog.get_logger(__name__)


@dataclass
class _Answer:
    """What is known about an answer while it is sent. 499: the caller left before it began."""

    begun: float
    status: int = 499
    has_begun: bool = False
    outlasts: bool = False


class TrafficMiddleware:
    """The outermost layer of every service."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        incoming = Headers(scope=scope).get("traceparent")
        traceparent = new_traceparent(incoming)
        with tracing(traceparent):
            await self._answer(scope, receive, send, trace_id(traceparent) or "")

    async def _answer(self, scope: Scope, receive: Receive, send: Send, trace: str) -> None:
        answer = _Answer(time.perf_counter())
        scope[_ANSWER] = answer

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status, answer.has_begun = message["status"], True
                _mark(MutableHeaders(scope=message), trace)
            await send(message)

        try:
            await self.app(scope, receive, send_marked)
        except asyncio.CancelledError:
            if answer.has_begun or not _is_stopping(scope):
                raise
            # The time to stop is over. This answer is all that is left to do, so the task ends as if all had
            # gone well: what the server would send instead is no problem document.
            await problem_response(Kind.BUSY, STOPPED)(scope, receive, send_marked)
        except Exception:
            metrics.bugs.labels(where="http").inc()
            log.exception("request_failed", method=scope["method"], route=route_template(scope))
            if answer.has_begun:
                raise  # the server cuts the connection, so nobody takes half an answer for a whole one
            await bug_response()(scope, receive, send_marked)
        finally:
            if not answer.outlasts:
                _tell(scope, answer)


def outlasting(scope: Scope) -> Callable[[], object]:
    """Have the log line and the metrics of a request wait for the end of its answer, which comes when the
    request is over: what is returned tells them. It keeps no more of the request than that needs.
    """
    answer: _Answer | None = scope.get(_ANSWER)
    if answer is None:
        return lambda: None
    answer.outlasts = True
    kept = {name: scope[name] for name in _TOLD if name in scope}
    return partial(copy_context().run, _tell, kept, answer)


def _is_stopping(scope: Scope) -> bool:
    stopping: asyncio.Event = scope["app"].state.stopping
    return stopping.is_set()


def route_template(scope: Scope) -> str:
    """The route as declared, such as `/articles/{id}`: never a raw path, which may carry a secret."""
    route = scope.get("route")
    for name in ("path_format", "path"):
        template = getattr(route, name, None)
        if isinstance(template, str):
            return template
    return getattr(scope.get("endpoint"), "__name__", "unmatched")


def _mark(headers: MutableHeaders, trace: str) -> None:
    headers["X-Trace-Id"] = trace
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Cache-Control", "no-store")


def _tell(scope: Scope, answer: _Answer) -> None:
    seconds = time.perf_counter() - answer.begun
    method, route = _known_method(scope), route_template(scope)
    requests, request_seconds = _measures(method, route, answer.status)
    requests.inc()
    request_seconds.observe(seconds)
    tell = log.debug if scope["path"].startswith(_QUIET) else log.info
    key = scope.get("state", {}).get("key_name")
    tell(
        "request",
        method=method,
        route=route,
        status=answer.status,
        duration_ms=round(seconds * 1000, 1),
        **({"key": key} if key else {}),
    )


@cache
def _measures(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """Of as many kinds of requests as there are series of metrics."""
    return metrics.requests.labels(method, route, status), metrics.request_seconds.labels(method, route)


def _known_method(scope: Scope) -> str:
    """The method, or OTHER: a caller's invention would make a new series of metrics each time."""
    method: str = scope["method"]
    return method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "OTHER"
