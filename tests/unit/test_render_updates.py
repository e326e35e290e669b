"""What an update brings about: the page first, then rendering, marks and notices, each once and in time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from newsroom import steps, topics
from newsroom.addresses import HOME, SITEMAP_INDEX, UPDATES_LEDGER
from newsroom.errors import Away
from newsroom.kafka.consumer import Poisoned
from newsroom.kafka.fake import FakePublisher
from newsroom.records import Message, Position
from newsroom.updates import ArticleUpdate, ChangeKind
from services.render.standing import ArticleState, coalesce, told_revision
from tests.render_parts import (
    MemoryReadModel,
    PlainPages,
    a_change,
    a_delivery,
    a_draft,
    a_history,
    a_public,
    a_retracted,
    a_withdrawn,
)
from tests.render_world import SmallRender, kinds, points


@pytest.fixture
def render(tmp_path: Path) -> SmallRender:
    return SmallRender(tmp_path)


def page_of(update: ArticleUpdate) -> str:
    assert update.path is not None
    return update.path


async def test_a_publication_makes_a_page_its_history_marks_a_notice_and_a_rendering(
    render: SmallRender,
) -> None:
    """The whole of what one update brings about."""
    await render.take(a_public())
    assert "Headline 1" in render.text(page_of(a_public()))
    assert page_of(a_public()) + "history/index.html" in render.files()
    fronts = (HOME, "/kazakhstan/", "/tags/astana/", "/authors/a-reporter/")
    archives = ("/2023/06/20/", *(f"{front}2023/06/" for front in fronts))
    maps = (SITEMAP_INDEX, "/sitemaps/2023-06.xml")
    assert sorted(render.marks) == sorted([*fronts, *archives, *maps, UPDATES_LEDGER])
    assert kinds(render.notices) == [("a1", 1, "published")]
    (rendering,) = render.renderings
    assert (rendering.revision, rendering.path) == (1, page_of(a_public()))
    assert list(rendering.times) == ["render_taken", "recorded", "page_written", "rendered"]
    assert list(rendering.times.values()) == sorted(rendering.times.values())


async def test_each_step_is_done_before_the_next_begins(render: SmallRender) -> None:
    """The points where a process may die lie between steps that were acknowledged."""
    with points() as seen:
        await render.take(a_public())
    beside = "render.files_settled"
    assert seen.index(beside) > seen.index("render.page_written")
    assert [point for point in seen if point != beside] == [
        "render.batch_taken",
        "render.model_written",
        "render.page_written",
        "render.rendering_published",
        "render.marks_published",
        "render.notices_published",
        "render.telling_noted",
    ]


class FailingPublisher(FakePublisher):
    """Fails before it writes to one topic, as long as it is told to."""

    failing: str | None = None

    async def publish_all(self, messages: Sequence[Message]) -> list[Position]:
        if any(message.topic == self.failing for message in messages):
            raise Away("kafka", "switched off")
        return await super().publish_all(messages)


@pytest.mark.parametrize("topic", [topics.OUTCOMES, topics.LISTINGS, topics.NOTICES])
async def test_what_an_outage_cut_off_is_made_up_for(tmp_path: Path, topic: str) -> None:
    """Wherever the log went away, the batch that comes again brings what is missing."""
    render = SmallRender(tmp_path)
    publisher = FailingPublisher(render.log)
    render.updates._publisher = publisher
    publisher.failing = topic
    with pytest.raises(Away):
        await render.take(a_public(revision=2))
    publisher.failing = None
    await render.take(a_public(revision=2))
    assert {notice.revision for notice in render.notices} == {1, 2}
    assert set(render.model.states["a1"].listings) <= set(render.marks)
    assert render.renderings[-1].revision == 2
    assert render.model.states["a1"].marks == ()
    assert render.model.states["a1"].announced == 2


async def test_a_lost_acknowledgement_counts_as_not_told(render: SmallRender) -> None:
    """What was told is noted only once the log has said so; a repeat is better than a silence."""
    render.publisher.lose_next = 1
    with pytest.raises(Away):
        await render.take(a_public())
    assert render.model.states["a1"].announced == 0
    assert render.model.states["a1"].marks
    await render.take(a_public())
    assert kinds(render.notices) == [("a1", 1, "published")]


async def test_a_batch_renders_each_article_once_at_its_newest_revision(render: SmallRender) -> None:
    """Whatever order they came in; every notice of the history is told."""
    await render.take(a_public(revision=2), a_public("b2"), a_public(revision=3), a_public(revision=1))
    assert sorted((r.article_id, r.revision) for r in render.renderings) == [("a1", 3), ("b2", 1)]
    assert kinds([notice for notice in render.notices if notice.article_id == "a1"]) == [
        ("a1", 1, "published"),
        ("a1", 2, "update"),
        ("a1", 3, "update"),
    ]


async def test_an_older_update_changes_nothing(render: SmallRender) -> None:
    """Skipped, but it is told up to where the article is rendered."""
    await render.take(a_public(revision=3))
    before = render.files()
    await render.take(a_public(revision=2))
    assert render.files() == before
    assert [rendering.revision for rendering in render.renderings] == [3, 3]
    assert len(render.notices) == 3


async def test_the_same_update_again_tells_nothing_twice(render: SmallRender) -> None:
    """A redelivery makes the same files and neither mark nor notice."""
    await render.take(a_public())
    marks, files = render.marks, render.files()
    await render.take(a_public())
    assert (render.marks, render.files()) == (marks, files)
    assert len(render.notices) == 1


async def test_an_update_marks_only_the_listings_that_show_something_else(render: SmallRender) -> None:
    """An amendment of the body moves no listing; another tag moves those it left and entered."""
    await render.take(a_public(revision=1, headline="H"))
    await render.list_marked()
    before = Counter(render.marks)
    amended = (*a_history(1), a_change(2, ChangeKind.AMENDED))
    first = a_public(revision=1, headline="H")
    second = a_public(revision=2, headline="H", changes=amended)
    assert first.public is not None
    assert first.public.text is not None
    assert second.public is not None
    same = second.public.model_copy(update={"text": first.public.text})
    await render.take(second.model_copy(update={"public": same}))
    assert Counter(render.marks) == before
    retagged = a_public(
        revision=3, headline="H", changes=(*amended, a_change(3, ChangeKind.AMENDED)), tags=("Bank",)
    )
    assert retagged.public is not None
    assert retagged.public.text is not None
    text = first.public.text.model_copy(update={"tags": ("Bank",)})
    await render.take(
        retagged.model_copy(update={"public": retagged.public.model_copy(update={"text": text})})
    )
    moved = Counter(render.marks) - before
    assert {"/tags/astana/", "/tags/bank/", "/tags/astana/2023/06/", "/tags/bank/2023/06/"} <= set(moved)
    assert {UPDATES_LEDGER, SITEMAP_INDEX, "/sitemaps/2023-06.xml"}.isdisjoint(moved)


async def test_a_moved_article_leaves_nothing_behind_and_never_has_no_page(render: SmallRender) -> None:
    """The former address is removed after the new page stands."""
    old = a_public(revision=1)
    await render.take(old)
    new = a_public(revision=2, section="World", former_paths=(page_of(old),))
    await render.take(new)
    assert [path for path in render.files() if path.startswith(page_of(old))] == []
    assert "Headline 2" in render.text(page_of(new))


async def test_a_withdrawal_removes_every_file_and_is_told_in_silence(render: SmallRender) -> None:
    """Its record has no word and takes notices out of the stream; the rendering waits for the listings."""
    await render.take(a_public())
    await render.list_marked()
    gone = a_withdrawn(a_public(), 2)
    await render.take(gone)
    assert [path for path in render.files() if path.startswith(page_of(gone))] == []
    assert [rendering.revision for rendering in render.renderings] == [1]
    assert kinds(render.notices)[1:] == [("a1", 2, "withdrawn")]
    assert (render.notices[1].headline, render.notices[1].note) == ("", None)
    await render.list_marked()
    assert [(r.revision, r.path) for r in render.renderings] == [
        (1, page_of(gone)),
        (2, None),
    ]
    assert all(
        b"Headline" not in content for path, content in render.files().items() if path.endswith(".html")
    )


async def test_a_republication_after_a_withdrawal_begins_a_new_history(render: SmallRender) -> None:
    """Also where the withdrawal's own record was lost to compaction: open pages are reset first."""
    await render.take(a_public(revision=2))
    again = a_public(revision=4, changes=(a_change(4, ChangeKind.PUBLISHED),))
    await render.take(again)
    assert kinds(render.notices)[2:] == [("a1", 3, "withdrawn"), ("a1", 4, "published")]


