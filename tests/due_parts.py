"""What the tests of due events are built from: due times, the database in memory, a clock to move."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from newsroom.events import (
    Drafted,
    Due,
    Dues,
    Event,
    EventData,
    EventKind,
    Published,
    Updated,
    Withdrawn,
)
from services.store.agenda import Waiting, waiting_of
from services.store.decisions import Decision
from tests.store_parts import FakeRevisions, a_text, an_event


def dues(**times: datetime | None) -> Dues:
    """Due times by field: a time moves it, None lifts it, what is not named stays."""
    return Dues(**{name: Due(at=at) for name, at in times.items()})


def sent(
    kind: str, article_id: str = "a", *, at: datetime, create: bool = False, text: Any = None, **times: Any
) -> Event:
    """An event of this kind with due times, as `dues` takes them."""
    text = text or a_text(f"{article_id} {kind}")
    makers: dict[str, Callable[[], EventData]] = {
        "published": lambda: Published(article=text, dues=dues(**times), create=create),
        "updated": lambda: Updated(note="New facts.", article=text, dues=dues(**times)),
        "drafted": lambda: Drafted(article=text, create=create),
        "withdrawn": lambda: Withdrawn(note="The lawyers asked."),
    }
    return an_event(EventKind(kind), article_id, data=makers[kind](), at=at)


class FakeDueWork:
    """Answers from a `FakeRevisions`; see `services.store.agenda.DueWork`.

    `while_reading` runs once a question was answered and before the answer arrives.
    """

    def __init__(self, revisions: FakeRevisions) -> None:
        self._revisions = revisions
        self.while_reading: Callable[[], Any] | None = None

    async def due(self, partitions: Collection[int], until: datetime, most: int) -> list[Waiting]:
        self._revisions.check()
        owned = [head for head in self._revisions.standing.values() if head.partition in partitions]
        due = [waiting for head in owned if (waiting := waiting_of(head, until)).dues]
        answer = sorted(due, key=lambda waiting: waiting.dues[0].due.at)[:most]
        if self.while_reading is not None:
            await self.while_reading()
        return answer

    async def decision(self, event_id: str) -> Decision | None:
        self._revisions.check()
        return self._revisions.decisions.get(event_id)


class SteppingClock:
    """A wall clock that a test moves. No step of it moves its timer, only the time that goes by."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.seconds = 0.0

    def __call__(self) -> datetime:
        return self.at

    def timer(self) -> float:
        return self.seconds

    def pass_(self, seconds: float) -> None:
        """So much time goes by."""
        self.at += timedelta(seconds=seconds)
        self.seconds += seconds

    def step(self, by: timedelta) -> None:
        """Somebody sets the clock."""
        self.at += by
