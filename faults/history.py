"""What was done to a newsroom and what was seen of it, as lines of JSON: all that the checker ever gets.

Nothing here knows the newsroom's code. Every time is in seconds on one clock, the runner's monotonic one,
from the start of the run; no clock of a service is ever believed. In the manner of Jepsen an operation is
*invoked* and then *ended*: `ok` (a promise was made), `fail` (a promise that nothing was done) or `unknown`
(a cut connection, a time-out, a 5xx). One that has no end is unknown too.

A *token* is a word that stands in the text of one operation and nowhere else; readers tell which tokens they
saw.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

Result: TypeAlias = Literal["ok", "fail", "unknown"]
Places: TypeAlias = Mapping[str, int]
"""Offsets by `topic/partition`."""


@dataclass(frozen=True)
class Invoked:
    """An editor sends an event. `kind` as in the API: published, drafted, updated, corrected, amended,
    retracted, withdrawn, entry_added, entry_changed.
    """

    operation: str
    """A name of its own in this run, which is its Idempotency-Key too; a repetition has the same and a higher
    `attempt`."""
    attempt: int
    editor: str
    kind: str
    article_id: str
    token: str
    at: float
    withheld: Literal["", "draft", "scheduled", "embargoed"] = ""
    """Why the text may not be public when it is filed."""
    due_at: float | None = None
    """When a scheduled or embargoed text falls due."""
    if_match: int | None = None


@dataclass(frozen=True)
class Ended:
    """How an attempt ended for the editor. `state` and `revision` are what was promised with it."""

    operation: str
    attempt: int
    result: Result
    at: float
    status: int | None = None
    """HTTP status; None: no answer."""
    event_id: str | None = None
    state: str | None = None
    """accepted, stored, rendered, rejected, dead_lettered."""
    revision: int | None = None
    url: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Injected:
    """The fault begins or ends (`step`: begins, ends, or what is done in between)."""

    fault: str
    step: str
    at: float


@dataclass(frozen=True)
class Read:
    """A reader fetched an address. `begun` is before the request left, `ended` after its last byte came."""

    reader: str
    path: str
    begun: float
    ended: float
    status: int | None
    encoding: str = "identity"
    article_id: str | None = None
    revision: int | None = None
    """Of an article's page, as it says itself."""
    tokens: tuple[str, ...] = ()
    torn: str = ""
    """Why this is no whole answer: no end, undecodable, of another length. Empty: it is whole. A connection
    that was cut before the announced length is no answer at all (`status` None), as a browser sees it."""


@dataclass(frozen=True)
class Told:
    """A reader of the live stream hears something, or the connection begins (`connected`) or is over (`cut`).

    `article_id` is what the reader watches; `about` the article of the notice. `revision`: what the reader
    asked from (`connected`), or what the notice says.
    """

    reader: str
    at: float
    what: Literal["connected", "notice", "reset", "cut"]
    article_id: str | None = None
    about: str | None = None
    revision: int | None = None
    kind: str | None = None
    event_id: str | None = None
    """The stream's id of the event."""
    tokens: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sampled:
    """Committed offsets of a group (next record to read), read *before* the ends of the topics that tell
    effects."""

    group: Literal["store", "render"]
    at: float
    committed: Places
    ends: Places
    """Ends of newsroom.outcomes, newsroom.dead-letters, newsroom.events, newsroom.notices, read
    afterwards."""


@dataclass(frozen=True)
class Calm:
    """Everything is at rest: `seconds` after the last fault ended (and the last operation was sent)."""

    at: float
    seconds: float


Entry: TypeAlias = Invoked | Ended | Injected | Read | Told | Sampled | Calm
_KINDS: dict[str, type[Any]] = {
    kind.__name__.lower(): kind for kind in (Invoked, Ended, Injected, Read, Told, Sampled, Calm)
}


