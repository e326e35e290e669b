"""Updates in; pages, marks, notices and renderings out: what render does with each batch of
`newsroom.updates`.

Page first, notice after, commit last. Every step may be repeated: a batch that comes again finds the read
model moved on and writes only what is missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

import structlog

from newsroom.addresses import TRANSLATIONS_SITEMAP
from newsroom.errors import Away
from newsroom.kafka.consumer import Delivery, Poisoned
from newsroom.kafka.producer import Publisher
from newsroom.listings import Haste, ListingMark, mark_message
from newsroom.notices import notice_message
from newsroom.outcomes import Rendering, rendering_message
from newsroom.records import Message
from newsroom.steps import reached
from newsroom.telemetry import bind_trace, metrics
from newsroom.times import now
from newsroom.updates import EntryUpdate
from services.render.drawing import ArticleDrawing, CannotBeDrawn, Drawn
from services.render.pages import Pages
from services.render.posts import all_pages, key_page_path, page_count, stale_pages
from services.render.readmodel import ReadModel
from services.render.site import EVERYTHING, Ahead, SiteFolder
from services.render.standing import (
    FORMER,
    IF_TRANSLATED,
    Announced,
    Arrival,
    ArticleState,
    coalesce,
    due_notices,
    first_met,
    moved_on,
    posts_by_article,
    standing_update,
    told_with,
)
from services.render.temporary import Overtaken, Version
from services.render.together import Together
from services.render.unverified import Touch

log = structlog.get_logger(__name__)
T = TypeVar("T")
AT_ONCE = 64


@dataclass(frozen=True)
class Moved:
    """An article that moved in these listings. `again`: it is only announced again."""

    state: ArticleState
    listings: Sequence[str]
    trace: str | None
    again: bool

    def haste(self, path: str) -> Haste:
        """How soon one of them is to be written."""
        if path in self.state.leaving:
            return Haste.AT_ONCE
        return Haste.AT_LEISURE if self.again and path in self.state.listings else Haste.SOON

    def mark(self, path: str, time: datetime) -> Message:
        """The record that has one of them written."""
        mark = ListingMark(path=path, article_id=self.state.article_id, revision=self.state.revision)
        return mark_message(mark, time, self.trace, self.haste(path))


class UpdateRenderer:
    """Renders articles.

    `handle` is idempotent and may run on several instances at once, even for the same article.
    """

    def __init__(self, model: ReadModel, folder: SiteFolder, pages: Pages, publisher: Publisher) -> None:
        self._model, self._folder = model, folder
        self._drawing = ArticleDrawing(model, pages)
        self._publisher = publisher
        self._room = asyncio.Semaphore(AT_ONCE)
        self._mark = Together(self._mark_all)
        self.partly_read: frozenset[int] = frozenset()
        """Partitions whose beginning a former read model has read, while this one is being filled."""

    async def handle(self, deliveries: Sequence[Delivery[Announced]]) -> None:
        """Render each article of the batch once, at its newest revision.

        Posts are put into the read model first. Where the record of their article is still to come, that is
        all.

        Raises: Away; Poisoned for the record of an article that cannot be drawn.
        """
        taken = now()
        reached("render.batch_taken")
        posts = posts_by_article(deliveries)
        await self._model.put_posts([post for group in posts.values() for post in group])
        arrivals = coalesce(deliveries, self.partly_read)
        alone = set(posts) - {arrival.update.article_id for arrival in arrivals}
        await all_of(
            [self._one(arrival, _pages_of(posts, arrival.update.article_id), taken) for arrival in arrivals]
            + [self._late(article_id, posts[article_id]) for article_id in sorted(alone)]
        )

    async def write_again(self, article_id: str) -> None:
        """Make the files of an article agree with the read model. Raises: Away; CannotBeDrawn."""
        state = await self._model.find(article_id)
        if state is not None:
            drawn = await self._drawing.article(state.update)
            with self._folder.unverified.touching(article_id) as touch:
                await self._write(state, drawn, touch)

    async def tell_rebuilt(self) -> None:
        """Note that no listing of a former read model stands any more, and tell of the articles that waited
        for it alone: before it is noted, so that none is lost. Raises: Away.
        """
        self.partly_read = frozenset()
        waiting = await self._model.leaving(FORMER)
        told = {state.article_id for state in waiting if state.leaving == (FORMER,)}
        await self._publisher.publish_all(
            [rendering(state, {}, None) for state in waiting if state.article_id in told]
        )
        left = await self._model.left(FORMER, [(state.article_id, state.revision) for state in waiting])
        await self._publisher.publish_all(
            [
                rendering(state, {}, None)
                for state in left
                if not state.leaving and state.article_id not in told
            ]
        )

    async def _one(self, arrival: Arrival, pages: frozenset[int], taken: datetime) -> None:
        async with self._room:
            bind_trace(arrival.newest.trace)
            try:
                await self._render(arrival, pages, taken)
            except CannotBeDrawn as error:
                raise Poisoned(arrival.record, str(error)) from error

    async def _late(self, article_id: str, posts: Sequence[EntryUpdate]) -> None:
        """Posts whose article stands at their revision already, so that nothing after them draws them."""
        state = await self._model.find(article_id)
        if state is None or all(post.as_of > state.revision for post in posts):
            return
        try:
            await self.write_again(article_id)
        except CannotBeDrawn as error:
            tell_undrawn(error, where="posts")

    async def _render(self, arrival: Arrival, pages: frozenset[int], taken: datetime) -> None:
        """The read model, then the page, then word of it; beside that, its siblings.

        The page is drawn before anything else: an update that cannot be drawn has no effect at all.
        """
        with _step("draw"):
            drawn = await self._drawing.article(arrival.update, pages | await self._behind(arrival))
        version = Version(arrival.update.article_id, arrival.update.revision)
        async with self._folder.ahead(drawn.files, version) as ahead:
            with _step("record"):
                state = await self._record(arrival)
            times = {"render_taken": taken, "recorded": now()}
            reached("render.model_written")
            with self._folder.unverified.touching(state.article_id) as touch:
                is_meant = state.update == arrival.update and drawn.pages.issuperset(state.stale)
                if drawn.files and is_meant and await self._is_shown(ahead, state, drawn, touch):
                    reached("render.page_written")
                    times["page_written"] = now()
                    told = asyncio.Event()
                    telling = self._tell(state, arrival, times, told)
                    await all_of([telling, self._complete(state, drawn, touch, told)])
                else:
                    state = await self._write(state, drawn, touch)
                    times["page_written"] = now()
                    await self._tell(state, arrival, times, asyncio.Event())
        self._report(state, arrival, times)

    async def _is_shown(self, ahead: Ahead, state: ArticleState, drawn: Drawn, touch: Touch) -> bool:
        """Show the pages, unless another owner has moved on meanwhile."""
        with _step("show"):
            try:
                await self._folder.show(ahead, _places(state, drawn), touch)
            except Overtaken:
                return False
        return True

    async def _complete(
        self, state: ArticleState, drawn: Drawn, touch: Touch, editors_told: asyncio.Event
    ) -> None:
        """What stands beside a page that is shown, once editors were told, for it takes the processor.

        If another owner has moved on meanwhile, so that the page is an old one, nothing is waited for.
        """
        latest = await self._latest(state)
        if latest is state:
            await editors_told.wait()
        with _step("settle"):
            await self._write(latest, drawn, touch)

    async def _behind(self, arrival: Arrival) -> frozenset[int]:
        """The pages of posts that the update leaves behind, as far as can be told before it is recorded."""
        update = arrival.update
        if not page_count(update):
            return frozenset()
        former = await self._model.find(update.article_id)
        if arrival.again or former is None:
            return all_pages(update)
        moved = await self._model.moved_pages(update.article_id, former.revision)
        return stale_pages(former.update, update, moved) | set(former.stale)

    async def _record(self, arrival: Arrival) -> ArticleState:
        """Bring the read model up to the update. Returns what stands then: this revision or a later one."""
        is_likely_new = arrival.update.revision == 1
        while True:
            former = None if is_likely_new else await self._model.find(arrival.update.article_id)
            is_likely_new = False
            revision = former.revision if former else 0
            view = await self._drawing.view(standing_update(former, arrival), after=revision)
            if former is None:
                state = first_met(arrival, view)
                if await self._model.insert(state):
                    return state
                continue
            newer = moved_on(former, arrival, view)
            if newer is None:
                return former
            if await self._model.replace(newer, former.revision):
                return newer

    async def _write(self, state: ArticleState, drawn: Drawn, touch: Touch) -> ArticleState:
        """Write or remove the article's files until they agree with the read model, which another owner
        may move on.
        """
        while True:
            if drawn.update != state.update or not drawn.pages.issuperset(state.stale):
                drawn = await self._drawing.article(state.update, drawn.pages | set(state.stale))
            is_settled = await self._folder.settle(
                drawn.files,
                _places(state, drawn),
                touch,
                version=Version(state.article_id, state.revision),
                is_newest=partial(self._is_newest, state),
            )
            latest = await self._latest(state)
            if is_settled and latest is state:
                touch.verified()
                metrics.pages_written.labels(kind="article").inc(len(drawn.files))
                reached("render.files_settled")
                return state
            state = latest

    async def _is_newest(self, state: ArticleState) -> bool:
        return await self._model.revision(state.article_id) in (state.revision, None)

    async def _latest(self, state: ArticleState) -> ArticleState:
        """The state itself as long as its revision stands, else the one that does."""
        if await self._is_newest(state):
            return state
        return await self._model.find(state.article_id) or state

    async def _tell(
        self,
        state: ArticleState,
        arrival: Arrival,
        times: Mapping[str, datetime],
        editors_told: asyncio.Event,
    ) -> None:
        """Editors first, then readers. The event is set in any case, told or not."""
        try:
            await self._tell_editors(state, arrival, times)
        finally:
            editors_told.set()
        await self._tell_readers(state, arrival)

    async def _tell_editors(
        self, state: ArticleState, arrival: Arrival, times: Mapping[str, datetime]
    ) -> None:
        """Publish the rendering, for which somebody may wait; after a withdrawal its last listing does, or
        the end of a rebuild, unless that came while the article was under way.
        """
        if FORMER in state.leaving and not self.partly_read:
            state = next(iter(await self._model.left(FORMER, [(state.article_id, state.revision)])), state)
        if state.leaving:
            return
        with _step("tell_editors"):
            await self._publisher.publish(rendering(state, times, arrival.newest.trace))
        reached("render.rendering_published")

    async def _tell_readers(self, state: ArticleState, arrival: Arrival) -> None:
        """Publish marks, then notices, then note that these are on the log.

        Whatever is missing when the process dies is published again with the update, which is not committed.
        """
        trace = arrival.newest.trace
        notices = due_notices(state, arrival.newest.time, await self._untold_posts(state))
        with _step("tell_readers"):
            await self._mark(Moved(state, await self._to_mark(state), trace, arrival.again))
            reached("render.marks_published")
            await self._publisher.publish_all([notice_message(notice, trace) for notice in notices])
            reached("render.notices_published")
        if state.marks or state.stale or notices:
            announced = told_with(state, notices)
            with _step("acknowledge"):
                await self._model.acknowledge(
                    state.article_id, state.revision, state.marks, announced, state.stale
                )
        reached("render.telling_noted")
        for notice in notices:
            metrics.notices_published.labels(kind=notice.kind.value).inc()

    async def _untold_posts(self, state: ArticleState) -> Sequence[EntryUpdate]:
        if not page_count(state.update):
            return ()
        return await self._model.newest_posts(state.article_id, None, after=state.announced)

    async def _mark_all(self, moved: Sequence[Moved]) -> list[None]:
        """A mark for each listing, however many articles moved in it; for each article that leaves it, too:
        who writes the listing notes that it is gone.
        """
        time, marked, marks = now(), set[str](), list[Message]()
        for each in sorted(moved, key=lambda each: each.again):
            for path in each.listings:
                if path not in marked or path in (*each.state.leaving, *each.state.lingering):
                    marks.append(each.mark(path, time))
                marked.add(path)
        await self._publisher.publish_all(marks)
        return [None] * len(moved)

    async def _to_mark(self, state: ArticleState) -> list[str]:
        """Looked up after the article was recorded: a translation recorded later marks by itself."""
        paths = set(state.marks)
        if IF_TRANSLATED in paths:
            paths.remove(IF_TRANSLATED)
            if await self._model.is_translated(state.article_id):
                paths.add(TRANSLATIONS_SITEMAP)
        return sorted(paths)

    def _report(self, state: ArticleState, arrival: Arrival, times: Mapping[str, datetime]) -> None:
        if not arrival.again:
            waited = (times["page_written"] - arrival.newest.time).total_seconds()
            metrics.event_to_page_seconds.observe(max(0.0, waited))
        log.info(
            "article_rendered",
            article_id=state.article_id,
            revision=state.revision,
            status=state.update.status.value,
            listings=len(state.marks),
            again=arrival.again,
        )


def _places(state: ArticleState, drawn: Drawn) -> list[str]:
    """Every place where files of the article may stand, save pages of posts that were not drawn now."""
    places = [
        place for path in state.paths for place in (path, f"{path}history/", f"{path}entries/{EVERYTHING}")
    ]
    if state.page_path is not None and not drawn.is_whole:
        places.remove(f"{state.page_path}entries/{EVERYTHING}")
        places.append(key_page_path(state.page_path))
    return places


def _pages_of(posts: Mapping[str, Sequence[EntryUpdate]], article_id: str) -> frozenset[int]:
    return frozenset(post.page for post in posts.get(article_id, ()))


def tell_undrawn(error: CannotBeDrawn, *, where: str, is_removed: bool = False) -> None:
    """Tell of what is left as it stands, or removed."""
    metrics.bugs.labels(where=where).inc()
    log.error("not_drawn", reason=str(error), files="removed" if is_removed else "left as they stand")


def rendering(state: ArticleState, times: Mapping[str, datetime], trace: str | None) -> Message:
    """The record that says: all public outputs stand at this revision."""
    moment = now()
    outcome = Rendering(
        article_id=state.article_id,
        revision=state.revision,
        path=state.page_path,
        times={**times, "rendered": moment},
    )
    return rendering_message(outcome, moment, trace)


def _step(name: str) -> AbstractContextManager[object]:
    return metrics.step_seconds.labels(step=f"render.{name}").time()


async def all_of(steps: Sequence[Awaitable[T]]) -> list[T]:
    """Await every step, whatever becomes of the others; then raise the gravest of what was raised (a bug
    before an outage).
    """
    results = await asyncio.gather(*steps, return_exceptions=True)
    raised = [result for result in results if isinstance(result, BaseException)]
    if raised:
        raise min(raised, key=_gravity)
    return [result for result in results if not isinstance(result, BaseException)]


def _gravity(error: BaseException) -> int:
    if isinstance(error, Poisoned):
        return 2
    return 1 if isinstance(error, Away) else 0
