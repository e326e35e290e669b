"""The operator's addresses: keys listed, made and revoked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from newsroom.http.auth import requires
from newsroom.http.bodies import read
from newsroom.http.direct import DirectRoute
from newsroom.http.docs import request_body
from newsroom.http.problems import Kind, responses
from newsroom.keys import Role
from services.ingest.answers import KeyList, MadeKey, json_answer, key_entry
from services.ingest.keyadmin import KeyAdmin
from services.ingest.requests import NewKey

MAX_KEY_BYTES = 4096
_EXAMPLES = {"key": ("For the wire desk", {"name": "wire-desk", "role": "editor"})}
_ALWAYS = (Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.AWAY)
_WITH_BODY = (
    Kind.MALFORMED_REQUEST, Kind.MALFORMED_JSON, Kind.REQUEST_TIMEOUT, Kind.NAME_TAKEN, Kind.TOO_LARGE,
    Kind.UNSUPPORTED_MEDIA_TYPE, Kind.INVALID,
)  # fmt: skip


def key_routes(admin: KeyAdmin) -> APIRouter:
    """`/keys`, for publishers only."""
    router = APIRouter(
        route_class=DirectRoute,
        prefix="/keys",
        tags=["keys"],
        dependencies=[Depends(requires(Role.PUBLISHER))],
    )

    @router.get(
        "",
        operation_id="list_keys",
        summary="Every key, never a secret",
        description="Needs the role `publisher`.",
        response_model=KeyList,
        responses=responses(*_ALWAYS),
    )
    async def list_keys() -> Response:
        return json_answer(KeyList(keys=tuple(map(key_entry, admin.all()))), 200)

    @router.post(
        "",
        operation_id="make_key",
        summary="Make a key",
        description="Its secret is told in this answer and never again. Needs the role `publisher`.",
        status_code=201,
        response_model=MadeKey,
        responses=responses(*_ALWAYS, *_WITH_BODY),
        openapi_extra=request_body(NewKey, _EXAMPLES),
    )
    async def make_key(request: Request) -> Response:
        asked = (await read(request, NewKey, MAX_KEY_BYTES)).content
        made = await admin.make(asked.name, asked.role, asked.expires_at)
        return json_answer(MadeKey(**key_entry(made.key).model_dump(), secret=made.secret), 201)

    @router.delete(
        "/{name}",
        operation_id="revoke_key",
        summary="Revoke a key",
        description="It opens nothing any more, on every service within a second, for good. "
        "Needs the role `publisher`.",
        status_code=204,
        responses=responses(*_ALWAYS, Kind.NOT_FOUND, Kind.CONFLICT),
    )
    async def revoke_key(
        name: Annotated[str, Path(description="The key's name", examples=["wire-desk"])],
    ) -> Response:
        await admin.revoke(name)
        return Response(status_code=204)

    return router
