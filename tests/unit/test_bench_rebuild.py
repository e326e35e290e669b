"""What is rebuilt, how much of it there is time for, and what the turns add up to."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from bench import press, rebuild
from bench.bulk import A_DAY, Paper, moment, publication
from bench.finish import Standing, aside, standing
from bench.hugo import Build
from bench.press import Press, Printing
from bench.rebuild import PLANS, Edition, Turn, chapter, in_time, page_bytes
from bench.stack import Broken, Newsroom
from bench.table import Chapter, Row, Size
from faults.stage.environment import SITE_FILE
from newsroom.records import Position
from newsroom.topics import EVENTS
from services.render.looks.sitefile import load_site
from services.store.articles import Article
from services.store.filing import apply

PAPER = Paper(load_site(SITE_FILE, "http://127.0.0.1:8000").sections)
PLAN = PLANS[Size.TABLE]


def a_turn(ours: float = 10, hugo: float | None = 4, siblings: float = 1) -> Turn:
    """Twenty articles; 60 files of Hugo's with 120 siblings."""
    build = None if hugo is None else Build(hugo, siblings, files=60, siblings=120)
    return Turn(Printing(ours, {"render": 0.9, "mongod": 0.2}), build)


def an_edition(articles: int = 20, hugo: str | None = "v0.111.3") -> Edition:
    return Edition(articles, 180, 120, first_rate=3, page_bytes=(16_384, 15_360), hugo=hugo)


def values(found: Chapter, unit: str) -> list[list[float]]:
    return [list(row.values) for row in found.rows if row.unit == unit]


def silent(_: str) -> None:
    """Nobody listens."""


def test_a_number_always_is_the_same_story() -> None:
    again = Paper(load_site(SITE_FILE, "http://127.0.0.1:8000").sections)
    assert [PAPER.story(number) for number in range(20)] == [again.story(number) for number in range(20)]


def test_stories_differ_and_stand_in_all_sections() -> None:
    stories = [PAPER.story(number) for number in range(20)]
    assert len({story.text.body for story in stories}) == len({story.path for story in stories}) == 20
    assert len({story.text.section for story in stories}) == 6


