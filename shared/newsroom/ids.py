"""Ids: made at random, or derived so that a retry makes the same one again."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets

ARTICLE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
EVENT_ID = re.compile(r"evt_[a-z2-7]{26}")
_LETTERS = b"abcdefghijklmnopqrstuvwxyz234567" * 8


def _base32(raw: bytes, length: int) -> str:
    return base64.b32encode(raw).decode("ascii").lower()[:length]


def _random(length: int) -> str:
    """So many characters of base 32, each drawn by itself: five bits of a random byte."""
    return secrets.token_bytes(length).translate(_LETTERS).decode("ascii")


def _digest(*parts: str) -> bytes:
    """SHA-256 over the parts, each with its length before it, so that no two lists of parts run together."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(4, "big") + encoded)
    return digest.digest()


def new_article_id() -> str:
    """A random article id, 16 characters (80 bits)."""
    return _random(16)


def derive_article_id(key_name: str, idempotency_key: str) -> str:
    """The article id that a create with this `Idempotency-Key` gets, however often it is sent."""
    return _base32(_digest("article", key_name, idempotency_key), 16)


def new_entry_id() -> str:
    """A random id of an entry in a live article, 16 characters (80 bits)."""
    return new_article_id()


def derive_entry_id(key_name: str, article_id: str, idempotency_key: str) -> str:
    """The entry id that a post with this `Idempotency-Key` gets, however often it is sent."""
    return _base32(_digest("entry", key_name, article_id, idempotency_key), 16)


def new_event_id() -> str:
    """A random event id: `evt_` and 26 characters (130 bits)."""
    return "evt_" + _random(26)


def derive_event_id(key_name: str, article_id: str, idempotency_key: str) -> str:
    """The event id that a request with this `Idempotency-Key` gets, for ever."""
    return "evt_" + _base32(_digest("event", key_name, article_id, idempotency_key), 26)


def due_event_id(article_id: str, kind: str, set_by: int, due_at: str) -> str:
    """The id of the event that falls due: whoever writes it, and however often, it is one event.

    `set_by` is the revision that set the time, `due_at` that time (RFC 3339, as `newsroom.times` writes it).
    """
    return "evt_" + _base32(_digest("due", article_id, kind, str(set_by), due_at), 26)


def is_event_id(text: str) -> bool:
    """Whether the text has the form of an event id of ours (it may still be unknown)."""
    return EVENT_ID.fullmatch(text) is not None


def short_mark(article_id: str) -> str:
    """The six characters that end an article's slug: a function of its id alone, so no two articles compete
    for a path.
    """
    return _base32(_digest("address", article_id), 6)
