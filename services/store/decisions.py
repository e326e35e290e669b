"""What was decided of each event, and what a database of them must be able to do.

A decision is one event's end: stored (it made a revision), rejected or dead-lettered. They are kept together,
so that the database itself sees to it that an event ends once and that an article has one revision of each
number.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import Field

from newsroom.articles import Contract
from newsroom.events import EventKind
from newsroom.outcomes import EventState, Rejection
from newsroom.times import Moment
from newsroom.updates import Change
from services.store.articles import Article


class Decision(Contract):
    """One event's end.

    Of a stored one: the revision it made and when (`revised_at`), which fields of the text it changed, what
    it adds to the public history (`change`) and the article after it, without that history. `note` is kept as
    the editor wrote it, private ones too. `times`: named steps.
    """

    event_id: str
    article_id: str
    state: EventState
    partition: int
    offset: int
    kind: EventKind | None = None
    note: str | None = None
    actor: str = ""
    trace: str | None = None
    request_hash: str = ""
    revision: int | None = None
    revised_at: Moment | None = None
    changed: tuple[str, ...] = ()
    change: Change | None = None
    article: Article | None = None
    rejection: Rejection | None = None
    reason: str | None = None
    times: dict[str, Moment] = Field(default_factory=dict)


@dataclass(frozen=True)
class Loaded:
    """What stands of a batch's articles and events.

    `articles` are as their newest revision has them, with the history. `heads` is the revision of each
    article's head as it stands, which is behind where a process died between the two writes. `decided` are
    the events that are stored or rejected; `parked` those that were dead-lettered, which a mended record of
    the same id may still change.
    """

    articles: Mapping[str, Article]
    heads: Mapping[str, int]
    decided: Mapping[str, Decision]
    parked: frozenset[str] = field(default=frozenset())


class Overtaken(Exception):
    """Another owner of the partition was faster: load and fold again."""


class Revisions(Protocol):
    """The decisions, which are the truth, and the heads derived from them. Every call may raise `Away`."""

    async def load(self, article_ids: Collection[str], event_ids: Collection[str]) -> Loaded:
        """What stands of these articles and events."""
        ...

    async def write(self, decisions: Sequence[Decision], *, instead: Collection[str] = ()) -> None:
        """Insert decisions in the order given; those in `instead` take the place of a dead letter's.

        All before the first that cannot be inserted stand. Raises: Overtaken where an event is decided
        already or an article has a revision of that number.
        """
        ...

    async def replace_heads(self, articles: Sequence[Article]) -> None:
        """Put each article where its head is, unless that is at this revision or a later one."""
        ...

    async def park(self, decision: Decision) -> Decision:
        """Keep a dead letter's decision unless the event has one; the decision that stands."""
        ...

    async def count(self) -> int:
        """How many articles there are, about."""
        ...

    async def heads(self, article_ids: Collection[str]) -> list[Article]:
        """The heads of these articles, by id; unknown ones are left out."""
        ...

    async def heads_from(
        self, after: str, most: int, *, partition: int | None = None, before: int | None = None
    ) -> list[Article]:
        """Up to `most` heads whose id comes after that one, by id.

        Only those of a partition, and with a log position before that offset, where asked for.
        """
        ...

    async def newest_offsets(self) -> dict[int, int]:
        """The highest log position among the heads, of each partition that has any."""
        ...
