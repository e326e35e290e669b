"""`GET /preview/{article}`: a text that is not public, for those whose key may see it.

The key is judged here, before anything is asked, so that without a good one every article answers alike.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from newsroom.errors import Away, Forbidden, Unauthenticated
from newsroom.http.auth import admit, demand
from newsroom.http.problems import Kind, Refused, responses
from newsroom.keys import Role
from services.render.headers import CONTENT_TYPES, NEVER_KEPT, SECURITY
from services.render.onrequest import OnRequest
from services.render.pages import ErrorStatus, Pages
from services.render.serving import RETRY_AFTER_SECONDS

CHALLENGE = 'Basic realm="Newsroom preview", charset="UTF-8"'
_ARTICLE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST_REVISION = 2**53
_HEADERS = {
    **SECURITY,
    "Content-Type": CONTENT_TYPES[".html"],
    "Cache-Control": NEVER_KEPT,
    "X-Robots-Tag": "noindex",
    "Vary": "Authorization",
}


def preview_routes(on_request: OnRequest, pages: Pages) -> APIRouter:
    """The route, for render's application."""
    router = APIRouter(tags=["preview"])
    errors = {status: pages.error(status) for status in (401, 403, 404, 503)}

    def refuse(status: ErrorStatus) -> Response:
        more = {
            401: {"WWW-Authenticate": CHALLENGE},
            503: {"Retry-After": str(RETRY_AFTER_SECONDS)},
        }.get(status, {})
        return Response(errors[status], status, {**_HEADERS, **more})

    @router.head("/preview/{article_id}", include_in_schema=False)
    @router.get(
        "/preview/{article_id}",
        summary="A text that is not public, as its page would look",
        description="With a key of a `reporter` or above: as a bearer token, or as the password of basic "
        "authentication, which a browser asks for.",
        response_class=Response,
        responses={
            200: {"content": {"text/html": {}}, "description": "The page, under a banner"},
            **{
                status: {"content": {"text/html": {}}, "description": "A page that says why there is none"}
                for status in errors
            },
            **responses(Kind.TOO_MANY),
        },
    )
    async def preview(
        request: Request,
        article_id: str,
        revision: Annotated[int | None, Query(ge=1, le=_MOST_REVISION)] = None,
    ) -> Response:
        try:
            secret = _admitted(request)
            is_possible = _ARTICLE_ID.fullmatch(article_id) is not None
            page = await on_request.preview(article_id, revision, secret) if is_possible else None
        except Unauthenticated:
            return refuse(401)
        except Forbidden:
            return refuse(403)
        except (Away, Refused) as error:
            if isinstance(error, Refused) and error.kind is Kind.TOO_MANY:
                raise
            return refuse(503)
        return Response(page, headers=_HEADERS) if page is not None else refuse(404)

    return router


def secret_in(headers: list[str]) -> str | None:
    """The key in an `Authorization` header: a bearer token, or the password of basic authentication."""
    if len(headers) != 1:
        return None
    scheme, _, given = headers[0].partition(" ")
    given = given.strip()
    if scheme.lower() == "bearer":
        return given or None
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[2] or None
    except (binascii.Error, UnicodeDecodeError):
        return None


def _admitted(request: Request) -> str:
    """The key of somebody who may see what is not public. Raises: as `admit` and `demand`.

    A browser asks without a key at first, to be told that it needs one: that is no failed login.
    """
    headers = request.headers.getlist("authorization")
    if not headers:
        raise Unauthenticated("no key")
    secret = secret_in(headers)
    demand(admit(request, secret), Role.REPORTER)
    assert secret is not None  # noqa: S101  (or it was not admitted)
    return secret
