"""From `newsroom.events` to the database, `newsroom.updates` and `newsroom.outcomes`, batch by batch.

Load what is not remembered, fold in log order, write decisions, then entries, then heads, then tell. Whatever
dies in between is done again from the log and comes to the same end, because every event that was decided is
known by its id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import structlog

from newsroom.envelope import unwrap
from newsroom.errors import Away, BadRecord
from newsroom.ids import ARTICLE_ID, is_event_id
from newsroom.kafka.producer import Publisher
from newsroom.outcomes import EventState
from newsroom.records import Message, Record, TopicPartition
from newsroom.steps import reached
from newsroom.telemetry import metrics, trace_id
from newsroom.times import now
from services.store.again import announce_entries
from services.store.announcing import announcements, entry_announcement, outcome, turns_entries
from services.store.articles import Article
from services.store.decisions import Decision, Loaded, Overtaken, Revisions, together
from services.store.folding import Batch, Folded, fold, named_entries
from services.store.recent import Guess, Recent
from services.store.replay import Replay

log = structlog.get_logger(__name__)
Heard = Callable[[Iterable[Article]], None]
_RACES = 10
_MOST_TRACES = 100


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
        guess: Guess | None = self._recent.guess(batch)
        for _ in range(_RACES):
            loaded, folded = await self._fold(batch, taken, guess)
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

    async def _fold(self, batch: Batch, taken: datetime, guess: Guess | None) -> tuple[Loaded, Folded]:
        """What the batch comes to by what is remembered and, of all else, by what the database has.

        A rejection writes no revision that could collide, so none is ever decided on a guess.
        """
        if guess is not None:
            unknown = [delivery for delivery in batch if delivery.item.article_id in guess.unknown]
            loaded = together(guess.loaded, await self._load(unknown)) if unknown else guess.loaded
            folded = fold(loaded, batch, taken)
            if all(
                decision.state is EventState.STORED or decision.article_id in guess.unknown
                for decision in folded.fresh.values()
            ):
                return loaded, folded
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
        turned = [article for article in articles if article.id in whole]
        await announce_entries(self._revisions, self._publisher, turned)
        single = _posted(folded, [decision for decision in behind if decision.article_id not in whole])
        await self._publisher.publish_all([*single, *announcements(articles, behind)])
        reached("store.updates_announced")

    async def _report(self, decisions: Iterable[Decision]) -> None:
        await self._publisher.publish_all([outcome(decision) for decision in decisions])
        reached("store.outcomes_published")


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
