"""Marks in, fronts and feeds out: what render does with each batch of `newsroom.listings`.

A mark says only that a listing moved. It is made from the read model's current state, however many marks
came, by the owner of its key; a counter keeps one that was paused from writing an old one.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from weakref import WeakValueDictionary

import structlog

from newsroom.addresses import FEEDS, HOME, PAGES_SITEMAP, TRANSLATIONS_SITEMAP, listing_at, sitemap_path
from newsroom.kafka.backoff import Backoff
from newsroom.kafka.consumer import Delivery
from newsroom.kafka.producer import Publisher
from newsroom.listings import Haste, Marked, haste_of
from newsroom.records import Message, Record
from newsroom.steps import reached
from newsroom.telemetry import metrics
from services.render.consumer import all_of, rendering, tell_undrawn
from services.render.drawing import CannotBeDrawn
from services.render.listingkinds import INDEX, Listing, ListingKind, Part, listing_kind, month_in
from services.render.pages import Pages
from services.render.readmodel import ReadModel
from services.render.site import SiteFolder
from services.render.temporary import Version

log = structlog.get_logger(__name__)
AT_ONCE = 3
"""How many are written side by side: most of the time each waits for the disk or the read model."""
AT_ONCE_BUSY = 1
"""The same while articles are under way, so that none of these waits for many listings."""
PACE_SECONDS = 0.25
"""From one batch to the next, at least: a front takes milliseconds, in which an article would wait."""
TURN_SECONDS = 0.25
"""How long listings are begun of one batch. The others are left for the next, which may hold what is due
before them."""
REST = 2
"""So many times as long as a batch took, listings rest after it while articles are under way: meanwhile these
have the processor, and what is marked again is written once."""
MOST_REST_SECONDS = 1.0
"""However long that was: what hurries is written whole, and each write may wait."""
DUE_SECONDS = {Haste.AT_ONCE: 0.0, Haste.SOON: 1.0, Haste.AT_LEISURE: 30.0}
"""How soon after its first mark a listing is to be written, where not all can be."""
STEP_SECONDS = 0.5
"""How much later for each step that it is from home: most readers are there."""
MARKS_AT_ONCE = 1_000
"""How many are taken from the log at once: what is marked twice in a batch is written once."""
FIRST_SECONDS = 0.05
"""What the readers of a page have for themselves before its listings are begun."""
_GIVES_WAY_SECONDS = (0.1, 1.0)
"""How long whoever was overtaken waits at most, at first and in the end."""


def hurries(record: Record) -> bool:
    """Whether a mark ends the rest."""
    return haste_of(record) is Haste.AT_ONCE


class ListingRenderer:
    """Renders listings.

    `handle` is idempotent and may run on several instances at once, even for the same listing.
    """

    def __init__(
        self,
        model: ReadModel,
        folder: SiteFolder,
        pages: Pages,
        publisher: Publisher,
        *,
        first_seconds: float = FIRST_SECONDS,
        turn_seconds: float = TURN_SECONDS,
    ) -> None:
        self._model, self._folder, self._pages = model, folder, pages
        self._first_seconds, self._turn_seconds = first_seconds, turn_seconds
        self._publisher = publisher
        self._turns = WeakValueDictionary[str, asyncio.Lock]()
        self.progressed: Callable[[], None] = lambda: None
        """Called after each listing: a batch of a thousand may take minutes, which is no sign of death."""
        self.is_busy: Callable[[], bool] = lambda: False
        """Whether articles are under way, which listings are to give way to."""

    async def handle(self, deliveries: Sequence[Delivery[Marked]]) -> list[Delivery[Marked]]:
        """Write each marked listing once, then tell which withdrawals it was the last to follow.

        Where words were taken from the public, it is written first. What is not begun within a turn is left:
        its marks are returned, as many of them as tell something. One that cannot be drawn is told and left
        as it is, or removed where it shows what was taken from the public: its marks are sound, and the
        others go on.

        Raises: Away.
        """
        marked = _by_listing(deliveries)
        gone = [path for path in marked if _any_is(Haste.AT_ONCE, marked[path])]
        waiting = deque(path for path in marked if path not in gone)
        if not gone and any(_any_is(Haste.SOON, marks) for marks in marked.values()):
            await asyncio.sleep(self._first_seconds)  # what is only made again has no readers to wait for
        reached("render.listing_taken")
        metrics.listings_waiting.set(len(marked))
        await self._some(deque(gone), marked, AT_ONCE, math.inf)
        await self._some(waiting, marked, AT_ONCE_BUSY if self.is_busy() else AT_ONCE, self._turn_seconds)
        return [each for path in waiting for each in _telling(marked[path])]

    async def _some(
        self,
        waiting: deque[str],
        marked: Mapping[str, Sequence[Delivery[Marked]]],
        at_once: int,
        seconds: float,
    ) -> None:
        """Write what is first, so many side by side, and begin no more when the time is over."""
        ends_at = asyncio.get_running_loop().time() + seconds

        async def one_after_another() -> None:
            while waiting:
                path = waiting.popleft()
                await self._one(path, marked[path])
                if asyncio.get_running_loop().time() > ends_at:
                    break

        await all_of([one_after_another() for _ in range(at_once)])

    def rest_seconds(self, took: float, marks: int) -> float:  # noqa: ARG002  (every `Rest` is asked so)
        """For how long no batch is begun after one."""
        return max(min(REST * took, MOST_REST_SECONDS) if self.is_busy() else 0.0, PACE_SECONDS - took)

    async def write(self, path: str, *, or_remove: bool = False) -> None:
        """Make the files of a listing agree with the read model, or remove them where they cannot be drawn.

        Raises: Away; CannotBeDrawn, also where they are removed.

        Who takes a turn makes those before it write again. So here one waits for the other, and whoever was
        overtaken by another process gives way before it tries once more: else both might go on for ever.
        """
        turns = self._turns.setdefault(path, asyncio.Lock())
        async with turns:
            await self._write(path, Backoff(*_GIVES_WAY_SECONDS), or_remove=or_remove)

    async def _write(self, path: str, backoff: Backoff, *, or_remove: bool) -> None:
        with self._folder.unverified.touching(path) as touch:
            while True:
                turn = await self._model.take_turn(path)
                files, undrawn = await self._drawn_or_none(path, or_none=or_remove)
                version, is_newest = Version(path, turn), partial(self._is_newest, path, turn)
                is_settled = await self._folder.settle(
                    files, _places(path), touch, version=version, is_newest=is_newest
                )
                if is_settled and await is_newest():
                    touch.verified()
                    metrics.pages_written.labels(kind="listing").inc(len(files))
                    if undrawn is not None:
                        raise undrawn
                    return
                await asyncio.sleep(backoff.next_delay_seconds())

    async def _is_newest(self, path: str, turn: int) -> bool:
        return await self._model.turn(path) == turn

    async def _drawn_or_none(
        self, path: str, *, or_none: bool
    ) -> tuple[Mapping[str, bytes], CannotBeDrawn | None]:
        try:
            return await self.drawn(path), None
        except CannotBeDrawn as error:
            if not or_none:
                raise
            return {}, error

    async def drawn(self, path: str) -> dict[str, bytes]:
        """The files of a listing as the read model has it now; nothing is written.

        Raises: Away; CannotBeDrawn.
        """
        return await asyncio.to_thread(self._draw, await self._current(path))

    async def _one(self, path: str, marked: Sequence[Delivery[Marked]]) -> None:
        """Where words were taken from the public, no file with them stays, drawn anew or not."""
        is_gone = _any_is(Haste.AT_ONCE, marked)
        try:
            await self.write(path, or_remove=is_gone)
        except CannotBeDrawn as error:
            tell_undrawn(error, where="listings", is_removed=is_gone)
            if not is_gone:
                return
        finally:
            metrics.listings_waiting.dec()
            self.progressed()
        reached("render.listing_written")
        messages = await self._followed([delivery.item for delivery in marked])
        if messages:
            await self._publisher.publish_all(messages)
        log.info("listing_rendered", path=path, marks=len(marked))

    def _draw(self, listing: Listing) -> dict[str, bytes]:
        try:
            return dict(self._pages.listing(listing))
        except Exception as error:
            raise CannotBeDrawn(f"listing {listing.path}", error) from error

    async def _current(self, path: str) -> Listing:
        kind = listing_kind(path)
        if kind.is_ledger:
            return Listing(path, entries=await self._model.entries(path, kind.limit))
        if kind.is_front:
            cards = await self._model.cards(path, kind.limit)
            return Listing(path, cards=cards, months=await self._model.months(path))
        if kind.is_archive:
            return await self._archive(path, kind)
        return await self._sitemap(path, kind)

    async def _archive(self, path: str, kind: ListingKind) -> Listing:
        cards = await self._model.archive(path, kind.limit)
        listing = Listing(path, cards=cards)
        if kind is ListingKind.DAY or listing.front != HOME:
            return listing
        return replace(listing, days=await self._model.days(month_in(path)))

    async def _sitemap(self, path: str, kind: ListingKind) -> Listing:
        match kind:
            case ListingKind.SITEMAP_INDEX:
                return Listing(path, parts=await self._parts())
            case ListingKind.SITEMAP:
                return Listing(path, places=await self._model.places(path, kind.limit))
            case ListingKind.TRANSLATIONS:
                return Listing(path, places=await self._model.translations(kind.limit))
            case _:
                return Listing(path)

    async def _parts(self) -> tuple[Part, ...]:
        """The standing pages, the months, and the translations, if there are any."""
        months = [Part(sitemap_path(month), changed_at) for month, changed_at in await self._model.changes()]
        is_translated = await self._model.is_listed(TRANSLATIONS_SITEMAP)
        return (Part(PAGES_SITEMAP), *months, *([Part(TRANSLATIONS_SITEMAP)] if is_translated else []))

    async def _followed(self, marked: Iterable[Marked]) -> list[Message]:
        """A rendering for each article whose words that were taken from the public no listing shows any more.

        A repeat tells it once more. A mark may name the listing otherwise than we do.
        """
        traces: dict[str, dict[tuple[str, int], str | None]] = {}
        for each in marked:
            named = traces.setdefault(each.mark.path, {})
            marked_at = each.mark.article_id, each.mark.revision
            named[marked_at] = named.get(marked_at) or each.trace
        return [
            rendering(state, {}, named[state.article_id, state.revision])
            for path, named in traces.items()
            for state in await self._model.left(path, named)
            if not state.leaving
        ]


def _by_listing(deliveries: Iterable[Delivery[Marked]]) -> dict[str, list[Delivery[Marked]]]:
    """The marks of each listing, the listings in the order in which they are due."""
    marked: dict[str, list[Delivery[Marked]]] = {}
    for delivery in deliveries:
        marked.setdefault(listing_at(delivery.item.mark.path), []).append(delivery)
    return dict(sorted(marked.items(), key=lambda listing: _due(*listing)))


def _any_is(haste: Haste, marks: Sequence[Delivery[Marked]]) -> bool:
    return any(each.item.haste is haste for each in marks)


def _due(path: str, marks: Sequence[Delivery[Marked]]) -> tuple[datetime, str]:
    """When a listing is to be written, at the latest if that is possible."""
    within = path.count("/") * STEP_SECONDS
    return min(
        each.item.time + timedelta(seconds=within + DUE_SECONDS[each.item.haste]) for each in marks
    ), path


def _telling(marks: Sequence[Delivery[Marked]]) -> list[Delivery[Marked]]:
    """The first, and each that is more than made again: after a withdrawal something is to be told."""
    return [
        each for number, each in enumerate(marks) if not number or each.item.haste is not Haste.AT_LEISURE
    ]


def _places(path: str) -> tuple[str, ...]:
    """Where files of the listing may stand that are none of it any more.

    The root holds more than the front.
    """
    return tuple(f"{HOME}{name}" for name in (INDEX, *FEEDS)) if path == HOME else (path,)
