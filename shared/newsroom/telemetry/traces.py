"""The correlation id of everything that follows from one request: a W3C Trace Context `traceparent`.

It comes in with a request (or is made there), travels in every record's headers, and stands on every log
line.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog

_FORM = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?P<rest>-.*)?", re.DOTALL
)
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def trace_id(traceparent: str | None) -> str | None:
    """The 32 hex digits that name the trace, or None where the header is absent or malformed."""
    found = _FORM.fullmatch(traceparent) if traceparent else None
    if found is None or (found["rest"] and found[0].startswith("00")):
        return None
    return found[0][3:35]


def new_traceparent(parent: str | None = None) -> str:
    """A `traceparent` for a step of our own: in the parent's trace, or in a new one without a good parent."""
    trace = trace_id(parent)
    if parent is None or trace is None:
        made = secrets.token_hex(24)
        return f"00-{made[:32]}-{made[32:]}-01"
    return f"00-{trace}-{secrets.token_hex(8)}-{parent[53:55]}"


def bind_trace(traceparent: str | None) -> None:
    """Put the trace id on every log line of this task from now on (None: take it off)."""
    _current.set(traceparent)
    trace = trace_id(traceparent)
    if trace is None:
        structlog.contextvars.unbind_contextvars("trace_id")
    else:
        structlog.contextvars.bind_contextvars(trace_id=trace)


def current_traceparent() -> str | None:
    """The `traceparent` that was bound last in this task."""
    return _current.get()


@contextmanager
def tracing(traceparent: str | None) -> Iterator[None]:
    """Bind a trace for a block, and what was bound before it again after it."""
    former = _current.get()
    bind_trace(traceparent)
    try:
        yield
    finally:
        bind_trace(former)
