"""What the read model holds of each article, and the pure decisions on it: which listings move, which notices
are due.

An update meets the state that stands (or none) and makes the next state; nothing here waits or does I/O.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from newsroom.addresses import TRANSLATIONS_SITEMAP
from newsroom.articles import ArticleId, Contract
from newsroom.kafka.consumer import Delivery
from newsroom.notices import RETRACTED_HEADLINE, Notice, NoticeKind, notice_kind
from newsroom.records import Record
from newsroom.updates import (
    Announcement,
    ArticleUpdate,
    ChangeKind,
    EntryAnnouncement,
    EntryUpdate,
    Status,
)
from services.render.cards import Card, LedgerEntry
from services.render.posts import all_pages, note_of, page_count, permalink, stale_pages, told_at, told_posts
from services.render.shown import address_shown, shown

IF_TRANSLATED = f"{TRANSLATIONS_SITEMAP}#if-translated"
"""In place of a mark: the translations are to be marked if there are any of this article."""
FORMER = "#former"
"""In place of listings: those in which a former read model had the article, until the rebuild is over."""
_HIDDEN = frozenset({Status.WITHDRAWN, Status.RETRACTED})
Announced = Announcement | EntryAnnouncement
"""What a record of `newsroom.updates` is."""


@dataclass(frozen=True)
class View:
    """What an update looks like in listings: its card, its ledger entries, and the paths of the listings
    it stands in. `moved`: the pages of posts with one that moved since the revision that stood before.
    """

    card: Card | None
    ledger: tuple[LedgerEntry, ...]
    listings: frozenset[str]
    moved: frozenset[int] = frozenset()


class ArticleState(Contract):
    """One article in the read model.

    `paths`: every path it has or had. `announced`: highest revision that readers were told of.
    `withdrawn_at`: the last withdrawal's revision, 0 if none. `marks`: listings still to mark (or
    `IF_TRANSLATED`). `leaving`: listings that may still show what a withdrawal or retraction took from the
    public, though a later revision may be public again. `lingering`: listings that it left otherwise and that
    may still show it, for a withdrawal that comes before they are written. `waits`: whether it began with
    some that it is `leaving` (or `FORMER`), whose last one tells that the revision is rendered. `stale`:
    pages of posts still to write.
    """

    article_id: ArticleId
    revision: int
    update: ArticleUpdate
    card: Card | None = None
    ledger: tuple[LedgerEntry, ...] = ()
    listings: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    announced: int = 0
    withdrawn_at: int = 0
    marks: tuple[str, ...] = ()
    leaving: tuple[str, ...] = ()
    lingering: tuple[str, ...] = ()
    waits: bool = False
    stale: tuple[int, ...] = ()

    @property
    def page_path(self) -> str | None:
        """Where its page stands now, None where none may."""
        return self.update.path if self.update.status in (Status.PUBLIC, Status.RETRACTED) else None

    @property
    def is_hidden(self) -> bool:
        """Whether its text was taken from the public."""
        return self.update.status in _HIDDEN


@dataclass(frozen=True)
class Arrival:
    """All that a batch brought of one article: the newest announcement, and what the others say about it.

    `again`: one was a re-announcement, so every output is to be made again. `silent_up_to`: where the article
    is not known yet, up to which revision readers count as told (it was first met in a re-announcement, or a
    former read model has read what was before). `is_partly_read`: a former read model may have listed it.
    """

    record: Record
    newest: Announcement
    again: bool
    silent_up_to: int
    is_partly_read: bool = False

    @property
    def update(self) -> ArticleUpdate:
        return self.newest.update


def coalesce(deliveries: Sequence[Delivery[Announced]], partly_read: Container[int] = ()) -> list[Arrival]:
    """One arrival per article, in the order in which the articles were first met; posts alone are none.

    `partly_read`: partitions whose earlier records a former read model has read, and told readers of.
    """
    by_article: dict[str, list[tuple[Record, Announcement]]] = {}
    for delivery in deliveries:
        if isinstance(delivery.item, Announcement):
            group = by_article.setdefault(delivery.item.update.article_id, [])
            group.append((delivery.record, delivery.item))
    return [_arrival(group, partly_read) for group in by_article.values()]


def _arrival(group: list[tuple[Record, Announcement]], partly_read: Container[int]) -> Arrival:
    record, newest = max(reversed(group), key=lambda each: each[1].update.revision)
    first_record, first = group[0]
    is_partly_read = first_record.partition in partly_read
    return Arrival(
        record=record,
        newest=newest,
        again=any(item.again for _, item in group),
        silent_up_to=_told_before(first, is_partly_read=is_partly_read),
        is_partly_read=is_partly_read,
    )


def posts_by_article(deliveries: Sequence[Delivery[Announced]]) -> Mapping[str, Sequence[EntryUpdate]]:
    """The posts of a batch, each as its last record has it."""
    newest: dict[tuple[str, str], EntryUpdate] = {}
    for delivery in deliveries:
        if isinstance(delivery.item, EntryAnnouncement):
            post = delivery.item.update
            former = newest.get((post.article_id, post.entry_id))
            if former is None or post.as_of >= former.as_of:
                newest[post.article_id, post.entry_id] = post
    by_article: dict[str, list[EntryUpdate]] = {}
    for post in newest.values():
        by_article.setdefault(post.article_id, []).append(post)
    return by_article


def _told_before(first: Announcement, *, is_partly_read: bool) -> int:
    """Up to which revision readers were told already, should the article be met for the first time."""
    if first.again:
        return first.update.revision
    return max(0, first.update.revision - len(first.update.event_ids)) if is_partly_read else 0


def first_met(arrival: Arrival, view: View) -> ArticleState:
    """The state of an article that the read model did not know.

    A hidden one tells nothing of what listings of a former read model show of it.
    """
    update = arrival.update
    leaving = (FORMER,) if arrival.is_partly_read and update.status in _HIDDEN else ()
    return ArticleState(
        article_id=update.article_id,
        revision=update.revision,
        update=update,
        card=view.card,
        ledger=view.ledger,
        listings=tuple(sorted(view.listings)),
        paths=_paths(update, ()),
        announced=arrival.silent_up_to,
        withdrawn_at=update.revision if update.status is Status.WITHDRAWN else 0,
        marks=_sorted(listings_moved(None, view)),
        leaving=leaving,
        waits=bool(leaving),
        stale=tuple(sorted(stale_pages(None, update, ()))),
    )


def moved_on(former: ArticleState, arrival: Arrival, view: View) -> ArticleState | None:
    """The state after an update of a known article, None where what stands is to stay.

    A lower revision changes nothing and an equal one is only made again; but a re-announcement, of whichever
    revision, has every listing of the article made again, and every page of its posts, which came before it.
    `view` is of what is to stand: of `standing_update`.
    """
    update = standing_update(former, arrival)
    if arrival.update.revision <= former.revision and not arrival.again:
        return None
    moved = listings_moved(former, view)
    stale = all_pages(update) if arrival.again else stale_pages(former.update, update, view.moved)
    marks = moved | set(former.marks) | (view.listings if arrival.again else set())
    withdrawn_at = _withdrawn_at(former, update)
    leaving, lingering = former.leaving, former.lingering
    if update.revision != former.revision:
        lingering = _sorted({*lingering, *former.listings} - view.listings)
        if update.status in _HIDDEN or withdrawn_at != former.withdrawn_at:
            leaving, lingering = _sorted(leaving, lingering, map(_listing_marked, moved)), ()
    return former.model_copy(
        update={
            "revision": update.revision,
            "update": update,
            "card": view.card,
            "ledger": view.ledger,
            "listings": _sorted(view.listings),
            "paths": _paths(update, former.paths),
            "withdrawn_at": withdrawn_at,
            "marks": _sorted(marks, {*leaving} - {FORMER}, lingering),
            "leaving": leaving,
            "lingering": lingering,
            "waits": bool(leaving) if update.revision != former.revision else former.waits,
            "stale": tuple(sorted({*former.stale, *stale} & all_pages(update))),
        }
    )


def standing_update(former: ArticleState | None, arrival: Arrival) -> ArticleUpdate:
    """The update that is to stand: the later one."""
    if former is not None and arrival.update.revision < former.revision:
        return former.update
    return arrival.update


def listings_moved(former: ArticleState | None, view: View) -> set[str]:
    """The listings that the article left or entered, and those it stays in that show something else of it
    now.

    Also that of the translations where its address moved, for they may name this article as their original:
    whether any does, who sends the marks finds out.
    """
    before = set(former.listings) if former else set()
    card, ledger = (former.card, former.ledger) if former else (None, ())
    moved = before ^ view.listings
    if (card, ledger) == (view.card, view.ledger):
        return moved
    for path in before & view.listings:
        if shown(path, card, ledger) != shown(path, view.card, view.ledger):
            moved.add(path)
    if address_shown(card) != address_shown(view.card):
        moved.add(IF_TRANSLATED if address_shown(view.card) else TRANSLATIONS_SITEMAP)
    return moved


def due_notices(state: ArticleState, time: datetime, posts: Iterable[EntryUpdate] = ()) -> list[Notice]:
    """What readers have not been told yet, oldest first. `posts`: at least those that moved since.

    `time` stamps a withdrawal, which the history does not hold.
    """
    due = [*_history_notices(state), *_post_notices(state, posts)]
    if state.withdrawn_at > state.announced:
        due.append(
            Notice(
                article_id=state.article_id,
                revision=state.withdrawn_at,
                kind=NoticeKind.WITHDRAWN,
                time=time,
                path=state.update.path or "/",
                headline="",
            )
        )
    return sorted(due, key=lambda notice: notice.revision)


def told_with(state: ArticleState, notices: Collection[Notice]) -> int:
    """Up to which revision readers are told once these notices, all that were due, are on the log.

    A change that was withheld is told by its own revision, but counts from its release.
    """
    if not notices:
        return state.announced
    changes = state.update.public.changes if state.update.public else ()
    released = [change.text_at for change in changes if change.kind.is_told]
    return max([state.announced, *released, *(notice.revision for notice in notices)])


def told_revision(state: ArticleState) -> int | None:
    """The highest revision that a reader of the public outputs must know of, None for what was never
    public.
    """
    if state.update.status is Status.UNPUBLISHED:
        return None
    if state.update.public is None:
        return state.withdrawn_at or state.revision
    told = [change.revision for change in state.update.public.changes if change.kind.is_told]
    live = state.update.public.live
    if live is not None and page_count(state.update):
        told.append(live.entry_revision)
    return max(told, default=state.update.public.revision)


def _history_notices(state: ArticleState) -> list[Notice]:
    public = state.update.public
    if public is None or state.update.path is None:
        return []
    headline = public.text.headline if public.text else RETRACTED_HEADLINE
    return [
        Notice(
            article_id=state.article_id,
            revision=change.revision,
            kind=kind,
            note=change.note,
            time=change.time,
            path=state.update.path,
            headline=headline,
        )
        for change in public.changes
        if change.text_at > state.announced and (kind := notice_kind(change)) is not None
    ]


def _post_notices(state: ArticleState, posts: Iterable[EntryUpdate]) -> list[Notice]:
    update = state.update
    if update.public is None or update.public.text is None or update.path is None:
        return []
    return [
        Notice(
            article_id=state.article_id,
            revision=post.revision,
            kind=NoticeKind.LIVE_ENTRY,
            note=note_of(entry),
            time=told_at(entry),
            path=permalink(update.path, post),
            headline=update.public.text.headline,
            entry_id=post.entry_id,
        )
        for post, entry in told_posts(update, posts, state.announced)
    ]


def _listing_marked(mark: str) -> str:
    """The listing that is to be marked, if any is."""
    return TRANSLATIONS_SITEMAP if mark == IF_TRANSLATED else mark


def _withdrawn_at(former: ArticleState, update: ArticleUpdate) -> int:
    """The last withdrawal's revision; one whose record never came shows in a history that begins anew."""
    if update.status is Status.WITHDRAWN:
        return former.withdrawn_at if former.update.status is Status.WITHDRAWN else update.revision
    was_public = former.update.status is Status.PUBLIC
    changes = update.public.changes if update.public else ()
    begins_anew = (
        bool(changes) and changes[0].kind is ChangeKind.PUBLISHED and changes[0].revision > former.revision
    )
    return changes[0].revision - 1 if was_public and begins_anew else former.withdrawn_at


def _paths(update: ArticleUpdate, former: Sequence[str]) -> tuple[str, ...]:
    return _sorted(former, update.former_paths, [update.path] if update.path else [])


def _sorted(*groups: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({path for group in groups for path in group}))