async def test_a_retraction_keeps_the_page_and_tells_no_former_headline(render: SmallRender) -> None:
    """The address stays, the text goes, from the page and from every listing."""
    await render.take(a_public(headline="Calumny"))
    await render.list_marked()
    killed = a_retracted(a_public(headline="Calumny"), 2)
    await render.take(killed)
    assert [rendering.revision for rendering in render.renderings] == [1]
    await render.list_marked()
    assert [rendering.revision for rendering in render.renderings] == [1, 2]
    assert "Retracted" in render.text(page_of(killed))
    assert "It was not so." in render.text(UPDATES_LEDGER)
    assert all(b"Calumny" not in content for content in render.files().values())
    assert kinds(render.notices)[1:] == [("a1", 2, "retraction")]
    assert "Calumny" not in render.notices[1].headline


async def test_a_draft_has_no_file_no_mark_and_no_notice(render: SmallRender) -> None:
    """Nothing of it leaves the read model."""
    await render.take(a_draft())
    assert render.files() == {}
    assert (render.marks, render.notices) == ([], [])
    assert [(r.revision, r.path) for r in render.renderings] == [(1, None)]


async def test_a_re_announcement_makes_everything_again_and_tells_nobody(render: SmallRender) -> None:
    """An article first met in it counts as told; a known one has its listings made again."""
    await render.take(a_public(revision=3), again=True)
    await render.list_marked()
    assert render.notices == []
    marked, files = len(render.marks), render.files()
    render.folder.root.joinpath("index.html").unlink()
    await render.take(a_public(revision=3), again=True)
    await render.list_marked()
    assert len(render.marks) == 2 * marked
    assert render.files() | files == render.files()
    assert render.notices == []
    await render.take(a_public(revision=4))
    assert kinds(render.notices) == [("a1", 4, "update")]


