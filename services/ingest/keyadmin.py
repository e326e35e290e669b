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
            if not await self._write(key):
                raise taken
            log.info("key_made", key_name=name, role=role.value)
            return FreshKey(key, secret)

    async def revoke(self, name: str) -> None:
        """Revoke a key; again is no error.

        Two instances that revoke the last two publishers' keys at the same moment leave none: no revocation
        is undone, and `ensure_first` with another secret is the way back in. Raises: NotFound; Conflict for
        the last publisher; Away.
        """
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
            for name in ("publisher", f"publisher-{wanted[:6]}", f"publisher-{wanted[:24]}"):
                is_free = self._feed.ring.by_name(name) is None
                if is_free and await self._write(_key(name, Role.PUBLISHER, wanted, None)):
                    log.info("first_key_put", key_name=name)
                    return
            log.error("first_key_not_put", reason="its names are taken by other keys")

    async def _read_to_the_end(self) -> None:
        """Know what every instance has written up to now. Raises: Away."""
        if not await self._feed.catch_up(READ_SECONDS):
            raise Away("kafka", "the keys could not be read to their end")

    async def _write(self, key: ApiKey) -> bool:
        """Put a key's record on the log; False where another instance was faster and its key has the name.

        What stands is written again until it is also the newest record of its name, for that is all that
        compaction keeps. Raises: Away, also where it could not be read back.
        """
        newest = key
        while True:
            await self._publisher.publish(key_message(newest, current_traceparent()))
            await self._read_to_the_end()
            standing = self._feed.ring.by_name(key.name) or newest
            if _decides(standing) == _decides(newest):
                return standing.secret_sha256 == key.secret_sha256
            newest = standing

    def _is_last_publisher(self, key: ApiKey) -> bool:
        now = times.now()
        publishers = {k.name for k in self._feed.ring.all() if k.role is Role.PUBLISHER and k.is_good(now)}
        return publishers == {key.name}


def _decides(key: ApiKey) -> tuple[str, datetime | None]:
    """What makes one record of a name win over another."""
    return key.secret_sha256, key.revoked_at


def _key(name: str, role: Role, secret_sha256: str, expires_at: datetime | None) -> ApiKey:
    return ApiKey(
        name=name, role=role, secret_sha256=secret_sha256, created_at=times.now(), expires_at=expires_at
    )
