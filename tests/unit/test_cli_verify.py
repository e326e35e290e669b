"""`verify` on the command line: what differs is listed, and the exit code tells whether anything does."""

from __future__ import annotations

import json

import httpx
import pytest

from desk import wording
from tests.unit.desk_newsroom import KEY, Answer, Newsroom, a_problem, broken_answer, run

PROGRESS = {"line": "progress", "articles": 2, "expected": 3, "listings": 0, "files": 4}
TOTAL = {"line": "total", "articles": 3, "expected": 3, "listings": 5, "files": 14, "differences": 0}
MISSING = {
    "line": "difference",
    "what": "missing",
    "path": "/x/index.html",
    "detail": "a rebuild would write it",
    "article_id": "rain",
}


def lines(*said: object) -> Answer:
    """What render answers, a line each."""
    content = "".join(f"{json.dumps(line)}\n" for line in said)
    return lambda _: httpx.Response(200, headers={"Content-Type": "application/x-ndjson"}, content=content)


def test_an_equal_site_is_told() -> None:
    newsroom = Newsroom([lines(PROGRESS, TOTAL)])
    result = run(newsroom, "verify")
    assert result.exit_code == wording.OK
    assert result.stdout == "equal: 3 articles, 5 listings, 14 files are what a rebuild would write\n"
    assert f"{newsroom.last.method} {newsroom.last.url}" == "POST http://127.0.0.1:8000/api/verification"
    assert newsroom.last.headers["Authorization"] == f"Bearer {KEY}"


def test_each_difference_is_a_line_and_the_code_tells_of_them() -> None:
    newsroom = Newsroom([lines(PROGRESS, MISSING, TOTAL | {"differences": 3})])
    result = run(newsroom, "verify")
    assert result.exit_code == wording.FAILED
    assert result.stdout.splitlines()[:3] == [
        "missing  /x/index.html: a rebuild would write it (article rain)",
        "… and 2 more",
        "3 differences in 3 articles, 5 listings, 14 files",
    ]
    assert "newsroom republish" in result.stdout
    assert "docs/operations.md" not in result.stdout


def test_what_no_republication_takes_away_is_told_so() -> None:
    stray = MISSING | {"what": "extra", "path": "/stray.html", "article_id": None}
    result = run(Newsroom([lines(stray, TOTAL | {"differences": 1})]), "verify")
    assert "1 difference in 3 articles" in result.stdout
    assert "docs/operations.md" in result.stdout


def test_with_json_the_result_is_one_object() -> None:
    result = run(Newsroom([lines(MISSING, TOTAL | {"differences": 1})]), "verify", "--json")
    assert result.exit_code == wording.FAILED
    told = json.loads(result.stdout)
    assert told["equal"] is False
    assert told["told"][0]["path"] == "/x/index.html"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lines(PROGRESS), "the answer broke off before its end"),
        (
            lines(PROGRESS, {"line": "failure", "reason": "store does not answer: 503"}),
            "store does not answer",
        ),
        (broken_answer, "reset by peer"),
        (a_problem(503, "A comparison runs here already."), "A comparison runs here already."),
    ],
)
def test_half_a_comparison_is_no_result(answer: Answer, expected: str) -> None:
    result = run(Newsroom([answer]), "verify")
    assert result.exit_code == wording.UNREACHABLE
    assert expected in result.stderr
    assert "equal" not in result.stdout


def test_it_needs_a_publishers_key() -> None:
    newsroom = Newsroom([a_problem(403, "This needs the role publisher.")])
    assert run(newsroom, "verify", key=None, newsroom_home="/nowhere").exit_code == wording.USAGE
    assert newsroom.requests == []
    assert run(newsroom, "verify").exit_code == wording.NOT_ALLOWED


def test_something_else_at_the_address_is_told() -> None:
    result = run(Newsroom([lambda _: httpx.Response(200, text="<html>")]), "verify")
    assert result.exit_code == wording.FAILED
    assert "is it the site's address" in result.stderr


def test_a_file_name_cannot_play_with_the_terminal() -> None:
    stray = MISSING | {"what": "extra", "path": "/x/\x1b[31m.html"}
    result = run(Newsroom([lines(stray, TOTAL | {"differences": 1})]), "verify")
    assert "\x1b" not in result.stdout
    assert "/x/\\x1b[31m.html" in result.stdout
