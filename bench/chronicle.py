"""What editors did over months, as events: of every kind, as often as in `traffic`, several an article.

Nothing is posted: the door's own table of calls makes the events of the requests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.bulk import moment
from bench.traffic import Act, Traffic
from newsroom.events import Event, EventData, EventKind
from newsroom.ids import derive_event_id
from services.ingest.calls import CHANGES, added, created
from services.ingest.requests import NewArticle, NewEntry

_BY_NAME = {call.name: call for call in CHANGES}


@dataclass
class Chronicle:
    """Goes on where it stopped. `told`: how many events there were of each kind.

    `standing`: the articles that have a page once all of them are told.
    """

    traffic: Traffic = field(default_factory=lambda: Traffic("told"))
    told: Counter[str] = field(default_factory=Counter)
    standing: set[str] = field(default_factory=set)

    def events(self, count: int) -> Iterator[Event]:
        """The next ones."""
        for _ in range(count):
            act = self.traffic.next()
            event = event_of(act, self.told.total())
            self.traffic.rendered(act.kind, event.article_id)
            self.told[act.kind] += 1
            if act.kind == "withdrawn":
                self.standing.discard(event.article_id)
            elif act.kind != "drafted":
                self.standing.add(event.article_id)
            yield event


def event_of(act: Act, number: int) -> Event:
    """The event that the door makes of a request. Its id is made of its number, its time as well."""
    kind, article_id, data = _read(act)
    return Event(
        id=derive_event_id("bench", article_id, str(number)),
        kind=kind,
        article_id=article_id,
        time=moment(number),
        data=data,
        actor="bench",
        request_hash="0" * 64,
    )


def _read(act: Act) -> tuple[EventKind, str, EventData]:
    if act.path == "/articles":
        article = NewArticle.model_validate(act.body)
        kind, data = created(article)
        return kind, str(article.id), data
    _, _, article_id, name = act.path.split("/")
    if name == "entries":
        entry = NewEntry.model_validate(act.body)
        return EventKind.ENTRY_ADDED, article_id, added(entry, str(entry.id))
    call = _BY_NAME[name]
    return call.kind, article_id, call.data(call.body.model_validate(act.body))
