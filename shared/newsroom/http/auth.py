"""Who is calling: API keys as bearer tokens, checked against the ring in memory (`app.state.keys`).

A key that is no good is logged without a word of it, and so many of them from one address are answered `429`.
A good key is never refused for what others sent from its address: nobody can lock the desk out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, NoReturn

import structlog
from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer
from starlette.requests import HTTPConnection

from newsroom import times
from newsroom.errors import Away, Forbidden, Unauthenticated
from newsroom.http.limits import Limits, client_of, too_many
from newsroom.keys import ApiKey, KeyRing, Role, digest
from newsroom.telemetry import metrics

log = structlog.get_logger(__name__)


class _Documented(HTTPBearer):
    """What the documents say of keys; they are read by `caller`."""

    async def __call__(self, request: HTTPConnection) -> None:  # noqa: ARG002
        return None


_scheme = _Documented(
    scheme_name="ApiKey",
    auto_error=False,
    description="An API key (`nrk_…`). Roles: reader < reporter < editor < publisher, "
    "each may do all that the ones before it may.",
)

OPTIONAL_KEY: dict[str, Any] = {"security": [{}, {"ApiKey": []}]}
"""For a route's `openapi_extra`, where a call without a key is answered too."""


async def caller(
    request: Request,
    _documented: Annotated[None, Security(_scheme)] = None,
) -> ApiKey | None:
    """The caller's key; None where no `Authorization` came.

    Raises: Unauthenticated where it is no good; Refused where it, or bad ones from its address, came too
    often; Away while the keys are not read yet.
    """
    headers = request.headers.getlist("authorization")
    return admit(request, _secret(headers)) if headers else None


def admit(request: Request, secret: str | None) -> ApiKey:
    """The good key with this secret; None stands for what could be none. Raises: as `caller`."""
    if secret is None:
        _refuse(request, "malformed", "Write the key as one header: Authorization: Bearer nrk_…")
    if not request.app.state.keys_are_known():
        raise Away("kafka", "the keys are not read yet")
    ring: KeyRing = request.app.state.keys
    key = ring.find(secret, times.now())
    if key is None:
        detail = "The key is unknown, expired or revoked: ask a publisher for a new one."
        _refuse(request, _why(ring, secret), detail)
    request.state.key_name = key.name
    limits: Limits = request.app.state.limits
    if wait := limits.key_requests.wait_seconds(key.name):
        raise too_many("key", f"The key {key.name!r} asks too often.", wait)
    return key


def requires(role: Role) -> Callable[[ApiKey | None], Awaitable[ApiKey]]:
    """A dependency that lets in keys of this role and above. Raises: Unauthenticated, Forbidden."""

    async def admitted(key: Annotated[ApiKey | None, Depends(caller)]) -> ApiKey:
        return demand(key, role)

    return admitted


def demand(key: ApiKey | None, role: Role) -> ApiKey:
    """The key, if it has the role or one above. Raises: Unauthenticated without one, Forbidden."""
    if key is None:
        raise Unauthenticated("Send a key: Authorization: Bearer nrk_…")
    if not key.role.may_act_as(role):
        metrics.access_refused.inc()
        log.warning("access_refused", key=key.name, role=key.role.value, needed=role.value)
        raise Forbidden(
            f"This needs the role {role.value}; the key {key.name!r} has the role {key.role.value}."
        )
    return key


def _refuse(request: Request, reason: str, detail: str) -> NoReturn:
    """One more login that failed. Beyond the bound it is counted, but not logged any more."""
    limits: Limits = request.app.state.limits
    address = client_of(request.scope)
    metrics.logins_refused.labels(reason=reason).inc()
    if wait := limits.failed_logins.wait_seconds(address):
        raise too_many("failed_logins", "Too many keys from your address were no good.", wait)
    log.warning("login_refused", address=address, reason=reason)
    raise Unauthenticated(detail)


def _why(ring: KeyRing, secret: str) -> str:
    key = ring.by_digest(digest(secret))
    if key is None:
        return "unknown"
    return "expired" if key.revoked_at is None else "revoked"


def _secret(headers: list[str]) -> str | None:
    scheme, _, secret = headers[0].partition(" ")
    if len(headers) > 1 or scheme.lower() != "bearer":
        return None
    return secret.strip() or None
