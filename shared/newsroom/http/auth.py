"""Who is calling: API keys as bearer tokens, checked against the ring in memory (`app.state.keys`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from newsroom import times
from newsroom.errors import Away, Forbidden, Unauthenticated
from newsroom.keys import ApiKey, KeyRing, Role

_scheme = HTTPBearer(
    scheme_name="ApiKey",
    auto_error=False,
    description="An API key (`nrk_…`). Roles: reader < reporter < editor < publisher, "
    "each may do all that the ones before it may.",
)

OPTIONAL_KEY: dict[str, Any] = {"security": [{}, {"ApiKey": []}]}
"""For a route's `openapi_extra`, where a call without a key is answered too."""


def caller(
    request: Request,
    _documented: Annotated[HTTPAuthorizationCredentials | None, Security(_scheme)] = None,
) -> ApiKey | None:
    """The caller's key; None where no `Authorization` came.

    Raises: Unauthenticated where it is no good; Away while the keys are not read yet.
    """
    headers = request.headers.getlist("authorization")
    if not headers:
        return None
    secret = _secret(headers)
    if not request.app.state.keys_are_known():
        raise Away("kafka", "the keys are not read yet")
    ring: KeyRing = request.app.state.keys
    key = ring.find(secret, times.now())
    if key is None:
        raise Unauthenticated("The key is unknown, expired or revoked: ask a publisher for a new one.")
    request.state.key_name = key.name
    return key


def requires(role: Role) -> Callable[[ApiKey | None], ApiKey]:
    """A dependency that lets in keys of this role and above. Raises: Unauthenticated, Forbidden."""

    def admitted(key: Annotated[ApiKey | None, Depends(caller)]) -> ApiKey:
        if key is None:
            raise Unauthenticated("Send a key: Authorization: Bearer nrk_…")
        demand(key, role)
        return key

    return admitted


def demand(key: ApiKey, role: Role) -> None:
    """Raises: Forbidden unless the key has this role or one above."""
    if not key.role.may_act_as(role):
        raise Forbidden(
            f"This needs the role {role.value}; the key {key.name!r} has the role {key.role.value}."
        )


def _secret(headers: list[str]) -> str:
    scheme, _, secret = headers[0].partition(" ")
    if len(headers) > 1 or scheme.lower() != "bearer" or not secret.strip():
        raise Unauthenticated("Write the key as one header: Authorization: Bearer nrk_…")
    return secret.strip()
