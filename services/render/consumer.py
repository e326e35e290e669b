"""Updates in; pages, marks, notices and renderings out: what render does with each batch of
`newsroom.updates`.

Page first, notice after, commit last. Every step may be repeated: a batch that comes again finds the read
model moved on and writes only what is missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import structlog

from newsroom.errors import Away
from newsroom.kafka.consumer import Delivery, Poisoned
from newsroom.kafka.producer import Publisher
from newsroom.listings import ListingMark, mark_message
from newsroom.notices import Notice, notice_message
from newsroom.outcomes import Rendering, rendering_message
from newsroom.records import Message
from newsroom.steps import reached
from newsroom.telemetry import bind_trace, metrics
from newsroom.times import now
from newsroom.updates import Announcement, ArticleUpdate
from services.render.cards import card_of, ledger_of, listings_of
from services.render.pages import Pages
from services.render.readmodel import ReadModel
from services.render.site import SiteFolder
from services.render.standing import Arrival, ArticleState, View, coalesce, due_notices, first_met, moved_on

log = structlog.get_logger(__name__)
T = TypeVar("T")
AT_ONCE = 16


class UpdateRenderer:
    """Renders articles.

    `handle` is idempotent and may run on several instances at once, even for the same article.
    """

    def __init__(self, model: ReadModel, folder: SiteFolder, pages: Pages, publisher: Publisher) -> None:
        self._model, self._folder, self._pages = model, folder, pages
        self._publisher = publisher
        self._room = asyncio.Semaphore(AT_ONCE)

    async def handle(self, deliveries: Sequence[Delivery[Announcement]]) -> None:
        """Render each article of the batch once, at its newest revision.

        Raises: Away; Poisoned for the record of an article that cannot be drawn.
        """
        taken = now()
        reached("render.batch_taken")
        await all_of([self._one(arrival, taken) for arrival in coalesce(deliveries)])

    async def write_again(self, article_id: str) -> None:
        """Make the files of an article agree with the read model."""
        state = await self._model.find(article_id)
        if state is not None:
            await self._write(state)

    async def _one(self, arrival: Arrival, taken: datetime) -> None:
        async with self._room:
            bind_trace(arrival.newest.trace)
            try:
                state = await self._record(arrival, self._view(arrival.update))
                reached("render.model_written")
                state = await self._write(state)
            except _CannotBeDrawn as error:
                raise Poisoned(arrival.record, str(error)) from error
            written = now()
            reached("render.page_written")
            await self._tell(state, arrival, {"taken": taken, "page_written": written})

    def _view(self, update: ArticleUpdate) -> View:
        """What listings show of an update; its page is drawn too, so that one that cannot be has no effect
        at all.
        """
        self._draw(update)
        try:
            return View(card_of(update), ledger_of(update), listings_of(update))
        except Exception as error:
            raise _CannotBeDrawn(update, error) from error

    def _draw(self, update: ArticleUpdate) -> Mapping[str, bytes]:
        try:
            return self._pages.article(update)
        except Exception as error:
            raise _CannotBeDrawn(update, error) from error

    async def _record(self, arrival: Arrival, view: View) -> ArticleState:
        """Bring the read model up to the update. Returns what stands then: this revision or a later one."""
        while True:
            former = await self._model.find(arrival.update.article_id)
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

    async def _write(self, state: ArticleState) -> ArticleState:
        """Write or remove the article's files until they agree with the read model, which another owner
        may move on.
        """
        while True:
            files = self._draw(state.update) if state.page_path else {}
            await self._folder.settle(
                files, [place for path in state.paths for place in (path, f"{path}history/")]
            )
            latest = await self._model.find(state.article_id)
            if latest is None or latest.revision == state.revision:
                metrics.pages_written.labels(kind="article").inc(len(files))
                return latest or state
            state = latest

    async def _tell(self, state: ArticleState, arrival: Arrival, times: Mapping[str, datetime]) -> None:
        """Publish marks, notices and the rendering, then note that they are on the log."""
        trace = arrival.newest.trace
        notices = due_notices(state, arrival.newest.time)
        messages = [*self._marks(state, trace), *(notice_message(notice, trace) for notice in notices)]
        if not (state.is_hidden and state.leaving):
            messages.append(rendering(state, times, trace))
        await self._publisher.publish_all(messages)
        for point in ("render.marks_published", "render.notices_published", "render.rendering_published"):
            reached(point)
        if state.marks or notices:
            announced = max((notice.revision for notice in notices), default=state.announced)
            await self._model.acknowledge(state.article_id, state.revision, state.marks, announced)
        self._report(state, notices)

    def _marks(self, state: ArticleState, trace: str | None) -> list[Message]:
        time = now()
        return [
            mark_message(
                ListingMark(path=path, article_id=state.article_id, revision=state.revision), time, trace
            )
            for path in state.marks
        ]

    def _report(self, state: ArticleState, notices: Sequence[Notice]) -> None:
        for notice in notices:
            metrics.notices_published.labels(kind=notice.kind.value).inc()
        log.info(
            "article_rendered",
            article_id=state.article_id,
            revision=state.revision,
            status=state.update.status.value,
            listings=len(state.marks),
            notices=len(notices),
        )


class _CannotBeDrawn(Exception):  # noqa: N818  (named as it reads where it is raised)
    """The templates, or what they are given, fail on this one article."""

    def __init__(self, update: ArticleUpdate, error: Exception) -> None:
        place = f"article {update.article_id}, revision {update.revision}"
        super().__init__(f"{place} cannot be rendered: {type(error).__name__}")


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
