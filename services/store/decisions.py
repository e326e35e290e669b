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
from newsroom.updates import Change, ChangeKind
from services.store.articles import Article, Entry, Live
from services.store.effects import history_after, with_entries


class Decision(Contract):
    """One event's end.

    Of a stored one: the revision it made and when (`revised_at`), which fields of the text it changed, what
    it adds to the public history (`added`), whether it changed what the public sees (`renders`) and where
    that stands (`path`), and the article after it, without that history. An entry event keeps the entry and
    what its article counts (`live`) instead, so that it costs the same in an article of any length. `note` is
    kept as the editor wrote it, private ones too; `corrects` is a correction's own kind. `times`: named
    steps.
    """

    event_id: str
    article_id: str
    state: EventState
    partition: int
    offset: int
    kind: EventKind | None = None
    note: str | None = None
    corrects: ChangeKind | None = None
    actor: str = ""
    trace: str | None = None
    request_hash: str = ""
    revision: int | None = None
    revised_at: Moment | None = None
    changed: tuple[str, ...] = ()
    added: tuple[Change, ...] = ()
    renders: bool = False
    path: str | None = None
    article: Article | None = None
    entry: Entry | None = None
    live: Live | None = None
    rejection: Rejection | None = None
    reason: str | None = None
    times: dict[str, Moment] = Field(default_factory=dict)


@dataclass(frozen=True)
class Loaded:
    """What stands of a batch's articles and events.

    `articles` are as their newest revision has them, with the history. `heads` is the revision of each
    article's head as it stands, which is behind where a process died between the two writes. `decided` are
    the events that are stored or rejected; `parked` those that were dead-lettered, which a mended record of
    the same id may still change. `entries` are those that were asked for, by key; `late` those that came
    after the heads, and so may not stand in their own place yet.
    """

    articles: Mapping[str, Article]
    heads: Mapping[str, int]
    decided: Mapping[str, Decision]
    parked: frozenset[str] = field(default=frozenset())
    entries: Mapping[str, Entry] = field(default_factory=dict)
    late: tuple[Entry, ...] = ()


def together(one: Loaded, other: Loaded) -> Loaded:
    """What stands of the articles and events of both, none of which is in both."""
    return Loaded(
        articles={**one.articles, **other.articles},
        heads={**one.heads, **other.heads},
        decided={**one.decided, **other.decided},
        parked=one.parked | other.parked,
        entries={**one.entries, **other.entries},
        late=(*one.late, *other.late),
    )


def article_after(former: Article | None, decision: Decision) -> Article:
    """The article after one more of its revisions, with the history.

    Raises: ValueError when the decision made none (a bug of the caller).
    """
    if decision.article is not None:
        before = former.changes if former else ()
        history = history_after(before, decision.article.status, decision.added)
        return decision.article.model_copy(update={"changes": history})
    if former is None or decision.live is None or decision.revision is None or decision.revised_at is None:
        raise ValueError(f"decision {decision.event_id} made a revision without an article")
    moved = former.model_copy(
        update={
            "revision": decision.revision,
            "time": decision.revised_at,
            "partition": decision.partition,
            "offset": decision.offset,
        }
    )
    return with_entries(moved, decision.live)


class Overtaken(Exception):
    """Another owner of the partition was faster: load and fold again."""


class Revisions(Protocol):
    """The decisions, which are the truth, and what is derived from them: entries, then heads.

    A head at a revision means that the entries up to that revision stand. Every call may raise `Away`.
    """

    async def load(
        self, article_ids: Collection[str], event_ids: Collection[str], entry_keys: Collection[str] = ()
    ) -> Loaded:
        """What stands of these articles and events, and of these entries of the articles."""
        ...

    async def write(self, decisions: Sequence[Decision], *, instead: Collection[str] = ()) -> None:
        """Insert decisions in the order given; those in `instead` take the place of a dead letter's.

        All before the first that cannot be inserted stand. Raises: Overtaken where an event is decided
        already, or an article has a revision of that number or an entry such a version.
        """
        ...

    async def replace_entries(self, entries: Sequence[Entry]) -> None:
        """Put each entry in its place, unless one of this revision or a later one is there."""
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

    async def head_revisions(self, article_ids: Collection[str]) -> dict[str, int]:
        """The revision of the head of each of these articles; unknown ones are left out."""
        ...

    async def entries_from(self, article_ids: Sequence[str], after: int, most: int) -> list[Entry]:
        """Up to `most` entries of these articles, by article and number, where the ids are in order; of the
        first article only those with a number above that one.
        """
        ...

    async def newest_offsets(self) -> dict[int, int]:
        """The highest log position among the heads, of each partition that has any."""
        ...
