"""Errors as answers: the whole error tree, and what HTTP itself refuses, as problem details (RFC 9457).

`type` is a URI reference, `/problems/{name}`, that never changes once it is out; asked for on the same
service it leads to the list in `/docs`. A bug is told as one, without a word of what went wrong inside: that
stands in the log, under the answer's `X-Trace-Id`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from newsroom.articles import Contract
from newsroom.errors import (
    Away,
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    NewsroomError,
    NotFound,
    RevisionMismatch,
    Unauthenticated,
)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class Kind(Enum):
    """Every kind of problem: its name in `type`, its status, and its title, the same for every request."""

    MALFORMED_REQUEST = ("malformed-request", 400, "The request cannot be read")
    MALFORMED_JSON = ("malformed-json", 400, "The body is no JSON")
    UNAUTHENTICATED = ("unauthenticated", 401, "A valid API key is needed")
    FORBIDDEN = ("forbidden", 403, "The key's role is not enough")
    NOT_FOUND = ("not-found", 404, "Nothing stands here")
    METHOD_NOT_ALLOWED = ("method-not-allowed", 405, "This address does not know the method")
    REQUEST_TIMEOUT = ("request-timeout", 408, "The request came too slowly")
    CONFLICT = ("conflict", 409, "What already stands forbids it")
    UNKNOWN_ARTICLE = ("unknown-article", 409, "There is no such article")
    ARTICLE_EXISTS = ("article-exists", 409, "The article stands already")
    ALREADY_PUBLIC = ("already-public", 409, "The article is public already")
    NOT_PUBLIC = ("not-public", 409, "The article is not public")
    RETRACTED = ("retracted", 409, "The article was retracted, which is final")
    UNKNOWN_ENTRY = ("unknown-entry", 409, "The article has no such entry")
    ENTRY_EXISTS = ("entry-exists", 409, "The entry stands already")
    NOT_LIVE = ("not-live", 409, "The article takes no entries")
    OVERTAKEN = ("overtaken", 409, "Its due time stands no longer")
    NAME_TAKEN = ("name-taken", 409, "The name is taken")
    GONE = ("gone", 410, "What stood here has been taken down")
    REVISION_MISMATCH = ("revision-mismatch", 412, "What was to be changed stands at another revision")
    TOO_LARGE = ("too-large", 413, "The request is too large")
    ADDRESS_TOO_LONG = ("address-too-long", 414, "The request's address is too long")
    UNSUPPORTED_MEDIA_TYPE = ("unsupported-media-type", 415, "The body must be plain JSON")
    INVALID = ("invalid", 422, "What was sent cannot be accepted")
    KEY_REUSED = ("idempotency-key-reused", 422, "The Idempotency-Key was used with another body")
    DEAD_LETTERED = ("dead-lettered", 422, "The event could not be processed")
    TOO_MANY = ("too-many-requests", 429, "Too many requests")
    HEAD_TOO_LARGE = ("head-too-large", 431, "The request's address and headers are too large")
    BUG = ("internal-error", 500, "Something went wrong on our side")
    AWAY = ("away", 503, "Something we need does not answer")
    BUSY = ("busy", 503, "Too many requests are in flight")

    def __init__(self, slug: str, status: int, title: str) -> None:
        self.slug = slug
        self.status = status
        self.title = title

    @property
    def type(self) -> str:
        return f"/problems/{self.slug}"


class ProblemField(Contract):
    """One bad field."""

    pointer: str = Field(description="JSON Pointer (RFC 6901) into the body; empty: the body as a whole")
    detail: str = Field(description="What is wrong with it and what to do")


class Problem(Contract):
    """Problem details, RFC 9457."""

    type: str = Field(description="The kind of problem, a URI reference that never changes")
    title: str = Field(description="The kind in words, the same for every request")
    status: int = Field(description="The HTTP status", ge=400, le=599)
    detail: str = Field(description="What was wrong here, and what to do")
    errors: tuple[ProblemField, ...] | None = Field(default=None, description="Each bad field")
    current_revision: int | None = Field(
        default=None, description="The revision that stands, of the article or of the entry"
    )
    event_id: str | None = Field(default=None, description="The event that was rejected, if one was made")


@dataclass(frozen=True)
class Extras:
    """What a problem may tell beside its detail."""

    errors: tuple[FieldError, ...] = ()
    headers: Mapping[str, str] | None = None
    current_revision: int | None = None
    event_id: str | None = None


class Refused(NewsroomError):
    """An answer that only HTTP has a name for. Raised at the edge, never below it."""

    def __init__(self, kind: Kind, detail: str, extras: Extras = Extras()) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.extras = extras


def problem_response(kind: Kind, detail: str, extras: Extras = Extras()) -> Response:
    """The answer itself."""
    problem = Problem(
        type=kind.type,
        title=kind.title,
        status=kind.status,
        detail=detail,
        errors=tuple(ProblemField(pointer=e.pointer, detail=e.detail) for e in extras.errors) or None,
        current_revision=extras.current_revision,
        event_id=extras.event_id,
    )
    headers = dict(extras.headers or {})
    if kind.status in (429, 503):
        headers.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
    body = problem.model_dump_json(exclude_none=True)
    return Response(body, kind.status, headers, media_type=MEDIA_TYPE)


def translate(error: NewsroomError) -> Response:
    """The answer to an error of the tree."""
    match error:
        case Refused():
            return problem_response(error.kind, error.detail, error.extras)
        case Invalid():
            return problem_response(Kind.INVALID, error.detail, Extras(errors=error.errors))
        case Unauthenticated():
            return problem_response(
                Kind.UNAUTHENTICATED,
                str(error),
                Extras(headers={"WWW-Authenticate": 'Bearer realm="newsroom"'}),
            )
        case Forbidden():
            return problem_response(Kind.FORBIDDEN, str(error))
        case NotFound():
            return problem_response(Kind.NOT_FOUND, str(error))
        case RevisionMismatch():
            return problem_response(Kind.REVISION_MISMATCH, str(error))
        case Conflict():
            return problem_response(Kind.CONFLICT, str(error))
        case Away():
            detail = f"{error.dependency} does not answer. Send the same request again in a moment."
            return problem_response(Kind.AWAY, detail)
        case _:
            return bug_response()


def bug_response() -> Response:
    """The answer to a bug: says where to look, and nothing of the inside."""
    return problem_response(
        Kind.BUG,
        "This is a bug of ours. The log tells more under this answer's X-Trace-Id; sending again may help.",
    )


def pointer(*parts: str | int) -> str:
    """A JSON Pointer (RFC 6901) from its parts, escaped."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def install(app: FastAPI) -> None:
    """Answer everything that is raised with problem details."""
    app.add_exception_handler(NewsroomError, _on_newsroom_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_bad_parameters)


