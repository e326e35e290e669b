"""From `newsroom.events` to the database, `newsroom.updates` and `newsroom.outcomes`, batch by batch.

Load what is not remembered, fold in log order, write decisions, then entries, then heads, then tell. Whatever
dies in between is done again from the log and comes to the same end, because every event that was decided is
known by its id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from newsroom.envelope import unwrap
from newsroom.errors import Away, BadRecord
from newsroom.events import EntryAdded, EntryChanged, Event
from newsroom.ids import ARTICLE_ID, is_event_id
from newsroom.kafka.consumer import Delivery
from newsroom.kafka.producer import Publisher
from newsroom.outcomes import EventState
from newsroom.records import Message, Position, Record, TopicPartition
from newsroom.steps import reached
from newsroom.telemetry import metrics, trace_id
from newsroom.times import now, to_moment
from services.store.again import announce_entries
from services.store.announcing import announcements, entry_announcement, outcome, turns_entries
from services.store.articles import Article, Entry, entry_key, has_page, is_in
from services.store.decisions import Decision, Loaded, Overtaken, Revisions
from services.store.effects import changed_fields, changes_of, entry_after, shows
from services.store.filing import apply
from services.store.recent import Recent
from services.store.replay import Replay

log = structlog.get_logger(__name__)
Batch = Sequence[Delivery[Event]]
Heard = Callable[[Iterable[Article]], None]
_RACES = 10
_MOST_TRACES = 100


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


class Filer:
    """Files events; the handler of the store's loop. Idempotent, as the loop asks.

    `heard` is told of each article once its newest state stands in the database.
    """

    def __init__(
        self, revisions: Revisions, publisher: Publisher, replay: Replay, heard: Heard = lambda _: None
    ) -> None:
        self._revisions = revisions
        self._publisher = publisher
        self._replay = replay
        self._heard = heard
        self._recent = Recent()

    async def begin(self, partitions: Sequence[TopicPartition]) -> None:  # noqa: ARG002
        """A new assignment: another owner may have filed what came since."""
        self._recent.forget()

    async def handle(self, batch: Batch) -> None:
        """File a batch and tell about it. What stands before a partition's horizon is filed and not told."""
        taken = now()
        reached("store.batch_taken")
        old = [delivery for delivery in batch if self._replay.is_old(delivery.record)]
        if old:
            await self._file(old, taken)
            await self._replay.folded([delivery.record for delivery in old])
        live = [delivery for delivery in batch if not self._replay.is_old(delivery.record)]
        if live:
            await self._replay.cross({delivery.record.partition for delivery in live})
            await self._tell(await self._file(live, taken), batch)

    async def park(self, record: Record, reason: str) -> None:
        """Keep and tell the end of a record that cannot be processed, if it can be told which event it is."""
        decision = _parked(record, reason)
        if decision is not None:
            standing = await self._revisions.park(decision)
            if not self._replay.is_old(record):
                await self._publisher.publish(outcome(standing))
            metrics.events_decided.labels(state=standing.state.value).inc()
        await self._replay.parked(record)

    async def _file(self, batch: Batch, taken: datetime) -> Folded:
        """Fold and write, again from what the database has when it has more than was thought."""
        guess = self._guess(batch, taken)
        for _ in range(_RACES):
            loaded, folded = guess or await self._read(batch, taken)
            guess = None
            try:
                await self._write(loaded, folded)
            except Overtaken:
                self._recent.forget()
                log.info("filing_overtaken", events=len(batch))
                continue
            self._recent.remember(folded.articles.values())
            self._heard(folded.articles.values())
            return folded
        raise Away("mongodb", "other owners of the partition write the same articles")

    def _guess(self, batch: Batch, taken: datetime) -> tuple[Loaded, Folded] | None:
        """What the batch comes to by what is remembered; None where that has to be read.

        A rejection writes no revision that could collide, so none is ever decided on a guess.
        """
        loaded = self._recent.guess(batch)
        if loaded is None:
            return None
        folded = fold(loaded, batch, taken)
        is_plain = all(decision.state is EventState.STORED for decision in folded.fresh.values())
        return (loaded, folded) if is_plain else None

    async def _read(self, batch: Batch, taken: datetime) -> tuple[Loaded, Folded]:
        """What the batch comes to by what the database has."""
        loaded = await self._load(batch)
        return loaded, fold(loaded, batch, taken)

    async def _load(self, batch: Batch) -> Loaded:
        article_ids = {delivery.item.article_id for delivery in batch}
        event_ids = {delivery.item.id for delivery in batch}
        with metrics.step_seconds.labels(step="store.load").time():
            return await self._revisions.load(article_ids, event_ids, named_entries(batch))

    async def _write(self, loaded: Loaded, folded: Folded) -> None:
        if folded.fresh:
            stored = now()
            folded.fresh = {event_id: _stamped(d, stored) for event_id, d in folded.fresh.items()}
            with metrics.step_seconds.labels(step="store.write_decisions").time():
                await self._revisions.write(list(folded.fresh.values()), instead=loaded.parked)
        reached("store.revisions_written")
        await self._write_entries(loaded, folded)
        behind = [
            article
            for article in folded.articles.values()
            if article.revision > loaded.heads.get(article.id, 0)
        ]
        with metrics.step_seconds.labels(step="store.write_heads").time():
            await self._revisions.replace_heads(behind)
        reached("store.heads_written")

    async def _write_entries(self, loaded: Loaded, folded: Folded) -> None:
        """Before the heads: one of these at a revision means that its entries are complete."""
        posted = [d.entry for d in folded.fresh.values() if d.entry is not None]
        newest = {entry.key: entry for entry in (*loaded.late, *posted)}
        if newest:
            with metrics.step_seconds.labels(step="store.write_entries").time():
                await self._revisions.replace_entries(list(newest.values()))
            reached("store.entries_written")

    async def _tell(self, folded: Folded, batch: Batch) -> None:
        """Produce updates and outcomes at once and wait until the log has acknowledged all of them."""
        for delivery in folded.lost:
            log.warning("event_lost", event_id=delivery.item.id, offset=delivery.record.offset)
        decisions = {**folded.known, **folded.fresh}
        touched = {d.article_id for d in decisions.values() if d.state is EventState.STORED}
        touched |= {delivery.item.article_id for delivery in folded.lost}
        articles = [article for article in folded.articles.values() if article.id in touched]
        with metrics.step_seconds.labels(step="store.tell").time():
            await asyncio.gather(
                self._announce(articles, folded, decisions.values()), self._report(decisions.values())
            )
        _count(folded, len(articles))
        _log(folded, batch)

    async def _announce(
        self, articles: Sequence[Article], folded: Folded, decisions: Iterable[Decision]
    ) -> None:
        """Entries before their articles: whoever has read an article's update has what it counts."""
        behind = list(decisions)
        whole = {decision.article_id for decision in behind if turns_entries(decision)}
        whole |= {delivery.item.article_id for delivery in folded.lost}
        for article in articles:
            if article.id in whole:
                await announce_entries(self._revisions, self._publisher, article)
        single = _posted(folded, [decision for decision in behind if decision.article_id not in whole])
        await self._publisher.publish_all([*single, *announcements(articles, behind)])
        reached("store.updates_announced")

    async def _report(self, decisions: Iterable[Decision]) -> None:
        await self._publisher.publish_all([outcome(decision) for decision in decisions])
        reached("store.outcomes_published")


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


