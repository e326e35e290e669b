"""The demonstration: the story is sound, each step is told with what readers see, and it can be run again."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

import httpx
import pytest

from desk import wording
from desk.manuscripts import Manuscript
from desk.storybook import STORIES, Story, load_story
from desk.wording import OK
from newsroom.errors import Misconfigured
from newsroom.excerpts import excerpt
from services.render.looks.sitefile import load_site
from tests.unit.desk_newsroom import Newsroom, a_notice, a_problem, a_receipt, a_stream, an_answer, run, sse

STORY = STORIES / "astana"


@dataclass
class LivingNewsroom:
    """Publishes what it is sent, and tells its pages about it. `taken` are ids that stand already."""

    taken: set[str] = field(default_factory=set)
    revision: int = 0
    posted: list[str] = field(default_factory=list)
    is_closed: bool = False
    originals: dict[str, str | None] = field(default_factory=dict)

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Ingest and site in one."""
        if request.url.path.startswith("/live/"):
            after = int(request.url.params["revision"])
            kind = "breaking" if after == 0 else "correction" if after == 3 else "update"
            return a_stream(sse(a_notice(revision=after + 1, kind=kind)))(request)
        body = json.loads(request.content)
        if request.url.path != "/articles":
            self.posted.append(request.url.path)
            return self._changed(request)
        identity = body.get("id") or self._made(body)
        if identity in self.taken:
            return a_problem(409, "there is an article of that id")(request)
        self.posted.append(f"new:{identity}")
        self.originals[identity] = body.get("translation_of")
        if "id" in body:
            self.taken.add(identity)
        if identity == "fresh":
            self.revision = 1
        return an_answer(201, a_receipt(article_id=identity))(request)

    def _made(self, body: dict[str, object]) -> str:
        """The id of an article that came without one."""
        return "live" if body.get("live") else str(body["language"]) if "language" in body else "fresh"

    def _changed(self, request: httpx.Request) -> httpx.Response:
        identity = request.url.path.split("/")[2]
        if request.url.path == "/articles/live/amendments":
            self.is_closed = json.loads(request.content)["article"]["live"] is False
        if identity == "fresh":
            self.revision += 1
        revision = self.revision if identity == "fresh" else 2
        return an_answer(201, a_receipt(article_id=identity, revision=revision))(request)


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


SAID = {
    "en": "software demonstration",
    "kk": "бағдарламаны көрсету",
    "ru": "показа программы",
    "ar": "لعرض برنامج",
}


def manuscripts_of(story: Story) -> list[Manuscript]:
    """Every article that the demonstration posts, in any version."""
    return [*story.background, *(step.manuscript for step in story.steps), story.live, *story.translations]


def test_every_text_says_that_it_is_a_demonstration() -> None:
    """Nobody shall take it for reporting, in whatever language."""
    for manuscript in manuscripts_of(load_story(STORY)):
        assert SAID[manuscript.article.language] in manuscript.article.body


def test_the_sections_are_those_of_the_site() -> None:
    """So each article stands under a section that the menu has, and none of these is empty."""
    site = load_site(STORIES.parent.parent / "site.toml", "http://127.0.0.1:8000")
    assert {manuscript.article.section for manuscript in manuscripts_of(load_story(STORY))} == set(
        site.sections
    )


def test_the_background_gives_the_site_a_past() -> None:
    """Several months for the archives, tags and authors with more than one article each."""
    articles = [manuscript.article for manuscript in load_story(STORY).background]
    months = {article.published_at.strftime("%Y/%m") for article in articles if article.published_at}
    tags = Counter(tag for article in articles for tag in article.tags)
    authors = Counter(author for article in articles for author in article.authors)
    assert len(months) >= 4
    assert sum(count > 1 for count in tags.values()) >= 5
    assert sum(count > 1 for count in authors.values()) >= 3


def test_translations_name_an_original_that_is_there() -> None:
    """One story stands in every language that the interface speaks."""
    story = load_story(STORY)
    ids = {manuscript.id for manuscript in story.background}
    translated = [m.article for m in story.background if m.article.translation_of]
    assert {article.translation_of for article in translated} <= ids
    assert {article.language for article in translated} == {"kk", "ru", "ar"}
    assert [manuscript.article.language for manuscript in story.translations] == ["kk", "ru"]


def test_the_live_article_has_key_events_and_one_post_on_top() -> None:
    story = load_story(STORY)
    posts = [post.entry for step in story.steps for post in step.posts]
    assert story.live.article.live
    assert all(step.posts for step in story.steps)
    assert sum(post.pinned for post in posts) == 1
    assert sum(post.key_event for post in posts) >= 4


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


def test_a_second_run_makes_other_articles_and_leaves_the_first_ones() -> None:
    """The background is posted once; the story each time, under an id that ingest makes."""
    living = LivingNewsroom()
    printed, _ = play(living)
    background = [f"new:{manuscript.id}" for manuscript in load_story(STORY).background]
    first = list(living.posted)
    assert first[: len(background)] == background
    assert f"{len(background)} other articles" in printed
    living.posted.clear()
    again, _ = play(living)
    assert living.posted == first[len(background) :]
    assert "other articles fill" not in again


def test_a_live_article_runs_beside_the_story_and_is_closed_with_it() -> None:
    """Opened after the first report; each step posts into it."""
    living = LivingNewsroom()
    printed, _ = play(living)
    story = load_story(STORY)
    posts = [post for step in story.steps for post in step.posts]
    assert living.posted.index("new:live") == living.posted.index("new:fresh") + 1
    assert living.posted.count("/articles/live/entries") == len(posts)
    assert all(f"Into the live article: {post.entry.headline}" in printed for post in posts)
    assert living.posted[-3:] == ["/articles/live/amendments", "new:kk", "new:ru"]
    assert living.is_closed


def test_the_story_ends_in_other_languages_too() -> None:
    """Each translation names the article that this run made."""
    living = LivingNewsroom()
    printed, _ = play(living)
    assert (living.originals["kk"], living.originals["ru"]) == ("fresh", "fresh")
    assert "In another language (kk): http://127.0.0.1:8000/" in printed


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