def test_a_read_model_that_is_filled_anew_tells_only_what_is_new() -> None:
    """An update that overtakes its article's re-announcement brings the notices of its own events alone."""
    update = a_public(revision=5).model_copy(update={"event_ids": ("e4", "e5")})
    (whole,) = coalesce([a_delivery(update)])
    (partly,) = coalesce([a_delivery(update)], partly_read={0})
    assert (whole.silent_up_to, partly.silent_up_to) == (0, 3)


async def test_an_update_that_cannot_be_drawn_is_parked_and_has_no_effect(tmp_path: Path) -> None:
    """The record is named, what stood stands, and the rest of the batch is rendered."""
    render = SmallRender(tmp_path, pages=PlainPages(breaks_on=["Broken"]))
    await render.take(a_public())
    bad = a_delivery(a_public(revision=2, headline="Broken"), offset=7)
    with pytest.raises(Poisoned) as poisoned:
        await render.updates.handle([bad, a_delivery(a_public("b2"))])
    assert poisoned.value.record is bad.record
    assert "Headline 1" in render.text(page_of(a_public()))
    assert render.model.states["a1"].revision == 1
    assert "Headline 1" in render.text(page_of(a_public("b2")))


async def test_an_outage_outweighs_a_bad_record_and_a_bug_outweighs_both(tmp_path: Path) -> None:
    """What is away is waited for before anything is parked; a bug stops the process."""
    render = SmallRender(tmp_path, pages=PlainPages(breaks_on=["Broken"]))
    render.log.go_away()
    with pytest.raises(Away):
        await render.take(a_public(headline="Broken"), a_public("b2"))


class Intruding(MemoryReadModel):
    """Lets another owner act at one moment: right after the model was asked or written."""

    def __init__(self) -> None:
        super().__init__()
        self.before_revision: Callable[[], Awaitable[None]] | None = None
        self.at = 1

    async def revision(self, article_id: str) -> int | None:
        self.at -= 1
        if self.before_revision is not None and self.at == 0:
            act, self.before_revision = self.before_revision, None
            await act()
        return await super().revision(article_id)


