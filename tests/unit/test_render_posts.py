"""Posts of a live article: each on a page that never shifts, told once, and gone with its article."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsroom.addresses import HOME, UPDATES_LEDGER
from newsroom.errors import Away
from newsroom.updates import ArticleUpdate, Change, ChangeKind, EntryUpdate
from services.render.standing import due_notices, told_with
from tests.render_parts import (
    MemoryReadModel,
    a_change,
    a_hidden,
    a_history,
    a_live,
    a_post,
    a_public,
    a_retracted,
    a_withdrawn,
)
from tests.render_world import SmallRender, kinds

PATH = a_public().path or ""
FIRST, SECOND = f"{PATH}entries/1/", f"{PATH}entries/2/"
KEY = f"{PATH}entries/key/"


@pytest.fixture
def render(tmp_path: Path) -> SmallRender:
    return SmallRender(tmp_path)


def a_run(*posts: EntryUpdate) -> tuple[EntryUpdate | ArticleUpdate, ...]:
    """The posts and, after them, their article, as the store announces a batch."""
    return (*posts, a_live(a_public(), posts))


def some_posts(count: int, per_page: int = 2) -> list[EntryUpdate]:
    return [a_post(number, page=(number - 1) // per_page + 1) for number in range(1, count + 1)]


def below(render: SmallRender) -> set[str]:
    """Pages of posts that stand, siblings left out."""
    return {path for path in render.files() if "/entries/" in path and path.endswith(".html")}


async def test_a_post_stands_on_the_articles_page_and_on_its_own(render: SmallRender) -> None:
    """It is told with a link to where it stays, and bumps what lists its article."""
    await render.take(a_live(a_public()))
    await render.list_marked()
    await render.take(*a_run(a_post(1)))
    assert "e1: Entry 1" in render.text(PATH)
    assert "e1: Entry 1" in render.text(FIRST)
    assert kinds(render.notices)[1:] == [("a1", 2, "live_entry")]
    told = render.notices[-1]
    assert (told.path, told.entry_id) == (f"{FIRST}#entry-e1", "e1")
    assert (told.headline, told.note) == ("Headline 1", "Entry 1 of revision 2")
    assert {render.marks.count(path) for path in (HOME, UPDATES_LEDGER, "/kazakhstan/")} == {2}
    await render.list_marked()
    assert "live_entry Headline 1 Entry 1 of revision 2" in render.text(UPDATES_LEDGER)


async def test_a_batch_of_posts_writes_the_article_once_and_tells_each_in_order(render: SmallRender) -> None:
    """Notices of the history and of posts come in the order of their revisions."""
    posts = [a_post(1, 2), a_post(2, 4)]
    changes = (*a_history(1), a_change(3))
    await render.take(a_public(), *posts, a_live(a_public(revision=3, changes=changes), posts))
    assert kinds(render.notices) == [
        ("a1", 1, "published"),
        ("a1", 2, "live_entry"),
        ("a1", 3, "update"),
        ("a1", 4, "live_entry"),
    ]
    assert [rendering.revision for rendering in render.renderings] == [4]


async def test_a_new_post_touches_its_own_page_and_no_other_of_many(render: SmallRender) -> None:
    """Neither older pages nor the history are written, however many posts there are."""
    posts = some_posts(9)
    await render.take(a_public(), *a_run(*posts))
    kept = [FIRST, SECOND, f"{PATH}entries/4/", f"{PATH}history/"]
    for path in kept:
        (render.folder.root / path.strip("/") / "index.html").write_text("not touched")
    newest = a_post(10, page=5)
    await render.take(newest, a_live(a_public(), [*posts, newest]))
    for path in kept[:-1]:
        assert render.text(path) == "not touched"
    assert "e10" in render.text(f"{PATH}entries/5/")
    assert "e10" in render.text(PATH)


async def test_a_page_that_gets_a_newer_neighbour_is_written_too(render: SmallRender) -> None:
    """It leads there from then on; those before it are left alone."""
    posts = some_posts(4)
    await render.take(a_public(), *a_run(*posts))
    for path in (FIRST, SECOND):
        (render.folder.root / path.strip("/") / "index.html").write_text("old")
    fifth = a_post(5, page=3)
    await render.take(fifth, a_live(a_public(), [*posts, fifth]))
    assert render.text(FIRST) == "old"
    assert "e4" in render.text(SECOND)


async def test_an_old_post_that_changes_is_written_where_it_stands_and_told(render: SmallRender) -> None:
    """On its own page, which is none of the newest."""
    posts = some_posts(8)
    await render.take(a_public(), *a_run(*posts))
    changed = a_post(1, 10, words="Mended", changed=True)
    await render.take(changed, a_live(a_public(), [*posts[1:], changed], revision=10))
    assert "e1: Mended" in render.text(FIRST)
    assert kinds(render.notices)[-1] == ("a1", 10, "live_entry")
    assert render.notices[-1].note == "Mended"


async def test_posts_whose_article_comes_in_the_next_batch_are_drawn_with_it(render: SmallRender) -> None:
    """A batch may end between the two."""
    post = a_post(1)
    await render.take(a_live(a_public()))
    await render.take(post)
    assert below(render) == set()
    assert len(render.notices) == 1
    await render.take(a_live(a_public(), [post]))
    assert "e1" in render.text(FIRST)
    assert kinds(render.notices)[1:] == [("a1", 2, "live_entry")]


async def test_what_broke_off_after_the_read_model_is_made_up_for(render: SmallRender) -> None:
    """The pages still to write outlast the process that was to write them."""
    posts = some_posts(5)
    await render.take(a_public(), *a_run(*posts))
    changed = a_post(1, 7, words="Mended", changed=True)
    newest = a_live(a_public(), [*posts[1:], changed], revision=7)
    await render.take(changed)
    render.log.go_away()
    with pytest.raises(Away):
        await render.take(newest)
    (render.folder.root / FIRST.strip("/") / "index.html").write_text("never written")
    await render.log.come_back()
    await render.take(newest)
    assert "e1: Mended" in render.text(FIRST)
    assert render.model.states["a1"].stale == ()
    assert kinds(render.notices)[-1] == ("a1", 7, "live_entry")


async def test_the_same_batch_again_tells_nothing_twice(render: SmallRender) -> None:
    """And writes the same."""
    batch = a_run(*some_posts(3))
    await render.take(a_public(), *batch)
    files, told = render.files(), render.notices
    await render.take(*batch)
    await render.take(batch[0])
    assert (render.files(), render.notices) == (files, told)


async def test_an_older_record_of_a_post_changes_nothing(render: SmallRender) -> None:
    """The one with the highest revision of its article counts."""
    changed = a_post(1, 3, words="Now", changed=True)
    await render.take(a_public(), changed, a_live(a_public(), [changed]))
    await render.take(a_post(1, 2, words="Before"))
    assert "e1: Now" in render.text(FIRST)


async def test_a_withdrawal_takes_every_page_of_posts_and_a_return_brings_them_in_silence(
    render: SmallRender,
) -> None:
    """Readers are told of the publication alone; the numbers of pages stay."""
    posts = some_posts(5)
    await render.take(a_public(), *a_run(*posts))
    await render.list_marked()
    gone = a_withdrawn(a_public(), 7)
    await render.take(*(a_hidden(post, 7) for post in posts), gone)
    await render.list_marked()
    assert [path for path in render.files() if path.startswith(PATH)] == []
    assert "Entry" not in render.text(UPDATES_LEDGER)
    assert {post.entry for post in render.model.entries_held.values()} == {None}
    back = a_public(revision=8, changes=(a_change(8, ChangeKind.PUBLISHED),))
    returned = [post.model_copy(update={"as_of": 8}) for post in posts]
    await render.take(*returned, a_live(back, returned, revision=8))
    assert below(render) == {f"{PATH}entries/{number}/index.html" for number in (1, 2, 3)}
    assert kinds(render.notices)[-2:] == [("a1", 7, "withdrawn"), ("a1", 8, "published")]


async def test_a_retraction_leaves_no_word_of_any_post(render: SmallRender) -> None:
    """The article's page stays, those of its posts go."""
    posts = some_posts(5)
    live = a_live(a_public(), posts)
    await render.take(a_public(), *posts, live)
    await render.list_marked()
    killed = a_retracted(live, 7)
    await render.take(*(a_hidden(post, 7) for post in posts), killed)
    await render.list_marked()
    assert below(render) == set()
    assert all(b"Entry" not in content for content in render.files().values())