def test_a_day_has_its_number_of_stories() -> None:
    assert moment(A_DAY) - moment(0) == timedelta(days=1)
    assert {PAPER.story(number).day for number in (1, A_DAY // 2)} == {PAPER.story(0).day}


def test_a_story_stands_where_the_newsroom_puts_it() -> None:
    story = PAPER.story(7)
    filed = apply(None, publication(story), Position(EVENTS, 0, 0))
    assert isinstance(filed, Article)
    assert filed.path == story.path


@pytest.mark.parametrize(
    ("count", "in_time", "more"),
    [
        (0, 0, 400),
        (400, 1_000, 400),
        (400, 399, 0),
        (800, 500, 500),
        (19_800, 500, 200),
        (20_000, 500, 0),
        (800, float("inf"), 800),
    ],
)
def test_a_press_prints_as_much_more_as_it_has_as_long_as_there_is_time(
    count: int, in_time: float, more: int
) -> None:
    assert press._more(count, 400, 20_000, in_time) == more


def test_no_turn_is_begun_that_would_end_too_late() -> None:
    def slow() -> Turn:
        time.sleep(0.02)
        return a_turn()

    assert len(in_time(slow, 5, 0, silent)) == 1
    assert 2 <= len(in_time(slow, 500, 0.2, silent)) <= 10
    assert len(in_time(a_turn, 3, 60, silent)) == 3


def test_each_turn_gives_a_ratio_with_siblings_and_one_without() -> None:
    found = chapter(
        [a_turn(ours=10, hugo=4, siblings=1), a_turn(ours=20, hugo=5, siblings=3)], an_edition(), PLAN
    )
    assert values(found, "x Hugo with siblings") == [pytest.approx([0.5, 0.4])]
    assert values(found, "x Hugo without siblings") == [pytest.approx([0.4, 0.25])]
    assert values(found, "pages/s") == [[2, 1], pytest.approx([4, 2.5]), [5, 4]]
    assert values(found, "files/s") == [[18, 9], pytest.approx([36, 22.5])]


def test_the_goal_is_half_as_many_pages_again_as_hugo_with_siblings() -> None:
    def is_met(ours: float) -> list[Row]:
        return [row for row in chapter([a_turn(ours)], an_edition(), PLAN).rows if row.goal and row.is_met]

    assert [row.unit for row in is_met(3.3)] == ["x Hugo with siblings"]
    assert is_met(3.4) == []


def test_without_hugo_the_newsroom_has_its_rows_and_the_comparison_is_skipped() -> None:
    found = chapter([a_turn(hugo=None)], an_edition(hugo=None), PLAN)
    assert {row.unit for row in found.rows} == {"pages/s", "files/s"}
    assert "apt-get install hugo" in found.skipped
    assert "Then Hugo" not in found.how
    assert "untimed" not in found.how
    assert "Hugo has built all of it once, untimed" in chapter([a_turn()], an_edition(), PLAN).how


def test_it_is_told_where_there_was_no_time_for_all_articles() -> None:
    assert "20 articles, not 20,000" in chapter([a_turn()], an_edition(20), PLAN).how
    assert "20,000 articles, 200 a day" in chapter([a_turn()], an_edition(20_000), PLAN).how


def test_processor_time_is_told_by_process() -> None:
    assert any("render 0.90, mongod 0.20" in line for line in chapter([a_turn()], an_edition(), PLAN).details)


def test_a_page_that_is_missing_is_no_measurement() -> None:
    stories = [PAPER.story(number) for number in (0, 1)]
    both = Standing(
        {f"{story.path}index.html": size for story, size in zip(stories, (10, 20), strict=True)}, 0
    )
    assert page_bytes(both, stories) == 15
    with pytest.raises(Broken, match="1 of 3 articles have no page"):
        page_bytes(both, [*stories, PAPER.story(2)])


def test_what_stands_is_told_with_sizes_and_the_time_of_the_last_file(tmp_path: Path) -> None:
    (tmp_path / "a/history").mkdir(parents=True)
    (tmp_path / "a/history/index.html").write_text("12345")
    before = time.time() - 1
    (tmp_path / "a/index.html").write_text("123")
    found = standing(tmp_path)
    assert found.sizes == {"/a/history/index.html": 5, "/a/index.html": 3}
    assert (found.count("/index.html"), found.count("/history/index.html")) == (2, 1)
    assert before < found.last_at < time.time() + 1


def test_pages_are_moved_aside_and_the_folder_stays(tmp_path: Path) -> None:
    public, former = tmp_path / "public", tmp_path / "former" / "1"
    (public / "a").mkdir(parents=True)
    (public / "a/index.html").write_text("a page")
    (public / "robots.txt").write_text("words")
    inode = (public / "a/index.html").stat().st_ino, public.stat().st_ino
    aside(public, former)
    assert list(public.iterdir()) == []
    assert ((former / "a/index.html").stat().st_ino, public.stat().st_ino) == inode
    assert set(standing(former).sizes) == {"/a/index.html", "/robots.txt"}


async def test_a_press_keeps_its_former_pages_aside_while_it_prints_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = tmp_path / "home/site/public"
    public.mkdir(parents=True)
    page = public / "index.html"
    page.write_text("a page")
    newsroom = Newsroom("", "", "", "", "", public, "", {})
    again = Press(newsroom, tmp_path / "press", PAPER)
    again.whole = standing(public)
    (tmp_path / "press/blank").mkdir(parents=True)

    async def republish(_: Press) -> None:
        assert list(public.iterdir()) == []
        page.write_text("a page")

    async def finished(*_: object) -> Standing:
        return standing(public)

    monkeypatch.setattr(Press, "_republish", republish)
    monkeypatch.setattr(press, "finished", finished)
    assert (await again.again()).seconds is not None
    assert (await again.again()).cores == {}
    kept = sorted((tmp_path / "press").rglob("index.html"))
    assert [each.parent.name for each in kept] == ["former-1", "former-2"]


def test_what_a_rebuild_made_otherwise_is_named() -> None:
    whole = Standing({"/a": 1, "/b": 2}, 0)
    assert press._difference(Standing({"/a": 1, "/b": 3}, 0), whole) == "1 differ, /b for one"


def test_how_often_is_said_in_words() -> None:
    assert [rebuild.often(times) for times in (1, 2, 3)] == ["Once", "Twice", "3 times"]
