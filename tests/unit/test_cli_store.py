"""The commands that ask the store: lists are read to their end, rebuilds followed until they are done."""

from __future__ import annotations

import json

import pytest

from desk import wording
from tests.unit.desk_newsroom import Newsroom, a_problem, an_answer, run

ARTICLE = {
    "id": "rain",
    "revision": 2,
    "status": "public",
    "url": "http://127.0.0.1:8000/world/2023/06/20/rain-abcdef/",
    "article": {"headline": "Rain at last", "section": "World"},
    "excerpt": "It rained.",
    "updated_at": "2023-06-20T04:40:00.000Z",
}
REBUILD = {"id": "rep_00c0ffee00c0ffee", "state": "running", "all": True, "announced": 0, "total": 2}
DONE = REBUILD | {"state": "done", "announced": 2}


def test_a_list_is_a_table() -> None:
    """Of a retracted article there is no headline."""
    retracted = {"id": "false", "revision": 3, "status": "retracted"}
    newsroom = Newsroom([an_answer(200, {"articles": [ARTICLE, retracted]})])
    result = run(newsroom, "list", "--section", "World")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["ID", "REVISION", "UPDATED", "HEADLINE"]
    assert lines[1][:2] == ["rain", "2"]
    assert lines[1][-3:] == ["Rain", "at", "last"]
    assert lines[2] == ["false", "3", "(retracted)"]
    assert dict(newsroom.last.url.params) == {"state": "public", "section": "World", "limit": "20"}


def test_a_list_goes_on_where_the_part_before_ended() -> None:
    """Until there are as many as were asked for."""
    part = {"articles": [ARTICLE] * 100, "next": "place"}
    newsroom = Newsroom([an_answer(200, part), an_answer(200, part)])
    result = run(newsroom, "list", "--count", "150", "--json")
    assert len(json.loads(result.stdout)) == 150
    assert [request.url.params.get("cursor") for request in newsroom.requests] == [None, "place"]
    assert newsroom.last.url.params["limit"] == "50"


def test_an_empty_list_says_so() -> None:
    newsroom = Newsroom([an_answer(200, {"articles": []})])
    assert run(newsroom, "list", key=None, newsroom_home="/nowhere").stdout == "no articles\n"
    assert json.loads(run(newsroom, "list", "--json").stdout) == []


def test_drafts_need_a_key() -> None:
    """Told before anything is sent."""
    newsroom = Newsroom([an_answer(200, {"articles": []})])
    result = run(newsroom, "list", "--state", "draft", key=None, newsroom_home="/nowhere")
    assert result.exit_code == wording.USAGE
    assert newsroom.requests == []


def test_a_rebuild_is_followed_until_it_is_done() -> None:
    newsroom = Newsroom([an_answer(202, REBUILD), an_answer(200, REBUILD), an_answer(200, DONE)])
    result = run(newsroom, "republish", "--all")
    assert result.exit_code == wording.OK
    assert result.stdout == "done: 2 of 2 announced again (2.0 a second); render writes their pages\n"
    assert json.loads(newsroom.requests[0].content) == {"all": True}
    assert newsroom.last.url.path == "/republications/rep_00c0ffee00c0ffee"


def test_a_rebuild_that_takes_longer_tells_its_rate() -> None:
    running = REBUILD | {"total": 300, "announced": 150}
    done = running | {"state": "done", "announced": 300}
    newsroom = Newsroom([an_answer(202, running), *[an_answer(200, running)] * 3, an_answer(200, done)])
    result = run(newsroom, "republish", "--all")
    assert result.stdout == "done: 300 of 300 announced again (150 a second); render writes their pages\n"


def test_some_articles_are_named() -> None:
    newsroom = Newsroom([an_answer(202, DONE)])
    run(newsroom, "republish", "rain", "snow")
    assert newsroom.last_body == {"article_ids": ["rain", "snow"]}


def test_a_rebuild_that_takes_longer_has_a_code_of_its_own() -> None:
    """It goes on by itself; who does not want to wait is done."""
    newsroom = Newsroom([an_answer(202, REBUILD)])
    assert run(newsroom, "republish", "--all", "--wait", "1").exit_code == wording.UNFINISHED
    assert newsroom.pauses == [0.5, 0.5]
    assert run(newsroom, "republish", "--all", "--wait", "0").exit_code == wording.OK


@pytest.mark.parametrize("arguments", [(), ("--all", "rain")])
def test_a_rebuild_says_either_all_or_which(arguments: tuple[str, ...]) -> None:
    newsroom = Newsroom([an_answer(202, DONE)])
    assert run(newsroom, "republish", *arguments).exit_code == wording.USAGE
    assert newsroom.requests == []


def test_an_unknown_article_is_told_with_its_place() -> None:
    problem = a_problem(
        422,
        "Some of the articles are unknown.",
        [{"pointer": "/article_ids/0", "detail": "is no article here"}],
    )
    result = run(Newsroom([problem]), "republish", "nothing")
    assert result.exit_code == wording.FAILED
    assert "/article_ids/0: is no article here" in result.stderr
