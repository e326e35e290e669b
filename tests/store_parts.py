"""What the store's tests are built from: events as editors send them, and the store's database in memory."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from newsroom.addresses import slugify
from newsroom.articles import ArticleText, Dateline, EntryText
from newsroom.errors import Away
from newsroom.events import (
    Amended,
    BreakingEnded,
    Corrected,
    Drafted,
    EntryAdded,
    EntryChanged,
    Event,
    EventData,
    EventKind,
    Published,
    Released,
    Retracted,
    Updated,
    Withdrawn,
    decode_event,
    event_message,
)
from newsroom.kafka.consumer import Consumer, Delivery, LoopSettings
from newsroom.kafka.fake import FakeLog, FakePublisher, FakeSource
from newsroom.outcomes import EventOutcome, EventState, Rendering, decode_outcome
from newsroom.records import Position, Record
from newsroom.topics import EVENTS, OUTCOMES, UPDATES
from newsroom.updates import Announcement, EntryAnnouncement, Status, decode_update
from services.store.articles import Article, Entry, entry_key, release_due, waits_for
from services.store.consumer import Filer
from services.store.decisions import Decision, Loaded, Overtaken, Revisions, article_after
from services.store.filing import apply
from services.store.folding import Folded, fold, named_entries
from services.store.identity import Identity, new_identity
from services.store.reading import Mark, WaitingFor, Wanted
from services.store.replay import Replay
from services.store.republications import Republication

BEGINNING = datetime(2023, 6, 20, 4, 0, tzinfo=UTC)
SITE_URL = "http://site.test"
QUICK = LoopSettings(
    poll_seconds=0.05,
    commit_interval_seconds=0.02,
    retry_first_seconds=0.005,
    retry_most_seconds=0.02,
    revoke_seconds=30.0,
    stop_seconds=30.0,
)


def minute(number: int) -> datetime:
    """A moment so many minutes after the beginning."""
    return BEGINNING + timedelta(minutes=number)


def a_text(headline: str = "Bank siege in Astana", **changes: Any) -> ArticleText:
    """An article's text as an editor writes it."""
    fields: dict[str, Any] = {
        "body": f"<p>{headline}, first. Then a second sentence. And a third one, longer than the others.</p>",
        "section": "Kazakhstan",
        "dateline": Dateline(place="Astana, Kazakhstan", timezone="Asia/Almaty"),
    }
    return ArticleText(headline=headline, **(fields | changes))


def a_post(headline: str = "Shots heard", **changes: Any) -> EntryText:
    """An entry's text as an editor writes it."""
    fields: dict[str, Any] = {"headline": headline, "body": f"<p>{headline}, says our reporter.</p>"}
    return EntryText(**(fields | changes))


def an_event_id(name: object) -> str:
    """An event id of our form, the same for the same name."""
    digest = hashlib.sha256(str(name).encode()).digest()
    return "evt_" + base64.b32encode(digest).decode().lower()[:26]


def data_of(kind: EventKind, text: ArticleText | None = None, *, create: bool = False) -> EventData:
    """What an event of this kind carries."""
    text = text or a_text()
    makers: dict[EventKind, Callable[[], EventData]] = {
        EventKind.PUBLISHED: lambda: Published(article=text, create=create),
        EventKind.DRAFTED: lambda: Drafted(article=text, create=create),
        EventKind.UPDATED: lambda: Updated(note="New facts.", article=text),
        EventKind.CORRECTED: lambda: Corrected(kind="correction", note="It was 3, not 4.", article=text),
        EventKind.AMENDED: lambda: Amended(article=text),
        EventKind.RETRACTED: lambda: Retracted(note="It never happened."),
        EventKind.WITHDRAWN: lambda: Withdrawn(note="The lawyers asked."),
        EventKind.ENTRY_ADDED: lambda: EntryAdded(entry_id="e1", entry=a_post()),
        EventKind.ENTRY_CHANGED: lambda: EntryChanged(entry_id="e1", entry=a_post("Corrected post")),
        EventKind.RELEASED: lambda: Released(set_by=1, due_at=BEGINNING),
        EventKind.BREAKING_ENDED: lambda: BreakingEnded(set_by=1, due_at=BEGINNING),
    }
    return makers[kind]()


