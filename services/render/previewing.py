"""`GET /preview/{article}`: a text that is not public, for those whose key may see it.

The key is judged here, before anything is asked, so that without a good one every article answers alike.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from newsroom import times
from newsroom.errors import Away
from newsroom.http.problems import Refused
from newsroom.keys import KeyRing, Role
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
        },
    )
    async def preview(
        request: Request,
        article_id: str,
        revision: Annotated[int | None, Query(ge=1, le=_MOST_REVISION)] = None,
    ) -> Response:
        secret = secret_in(request.headers.getlist("authorization"))
        try:
            refused = _judge(request, secret)
            if refused is not None or secret is None:
                return refuse(refused or 401)
            is_possible = _ARTICLE_ID.fullmatch(article_id) is not None
            page = await on_request.preview(article_id, revision, secret) if is_possible else None
        except (Away, Refused):
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


def _judge(request: Request, secret: str | None) -> ErrorStatus | None:
    """Why the key opens no preview, None where it does. Raises: Away while the keys are not read yet."""
    if secret is None:
        return 401
    if not request.app.state.keys_are_known():
        raise Away("kafka", "the keys are not read yet")
    ring: KeyRing = request.app.state.keys
    key = ring.find(secret, times.now())
    if key is None:
        return 401
    request.state.key_name = key.name
    return None if key.role.may_act_as(Role.REPORTER) else 403