async def test_pages_of_posts_move_along_with_their_article(render: SmallRender) -> None:
    """All of them stand at the new address, none at the former."""
    posts = some_posts(5)
    await render.take(a_public(), *a_run(*posts))
    changes = (*a_history(1), a_change(7, ChangeKind.AMENDED))
    moved = a_public(revision=7, section="World", changes=changes, former_paths=(PATH,))
    await render.take(a_live(moved, posts, revision=7))
    assert [path for path in render.files() if path.startswith(PATH)] == []
    assert below(render) == {f"{moved.path}entries/{number}/index.html" for number in (1, 2, 3)}


async def test_another_headline_is_written_onto_every_page_of_posts(render: SmallRender) -> None:
    """They all show it."""
    posts = some_posts(5)
    await render.take(a_public(), *a_run(*posts))
    renamed = a_public(revision=7, headline="Renamed", changes=(*a_history(1), a_change(7)))
    await render.take(a_live(renamed, posts, revision=7))
    for number in (1, 2, 3):
        assert render.text(f"{PATH}entries/{number}/").startswith("Renamed")


async def test_key_events_stand_alone_until_none_is_left(render: SmallRender) -> None:
    """On a page of their own, which goes with the last of them."""
    key = a_post(1, key_event=True)
    await render.take(a_public(), *a_run(key))
    assert "e1" in render.text(KEY)
    changed = a_post(1, 3, changed=True)
    await render.take(changed, a_live(a_public(), [changed]))
    assert below(render) == {f"{FIRST}index.html"}