class History:
    """The entries of one run, in the order in which they were known; each is on disk as soon as it is
    there."""

    def __init__(self, file: Path | None = None) -> None:
        self.entries: list[Entry] = []
        self._file = file.open("a", encoding="utf-8", buffering=1) if file else None
        self._begun = time.monotonic()

    def now(self) -> float:
        """The time of everything that is told here: seconds since this history began."""
        return time.monotonic() - self._begun

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)
        if self._file:
            kind = type(entry).__name__.lower()
            self._file.write(json.dumps({"entry": kind, **dataclasses.asdict(entry)}) + "\n")

    def of(self, kind: type[Any]) -> Iterator[Any]:
        return (entry for entry in self.entries if isinstance(entry, kind))

    def close(self) -> None:
        if self._file:
            self._file.close()


def read(lines: Iterable[str]) -> History:
    """A history from its file. Raises: ValueError, KeyError, TypeError at a line that is none of ours."""
    history = History()
    for line in lines:
        told = json.loads(line)
        kind = _KINDS[told.pop("entry")]
        history.add(
            kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in told.items()})
        )
    return history


# --- what is found when all is calm


@dataclass(frozen=True)
class Filed:
    """A record of newsroom.events; `event_id` None: none of ours, or unreadable."""

    partition: int
    offset: int
    key: str | None
    event_id: str | None
    kind: str | None = None
    tokens: tuple[str, ...] = ()
    """Of its text: so an event is found whose editor never got an answer."""


@dataclass(frozen=True)
class Unreadable:
    """A record of newsroom.events, newsroom.updates or newsroom.listings that says nothing that could be
    read: only a dead letter can come of it."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True)
class Updated:
    """A record of newsroom.updates that tells of an article (not of an entry)."""

    partition: int
    offset: int
    article_id: str
    revision: int


@dataclass(frozen=True)
class Outcome:
    """A record of newsroom.outcomes: of an event (`event_id`), or a rendering (`state` is `rendered`)."""

    partition: int
    offset: int
    article_id: str
    state: str
    event_id: str | None = None
    revision: int | None = None


@dataclass(frozen=True)
class Letter:
    """A dead letter: where the record stood."""

    partition: int
    offset: int
    of_topic: str
    of_partition: int
    of_offset: int


@dataclass(frozen=True)
class Noticed:
    """A record of newsroom.notices. `silent`: it only takes earlier ones from the stream."""

    offset: int
    article_id: str
    revision: int
    kind: str
    silent: bool = False


@dataclass(frozen=True)
class Revised:
    """A revision in the history of an article, by the store's API with a publisher's key."""

    article_id: str
    revision: int
    event_id: str
    kind: str


Files: TypeAlias = Mapping[str, str]
"""SHA-256 by the path below the served root."""


@dataclass(frozen=True)
class Evidence:
    """What stands when all is calm. `statuses`: the answer of `GET /events/{id}` per event id (its `state`,
    and `revision` where there is one). `rebuilt` and `replayed` are None where the run did not make them.
    """

    filed: tuple[Filed, ...] = ()
    updated: tuple[Updated, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    letters: tuple[Letter, ...] = ()
    noticed: tuple[Noticed, ...] = ()
    revised: tuple[Revised, ...] = ()
    statuses: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    files: Files = field(default_factory=dict)
    rebuilt: Files | None = None
    replayed: Files | None = None
    revised_after_replay: tuple[Revised, ...] | None = None
    tokens_in_files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Per token the files (decompressed where they are compressed) in which it stands at rest."""
    unreadable: tuple[Unreadable, ...] = ()
    stale_siblings: tuple[str, ...] = ()
    """Compressed files that do not hold the bytes of the file beside them, or have none beside them."""


@dataclass(frozen=True)
class Violation:
    """Something that must not be. `check` is its number (1 to 7, as docs/faults.md tells them), `what` says
    what, where and when, with the entries that show it.
    """

    check: int
    what: str
    kind: str = ""
    """Which of a check's signs, where the table tells them apart: of the fourth torn, older or leaked."""
