"""API keys: records on `newsroom.keys` (compacted, by name), read into memory by every service.

A key is `nrk_` and 43 characters (256 random bits). Only its SHA-256 is ever written down. A revocation is
a record, never a tombstone, so a revoked key stays revoked.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from newsroom.articles import Contract
from newsroom.envelope import Envelope, read_data, unwrap, wrap
from newsroom.errors import BadRecord
from newsroom.records import Message, Record
from newsroom.times import Moment
from newsroom.topics import KEYS

SOURCE = "/newsroom/ingest"
TYPE = "newsroom.key.v1"
KeyName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


class Role(StrEnum):
    """What a key may do; each role may do all that the ones before it may."""

    READER = "reader"
    REPORTER = "reporter"
    EDITOR = "editor"
    PUBLISHER = "publisher"

    @property
    def rank(self) -> int:
        return _RANKS[self]

    def may_act_as(self, other: Role) -> bool:
        return self.rank >= other.rank


_RANKS = {role: rank for rank, role in enumerate(Role)}


class ApiKey(Contract):
    """One key. `secret_sha256` is hex."""

    name: KeyName
    role: Role
    secret_sha256: str
    created_at: Moment
    expires_at: Moment | None = None
    revoked_at: Moment | None = None

    def is_good(self, at: datetime) -> bool:
        """Whether the key opens anything at that moment."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


def new_secret() -> str:
    """A fresh secret, to be shown once and never kept."""
    return "nrk_" + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """SHA-256 of a secret, hex: all of it that is ever stored."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class KeyRing:
    """Every key, in memory, fed from the topic.

    Looked up by the secret's digest, compared in constant time.
    """

    def __init__(self) -> None:
        self._by_name: dict[str, ApiKey] = {}

    def put(self, key: ApiKey) -> None:
        """Take a record of the topic in.

        A name stays with the first secret it was given to; the newest record of that replaces the former,
        but nothing undoes a revocation.
        """
        former = self._by_name.get(key.name)
        if former is not None and (
            former.revoked_at is not None or former.secret_sha256 != key.secret_sha256
        ):
            return
        self._by_name[key.name] = key

    def find(self, secret: str, at: datetime) -> ApiKey | None:
        """The good key with this secret, or None."""
        wanted = digest(secret)
        found = None
        for key in self._by_name.values():
            if hmac.compare_digest(key.secret_sha256, wanted) and key.is_good(at):
                found = key
        return found

    def by_name(self, name: str) -> ApiKey | None:
        return self._by_name.get(name)

    def by_digest(self, secret_sha256: str) -> ApiKey | None:
        """The key with this digest, good or not."""
        return next((key for key in self._by_name.values() if key.secret_sha256 == secret_sha256), None)

    def all(self) -> list[ApiKey]:
        """Every key by name, revoked and expired ones too."""
        return sorted(self._by_name.values(), key=lambda key: key.name)


def key_message(key: ApiKey, trace: str | None = None) -> Message:
    """The key as a record, keyed by its name."""
    time = key.revoked_at or key.created_at
    return wrap(
        KEYS, key.name, Envelope(f"{key.name}@{time.isoformat()}", TYPE, SOURCE, key.name, time, trace), key
    )


def decode_key(record: Record) -> ApiKey:
    """A record of `newsroom.keys`. Raises: BadRecord with the reason."""
    envelope = unwrap(record)
    if envelope.type != TYPE:
        raise BadRecord(f"type {envelope.type[:80]!r} is unknown to this version; known: {TYPE}")
    key = read_data(record, ApiKey)
    if record.key != key.name.encode():
        raise BadRecord("the record's key is not the API key's name")
    return key