def responses(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """What FastAPI's `responses=` takes, to document which problems a call may answer with.

    Where a key is judged, it may also come too often.
    """
    documented: dict[int | str, dict[str, Any]] = {}
    for kind in (*kinds, *((Kind.TOO_MANY,) if Kind.UNAUTHENTICATED in kinds else ())):
        entry = documented.setdefault(kind.status, {"description": "", "content": {}})
        entry["description"] = "; ".join(filter(None, (entry["description"], kind.title)))
        example = {"type": kind.type, "title": kind.title, "status": kind.status, "detail": kind.title + "."}
        media = entry["content"].setdefault(
            MEDIA_TYPE, {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}
        )
        media["examples"][kind.slug] = {"value": example}
    return documented


async def _on_newsroom_error(request: Request, error: Exception) -> Response:  # noqa: ARG001
    assert isinstance(error, NewsroomError)  # noqa: S101  (what the handler is installed for)
    return translate(error)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """What the router and the server refuse: unknown addresses, methods, and the rest by its status."""
    assert isinstance(error, HTTPException)  # noqa: S101  (what the handler is installed for)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem_response(
            Kind.NOT_FOUND, "Nothing stands at this address: see /docs for those that do."
        )
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = _allowed_methods(request)
        detail = f"{request.method} is not among {allowed}."
        return problem_response(Kind.METHOD_NOT_ALLOWED, detail, Extras(headers={"Allow": allowed}))
    kind = next((kind for kind in Kind if kind.status == error.status_code), Kind.MALFORMED_REQUEST)
    return problem_response(kind, str(error.detail), Extras(headers=error.headers))


async def _on_bad_parameters(request: Request, error: Exception) -> Response:  # noqa: ARG001
    """Parameters in path, query or headers that cannot be read:

    named in words, since no pointer reaches them.
    """
    assert isinstance(error, RequestValidationError)  # noqa: S101  (what the handler is installed for)
    problems = "; ".join(f"{_place(found['loc'])}: {found['msg']}" for found in error.errors())
    return problem_response(Kind.INVALID, f"Parameters cannot be used: {problems}.")


def _place(location: tuple[str | int, ...]) -> str:
    return " ".join(str(part) for part in location)


def _allowed_methods(request: Request) -> str:
    """Every method of this address, over all routes that share it, as `Allow` has to say."""

    def is_answered(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)

    return ", ".join(method for method in _METHODS if is_answered(method))