@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("is_gone", [False, True])
async def test_a_writer_that_comes_late_makes_good_for_its_old_page(
    tmp_path: Path, is_gone: bool, at: int
) -> None:
    """After its first or its last rename another instance renders a later revision, or removes the page."""
    model = Intruding()
    model.at = at
    late = SmallRender(tmp_path, model=model)
    other = SmallRender(tmp_path, model=model, log=late.log)
    later = a_withdrawn(a_public(), 2) if is_gone else a_public(revision=2)
    model.before_revision = partial(overtaken_by, other, later)
    await late.take(a_public())
    if is_gone:
        assert [path for path in late.files() if path.startswith(page_of(later))] == []
    else:
        assert "Headline 2" in late.text(page_of(later))
    await late.list_marked()
    assert late.renderings[-1].revision == 2


@pytest.mark.parametrize("is_gone", [False, True])
async def test_an_old_page_is_not_put_in_place_by_who_comes_late(tmp_path: Path, is_gone: bool) -> None:
    """Paused with its page written and not in place, while another instance renders a later revision."""
    model = Overtaken()
    late = SmallRender(tmp_path, model=model)
    other = SmallRender(tmp_path, model=model, log=late.log)
    later = a_withdrawn(a_public(), 2) if is_gone else a_public(revision=2)
    model.after_insert = lambda: other.take(later)
    passed: list[str] = []
    steps.install(passed.append)
    try:
        await late.take(a_public())
    finally:
        steps.install(None)
    assert passed.count("render.page_written") == (0 if is_gone else 1)
    assert passed.count("render.files_settled") == 2
    if is_gone:
        assert [path for path in late.files() if path.startswith(page_of(later))] == []
    else:
        assert "Headline 2" in late.text(page_of(later))


async def test_a_late_writer_makes_good_for_its_old_page_though_it_can_tell_nobody(tmp_path: Path) -> None:
    """Its sockets to the log are stale when it wakes, so the batch fails, and its partitions are gone."""
    model = Intruding()
    late = SmallRender(tmp_path, model=model)
    other = SmallRender(tmp_path, model=model, log=late.log)
    publisher = FailingPublisher(late.log)
    late.updates._publisher = publisher
    publisher.failing = topics.OUTCOMES
    gone = a_withdrawn(a_public(), 2)
    model.before_revision = partial(overtaken_by, other, gone)
    with pytest.raises(Away):
        await late.take(a_public())
    assert [path for path in late.files() if path.startswith(page_of(gone))] == []


async def overtaken_by(other: SmallRender, later: ArticleUpdate) -> None:
    """Another instance renders that, and then what stood before is back, as if its renames had come last."""
    old = other.files()
    await other.take(later)
    for path, content in old.items():
        file = other.folder.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


class Overtaken(MemoryReadModel):
    """Lets another owner act right after an article was recorded."""

    after_insert: Callable[[], Awaitable[None]] | None = None

    async def insert(self, state: ArticleState) -> bool:
        done = await super().insert(state)
        if self.after_insert is not None:
            act, self.after_insert = self.after_insert, None
            await act()
        return done


async def test_two_instances_that_get_the_same_update_make_one_article(tmp_path: Path) -> None:
    """The same partition for a moment in two hands: one state, the same files, no notice lost."""
    one = SmallRender(tmp_path)
    two = SmallRender(tmp_path, model=one.model, log=one.log)
    await asyncio.gather(one.take(a_public(revision=2)), two.take(a_public(revision=2)), one.take(a_public()))
    assert "Headline 2" in one.text(page_of(a_public()))
    assert {notice.revision for notice in one.notices} == {1, 2}


@pytest.mark.parametrize(
    ("update", "told"),
    [
        (a_draft(), None),
        (a_public(revision=2), 2),
        (a_public(revision=3, changes=(*a_history(2), a_change(3, ChangeKind.AMENDED))), 2),
        (a_withdrawn(a_public(), 4), 4),
        (a_retracted(a_public(), 5), 5),
    ],
)
async def test_the_model_tells_which_revision_readers_must_know(
    render: SmallRender, update: ArticleUpdate, told: int | None
) -> None:
    """An amendment is not told, so a page that lacks it need not be fetched again."""
    await render.take(update)
    state: ArticleState = render.model.states["a1"]
    assert told_revision(state) == await render.model.told("a1") == told
