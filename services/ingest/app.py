"""The application of one ingest process. Connects to nothing."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response

from newsroom.http import docs
from newsroom.http.app import Health, create_app
from newsroom.http.problems import Kind, problem_response
from newsroom.keys import KeyRing
from services.ingest.following import life_routes
from services.ingest.intake import Full, KeyReused, Unacknowledged
from services.ingest.keyadmin import KeyAdmin, NameTaken
from services.ingest.keyroutes import key_routes
from services.ingest.requests import BODIES
from services.ingest.routes import Door, article_routes, status_routes
from services.ingest.settings import IngestSettings

VERSION = "1"
DESCRIPTION = """\
The door of the newsroom: what editors do comes in here and becomes an event on the log.

Every call that makes an event answers `202` once the event is durable. With `Prefer: wait=N` it answers when
the page can be fetched, at most N seconds later. With `Idempotency-Key` it may be sent again without a second
effect. With `If-Match: "<revision>"` it holds only for an article that still stands at that revision.

`publish_at`, `embargo_until` and `breaking_until` leave what stands where they are absent, lift it with
`null` and move it with a time. One up to five minutes past is still taken, so that a retry is no error.

`GET /events` (role `reporter`) streams the life of events as it happens, as Server-Sent Events:
`event: status` with what `GET /events/{event_id}` answers as `data`, each time that an event was accepted
here, or stored, rendered, rejected or dead-lettered anywhere; with `?article=` only of that article.

Unknown fields are errors, never ignored; each bad field is named by a JSON Pointer.
"""
_KINDS: dict[type[Exception], Kind] = {
    Full: Kind.BUSY,
    KeyReused: Kind.KEY_REUSED,
    NameTaken: Kind.NAME_TAKEN,
    Unacknowledged: Kind.AWAY,
}


def create_ingest(
    settings: IngestSettings, health: Health, ring: KeyRing, door: Door, admin: KeyAdmin
) -> FastAPI:
    """The application, with `ring` as the keys that open it."""
    app = create_app(
        title="Newsroom ingest", description=DESCRIPTION, version=VERSION, health=health, settings=settings
    )
    app.state.keys = ring
    docs.document_models(app, BODIES)
    for error in _KINDS:
        app.add_exception_handler(error, _on_own_error)
    lives = life_routes(door.life, door.lookup, ring)
    for router in (article_routes(door), status_routes(door), lives, key_routes(admin)):
        app.routes.extend(router.routes)
    return app


async def _on_own_error(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return problem_response(_KINDS[type(error)], str(error))