def _posted(folded: Folded, decisions: Iterable[Decision]) -> list[Message]:
    """The record of each entry that these added or changed, as it stands, with the trace of the newest."""
    traces = {
        decision.entry.key: decision.trace
        for decision in decisions
        if decision.state is EventState.STORED and decision.entry is not None
    }
    return [
        entry_announcement(folded.articles[entry.article_id], entry, trace=trace)
        for key, trace in traces.items()
        if (entry := folded.entries.get(key)) is not None
    ]


def _stamped(decision: Decision, stored: datetime) -> Decision:
    name = "stored" if decision.state is EventState.STORED else "rejected"
    return decision.model_copy(update={"times": {**decision.times, name: stored}})


def _parked(record: Record, reason: str) -> Decision | None:
    """The decision for a dead letter; None where the record does not name an event of ours."""
    event_id = record.header("ce_id") or ""
    subject = record.header("ce_subject") or ""
    if not is_event_id(event_id):
        return None
    times = {"dead_lettered": now()}
    try:
        times["accepted"] = unwrap(record).time
    except BadRecord:
        log.debug("dead_letter_without_time", event_id=event_id)
    return Decision(
        event_id=event_id,
        article_id=subject if ARTICLE_ID.fullmatch(subject) else "",
        state=EventState.DEAD_LETTERED,
        partition=record.partition,
        offset=record.offset,
        trace=record.header("traceparent"),
        request_hash=record.header("ce_requesthash") or "",
        reason=reason,
        times=times,
    )


def _count(folded: Folded, announced: int) -> None:
    for decision in folded.fresh.values():
        metrics.events_decided.labels(state=decision.state.value).inc()
    metrics.announcements.labels(again="no").inc(announced)


def _log(folded: Folded, batch: Batch) -> None:
    rejected = sum(1 for decision in folded.fresh.values() if decision.state is EventState.REJECTED)
    log.info(
        "batch_filed",
        events=len(batch),
        stored=len(folded.fresh) - rejected,
        rejected=rejected,
        known=len(folded.known),
        traces=[trace_id(delivery.item.trace) for delivery in batch[:_MOST_TRACES] if delivery.item.trace],
    )
