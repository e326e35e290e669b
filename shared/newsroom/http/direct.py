"""Calls that are answered directly: declared, documented and matched as FastAPI's own, without its layers.

FastAPI finds out what a call depends on anew for each request, with stacks of what is to be closed after it.
That and the layers around its router cost more than the way from a request to the log.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

Answering = Callable[[Request], Awaitable[Any]]


class DirectRoute(APIRoute):
    """A router's `route_class` for calls that ask for the request, for what stands in path and query, and for
    what dependencies make of these; they and the endpoint are coroutine functions.

    The endpoint makes the response itself. A dependency is asked as often as it is named. The routes belong
    on the application itself, `app.routes.extend(router.routes)`: included, they take FastAPI's way.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **declared: Any) -> None:
        """Raises: TypeError where the call asks for more."""
        super().__init__(path, endpoint, **declared)
        self._answering = _answering(self.dependant)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """To a request that this route has matched."""
        response = await self._answering(Request(scope, receive, send))
        await response(scope, receive, send)


class DirectCalls:
    """Answers what a direct route stands for, or a plain one, which knows nothing of FastAPI, and leaves all
    else to FastAPI's router. The first route that matches counts, as there.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._app, self._routes = app, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._answer(scope) if scope["type"] == "http" else None
        await (answer or self._app)(scope, receive, send)

    def _answer(self, scope: Scope) -> ASGIApp | None:
        for route in self._routes:
            methods = getattr(route, "methods", None)
            if methods and scope["method"] not in methods:
                continue
            match, found = route.matches(scope)
            if match is Match.FULL:
                answer = _WAYS.get(type(route))
                if answer is None:
                    return None
                scope.update(found)
                return partial(answer, route)
        return None


_WAYS: dict[type, Callable[..., Awaitable[None]]] = {DirectRoute: DirectRoute.answer, Route: Route.handle}


def _answering(asked: Dependant) -> Answering:
    """What calls the function with all that it asks for: what it depends on first, as FastAPI does."""
    call = asked.call
    if call is None or not _is_coroutine(call) or _asks_for_more(asked):
        raise TypeError(f"{call} asks for what a direct route does not give: declare it without DirectRoute")
    gates = [_answering(need) for need in asked.dependencies if need.name is None]
    needs = [(need.name, _answering(need)) for need in asked.dependencies if need.name is not None]
    names = [name for name in (asked.request_param_name, asked.http_connection_param_name) if name]
    has_parameters = bool(asked.path_params or asked.query_params)

    async def answering(request: Request) -> Any:
        for gate in gates:
            await gate(request)
        values = {need: await needed(request) for need, needed in needs}
        if has_parameters:
            values |= _parameters(asked, request)
        for name in names:
            values[name] = request
        return await call(**values)

    return answering


def _is_coroutine(call: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(type(call).__call__)


def _asks_for_more(asked: Dependant) -> bool:
    return any(
        (
            asked.header_params,
            asked.cookie_params,
            asked.body_params,
            asked.websocket_param_name,
            asked.response_param_name,
            asked.background_tasks_param_name,
            asked.security_scopes_param_name,
            asked.concurrency,
        )
    )


def _parameters(asked: Dependant, request: Request) -> dict[str, Any]:
    """What stands in path and query. Raises: RequestValidationError that names what cannot be used."""
    values, errors = request_params_to_args(asked.path_params, request.path_params)
    if asked.query_params:
        found, wrong = request_params_to_args(asked.query_params, request.query_params)
        values, errors = values | found, errors + wrong
    if errors:
        raise RequestValidationError(errors)
    return values
