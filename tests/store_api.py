"""The store's application on a database in memory, with a key of each role."""

from __future__ import annotations

from typing import Any

import httpx

from newsroom import keys
from newsroom.events import Event
from newsroom.http.app import Health
from newsroom.kafka.fake import FakeLog, FakePublisher
from newsroom.keys import ApiKey, Role
from services.store.api import create_api
from services.store.folding import fold, named_entries
from services.store.letterbox import Letterbox
from services.store.rebuilds import Rebuilds
from services.store.settings import StoreSettings
from tests.letter_parts import FakeDeadLetters
from tests.store_parts import (
    BEGINNING,
    SITE_URL,
    FakeReading,
    FakeRepublications,
    FakeRevisions,
    a_delivery,
    a_text,
    an_event,
    file,
    minute,
)

SECRETS = {role: keys.new_secret() for role in Role}
NOBODY, READER, REPORTER = None, Role.READER, Role.REPORTER
EVERYBODY = [NOBODY, *Role]
OUTSIDERS = [NOBODY, READER]
INSIDERS = [Role.REPORTER, Role.EDITOR, Role.PUBLISHER]


class Api:
    """The application with what stands behind it."""

    def __init__(self) -> None:
        self.revisions = FakeRevisions()
        self.reading = FakeReading(self.revisions)
        self.republications = FakeRepublications()
        self.rings = 0
        self.log = FakeLog()
        self.letters = FakeDeadLetters()
        self.letterbox = Letterbox(self.letters, FakePublisher(self.log))
        self._offset = 0
        self.is_open = True
        rebuilds = Rebuilds(self.republications, self.revisions, self._ring)
        settings = StoreSettings(site_url=SITE_URL)
        self.app = create_api(
            settings, Health("store"), self.reading, rebuilds, self.letterbox, lambda: self.is_open
        )
        for role, secret in SECRETS.items():
            self.app.state.keys.put(
                ApiKey(name=role.value, role=role, secret_sha256=keys.digest(secret), created_at=BEGINNING)
            )
        transport = httpx.ASGITransport(app=self.app)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://store.test")

    def _ring(self) -> None:
        self.rings += 1

    async def filed(self, article_id: str, *kinds: str, first: int = 0, **changes: Any) -> list[str]:
        """File these events, a minute apart, with headlines `{article_id} 1`, …; their ids."""
        events = [
            an_event(
                kind,
                article_id,
                text=a_text(f"{article_id} {place + 1}", **changes),
                create=not place,
                at=minute(first + place),
            )
            for place, kind in enumerate(kinds)
        ]
        await self.file(*events)
        return [event.id for event in events]

    async def file(self, *events: Event) -> None:
        """File these events, of any articles, as the store would."""
        batch = [a_delivery(event, self._offset + place) for place, event in enumerate(events)]
        self._offset += len(events)
        article_ids = {event.article_id for event in events}
        loaded = await self.revisions.load(article_ids, [], named_entries(batch))
        await file(self.revisions, fold(loaded, batch, minute(0)))

    async def get(self, path: str, role: Role | None = None, **query: Any) -> httpx.Response:
        asked = {name: value for name, value in query.items() if value is not None}
        url = httpx.URL(path).copy_merge_params(asked)  # `params`, even empty, would take the path's own
        return await self.client.get(url, headers=authorized(role))

    async def post(self, path: str, body: object, role: Role | None = None) -> httpx.Response:
        return await self.client.post(path, json=body, headers=authorized(role))


def authorized(role: Role | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {SECRETS[role]}"} if role else {}
