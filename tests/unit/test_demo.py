"""The demonstration: the story is sound, each step is told with what readers see, and it can be run again."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import httpx
import pytest

from desk import wording
from desk.demo import STORIES, load_story
from desk.wording import OK
from newsroom.addresses import slugify
from newsroom.errors import Misconfigured
from newsroom.excerpts import excerpt
from services.render.sitefile import load_site
from tests.unit.desk_newsroom import Newsroom, a_notice, a_problem, a_receipt, a_stream, an_answer, run, sse

STORY = STORIES / "astana"


@dataclass
class LivingNewsroom:
    """Publishes what it is sent, and tells its pages about it. `taken` are ids that stand already."""

    taken: set[str] = field(default_factory=set)
    revision: int = 0
    posted: list[str] = field(default_factory=list)

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Ingest and site in one."""
        if request.url.path.startswith("/live/"):
            after = int(request.url.params["revision"])
            kind = "breaking" if after == 0 else "correction" if after == 3 else "update"
            return a_stream(sse(a_notice(revision=after + 1, kind=kind)))(request)
        body = json.loads(request.content)
        identity = body.get("id", "fresh")
        if request.url.path == "/articles" and identity in self.taken:
            return a_problem(409, "there is an article of that id")(request)
        self.posted.append(request.url.path if request.url.path != "/articles" else f"new:{identity}")
        if identity != "fresh":
            self.taken.add(identity)
            return an_answer(201, a_receipt(article_id=identity))(request)
        self.revision = 1 if request.url.path == "/articles" else self.revision + 1
        return an_answer(201, a_receipt(article_id="fresh", revision=self.revision))(request)


def play(living: LivingNewsroom) -> tuple[str, list[float]]:
    """What the demonstration prints, and its pauses."""
    newsroom = Newsroom([living.handle])
    result = run(newsroom, "demo", "--step-seconds", "6")
    assert result.exit_code == OK, result.output
    return result.stdout, newsroom.pauses


def test_the_story_has_every_kind_of_change() -> None:
    """Breaking first, updates with notes, a correction, an amendment, and an end."""
    story = load_story(STORY)
    kinds = [step.kind for step in story.steps]
    assert kinds[0] == "publish"
    assert story.steps[0].manuscript.article.breaking
    assert kinds.count("update") >= 3
    assert {"correct", "amend"} < set(kinds)
    assert kinds[-1] == "update"
    assert all(bool(step.note) == (step.kind in ("update", "correct")) for step in story.steps)
    assert len(story.background) == 3


def test_every_version_is_another_text_of_the_same_article() -> None:
    """Each step changes something, and nothing that would move the page."""
    articles = [step.manuscript.article for step in load_story(STORY).steps]
    assert len({article.model_dump_json() for article in articles}) == len(articles)
    assert (
        len({(article.section, article.slug, article.published_at, article.dateline) for article in articles})
        == 1
    )
    assert all(excerpt(article.body) for article in articles)


def test_the_amendment_changes_spelling_only() -> None:
    """Readers are told nothing of it, so no fact may move."""
    steps = load_story(STORY).steps
    amended = next(index for index, step in enumerate(steps) if step.kind == "amend")
    before, after = (steps[index].manuscript.article.body.split() for index in (amended - 1, amended))
    assert [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]] == [("Dostik", "Dostyk")]


def test_every_text_says_that_it_is_a_demonstration() -> None:
    """Nobody shall take it for reporting."""
    story = load_story(STORY)
    for manuscript in (*story.background, *(step.manuscript for step in story.steps)):
        assert "software demonstration" in manuscript.article.body


def test_the_sections_are_those_of_the_site() -> None:
    """So each article stands under a section that the menu has."""
    site = load_site(STORIES.parent.parent / "site.toml", "http://127.0.0.1:8000")
    story = load_story(STORY)
    used = {m.article.section for m in (*story.background, *(step.manuscript for step in story.steps))}
    assert used <= set(site.sections)
    assert all(slugify(section) for section in used)


def test_it_says_which_page_to_open_before_anything_happens() -> None:
    """The front page first; the story's own as soon as it stands."""
    printed, _ = play(LivingNewsroom())
    lines = printed.splitlines()
    assert lines[2] == "Open http://127.0.0.1:8000/ in a browser now."
    first_step = next(index for index, line in enumerate(lines) if line.startswith("1. "))
    assert any("leave it open: http://127.0.0.1:8000/kazakhstan/" in line for line in lines[first_step:])


def test_each_step_is_told_with_the_notice_that_readers_see() -> None:
    """Heard from the stream of the page; of the amendment, that there is none."""
    printed, pauses = play(LivingNewsroom())
    assert printed.count("Readers see: ") == 5
    assert printed.count("breaking      ") == 1
    assert printed.count("correction    ") == 1
    assert "Readers are told nothing; the history has it." in printed
    assert pauses == [6.0] * 5


def test_a_second_run_makes_another_article_and_leaves_the_others() -> None:
    """The background is posted once; the story each time, under an id that ingest makes."""
    living = LivingNewsroom()
    play(living)
    first = list(living.posted)
    living.posted.clear()
    play(living)
    assert first[:4] == ["new:demo-markets", "new:demo-heat", "new:demo-library", "new:fresh"]
    assert living.posted == first[3:]


def test_a_page_that_does_not_follow_ends_the_demonstration() -> None:
    """With the command that tells more."""
    newsroom = Newsroom([an_answer(202, a_receipt(state="accepted", revision=None, url=None))])
    result = run(newsroom, "demo", "--step-seconds", "0")
    assert result.exit_code == wording.FAILED
    assert "no page within 20 seconds: see `newsroom status evt_" in result.stderr


def test_a_stream_that_stays_silent_ends_it_too() -> None:
    """The notice must come, or something is wrong."""

    def silent(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/live/"):
            raise httpx.ReadTimeout("silent", request=request)
        return an_answer(201, a_receipt())(request)

    result = run(Newsroom([silent]), "demo", "--step-seconds", "0")
    assert result.exit_code == wording.UNREACHABLE
    assert "the notice did not come" in result.stderr


def test_the_pause_comes_from_the_environment() -> None:
    """As `make demo` sets it."""
    newsroom = Newsroom([LivingNewsroom().handle])
    assert run(newsroom, "demo", demo_step_seconds="2.5").exit_code == OK
    assert newsroom.pauses == [2.5] * 5


def test_with_json_the_last_receipt_is_all_that_stdout_gets() -> None:
    """The story is told on stderr then."""
    result = run(Newsroom([LivingNewsroom().handle]), "demo", "--step-seconds", "0", "--json")
    assert json.loads(result.stdout)["revision"] == 6
    assert "Readers see" in result.stderr


def test_a_folder_without_a_story_is_told() -> None:
    """One line, no traceback."""
    with pytest.raises(Misconfigured, match="is no story"):
        load_story(STORIES / "nowhere")
