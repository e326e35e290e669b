"""Due times on the command line: absent, none or a time; and moved without the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from desk import wording
from tests.unit.desk_newsroom import Newsroom, a_problem, a_receipt, an_answer, run

TEXT = {
    "headline": "Rain",
    "body": "<p>It rained.</p>",
    "section": "World",
    "dateline": {"place": "Astana", "timezone": "Asia/Almaty"},
}


@pytest.fixture
def story(tmp_path: Path) -> Path:
    """A manuscript with a dateline."""
    path = tmp_path / "rain.md"
    path.write_text("---\nheadline: Rain\nsection: World\ndateline: Astana | Asia/Almaty\n---\nIt rained.\n")
    return path


def a_head(**changed: object) -> dict[str, object]:
    """An article as its editor sees it."""
    return {"id": "rain", "revision": 3, "status": "unpublished", "article": TEXT} | changed


def stored() -> Newsroom:
    """A newsroom where it is stored, and has no page."""
    return Newsroom([an_answer(201, a_receipt(state="stored", url=None))])


@pytest.mark.parametrize(
    ("command", "is_inside"),
    [
        (["post"], False),
        (["publish", "rain"], False),
        (["update", "rain", "--note", "x"], True),
        (["correct", "rain", "--note", "x"], True),
        (["amend", "rain"], True),
    ],
)
def test_times_and_flag_go_with_the_text(story: Path, command: list[str], is_inside: bool) -> None:
    """In the dateline's zone where they have none; `none` is null; what is not said is not sent."""
    newsroom = stored()
    times = ["--publish-at", "2030-06-20 10:40", "--embargo-until", "none", "--breaking"]
    result = run(newsroom, *command, story, *times)
    assert result.exit_code == wording.OK, result.output
    sent = newsroom.last_body["article"] if is_inside else newsroom.last_body
    assert isinstance(sent, dict)
    assert sent["publish_at"] == "2030-06-20T05:40:00.000Z"
    assert sent["embargo_until"] is None
    assert sent["breaking"] is True
    assert "breaking_until" not in sent


def test_a_bad_time_is_told_before_anything_is_sent(story: Path) -> None:
    newsroom = stored()
    result = run(newsroom, "post", story, "--publish-at", "tomorrow")
    assert result.exit_code == wording.USAGE
    assert "--publish-at: 'tomorrow' is no time: write it with day, time and zone" in result.stderr
    assert not newsroom.requests


def test_a_draft_has_no_times(story: Path) -> None:
    newsroom = stored()
    result = run(newsroom, "post", story, "--draft", "--publish-at", "2030-06-20 10:40")
    assert result.exit_code == wording.USAGE
    assert not newsroom.requests


@pytest.mark.parametrize(
    ("head", "call"),
    [
        (a_head(), "POST /articles/rain/publication"),
        (a_head(waiting="scheduled", withheld_revision=3), "POST /articles/rain/publication"),
        (a_head(status="withdrawn"), "POST /articles/rain/publication"),
        (a_head(status="public", waiting="embargoed"), "POST /articles/rain/amendments"),
    ],
)
def test_a_schedule_sends_the_text_that_stands(head: dict[str, object], call: str) -> None:
    """On condition that it still does."""
    newsroom = Newsroom([an_answer(200, head), an_answer(200, a_receipt(state="stored", url=None))])
    result = run(newsroom, "schedule", "rain", "--publish-at", "2030-06-20 10:40")
    assert result.exit_code == wording.OK, result.output
    assert f"{newsroom.last.method} {newsroom.last.url.path}" == call
    assert newsroom.last.headers["If-Match"] == '"3"'
    sent = newsroom.last_body.get("article", newsroom.last_body)
    assert isinstance(sent, dict)
    assert sent == {**TEXT, "publish_at": "2030-06-20T05:40:00.000Z"}


def test_a_public_article_stops_being_breaking_when_it_is_told_to() -> None:
    head = a_head(status="public", article=TEXT | {"breaking": True})
    newsroom = Newsroom([an_answer(200, head), an_answer(200, a_receipt())])
    assert run(newsroom, "schedule", "rain", "--breaking-until", "2030-06-20T00:00Z").exit_code == wording.OK
    assert newsroom.last.url.path == "/articles/rain/amendments"


@pytest.mark.parametrize(
    ("head", "option", "expected"),
    [
        (a_head(status="retracted", article=None), "--publish-at=2030-06-20 10:40", "was retracted"),
        (a_head(status="public"), "--publish-at=2030-06-20 10:40", "is public, and nothing of it waits"),
        (a_head(), "--embargo-until=none", "say when it is to be public"),
        (a_head(waiting="scheduled", draft_revision=3), "--publish-at=none", "a draft (revision 3) stands"),
        (a_head(status="public", draft_revision=3), "--breaking-until=none", "a draft (revision 3) stands"),
    ],
)
def test_a_schedule_that_would_do_something_else_is_refused(
    head: dict[str, object], option: str, expected: str
) -> None:
    """Nothing is published, and no draft is made public, by moving a time."""
    newsroom = Newsroom([an_answer(200, head)])
    result = run(newsroom, "schedule", "rain", option)
    assert result.exit_code == wording.FAILED
    assert expected in result.stderr
    assert [request.method for request in newsroom.requests] == ["GET"]


def test_who_was_faster_is_told() -> None:
    newsroom = Newsroom([an_answer(200, a_head()), a_problem(412, "the article stands at revision 4")])
    result = run(newsroom, "schedule", "rain", "--publish-at", "2030-06-20 10:40")
    assert result.exit_code == wording.FAILED
    assert "the article stands at revision 4" in result.stderr


def test_a_schedule_says_something() -> None:
    newsroom = Newsroom([an_answer(200, a_head())])
    assert run(newsroom, "schedule", "rain").exit_code == wording.USAGE
    assert not newsroom.requests
