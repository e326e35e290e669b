"""What render's tests are built from: updates as announced, plain pages, a read model in memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from newsroom.addresses import TRANSLATIONS_SITEMAP, article_path, author_path, tag_path
from newsroom.articles import ArticleText, Dateline, EntryText
from newsroom.kafka.consumer import Delivery
from newsroom.notices import Notice, NoticeKind
from newsroom.records import Message, Record
from newsroom.updates import (
    Announcement,
    ArticleUpdate,
    Change,
    ChangeKind,
    EntryAnnouncement,
    EntryUpdate,
    LiveState,
    PublicArticle,
    PublicEntry,
    Status,
    decode_update,
    entry_message,
    update_message,
)
from services.render.cards import Card, LedgerEntry, card_of, ledger_of, listings_of
from services.render.listingkinds import Listing, Place, standing_paths
from services.render.looks.sitefile import Licence, Policies, Publisher, Site
from services.render.pages import ErrorStatus, Pages
from services.render.posts import NO_POSTS, Posts, key_page_path, page_count, posts_page_path
from services.render.readmodel import Address, Identity, Rebuild, newest_entries
from services.render.shown import archived, entries_in
from services.render.standing import Announced, ArticleState, View, coalesce, first_met, told_revision

BEGINNING = datetime(2023, 6, 20, 4, 0, tzinfo=UTC)
SITE_URL = "http://site.test"


def a_site(*sections: str) -> Site:
    """A small site."""
    return Site(
        url=SITE_URL,
        name="The Test",
        timezone="Asia/Almaty",
        since=date(2023, 1, 1),
        sections=sections or ("Kazakhstan",),
        publisher=Publisher(name="The Test Press", contact="desk@site.test"),
        policies=Policies(corrections="We correct.", no_byline="By our desk.", reuse="At most 30 %."),
        licence=Licence(contact="rights@site.test"),
    )


def minute(number: int) -> datetime:
    """A moment so many minutes after the beginning."""
    return BEGINNING + timedelta(minutes=number)


def a_change(revision: int, kind: ChangeKind = ChangeKind.UPDATED, note: str | None = None) -> Change:
    """A public revision; a publication needs no note. Its time is its revision in minutes."""
    told = None if kind in (ChangeKind.PUBLISHED, ChangeKind.AMENDED) else note or f"Note {revision}."
    return Change(revision=revision, kind=kind, time=minute(revision), note=told)


def a_history(revision: int) -> tuple[Change, ...]:
    """Published, then updated up to that revision."""
    return (a_change(1, ChangeKind.PUBLISHED), *(a_change(number) for number in range(2, revision + 1)))


def a_public(
    article_id: str = "a1",
    revision: int = 1,
    *,
    changes: Sequence[Change] | None = None,
    headline: str | None = None,
    section: str = "Kazakhstan",
    tags: tuple[str, ...] = ("Astana",),
    slug: str = "bank",
    former_paths: tuple[str, ...] = (),
) -> ArticleUpdate:
    """An announcement of a public article."""
    history = tuple(changes) if changes is not None else a_history(revision)
    text = ArticleText(
        headline=headline or f"Headline {revision}",
        body=f"<p>Words of revision {revision}. And some more of them follow. And then the last ones.</p>",
        section=section,
        tags=tags,
        authors=("A. Reporter",),
        dateline=Dateline(place="Astana, Kazakhstan", timezone="Asia/Almaty"),
    )
    told = [change for change in history if change.kind.is_told]
    return ArticleUpdate(
        article_id=article_id,
        revision=revision,
        status=Status.PUBLIC,
        path=article_path(section, "2023/06/20", slug, article_id),
        former_paths=former_paths,
        public=PublicArticle(
            revision=history[-1].revision,
            text=text,
            section=section,
            language="en",
            dateline_place="Astana, Kazakhstan",
            timezone="Asia/Almaty",
            published_at=history[0].time,
            updated_at=told[-1].time,
            bumped_at=told[-1].time,
            changes=history,
        ),
    )


def a_translation(article_id: str, original: str) -> ArticleUpdate:
    """A public article that names another as its original."""
    update = a_public(article_id, slug=article_id)
    assert update.public is not None
    assert update.public.text is not None
    text = update.public.text.model_copy(update={"translation_of": original})
    return update.model_copy(update={"public": update.public.model_copy(update={"text": text})})


def a_withdrawn(former: ArticleUpdate, revision: int) -> ArticleUpdate:
    """The same article taken down."""
    return ArticleUpdate(
        article_id=former.article_id,
        revision=revision,
        status=Status.WITHDRAWN,
        path=former.path,
        former_paths=former.former_paths,
    )


def a_retracted(former: ArticleUpdate, revision: int) -> ArticleUpdate:
    """The same article killed."""
    assert former.public is not None
    retraction = a_change(revision, ChangeKind.RETRACTED, "It was not so.")
    public = former.public.model_copy(
        update={
            "revision": revision,
            "text": None,
            "live": None,
            "changes": (retraction,),
            "updated_at": retraction.time,
            "bumped_at": retraction.time,
            "filed_under": _filed_under(former.public.text),
        }
    )
    return former.model_copy(update={"revision": revision, "status": Status.RETRACTED, "public": public})


def _filed_under(text: ArticleText | None) -> tuple[str, ...]:
    if text is None:
        return ()
    return (*(tag_path(tag) for tag in text.tags), *(author_path(author) for author in text.authors))


def a_draft(article_id: str = "a1", revision: int = 1) -> ArticleUpdate:
    """An article that was never public."""
    return ArticleUpdate(article_id=article_id, revision=revision, status=Status.UNPUBLISHED)


def an_announcement(update: ArticleUpdate, *, again: bool = False) -> Announcement:
    return Announcement(update, minute(update.revision), again)


def as_record(message: Message, offset: int = 0) -> Record:
    """The message as it would be read."""
    return Record(message.topic, 0, offset, message.key, message.value, message.headers, 0)


def a_delivery(update: ArticleUpdate, *, again: bool = False, offset: int = 0) -> Delivery[Announced]:
    """An update as the consumer hands it over."""
    record = as_record(update_message(an_announcement(update, again=again)), offset)
    return Delivery(record, decode_update(record))


def a_post(
    number: int,
    revision: int | None = None,
    *,
    article_id: str = "a1",
    page: int = 1,
    as_of: int | None = None,
    words: str | None = None,
    key_event: bool = False,
    changed: bool = False,
) -> EntryUpdate:
    """An entry as announced; without a revision it came with the one after its number."""
    came_with = revision or number + 1
    text = EntryText(
        headline=words or f"Entry {number} of revision {came_with}",
        body=f"<p>Posted at revision {came_with}. And some more of it follows here. And then the end.</p>",
        key_event=key_event,
    )
    return EntryUpdate(
        article_id=article_id,
        entry_id=f"e{number}",
        number=number,
        page=page,
        revision=came_with,
        as_of=as_of or came_with,
        entry=PublicEntry(
            text=text, added_at=minute(number + 1), changed_at=minute(came_with) if changed else None
        ),
    )


def a_hidden(post: EntryUpdate, as_of: int) -> EntryUpdate:
    """The same entry once its article is not public any more."""
    return post.model_copy(update={"entry": None, "as_of": as_of})


def a_live(
    former: ArticleUpdate, posts: Sequence[EntryUpdate] = (), *, revision: int | None = None, **state: Any
) -> ArticleUpdate:
    """The same article as a live one with these posts, at the revision of the newest (or the given one)."""
    assert former.public is not None
    assert former.public.text is not None
    newest = max(posts, key=lambda post: post.revision, default=None)
    reached = revision or max(former.revision, newest.revision if newest else 0)
    live = LiveState(
        entries=len({post.entry_id for post in posts}),
        pages=max((post.page for post in posts), default=0),
        entry_revision=newest.revision if newest else 0,
        entry_at=minute(newest.revision) if newest else None,
    )
    moved = {"updated_at": minute(reached), "bumped_at": minute(reached)} if newest else {}
    public = former.public.model_copy(
        update={
            "revision": reached,
            "text": former.public.text.model_copy(update={"live": True}),
            "live": live.model_copy(update=state),
            **moved,
        }
    )
    return former.model_copy(update={"revision": reached, "public": public})


def a_post_delivery(post: EntryUpdate, *, again: bool = False, offset: int = 0) -> Delivery[Announced]:
    """An entry as the consumer hands it over."""
    record = as_record(entry_message(EntryAnnouncement(post, minute(post.as_of), again), 0), offset)
    return Delivery(record, decode_update(record))


def a_notice(
    article_id: str = "a1",
    revision: int = 1,
    kind: NoticeKind = NoticeKind.UPDATE,
) -> Notice:
    return Notice(
        article_id=article_id,
        revision=revision,
        kind=kind,
        note=None if kind is NoticeKind.WITHDRAWN else f"Note {revision}.",
        time=minute(revision),
        path=f"/kazakhstan/2023/06/20/{article_id}/",
        headline="" if kind is NoticeKind.WITHDRAWN else f"Headline {revision}",
    )


def a_view(update: ArticleUpdate) -> View:
    """What listings show of an article without posts."""
    return View(card_of(update), ledger_of(update), listings_of(update))


def a_state(update: ArticleUpdate) -> ArticleState:
    """The article in a read model that met it with this update."""
    (arrival,) = coalesce([a_delivery(update)])
    return first_met(arrival, a_view(update))


class PlainPages(Pages):
    """Pages without a look: each tells exactly what it was given, so that a test can read it back.

    `breaks_on`: headlines on which the templates fail.
    """

    def __init__(
        self, site: Site | None = None, *, breaks_on: Iterable[str] = (), fingerprint: str = "plain"
    ) -> None:
        self.site = site or a_site()
        self.fingerprint = fingerprint
        self.breaks_on = frozenset(breaks_on)

    def assets(self) -> Mapping[str, bytes]:
        return {f"/assets/site.{self.fingerprint}.css": b"p { color: black }"}

    def article(self, update: ArticleUpdate, posts: Posts = NO_POSTS) -> Mapping[str, bytes]:
        if update.public is None or update.path is None:
            return {}
        headline = update.public.text.headline if update.public.text else "Retracted"
        if headline in self.breaks_on:
            raise ZeroDivisionError("a template fails")
        notes = "".join(f"<li>{change.note}</li>" for change in update.public.changes)
        latest = " ".join(_line(post) for post in posts.latest)
        page = f"<h1>{headline}</h1><p>{update.public.revision}</p>{latest}"
        below = {
            posts_page_path(update.path, number): "\n".join(
                [headline, *(_line(post) for post in group), "newer" * (number < page_count(update))]
            )
            for number, group in posts.pages.items()
            if group
        }
        if posts.key_events:
            below[key_page_path(update.path)] = " ".join(_line(post) for post in posts.key_events)
        return {
            **{f"{path}index.html": content.encode() for path, content in below.items()},
            f"{update.path}index.html": page.encode(),
            f"{update.path}history/index.html": f"<ol>{notes}</ol>".encode(),
        }

    def listing(self, listing: Listing) -> Mapping[str, bytes]:
        if listing.is_empty and listing.path not in standing_paths(self.site):
            return {}
        if not listing.path.endswith("/"):
            return {listing.path: _lines(listing, listing.cards)}
        files = {}
        if listing.path in standing_paths(self.site) or not listing.is_for_feeds_alone:
            seen = [card for card in listing.cards if not card.retracted]
            files[f"{listing.path}index.html"] = _lines(listing, seen)
        if listing.kind.has_feeds:
            files[f"{listing.path}feed.atom"] = _lines(listing, listing.cards)
        return files

    def error(self, status: ErrorStatus) -> bytes:
        return f"<h1>{status}</h1>".encode()

    def fixed(self) -> Mapping[str, bytes]:
        return {**self.assets(), "/robots.txt": b"User-agent: *\n"}


def _lines(listing: Listing, cards: Iterable[Card]) -> bytes:
    """All that a listing was given, line by line."""
    lines = [
        listing.path,
        *(f"{card.headline or 'retracted'} {card.path}" for card in cards),
        *(f"{entry.kind} {entry.headline} {entry.note}" for entry in listing.entries),
        *listing.months,
        *listing.days,
        *(f"{place.path} {place.changed_at} {place.translation_of}" for place in listing.places),
        *(f"{part.path} {part.changed_at}" for part in listing.parts),
    ]
    return "\n".join(lines).encode()


def _line(post: EntryUpdate) -> str:
    assert post.entry is not None, "a hidden post is never drawn"
    return f"<li>{post.entry_id}: {post.entry.text.headline}</li>"


class MemoryReadModel:
    """The read model in memory, for tests; passes the contract suite of the real one."""

    def __init__(self) -> None:
        self.states: dict[str, ArticleState] = {}
        self.entries_held: dict[tuple[str, str], EntryUpdate] = {}
        self._turns: dict[str, int] = {}
        self._identity: Identity | None = None
        self._rebuild: Rebuild | None = None

    async def identity(self) -> Identity | None:
        return self._identity

    async def claim(self, identity: Identity) -> Identity:
        await asyncio.sleep(0)
        self._identity = self._identity or identity
        return self._identity

    async def rebuild(self) -> Rebuild | None:
        return self._rebuild

    async def note_rebuild(self, rebuild: Rebuild) -> None:
        self._rebuild = rebuild

    async def find(self, article_id: str) -> ArticleState | None:
        await asyncio.sleep(0)
        return self.states.get(article_id)

    async def revision(self, article_id: str) -> int | None:
        await asyncio.sleep(0)
        standing = self.states.get(article_id)
        return standing.revision if standing else None

    async def told(self, article_id: str) -> int | None:
        await asyncio.sleep(0)
        standing = self.states.get(article_id)
        return told_revision(standing) if standing else None

    async def ids_after(self, article_id: str, most: int) -> tuple[str, ...]:
        await asyncio.sleep(0)
        return tuple(sorted(each for each in self.states if each > article_id)[:most])

    async def insert(self, state: ArticleState) -> bool:
        await asyncio.sleep(0)
        return self.states.setdefault(state.article_id, state) is state

    async def replace(self, state: ArticleState, former_revision: int) -> bool:
        await asyncio.sleep(0)
        standing = self.states.get(state.article_id)
        if standing is None or standing.revision != former_revision:
            return False
        announced = max(standing.announced, state.announced)
        self.states[state.article_id] = state.model_copy(update={"announced": announced})
        return True

    async def acknowledge(
        self,
        article_id: str,
        revision: int,
        marks: Iterable[str],
        announced: int,
        written: Iterable[int] = (),
    ) -> None:
        await asyncio.sleep(0)
        standing = self.states.get(article_id)
        if standing is None:
            return
        done, fresh = (set(marks), set(written)) if standing.revision == revision else (set(), set())
        changes = {
            "marks": tuple(path for path in standing.marks if path not in done),
            "stale": tuple(number for number in standing.stale if number not in fresh),
            "announced": max(standing.announced, announced),
        }
        self.states[article_id] = standing.model_copy(update=changes)

    async def left(self, listing: str, marked: Collection[tuple[str, int]]) -> tuple[ArticleState, ...]:
        await asyncio.sleep(0)
        gone = [
            standing
            for article_id, revision in set(marked)
            if (standing := self.states.get(article_id)) is not None and standing.revision == revision
        ]
        for standing in gone:
            before = {"leaving": standing.leaving, "lingering": standing.lingering}
            after = {name: tuple(path for path in those if path != listing) for name, those in before.items()}
            self.states[standing.article_id] = standing.model_copy(update=after)
        return tuple(
            self.states[standing.article_id] for standing in gone if standing.is_hidden or standing.waits
        )

    async def leaving(self, listing: str) -> tuple[ArticleState, ...]:
        await asyncio.sleep(0)
        return tuple(state for _, state in sorted(self.states.items()) if listing in state.leaving)

    async def put_posts(self, posts: Sequence[EntryUpdate]) -> None:
        await asyncio.sleep(0)
        for post in posts:
            standing = self.entries_held.get((post.article_id, post.entry_id))
            if standing is None or standing.as_of <= post.as_of:
                self.entries_held[post.article_id, post.entry_id] = post

    async def posts(self, article_id: str, pages: Collection[int]) -> tuple[EntryUpdate, ...]:
        await asyncio.sleep(0)
        found = [post for post in self._shown(article_id) if post.page in pages]
        return tuple(sorted(found, key=lambda post: -post.number))

    async def post(self, article_id: str, entry_id: str) -> EntryUpdate | None:
        await asyncio.sleep(0)
        return self.entries_held.get((article_id, entry_id))

    async def key_posts(self, article_id: str, limit: int) -> tuple[EntryUpdate, ...]:
        await asyncio.sleep(0)
        found = [post for post in self._shown(article_id) if post.entry and post.entry.text.key_event]
        return tuple(sorted(found, key=lambda post: -post.number)[:limit])

    async def newest_posts(
        self, article_id: str, limit: int | None, *, after: int = 0
    ) -> tuple[EntryUpdate, ...]:
        await asyncio.sleep(0)
        found = [post for post in self._shown(article_id) if post.revision > after]
        return tuple(sorted(found, key=lambda post: -post.revision)[:limit])

    async def moved_pages(self, article_id: str, after: int) -> frozenset[int]:
        await asyncio.sleep(0)
        held = self.entries_held.values()
        return frozenset(post.page for post in held if post.article_id == article_id and post.as_of > after)

    def _shown(self, article_id: str) -> list[EntryUpdate]:
        held = self.entries_held.values()
        return [post for post in held if post.article_id == article_id and post.entry is not None]

    async def take_turn(self, listing: str) -> int:
        await asyncio.sleep(0)
        self._turns[listing] = self._turns.get(listing, 0) + 1
        return self._turns[listing]

    async def turn(self, listing: str) -> int:
        await asyncio.sleep(0)
        return self._turns.get(listing, 0)

    async def cards(self, listing: str, limit: int) -> tuple[Card, ...]:
        await asyncio.sleep(0)
        cards = [state.card for state in self._in(listing) if state.card is not None]
        ordered = sorted(cards, key=lambda card: card.article_id)
        return tuple(sorted(ordered, key=lambda card: card.bumped_at, reverse=True)[:limit])

    async def entries(self, ledger: str, limit: int) -> tuple[LedgerEntry, ...]:
        await asyncio.sleep(0)
        entries = [entry for state in self._in(ledger) for entry in entries_in(ledger, state.ledger)]
        return newest_entries(entries, limit)

    async def archive(self, listing: str, limit: int) -> tuple[Card, ...]:
        return tuple(archived(card.model_dump()) for card in self._published(self._in(listing))[:limit])

    async def months(self, listing: str) -> tuple[str, ...]:
        months = {card.month for card in self._published(self._in(listing)) if not card.retracted}
        return tuple(sorted(months, reverse=True))

    async def days(self, month: str) -> tuple[str, ...]:
        cards = self._published(self.states.values())
        days = {card.day for card in cards if card.month == month and not card.retracted}
        return tuple(sorted(days, reverse=True))

    async def places(self, sitemap: str, limit: int) -> tuple[Place, ...]:
        return tuple(_place(card) for card in self._published(self._in(sitemap))[:limit])

    async def translations(self, limit: int) -> tuple[Place, ...]:
        await asyncio.sleep(0)
        translations = self._published(self._in(TRANSLATIONS_SITEMAP))[:limit]
        originals = {card.translation_of for card in translations} - {
            card.article_id for card in translations
        }
        cards = [self.states[each].card for each in sorted(filter(None, originals)) if each in self.states]
        every = [*translations, *(card for card in cards if card and not card.retracted)]
        return tuple(replace(_place(card), changed_at=None) for card in every)

    async def changes(self) -> tuple[tuple[str, datetime], ...]:
        cards = sorted(self._published(self.states.values()), key=lambda card: card.updated_at)
        return tuple(sorted({card.month: card.updated_at for card in cards}.items(), reverse=True))

    async def is_listed(self, listing: str) -> bool:
        return bool(self._in(listing))

    async def is_translated(self, article_id: str) -> bool:
        await asyncio.sleep(0)
        return any(card.translation_of == article_id for card in self._published(self.states.values()))

    async def fresh(self, since: datetime, limit: int) -> tuple[Card, ...]:
        cards = self._published(self.states.values())
        return tuple(card for card in cards if card.published_at >= since and not card.retracted)[:limit]

    async def page_of(self, article_id: str) -> Address | None:
        state = self.states.get(article_id)
        return Address(article_id, state.update.status, state.page_path) if state else None

    def _published(self, states: Iterable[ArticleState]) -> list[Card]:
        """Newest first by publication, ties by article id."""
        cards = [state.card for state in states if state.card is not None]
        ordered = sorted(cards, key=lambda card: card.article_id)
        return sorted(ordered, key=lambda card: card.published_at, reverse=True)

    async def address(self, path: str) -> Address | None:
        await asyncio.sleep(0)
        for state in self.states.values():
            if path in state.paths:
                return Address(state.article_id, state.update.status, state.page_path)
        return None

    def _in(self, listing: str) -> list[ArticleState]:
        return [state for state in self.states.values() if listing in state.listings]


def _place(card: Card) -> Place:
    return Place(card.path, card.updated_at, card.language, card.article_id, card.translation_of)


async def until(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Wait for a condition. Raises: TimeoutError that names it."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for: {what}")
        await asyncio.sleep(0.01)
