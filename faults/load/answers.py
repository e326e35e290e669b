"""What an answer of the door promises to the editor who gets it. Pure.

| answer | result | why |
|---|---|---|
| 202 | ok, `accepted` | the event is on the log |
| 200, 201 | ok, `rendered` or `stored` | and this is what it came to |
| a problem that names its event | ok, `rejected` or `dead_lettered` | it is on the log and was decided |
| any other 4xx | fail | refused before anything was done |
| 5xx, a cut, a time-out | unknown | the log may have it or not |
| no connection | fail | nothing was sent |

Each is a promise about that attempt alone: an operation of which one attempt is unknown may have its effect,
whatever the others say.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from faults.history import Result

_DEAD_LETTERED = "/problems/dead-lettered"
_KEY_REUSED = "/problems/idempotency-key-reused"
_COME_AGAIN = (None, 408, 429)


@dataclass(frozen=True)
class Answer:
    """What an attempt came to, as it is told in the history."""

    result: Result
    status: int | None = None
    event_id: str | None = None
    state: str | None = None
    revision: int | None = None
    url: str | None = None
    reason: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether a good client sends the same again."""
        return self.result == "unknown" or (self.result == "fail" and self.status in _COME_AGAIN)


def read_answer(status: int, body: bytes) -> Answer:
    """What the answer promises; one that cannot be read promises nothing."""
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        return Answer("unknown", status, reason="an answer that is no JSON")
    if status < 400:
        return _taken(status, told)
    return _refused(status, told)


def no_answer(reason: str, *, was_sent: bool) -> Answer:
    """The connection was cut, or never came to be."""
    return Answer("unknown" if was_sent else "fail", reason=reason)


def _taken(status: int, told: dict[str, Any]) -> Answer:
    return Answer(
        "ok",
        status,
        event_id=told.get("event_id"),
        state=told.get("state", "accepted"),
        revision=told.get("revision"),
        url=told.get("url"),
    )


def _refused(status: int, told: dict[str, Any]) -> Answer:
    kind, event_id = told.get("type"), told.get("event_id")
    reason = f"{kind}: {told.get('detail')}"[:300]
    if status >= 500:
        return Answer("unknown", status, reason=reason)
    if event_id is None or kind == _KEY_REUSED:
        return Answer("fail", status, reason=reason)
    state = "dead_lettered" if kind == _DEAD_LETTERED else "rejected"
    return Answer("ok", status, event_id=event_id, state=state, reason=reason)