def an_event(
    kind: EventKind | str,
    article_id: str = "a",
    *,
    text: ArticleText | None = None,
    create: bool = False,
    data: EventData | None = None,
    at: datetime = BEGINNING,
    event_id: str | None = None,
    if_match: int | None = None,
) -> Event:
    """One event. Its id follows from its kind, article and time unless one is given."""
    kind = EventKind(kind)
    return Event(
        id=event_id or an_event_id((kind, article_id, at, text.headline if text else "", if_match)),
        kind=kind,
        article_id=article_id,
        time=at,
        data=data or data_of(kind, text, create=create),
        actor="desk",
        request_hash="ab" * 32,
        expected_revision=if_match,
        trace="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )


def position(offset: int, partition: int = 0) -> Position:
    return Position(EVENTS, partition, offset)


def an_article(*kinds: EventKind | str, article_id: str = "a", first_offset: int = 0) -> Article:
    """The article after these events, a minute apart, the first of which begins it.

    All must have an effect.
    """
    article: Article | None = None
    for place, kind in enumerate(kinds):
        event = an_event(
            kind, article_id, text=a_text(f"Headline {place + 1}"), create=place == 0, at=minute(place)
        )
        result = apply(article, event, position(first_offset + place))
        assert isinstance(result, Article), result
        article = result
    assert article is not None
    return article


def a_record(event: Event, offset: int, partition: int = 0) -> Record:
    """The event as it stands on the log."""
    message = event_message(event)
    return Record(EVENTS, partition, offset, message.key, message.value, tuple(message.headers), 0)


def a_delivery(event: Event, offset: int, partition: int = 0) -> Delivery[Event]:
    return Delivery(a_record(event, offset, partition), event)


class FakeRevisions:
    """Decisions and heads in memory. Passes the contract of `services.store.decisions.Revisions`.

    `before_write` runs ahead of every write: a rival, or a process that dies there (it may raise).
    """

    def __init__(self) -> None:
        self.decisions: dict[str, Decision] = {}
        self.standing: dict[str, Article] = {}
        self.entries: dict[str, Entry] = {}
        self.is_away = False
        self.before_write: Callable[[], None] = lambda: None
        self.before_entries: Callable[[], None] = lambda: None
        self.before_heads: Callable[[], None] = lambda: None

    def check(self) -> None:
        """Raises: Away during an outage."""
        if self.is_away:
            raise Away("mongodb", "the fake database is switched off")

    async def load(
        self, article_ids: Collection[str], event_ids: Collection[str], entry_keys: Collection[str] = ()
    ) -> Loaded:
        await asyncio.sleep(0)
        self.check()
        heads = {each: self.standing[each] for each in article_ids if each in self.standing}
        articles, late = dict(heads), dict[str, Entry]()
        entries = {each: self.entries[each] for each in entry_keys if each in self.entries}
        for decision in sorted(self._stored(), key=lambda each: each.revision or 0):
            former = articles.get(decision.article_id)
            if decision.article_id not in article_ids:
                continue
            if (decision.revision or 0) > (former.revision if former else 0):
                articles[decision.article_id] = article_after(former, decision)
                if decision.entry is not None:
                    late[decision.entry.key] = decision.entry
        known = [self.decisions[each] for each in event_ids if each in self.decisions]
        return Loaded(
            articles=articles,
            heads={each: head.revision for each, head in heads.items()},
            decided={d.event_id: d for d in known if d.state is not EventState.DEAD_LETTERED},
            parked=frozenset(d.event_id for d in known if d.state is EventState.DEAD_LETTERED),
            entries={**entries, **late},
            late=tuple(late.values()),
        )

    async def write(self, decisions: Sequence[Decision], *, instead: Collection[str] = ()) -> None:
        await asyncio.sleep(0)
        self.check()
        self.before_write()
        taken = {key for each in self._stored() for key in _unique_keys(each)}
        for decision in decisions:
            standing = self.decisions.get(decision.event_id)
            is_free = standing is None or (
                decision.event_id in instead and standing.state is EventState.DEAD_LETTERED
            )
            if not is_free or taken & _unique_keys(decision):
                raise Overtaken
            self.decisions[decision.event_id] = decision
            taken |= _unique_keys(decision)

    async def replace_entries(self, entries: Sequence[Entry]) -> None:
        await asyncio.sleep(0)
        self.check()
        self.before_entries()
        for entry in entries:
            standing = self.entries.get(entry.key)
            if standing is None or standing.revision < entry.revision:
                self.entries[entry.key] = entry

    async def replace_heads(self, articles: Sequence[Article]) -> None:
        await asyncio.sleep(0)
        self.check()
        self.before_heads()
        for article in articles:
            standing = self.standing.get(article.id)
            if standing is None or standing.revision < article.revision:
                self.standing[article.id] = article

    async def park(self, decision: Decision) -> Decision:
        self.check()
        return self.decisions.setdefault(decision.event_id, decision)

    async def count(self) -> int:
        self.check()
        return len(self.standing)

    async def heads(self, article_ids: Collection[str]) -> list[Article]:
        self.check()
        return [self.standing[each] for each in sorted(set(article_ids)) if each in self.standing]

    async def heads_from(
        self, after: str, most: int, *, partition: int | None = None, before: int | None = None
    ) -> list[Article]:
        self.check()
        found = [
            head
            for article_id, head in sorted(self.standing.items())
            if article_id > after
            and (partition is None or head.partition == partition)
            and (before is None or head.offset < before)
        ]
        return found[:most]

    async def head_revisions(self, article_ids: Collection[str]) -> dict[str, int]:
        return {head.id: head.revision for head in await self.heads(article_ids)}

    async def entries_from(self, article_ids: Sequence[str], after: int, most: int) -> list[Entry]:
        self.check()
        found = [each for each in self.entries.values() if each.article_id in article_ids]
        left = [each for each in found if each.article_id != article_ids[0] or each.number > after]
        return sorted(left, key=lambda each: (each.article_id, each.number))[:most]

    async def newest_offsets(self) -> dict[int, int]:
        newest: dict[int, int] = {}
        for head in self.standing.values():
            newest[head.partition] = max(newest.get(head.partition, 0), head.offset)
        return newest

    def _stored(self) -> list[Decision]:
        return [each for each in self.decisions.values() if each.revision is not None]


def _unique_keys(decision: Decision) -> set[tuple[str, str, int]]:
    """What no other decision may have."""
    keys = set()
    if decision.revision is not None:
        keys.add((decision.article_id, "", decision.revision))
    if decision.entry is not None:
        keys.add((decision.article_id, decision.entry.id, decision.entry.version))
    return keys


async def file_batch(revisions: Revisions, batch: Sequence[Delivery[Event]]) -> Folded:
    """Load, fold and write a batch as the store does where it remembers nothing."""
    article_ids = {delivery.item.article_id for delivery in batch}
    event_ids = {delivery.item.id for delivery in batch}
    folded = fold(await revisions.load(article_ids, event_ids, named_entries(batch)), batch, minute(0))
    await file(revisions, folded)
    return folded


async def file(revisions: Revisions, folded: Folded) -> None:
    """Write what a batch came to, in the store's order."""
    await revisions.write(list(folded.fresh.values()))
    await revisions.replace_entries(list(folded.entries.values()))
    await revisions.replace_heads(list(folded.articles.values()))


class FakeReading:
    """Answers from a `FakeRevisions`; see `services.store.reading.Reading`."""

    def __init__(self, revisions: FakeRevisions) -> None:
        self._revisions = revisions
        self.renderings: dict[str, Rendering] = {}

    async def article(self, article_id: str) -> Article | None:
        return next(iter(await self._revisions.heads([article_id])), None)

    async def public(self, wanted: Wanted) -> list[Article]:
        listed = [head for head in await self._revisions.heads_from("", 10_000) if _is_listed(head, wanted)]
        return _part(listed, lambda head: head.bumped_at or head.time, wanted)

    async def drafts(self, wanted: Wanted) -> list[Article]:
        listed = [head for head in await self._revisions.heads_from("", 10_000) if head.draft_revision]
        return _part(listed, lambda head: head.time, wanted)

    async def waiting(self, what: WaitingFor, wanted: Wanted) -> list[Article]:
        heads = await self._revisions.heads_from("", 10_000)
        listed = [(_due_of(head), head) for head in heads if waits_for(head) == what]
        mark = (wanted.after.time, wanted.after.article_id) if wanted.after else None
        kept = [
            (due, head.id, head)
            for due, head in listed
            if (wanted.since is None or due >= wanted.since) and (mark is None or (due, head.id) > mark)
        ]
        return [head for *_, head in sorted(kept, key=lambda each: each[:2])][: wanted.most]

    async def entries(self, article_id: str, most: int, before: int | None = None) -> list[Entry]:
        found = await self._revisions.entries_from([article_id], 0, 10_000)
        return [each for each in reversed(found) if before is None or each.number < before][:most]

    async def entry(self, article_id: str, entry_id: str) -> Entry | None:
        self._revisions.check()
        return self._revisions.entries.get(entry_key(article_id, entry_id))

    async def history(self, article_id: str) -> list[Decision]:
        self._revisions.check()
        found = [d for d in self._revisions.decisions.values() if d.article_id == article_id and d.revision]
        ordered = sorted(found, key=lambda decision: decision.revision or 0)
        return [decision.model_copy(update=_without_texts(decision)) for decision in ordered]

    async def revision(self, article_id: str, number: int) -> Decision | None:
        self._revisions.check()
        found = self._revisions.decisions.values()
        return next((d for d in found if (d.article_id, d.revision) == (article_id, number)), None)

    async def decision(self, event_id: str) -> Decision | None:
        self._revisions.check()
        return self._revisions.decisions.get(event_id)

    async def rendering(self, article_id: str) -> Rendering | None:
        return self.renderings.get(article_id)


def _due_of(head: Article) -> datetime:
    release = release_due(head)
    assert release is not None
    return release.at


def _without_texts(decision: Decision) -> dict[str, object]:
    blank = decision.entry.model_copy(update={"text": EntryText()}) if decision.entry else None
    return {"article": None, "entry": blank}


def _is_listed(head: Article, wanted: Wanted) -> bool:
    if head.status is not Status.PUBLIC or head.public is None or head.public.text is None:
        return False
    tags = {slugify(tag) for tag in head.public.text.tags}
    return wanted.section in (None, slugify(head.public.section)) and (
        wanted.tag is None or wanted.tag in tags
    )


def _part(listed: list[Article], time_of: Callable[[Article], datetime], wanted: Wanted) -> list[Article]:
    def behind(head: Article, mark: Mark) -> bool:
        return time_of(head) < mark.time or (time_of(head) == mark.time and head.id > mark.article_id)

    listed = sorted(sorted(listed, key=lambda head: head.id), key=time_of, reverse=True)
    kept = [
        head
        for head in listed
        if (wanted.since is None or time_of(head) >= wanted.since)
        and (wanted.after is None or behind(head, wanted.after))
    ]
    return kept[: wanted.most]


class FakeIdentities:
    """The identity in memory."""

    def __init__(self) -> None:
        self.standing: Identity | None = None

    async def find(self) -> Identity | None:
        return self.standing

    async def claim(self, new: Identity) -> Identity:
        self.standing = self.standing or new
        return self.standing

    async def note_folded(self, offsets: Mapping[int, int]) -> None:
        assert self.standing is not None
        folded = dict(self.standing.folded)
        for partition, offset in offsets.items():
            folded[partition] = max(folded.get(partition, 0), offset)
        self.standing = self.standing.model_copy(update={"folded": folded})

    async def note_crossed(self, partition: int) -> None:
        assert self.standing is not None
        crossed = self.standing.crossed | {partition}
        self.standing = self.standing.model_copy(update={"crossed": crossed})


class FakeRepublications:
    """Rebuilds in memory. A lease lasts until it is released or `expire` ends it."""

    def __init__(self) -> None:
        self.kept: dict[str, Republication] = {}
        self.holders: dict[str, str] = {}

    async def add(self, republication: Republication) -> None:
        self.kept[republication.id] = republication

    async def find(self, republication_id: str) -> Republication | None:
        return self.kept.get(republication_id)

    async def claim(self, holder: str) -> Republication | None:
        for found in sorted(self.kept.values(), key=lambda each: each.asked_at):
            if found.state == "running" and self.holders.get(found.id, holder) == holder:
                self.holders[found.id] = holder
                return found
        return None

    async def note(self, republication: Republication, holder: str) -> bool:
        if self.holders.get(republication.id) != holder or self.kept[republication.id].state != "running":
            return False
        self.kept[republication.id] = republication
        return True

    async def release(self, holder: str) -> None:
        self.holders = {each: who for each, who in self.holders.items() if who != holder}

    def expire(self) -> None:
        """Every lease is over."""
        self.holders.clear()


class StoreInMemory:
    """The store's parts around one fake log and one fake database; several filers may run at once."""

    def __init__(self, log: FakeLog | None = None) -> None:
        self.log = log or FakeLog()
        self.revisions = FakeRevisions()
        self.identities = FakeIdentities()

    async def replay(self) -> Replay:
        """The replay of one process that starts now."""
        ends = {place.partition: end for place, end in self.log.end_offsets(EVENTS).items()}
        identity = await self.identities.claim(new_identity(self.log.cluster_id, ends))
        return Replay(identity, self.identities, self.revisions, FakePublisher(self.log))

    async def consumer(self) -> Consumer[Event]:
        """The loop of one process that starts now."""
        publisher = FakePublisher(self.log)
        filer = Filer(self.revisions, publisher, await self.replay())
        return Consumer(
            FakeSource(self.log, EVENTS, "store-test", max_poll_records=7),
            publisher,
            name="store",
            decode=decode_event,
            handle=filer.handle,
            on_dead_letter=filer.park,
            settings=QUICK,
        )

    @asynccontextmanager
    async def running(self, instances: int = 1) -> AsyncIterator[list[Consumer[Event]]]:
        """So many processes for the length of the block."""
        consumers = [await self.consumer() for _ in range(instances)]
        tasks = [asyncio.create_task(consumer.run()) for consumer in consumers]
        try:
            yield consumers
        finally:
            for consumer in consumers:
                await consumer.stop()
            await asyncio.gather(*tasks)

    async def post(self, *events: Event) -> None:
        """Put events on the log."""
        for event in events:
            await self.log.append(event_message(event))

    def told(self) -> list[Announcement | EntryAnnouncement]:
        """Every update on the log, of articles and of entries, per article in order."""
        return [decode_update(record) for record in self.log.records(UPDATES)]

    def announced(self) -> list[Announcement]:
        """Every update of an article on the log, per article in order."""
        return [each for each in self.told() if isinstance(each, Announcement)]

    def outcomes(self) -> list[EventOutcome]:
        told = [decode_outcome(record) for record in self.log.records(OUTCOMES)]
        return [each for each in told if isinstance(each, EventOutcome)]

    def newest(self) -> dict[str, Announcement]:
        """What compaction would keep: the last update of each article."""
        return {each.update.article_id: each for each in self.announced()}

    def states(self) -> dict[str, EventState]:
        return {each.event_id: each.state for each in self.outcomes()}
