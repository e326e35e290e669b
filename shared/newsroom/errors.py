"""Every error the newsroom raises on purpose, in one tree, free of HTTP and of Kafka.

NewsroomError
├── Invalid            what was sent cannot be accepted: says which fields and why
├── Unauthenticated    no key, an unknown one, an expired or revoked one
├── Forbidden          a good key whose role may not do this
├── NotFound           nothing stands under that name
├── Conflict           well-formed, but what already stands forbids it
│   └── RevisionMismatch   `If-Match` named another revision than the one that stands
├── BadRecord          bytes on a topic that are no record of ours: dead-lettered, the consumer goes on
├── Away               a dependency does not answer: pause, back off, try again
└── Misconfigured      the start is refused: one line that says what to do

An older or a duplicate event is an outcome, not an error. Everything else that is raised is a bug: the
process stops without committing and is restarted. The edges translate: `newsroom.http` into problem details
(RFC 9457), `newsroom.kafka` into dead letters and pauses.
"""

from __future__ import annotations

from dataclasses import dataclass


class NewsroomError(Exception):
    """The root: catch it only at an edge."""


@dataclass(frozen=True)
class FieldError:
    """One bad field: where (a JSON Pointer, RFC 6901, into the request body) and what to do about it."""

    pointer: str
    detail: str


class Invalid(NewsroomError):
    """What was sent cannot be accepted."""

    def __init__(self, detail: str, errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors


class Unauthenticated(NewsroomError):
    """No valid key came with the request."""


class Forbidden(NewsroomError):
    """The key is good, its role is not enough."""


class NotFound(NewsroomError):
    """Nothing stands under that name, or nothing that the caller may see."""


class Conflict(NewsroomError):
    """What already stands forbids it."""


class RevisionMismatch(Conflict):
    """`If-Match` named another revision than the one that stands."""


class BadRecord(NewsroomError):
    """A record that can never be processed. The message is the reason kept with the dead letter."""


class Away(NewsroomError):
    """A dependency does not answer. Nothing was lost; the same call may succeed later."""

    def __init__(self, dependency: str, detail: str = "") -> None:
        super().__init__(f"{dependency} does not answer" + (f": {detail}" if detail else ""))
        self.dependency = dependency


class Misconfigured(NewsroomError):
    """The process cannot start as it is set up. The message is one line that says what to do."""