async def test_a_rebuild_brings_posts_without_a_word_whatever_came_first(render: SmallRender) -> None:
    """Also where an update overtakes the re-announcement of the posts before it."""
    posts = some_posts(5)
    live = a_live(a_public(), posts)
    newest = a_live(a_public(), [*posts, a_post(6, page=3)])
    render.updates.partly_read = frozenset({0})
    await render.take(a_post(6, page=3), newest.model_copy(update={"event_ids": ("e6",)}))
    again = [post.model_copy(update={"as_of": 6}) for post in posts]
    await render.take(*again, live.model_copy(update={"revision": 6}), again=True)
    assert kinds(render.notices) == [("a1", 7, "live_entry")]
    for post in posts:
        assert post.entry_id in render.text(f"{PATH}entries/{post.page}/")
    assert render.model.states["a1"].stale == ()


async def test_a_post_that_came_after_its_article_is_drawn_at_once(render: SmallRender) -> None:
    """Nothing else would draw it."""
    await render.take(a_public(), a_live(a_public(), [a_post(1)]))
    await render.take(a_post(1))
    assert "e1" in render.text(FIRST)


async def test_the_model_tells_readers_posts_too(render: SmallRender) -> None:
    """A page without the newest post is to be fetched again."""
    await render.take(a_public(), *a_run(*some_posts(3)))
    assert await render.model.told("a1") == 4


async def test_what_was_withheld_is_told_at_its_release_though_its_article_was_met_before(
    render: SmallRender,
) -> None:
    """A rebuild counts as told what stands; a change that waits then has a lower revision than that."""
    waiting = a_public().model_copy(update={"revision": 3})
    await render.take(waiting, again=True)
    held = Change(revision=2, kind=ChangeKind.UPDATED, time=a_change(5).time, note="Held.", text_revision=4)
    released = a_public(revision=4, changes=(*a_history(1), held))
    await render.take(released)
    await render.take(released)
    assert kinds(render.notices) == [("a1", 2, "update")]
    state = render.model.states["a1"]
    assert state.announced == 4
    assert told_with(state, due_notices(state, held.time)) == 4


class Pausing(MemoryReadModel):
    """Lets another owner act right before a writer compares what it wrote."""

    other: SmallRender | None = None
    batch: tuple[EntryUpdate | ArticleUpdate, ...] = ()

    async def revision(self, article_id: str) -> int | None:
        if self.other is not None:
            other, self.other = self.other, None
            old = other.files()
            await other.take(*self.batch)
            for path, content in old.items():  # the late writer's renames come last
                (other.folder.root / path.lstrip("/")).write_bytes(content)
        return await super().revision(article_id)


async def test_a_writer_that_comes_late_makes_good_for_its_old_page_of_posts(tmp_path: Path) -> None:
    """It writes the pages anew that it has written, as the read model has their posts."""
    model = Pausing()
    late = SmallRender(tmp_path, model=model)
    other = SmallRender(tmp_path, model=model, log=late.log)
    await late.take(a_public())
    changed = a_post(1, 3, words="Newest", changed=True)
    model.other, model.batch = other, (changed, a_live(a_public(), [changed]))
    await late.take(*a_run(a_post(1, words="Old")))
    assert "e1: Newest" in late.text(FIRST)
    assert "e1: Newest" in late.text(PATH)
