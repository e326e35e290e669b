"""What a batch of events comes to: `services.store.filing` over its events, and the decision of each. Pure.

Between what was loaded and what is written and told (`services.store.consumer`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from newsroom.events import Corrected, EntryAdded, EntryChanged, Event
from newsroom.kafka.consumer import Delivery
from newsroom.outcomes import EventState
from newsroom.records import Position
from newsroom.times import to_moment
from newsroom.updates import ChangeKind
from services.store.articles import Article, Entry, entry_key, has_page, is_in
from services.store.decisions import Decision, Loaded
from services.store.effects import changed_fields, changes_of, entry_after, shows
from services.store.filing import apply

Batch = Sequence[Delivery[Event]]


@dataclass
class Folded:
    """What a batch came to.

    `articles` are in their newest state, and so are `entries` (by key), as far as the batch names them.
    `fresh` was decided now, `known` had been before, each by event id in log order. `lost` are events that
    the log position says are in their article, but that no decision names.
    """

    articles: dict[str, Article]
    entries: dict[str, Entry] = field(default_factory=dict)
    fresh: dict[str, Decision] = field(default_factory=dict)
    known: dict[str, Decision] = field(default_factory=dict)
    lost: list[Delivery[Event]] = field(default_factory=list)


def named_entries(batch: Batch) -> set[str]:
    """The keys of the entries that a batch adds or changes."""
    return {key for delivery in batch if (key := _entry_key(delivery.item)) is not None}


def _entry_key(event: Event) -> str | None:
    if isinstance(event.data, EntryAdded | EntryChanged):
        return entry_key(event.article_id, event.data.entry_id)
    return None


def fold(loaded: Loaded, batch: Batch, taken: datetime) -> Folded:
    """Fold a batch, in log order, on what stands. Pure."""
    folded = Folded(articles=dict(loaded.articles), entries=dict(loaded.entries))
    for delivery in batch:
        event, record = delivery.item, delivery.record
        if event.id in folded.fresh or event.id in folded.known:
            continue
        if event.id in loaded.decided:
            folded.known[event.id] = loaded.decided[event.id]
            continue
        article = folded.articles.get(event.article_id)
        if article is not None and is_in(article, record):
            folded.lost.append(delivery)
            continue
        position = Position(record.topic, record.partition, record.offset)
        entry = folded.entries.get(_entry_key(event) or "")
        result = apply(article, event, position, entry)
        decision = _decision(event, position, taken)
        if isinstance(result, Article):
            decision = decision.model_copy(update=_made(event, article, result, entry))
            folded.articles[result.id] = result
            if decision.entry is not None:
                folded.entries[decision.entry.key] = decision.entry
        else:
            decision = decision.model_copy(update={"rejection": result})
        folded.fresh[event.id] = decision
    return folded


def _decision(event: Event, at: Position, taken: datetime) -> Decision:
    """The end of an event, as far as it is the same whichever it comes to."""
    return Decision(
        event_id=event.id,
        article_id=event.article_id,
        state=EventState.REJECTED,
        partition=at.partition,
        offset=at.offset,
        kind=event.kind,
        note=getattr(event.data, "note", None),
        corrects=ChangeKind(event.data.kind) if isinstance(event.data, Corrected) else None,
        actor=event.actor,
        trace=event.trace,
        request_hash=event.request_hash,
        times={"accepted": to_moment(event.time), "taken": taken},
    )


def _made(event: Event, former: Article | None, result: Article, entry: Entry | None) -> dict[str, object]:
    """What the decision says of the revision that the event made; `entry` as it stood before."""
    renders = shows(former, result)
    said: dict[str, object] = {
        "state": EventState.STORED,
        "revision": result.revision,
        "revised_at": result.time,
        "renders": renders,
        "path": result.path if renders and has_page(result) else None,
    }
    if former is not None and _entry_key(event) is not None:
        return {**said, "entry": entry_after(former.live, result, event, entry), "live": result.live}
    return {
        **said,
        "changed": changed_fields(former, result, event.kind),
        "added": changes_of(former, result),
        "article": result.model_copy(update={"changes": ()}),
    }
