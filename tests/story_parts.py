"""One article's story for the tests of the fold: event after event, with due times and live entries."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from newsroom.articles import ArticleText
from newsroom.events import (
    Amended,
    BreakingEnded,
    Corrected,
    Due,
    Dues,
    EntryAdded,
    EntryChanged,
    Event,
    EventData,
    EventKind,
    Published,
    Released,
    Updated,
)
from newsroom.outcomes import Rejection
from services.store.articles import Article, DueEvent, Entry, due_events
from services.store.effects import entry_after
from services.store.filing import apply
from tests.store_parts import a_post, a_text, an_event, an_event_id, data_of, minute, position

SENT = (EventKind.PUBLISHED, EventKind.UPDATED, EventKind.CORRECTED, EventKind.AMENDED)
"""The kinds that send a text to the public, and may say due times."""


def with_dues(kind: EventKind, text: ArticleText, dues: Dues, *, create: bool = False) -> EventData:
    """What an event that sends a text carries."""
    match kind:
        case EventKind.PUBLISHED:
            return Published(article=text, dues=dues, create=create)
        case EventKind.UPDATED:
            return Updated(note="New facts.", article=text, dues=dues)
        case EventKind.CORRECTED:
            return Corrected(kind="correction", note="It was 3, not 4.", article=text, dues=dues)
        case _:
            return Amended(article=text, dues=dues)


def due_data(each: DueEvent) -> EventData:
    """What the scheduler writes when that falls due."""
    model = Released if each.kind is EventKind.RELEASED else BreakingEnded
    return model(set_by=each.due.set_by, due_at=each.due.at)


class Story:
    """An article and its entries as they stand; each event comes a minute after the one before."""

    def __init__(self) -> None:
        self.standing: Article | None = None
        self.entries: dict[str, Entry] = {}
        self.events: list[Event] = []
        self.minutes = -1

    @property
    def article(self) -> Article:
        assert self.standing is not None
        return self.standing

    def send(
        self, kind: str, text: ArticleText | None = None, *, at: int | None = None, **times: Any
    ) -> Article:
        """An event of that kind that has an effect.

        `times` are due times in minutes, None to lift. A first event makes the article.
        """
        return _made(self.attempt(kind, text, at=at, **times))

    def attempt(
        self, kind: str, text: ArticleText | None = None, *, at: int | None = None, **times: Any
    ) -> Article | Rejection:
        """As `send`, whatever comes of it."""
        chosen, text = EventKind(kind), text or a_text(f"Headline {len(self.events) + 1}")
        if chosen not in SENT:
            return self.take(chosen, data_of(chosen, text, create=self.standing is None), at=at)
        data = with_dues(chosen, text, _dues(times), create=self.standing is None)
        return self.take(chosen, data, at=at)

    def post(self, entry_id: str = "e1", *, at: int | None = None, **fields: Any) -> Entry:
        """A new entry that has an effect."""
        _made(self.attempt_post(entry_id, at=at, **fields))
        return self.entries[entry_id]

    def attempt_post(self, entry_id: str, *, at: int | None = None, **fields: Any) -> Article | Rejection:
        data = EntryAdded(entry_id=entry_id, entry=a_post(**fields))
        return self.take(EventKind.ENTRY_ADDED, data, at=at)

    def change(self, entry_id: str = "e1", *, if_match: int | None = None, **fields: Any) -> Entry:
        """An entry as it reads now; it has an effect."""
        _made(self.attempt_change(entry_id, if_match=if_match, **fields))
        return self.entries[entry_id]

    def attempt_change(
        self, entry_id: str, *, if_match: int | None = None, **fields: Any
    ) -> Article | Rejection:
        data = EntryChanged(entry_id=entry_id, entry=a_post(**fields))
        return self.take(EventKind.ENTRY_CHANGED, data, if_match=if_match)

    def fall_due(self) -> Article:
        """What falls due first does, at its time."""
        each = due_events(self.article)[0]
        return _made(self.take(each.kind, due_data(each), time=each.due.at))

    def take(
        self,
        kind: EventKind,
        data: EventData,
        *,
        at: int | None = None,
        time: datetime | None = None,
        if_match: int | None = None,
    ) -> Article | Rejection:
        """Fold one more event, of that minute or that time."""
        self.minutes = self.minutes + 1 if at is None else at
        event = an_event(
            kind,
            data=data,
            at=time or minute(self.minutes),
            event_id=an_event_id(len(self.events)),
            if_match=if_match,
        )
        self.events.append(event)
        return self.fold(event)

    def fold(self, event: Event) -> Article | Rejection:
        """What comes of the event. A rejection leaves all as it stands."""
        data, former = event.data, self.standing
        entry = self.entries.get(data.entry_id) if isinstance(data, EntryAdded | EntryChanged) else None
        result = apply(former, event, position(len(self.events)), entry)
        if isinstance(result, Article):
            self.standing = result
            if former is not None and isinstance(data, EntryAdded | EntryChanged):
                self.entries[data.entry_id] = entry_after(former.live, result, event, entry)
        return result


def _dues(times: dict[str, int | None]) -> Dues:
    return Dues(**{name: Due(at=None if at is None else minute(at)) for name, at in times.items()})


def _made(result: Article | Rejection) -> Article:
    assert isinstance(result, Article), result
    return result
