"""Keys made and revoked: each a record on `newsroom.keys`, which every service reads into memory."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

import structlog
from pydantic import SecretStr

from newsroom import times
from newsroom.errors import Away, Conflict, NotFound
from newsroom.http.keyfeed import KeyFeed
from newsroom.kafka.producer import Publisher
from newsroom.keys import ApiKey, Role, digest, key_message, new_secret
from newsroom.telemetry import current_traceparent

READ_SECONDS = 1.5
log = structlog.get_logger(__name__)


class NameTaken(Conflict):
    """A key of that name was made before. Names are never given twice, so a log line always means one key."""


@dataclass(frozen=True)
class FreshKey:
    """A new key with its secret, which is shown once."""

    key: ApiKey
    secret: str


class KeyAdmin:
    """Makes and revokes keys, one at a time.

    What it changed holds here when it returns, elsewhere within a second.
    """

    def __init__(self, feed: KeyFeed, publisher: Publisher) -> None:
        self._feed = feed
        self._publisher = publisher
        self._one_at_a_time = asyncio.Lock()

    def all(self) -> list[ApiKey]:
        """Every key by name, revoked and expired ones too."""
        return self._feed.ring.all()

    async def make(self, name: str, role: Role, expires_at: datetime | None) -> FreshKey:
        """A new key. Raises: NameTaken, Away."""
        async with self._one_at_a_time:
            await self._read_to_the_end()
            taken = NameTaken(
                f"A key {name!r} was made before: names, also of revoked keys, are never given twice."
            )
            if self._feed.ring.by_name(name) is not None:
                raise taken
            secret = new_secret()
            key = _key(name, role, digest(secret), expires_at)
            await self._write(key)
            standing = self._feed.ring.by_name(name)
            if standing is not None and standing.secret_sha256 != key.secret_sha256:
                raise taken  # another instance was faster, and its key is the one that counts
            log.info("key_made", key_name=name, role=role.value)
            return FreshKey(key, secret)

    async def revoke(self, name: str) -> None:
        """Revoke a key; again is no error. Raises: NotFound; Conflict for the last publisher; Away."""
        async with self._one_at_a_time:
            await self._read_to_the_end()
            key = self._feed.ring.by_name(name)
            if key is None:
                raise NotFound(f"No key is called {name[:60]!r}: GET /keys lists them.")
            if key.revoked_at is not None:
                return
            if self._is_last_publisher(key):
                raise Conflict("This is the last publisher's key: make another one before you revoke it.")
            await self._write(key.model_copy(update={"revoked_at": times.now()}))
            log.info("key_revoked", key_name=name)

    async def ensure_first(self, secret: SecretStr) -> None:
        """Put the operator's own key on the log, unless it ever was there:

        a revoked one stays revoked. Raises: Away.
        """
        wanted = digest(secret.get_secret_value())
        async with self._one_at_a_time:
            await self._read_to_the_end()
            if self._feed.ring.by_digest(wanted) is not None:
                return
            is_free = self._feed.ring.by_name("publisher") is None
            name = "publisher" if is_free else f"publisher-{wanted[:6]}"
            await self._write(_key(name, Role.PUBLISHER, wanted, None))
            log.info("first_key_put", key_name=name)

    async def _read_to_the_end(self) -> None:
        """Know what every instance has written up to now. Raises: Away."""
        if not await self._feed.catch_up(READ_SECONDS):
            raise Away("kafka", "the keys could not be read to their end")

    async def _write(self, key: ApiKey) -> None:
        await self._publisher.publish(key_message(key, current_traceparent()))
        if not await self._feed.catch_up(READ_SECONDS):
            log.warning("key_not_read_back", key_name=key.name, seconds=READ_SECONDS)

    def _is_last_publisher(self, key: ApiKey) -> bool:
        now = times.now()
        publishers = {k.name for k in self._feed.ring.all() if k.role is Role.PUBLISHER and k.is_good(now)}
        return publishers == {key.name}


def _key(name: str, role: Role, secret_sha256: str, expires_at: datetime | None) -> ApiKey:
    return ApiKey(
        name=name, role=role, secret_sha256=secret_sha256, created_at=times.now(), expires_at=expires_at
    )
