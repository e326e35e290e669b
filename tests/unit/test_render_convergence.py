"""However often, wherever it breaks off: the site is what a rebuild from scratch would write."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from newsroom.errors import Away
from newsroom.updates import ArticleUpdate, Change, ChangeKind, Status
from tests.render_parts import a_change, a_draft, a_public, a_retracted, a_withdrawn
from tests.render_world import SmallRender

ACTIONS = st.sampled_from(
    ["update", "update", "amend", "correct", "move", "tag", "draft", "withdraw", "publish", "retract"]
)
STORIES = st.lists(ACTIONS, min_size=0, max_size=7)
SECTIONS = ("Kazakhstan", "World")


class Story:
    """One article as the store would announce it, revision after revision."""

    def __init__(self, article_id: str) -> None:
        self.article_id = article_id
        self.updates: list[ArticleUpdate] = []
        self._changes: tuple[Change, ...] = ()
        self._section = SECTIONS[0]
        self._tags: tuple[str, ...] = ("Astana",)
        self._paths: list[str] = []

    @property
    def newest(self) -> ArticleUpdate | None:
        return self.updates[-1] if self.updates else None

    def tell(self, action: str) -> None:
        """Append what follows from the action; nothing where it does not fit."""
        revision, newest = len(self.updates) + 1, self.newest
        status = newest.status if newest else Status.UNPUBLISHED
        if status is Status.RETRACTED:
            return
        if action == "draft":
            draft = (
                newest.model_copy(update={"revision": revision})
                if newest
                else a_draft(self.article_id, revision)
            )
            self.updates.append(draft)
        elif action == "publish" and status is not Status.PUBLIC:
            self._changes = (a_change(revision, ChangeKind.PUBLISHED),)
            self._show(revision)
        elif status is Status.PUBLIC and newest is not None:
            self._go_on(action, revision, newest)

    def _go_on(self, action: str, revision: int, newest: ArticleUpdate) -> None:
        if action == "withdraw":
            self.updates.append(a_withdrawn(newest, revision))
        elif action == "retract":
            self.updates.append(a_retracted(newest, revision))
        elif action != "publish":
            kind = {"amend": ChangeKind.AMENDED, "correct": ChangeKind.CORRECTION}.get(
                action, ChangeKind.UPDATED
            )
            self._changes = (*self._changes, a_change(revision, kind))
            if action == "move":
                self._section = SECTIONS[1 - SECTIONS.index(self._section)]
            if action == "tag":
                self._tags = ("Astana", f"T{revision}")
            self._show(revision)

    def _show(self, revision: int) -> None:
        shown = a_public(
            self.article_id,
            revision,
            changes=self._changes,
            section=self._section,
            tags=self._tags,
            slug=self.article_id,
        )
        assert shown.path is not None
        former = tuple(path for path in dict.fromkeys(self._paths) if path != shown.path)
        self._paths.append(shown.path)
        self.updates.append(shown.model_copy(update={"former_paths": former}))


def told(article_id: str, actions: list[str]) -> list[ArticleUpdate]:
    story = Story(article_id)
    for action in ["publish", *actions]:
        story.tell(action)
    return story.updates


async def from_scratch(folder: Path, stories: list[list[ArticleUpdate]]) -> dict[str, bytes]:
    """What a rebuild writes: every head announced again to an empty read model."""
    render = SmallRender(folder)
    await render.lay_ground()
    await render.take(*(updates[-1] for updates in stories), again=True)
    await render.list_marked()
    return render.files()


@settings(max_examples=60, deadline=None)
@given(st.lists(STORIES, min_size=1, max_size=3), st.data())
def test_any_interleaving_with_repeats_and_breaks_gives_the_same_files(
    actions: list[list[str]], data: st.DataObject
) -> None:
    """Per article in the log's order; articles mixed, batches cut anywhere, delivered again from before."""
    stories = [told(f"a{number}", each) for number, each in enumerate(actions)]
    queue = merged(stories, data)
    batches: list[list[ArticleUpdate]] = []
    place = 0
    while place < len(queue):
        size = data.draw(st.integers(1, 4), "batch")
        batches.append(queue[place : place + size])
        place += size
        back = data.draw(st.integers(0, 3), "delivered again")
        place = max(0, place - back) if data.draw(st.booleans(), "breaks") and len(batches) < 30 else place
    lost = [data.draw(st.integers(0, 3), "lost acknowledgement") for _ in batches]
    asyncio.run(check(stories, batches, lost))


def merged(stories: list[list[ArticleUpdate]], data: st.DataObject) -> list[ArticleUpdate]:
    order = data.draw(st.permutations([number for number, each in enumerate(stories) for _ in each]), "order")
    iterators = [iter(each) for each in stories]
    return [next(iterators[number]) for number in order]


async def check(
    stories: list[list[ArticleUpdate]], batches: list[list[ArticleUpdate]], lost: list[int]
) -> None:
    with TemporaryDirectory() as folder:
        render = SmallRender(Path(folder) / "live")
        other = SmallRender(Path(folder) / "live", model=render.model, log=render.log)
        await render.lay_ground()
        for batch, losses, instance in zip(
            batches, lost, itertools.cycle([render, render, other]), strict=False
        ):
            instance.publisher.lose_next = 1 if losses == 1 else 0
            try:
                await instance.take(*batch)
            except Away:
                instance.publisher.lose_next = 0
                await instance.take(*batch)
            if losses == 2:
                await render.list_marked()
        await render.list_marked()
        assert render.files() == await from_scratch(Path(folder) / "scratch", stories)
        check_told(render, stories)


def check_told(render: SmallRender, stories: list[list[ArticleUpdate]]) -> None:
    """Readers were told of the newest that concerns them, and editors that it is rendered."""
    for newest in (updates[-1] for updates in stories):
        told_of = [notice.revision for notice in render.notices if notice.article_id == newest.article_id]
        state = render.model.states[newest.article_id]
        assert max(told_of) == state.announced
        assert state.marks == state.leaving == ()
        rendered = [r.revision for r in render.renderings if r.article_id == newest.article_id]
        assert max(rendered) == newest.revision
