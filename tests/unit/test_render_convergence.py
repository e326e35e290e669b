"""However often, wherever it breaks off: the site is what a rebuild from scratch would write."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsroom.errors import Away
from newsroom.updates import (
    ArticleUpdate,
    Change,
    ChangeKind,
    EntryUpdate,
    LiveState,
    PublicEntry,
    Status,
)
from services.render.pages import Pages
from tests.render_parts import a_change, a_draft, a_post, a_public, a_retracted, a_site, a_withdrawn, minute
from tests.render_world import MEMORY, SmallRender

ACTIONS = st.sampled_from(
    [
        "update", "update", "amend", "correct", "move", "tag", "draft", "withdraw", "publish", "retract",
        "live", "live", "close", "post", "post", "post", "post", "change", "translate", "zone",
    ]
)  # fmt: skip
STORIES = st.lists(ACTIONS, min_size=0, max_size=9)
Announced = ArticleUpdate | EntryUpdate
KINDS = {"amend": ChangeKind.AMENDED, "correct": ChangeKind.CORRECTION, "zone": ChangeKind.AMENDED}
"""A zone is mended without a word: what was told last stays where it is, and the month moves."""
SECTIONS = ("Kazakhstan", "World")
ZONES = ("Asia/Almaty", "UTC")
TURN_OF_THE_MONTH = datetime(2023, 6, 30, 20, tzinfo=UTC)
"""In Almaty it is July."""
OTHERS = {"a0": "a1", "a1": "a2", "a2": "a1"}
"""Whose translation each may become: of one that is one itself, too."""


class Story:
    """One article as the store would announce it, revision after revision."""

    def __init__(self, article_id: str) -> None:
        self.article_id = article_id
        self.updates: list[ArticleUpdate] = []
        self.records: list[Announced] = []
        self.posts: dict[str, EntryUpdate] = {}
        self._changes: tuple[Change, ...] = ()
        self._section = SECTIONS[0]
        self._tags: tuple[str, ...] = ("Astana",)
        self._zone, self._original = ZONES[0], ""
        self._paths: list[str] = []
        self._live: LiveState | None = None
        self._texts: dict[str, PublicEntry | None] = {}

    @property
    def newest(self) -> ArticleUpdate | None:
        return self.updates[-1] if self.updates else None

    def tell(self, action: str) -> None:
        """Append what follows from the action, with the posts that move before it; nothing where it does not
        fit.
        """
        known = len(self.updates)
        self._tell(action)
        for update in self.updates[known:]:
            self.records += [*self._posts_moved(update), update]

    def again(self) -> list[Announced]:
        """What a rebuild announces: each post, and after them the article."""
        newest = self.updates[-1]
        return [*(post.model_copy(update={"as_of": newest.revision}) for post in self.posts.values()), newest]

    def _posts_moved(self, update: ArticleUpdate) -> list[EntryUpdate]:
        """The records of posts that the store announces with an update."""
        is_shown = update.public is not None and update.public.live is not None
        moved = []
        for key, post in self.posts.items():
            if post.as_of == update.revision or (post.entry is not None) != is_shown:
                entry = self._texts[key] if is_shown else None
                self.posts[key] = post.model_copy(update={"as_of": update.revision, "entry": entry})
                moved.append(self.posts[key])
        return moved

    def _tell(self, action: str) -> None:
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
        elif status is Status.PUBLIC and newest is not None and action in ("post", "change"):
            self._post(action, revision)
        elif status is Status.PUBLIC and newest is not None and action in ("live", "close"):
            self._live = (self._live or LiveState()).model_copy(
                update={"closed_at": minute(revision) if action == "close" else None}
            )
            self._changes = (*self._changes, a_change(revision, ChangeKind.AMENDED))
            self._show(revision)
        elif status is Status.PUBLIC and newest is not None:
            self._go_on(action, revision, newest)

    def _post(self, action: str, revision: int) -> None:
        """A post, two to a page, or another text of the oldest."""
        if self._live is None or (action == "change" and not self.posts) or self._live.closed_at is not None:
            return
        number = 1 if action == "change" else len(self.posts) + 1
        post = a_post(
            number,
            revision,
            article_id=self.article_id,
            page=(number + 1) // 2,
            key_event=revision % 3 == 0,
            changed=action == "change",
        )
        self.posts[post.entry_id], self._texts[post.entry_id] = post, post.entry
        self._live = self._live.model_copy(
            update={
                "entries": len(self.posts),
                "pages": (len(self.posts) + 1) // 2,
                "entry_revision": revision,
                "entry_at": minute(revision),
                "pinned": post.entry_id if revision % 2 else self._live.pinned,
            }
        )
        self._show(revision)

    def _go_on(self, action: str, revision: int, newest: ArticleUpdate) -> None:
        if action == "withdraw":
            self.updates.append(a_withdrawn(newest, revision))
        elif action == "retract":
            self.updates.append(a_retracted(newest, revision))
        elif action != "publish":
            kind = KINDS.get(action, ChangeKind.UPDATED)
            self._changes = (*self._changes, a_change(revision, kind))
            if action == "move":
                self._section = SECTIONS[1 - SECTIONS.index(self._section)]
            if action == "tag":
                self._tags = ("Astana", f"T{revision}")
            if action == "zone":
                self._zone = ZONES[1 - ZONES.index(self._zone)]
            if action == "translate":
                self._original = "" if self._original else OTHERS[self.article_id]
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
        assert shown.public is not None
        assert shown.public.text is not None
        language = "kk" if self.article_id == "a2" else "en"
        original = self._original or None
        text = shown.public.text.model_copy(update={"translation_of": original, "language": language})
        public: dict[str, object] = {
            "revision": revision,
            "live": self._live,
            "timezone": self._zone,
            "language": language,
            "text": text,
        }
        if self.article_id == "a1":
            public["published_at"] = TURN_OF_THE_MONTH
        shown = shown.model_copy(update={"public": shown.public.model_copy(update=public)})
        assert shown.path is not None
        former = tuple(path for path in dict.fromkeys(self._paths) if path != shown.path)
        self._paths.append(shown.path)
        self.updates.append(shown.model_copy(update={"former_paths": former}))


def told(article_id: str, actions: list[str]) -> Story:
    story = Story(article_id)
    for action in ["publish", *actions]:
        story.tell(action)
    return story


async def from_scratch(folder: Path, stories: list[Story], pages: Pages | None = None) -> dict[str, bytes]:
    """What a rebuild writes: every head announced again, after its posts, to an empty read model."""
    render = SmallRender(folder, pages=pages)
    await render.lay_ground()
    await render.take(*(record for story in stories for record in story.again()), again=True)
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
    batches: list[list[Announced]] = []
    place = 0
    while place < len(queue):
        size = data.draw(st.integers(1, 4), "batch")
        batches.append(queue[place : place + size])
        place += size
        back = data.draw(st.integers(0, 3), "delivered again")
        place = max(0, place - back) if data.draw(st.booleans(), "breaks") and len(batches) < 30 else place
    lost = [data.draw(st.integers(0, 3), "lost acknowledgement") for _ in batches]
    asyncio.run(check(stories, batches, lost))


@pytest.mark.parametrize(
    "actions",
    [
        ["correct", "update", "retract"],
        ["move", "tag", "zone", "update", "amend"],
        ["translate", "update", "move", "translate", "withdraw", "publish"],
        ["live", "post", "post", "change", "close", "correct", "withdraw"],
    ],
)
async def test_the_real_pages_after_each_step_are_those_of_a_rebuild(
    tmp_path: Path, actions: list[str]
) -> None:
    """Fronts, archives, feeds and sitemaps show nothing of an article that does not mark them."""
    pages = Pages(a_site())
    render = SmallRender(tmp_path / "live", pages=pages)
    await render.lay_ground()
    stories = [told("a0", []), told("a2", ["translate"]), Story("a1")]
    await render.take(*stories[0].records, *stories[1].records)
    for number, action in enumerate(["publish", *actions]):
        known = len(stories[2].records)
        stories[2].tell(action)
        await render.take(*stories[2].records[known:])
        await render.list_marked()
        assert render.files() == await from_scratch(tmp_path / f"scratch{number}", stories, pages)


def merged(stories: list[Story], data: st.DataObject) -> list[Announced]:
    turns = [number for number, story in enumerate(stories) for _ in story.records]
    order = data.draw(st.permutations(turns), "order")
    iterators = [iter(story.records) for story in stories]
    return [next(iterators[number]) for number in order]


async def check(stories: list[Story], batches: list[list[Announced]], lost: list[int]) -> None:
    with TemporaryDirectory(dir=MEMORY) as folder:
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


def check_told(render: SmallRender, stories: list[Story]) -> None:
    """Readers were told of the newest that concerns them, and editors that it is rendered."""
    for newest in (story.updates[-1] for story in stories):
        told_of = [notice.revision for notice in render.notices if notice.article_id == newest.article_id]
        state = render.model.states[newest.article_id]
        assert max(told_of) == state.announced
        assert state.marks == state.leaving == ()
        assert state.stale == ()
        rendered = [r.revision for r in render.renderings if r.article_id == newest.article_id]
        assert max(rendered) == newest.revision
