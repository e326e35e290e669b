"""Request headers that change what a call means: `Idempotency-Key`, `If-Match`, `Prefer: wait`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from newsroom.http.problems import Kind, Refused

MAX_WAIT_SECONDS = 60
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_REVISION_TAG = re.compile(r'(?P<quote>"?)(?P<revision>0|[1-9][0-9]{0,11})(?P=quote)')
_WAIT = re.compile(r'\s*wait\s*=\s*(?:"(\d{1,9})"|(\d{1,9}))\s*(?:;.*)?', re.IGNORECASE)


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string", **schema},
    }


PARAMETERS: dict[str, Any] = {
    "parameters": [
        _parameter(
            "Idempotency-Key",
            "Makes a retry safe: the same key with the same request has the effect of one, for ever. Another "
            "request under the same key is refused. A UUID will do.",
            {"minLength": 1, "maxLength": 255, "pattern": "^[!-~]{1,255}$"},
        ),
        _parameter(
            "If-Match",
            'The revision that the change was made on, in quotes, like `"3"` (taken without them too): if '
            "the article stands at another, nothing changes and the answer is 412.",
            {"pattern": r'^("(0|[1-9][0-9]{0,11})"|(0|[1-9][0-9]{0,11})|\*)$'},
        ),
        _parameter(
            "Prefer",
            "`wait=N`: answer when the page can be fetched, at most N seconds later "
            f"(at most {MAX_WAIT_SECONDS}).",
            {},
        ),
    ]
}
"""For a route's `openapi_extra`: the three headers, which are read here and not by FastAPI."""


@dataclass(frozen=True)
class Conditions:
    """What the headers ask for. `wait_seconds` 0: answer at once."""

    idempotency_key: str | None
    expected_revision: int | None
    wait_seconds: int


def read_conditions(request: Request) -> Conditions:
    """The three headers.

    Raises: Refused where one is malformed; a `Prefer` that cannot be read is ignored (RFC 7240).
    """
    return Conditions(
        idempotency_key=_idempotency_key(request.headers.getlist("idempotency-key")),
        expected_revision=_expected_revision(request.headers.getlist("if-match")),
        wait_seconds=_wait_seconds(request.headers.getlist("prefer")),
    )


def _idempotency_key(sent: list[str]) -> str | None:
    if not sent:
        return None
    if len(sent) > 1 or not _IDEMPOTENCY_KEY.fullmatch(sent[0]):
        raise Refused(
            Kind.MALFORMED_REQUEST, "Idempotency-Key must be one header of 1 to 255 visible ASCII characters."
        )
    return sent[0]


def _expected_revision(sent: list[str]) -> int | None:
    if not sent or sent == ["*"]:
        return None
    found = _REVISION_TAG.fullmatch(sent[0].strip())
    if len(sent) > 1 or found is None:
        raise Refused(Kind.MALFORMED_REQUEST, 'If-Match must be one revision in quotes, like "3", or *.')
    return int(found["revision"])


def _wait_seconds(sent: list[str]) -> int:
    """The first `wait` counts; other preferences beside it are not ours."""
    for preference in ",".join(sent).split(","):
        found = _WAIT.fullmatch(preference)
        if found:
            return min(int(found[1] or found[2]), MAX_WAIT_SECONDS)
    return 0
