"""Watching: a line per notice, on and on across disconnections, each time from the last id heard."""

from __future__ import annotations

import json

import httpx
import pytest

from desk import wording
from tests.unit.desk_newsroom import (
    EVENT_ID,
    KEY,
    Newsroom,
    a_notice,
    a_problem,
    a_stream,
    an_answer,
    broken_answer,
    no_connection,
    run,
    sse,
)


def test_a_notice_is_a_line() -> None:
    """Time, kind, headline, note and page."""
    newsroom = Newsroom([a_stream(sse(a_notice()))])
    result = run(newsroom, "watch", "--notices", "--count", "1", tz="Asia/Almaty")
    assert result.exit_code == wording.OK
    assert "update        Rain at last – It stopped.  http://127.0.0.1:8000/rain/" in result.stdout
    assert result.stdout.count("\n") == 1
    assert str(newsroom.last.url) == "http://127.0.0.1:8000/live"


def test_one_article_may_be_watched_from_a_revision() -> None:
    """Then what came after it is told first."""
    newsroom = Newsroom([a_stream(sse(a_notice()))])
    run(newsroom, "watch", "rain", "--notices", "--after", "1", "--count", "1")
    assert str(newsroom.last.url) == "http://127.0.0.1:8000/live/rain?revision=1"


def test_with_json_each_notice_is_an_object_on_a_line() -> None:
    """For scripts that read lines."""
    newsroom = Newsroom([a_stream(sse(a_notice()), sse(a_notice(revision=3)))])
    lines = run(newsroom, "watch", "--notices", "--count", "2", "--json").stdout.splitlines()
    assert [json.loads(line) for line in lines] == [a_notice(), a_notice(revision=3)]


def test_after_an_end_in_order_it_goes_on_where_it_was() -> None:
    """After the pause that the site asks for."""
    newsroom = Newsroom(
        [
            a_stream(b"retry: 2000\n\n", b"id: abcdefgh-6\n\n", sse(a_notice(), event_id="abcdefgh-7")),
            a_stream(sse(a_notice(revision=3), event_id="abcdefgh-8")),
        ]
    )
    result = run(newsroom, "watch", "--notices", "--count", "2")
    assert result.stdout.count("\n") == 2
    assert "Last-Event-ID" not in newsroom.requests[0].headers
    assert newsroom.requests[1].headers["Last-Event-ID"] == "abcdefgh-7"
    assert newsroom.pauses == [2]
    assert result.stderr == ""


def test_a_place_without_a_notice_is_kept_too() -> None:
    """So nothing is missed between the first connection and the first notice."""
    newsroom = Newsroom([a_stream(b"id: abcdefgh-6\n\n"), a_stream(sse(a_notice()))])
    run(newsroom, "watch", "--notices", "--count", "1")
    assert newsroom.requests[1].headers["Last-Event-ID"] == "abcdefgh-6"


def test_a_break_is_told_once_and_outlasted() -> None:
    """With growing pauses; the end of it is told, too."""
    newsroom = Newsroom(
        [
            a_stream(sse(a_notice(), event_id="abcdefgh-7")),
            broken_answer,
            no_connection,
            a_problem(503, "stopping"),
            a_stream(sse(a_notice(revision=3))),
        ]
    )
    result = run(newsroom, "watch", "--notices", "--count", "2")
    assert result.exit_code == wording.OK
    assert result.stderr.splitlines() == [
        "the stream broke; trying again until it is back (Ctrl-C ends)",
        "the stream is back",
    ]
    assert newsroom.pauses == [1, 1, 2, 4]
    assert newsroom.last.headers["Last-Event-ID"] == "abcdefgh-7"


def test_a_site_that_is_not_there_at_first_is_told() -> None:
    """Who mistyped an address does not wait for ever."""
    result = run(Newsroom([no_connection]), "watch", "--notices")
    assert result.exit_code == wording.UNREACHABLE
    assert "http://127.0.0.1:8000/live does not answer" in result.stderr


def test_a_page_that_is_no_stream_is_told() -> None:
    """The address leads to something else."""
    result = run(Newsroom([lambda _: httpx.Response(200, html="<p>Hello</p>")]), "watch", "--notices")
    assert result.exit_code == wording.FAILED
    assert "is no live stream but text/html" in result.stderr


@pytest.mark.parametrize("status", [404, 410])
def test_an_article_that_is_not_there_ends_the_watch(status: int) -> None:
    """There is nothing to wait for."""
    result = run(Newsroom([a_problem(status, "no such article")]), "watch", "rain", "--notices")
    assert result.exit_code == wording.FAILED
    assert "no such article" in result.stderr


def test_a_reset_is_told_beside_the_notices() -> None:
    """What was missed cannot be listed."""
    newsroom = Newsroom([a_stream(sse({"article_id": None}, "reset"), sse(a_notice()))])
    result = run(newsroom, "watch", "--notices", "--count", "1")
    assert "look at the page again" in result.stderr
    assert result.stdout.count("\n") == 1


def test_ctrl_c_ends_it_cleanly() -> None:
    """No traceback, no error."""

    def interrupted(request: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt

    result = run(Newsroom([a_stream(sse(a_notice())), interrupted]), "watch", "--notices")
    assert result.exit_code == wording.OK
    assert "Error" not in result.output
    assert result.stdout.count("\n") == 1


def test_the_public_site_gets_no_key() -> None:
    """Watching needs none, so none is sent to whoever answers there."""
    newsroom = Newsroom([a_stream(sse(a_notice()))])
    run(newsroom, "watch", "--notices", "--count", "1", key=KEY)
    assert "Authorization" not in newsroom.last.headers


def test_after_without_an_article_is_a_usage_error() -> None:
    """Revisions are counted by article."""
    newsroom = Newsroom([an_answer(200, {})])
    for arguments in (["--after", "1"], ["--notices", "--after", "1"], ["rain", "--after", "1"]):
        assert run(newsroom, "watch", *arguments).exit_code == wording.USAGE
    assert not newsroom.requests


def a_status(state: str, **changed: object) -> dict[str, object]:
    """What ingest's stream says of an event."""
    times = {"accepted": "2023-06-20T04:40:00.100Z"}
    later = {"stored": "2023-06-20T04:40:00.112Z", "rendered": "2023-06-20T04:40:00.131Z"}
    steps = {"accepted": 0, "stored": 1, "rendered": 2, "rejected": 0}[state]
    told = {"event_id": EVENT_ID, "article_id": "rain", "state": state}
    return told | {"times": times | dict(list(later.items())[:steps])} | changed


def test_each_step_of_an_event_is_a_line() -> None:
    """When, what, of which article, how long after it was accepted; at last where it is to be seen."""
    newsroom = Newsroom(
        [
            a_stream(
                b": a heartbeat\n\n",
                sse(a_status("accepted"), "status"),
                sse(a_status("stored", revision=2), "status"),
                sse(a_status("rendered", revision=2, url="http://127.0.0.1:8000/rain/"), "status"),
            )
        ]
    )
    result = run(newsroom, "watch", "rain", "--count", "3", tz="Asia/Almaty")
    assert result.exit_code == wording.OK
    assert [line[5:] for line in result.stdout.splitlines()] == [
        f":00.100  accepted      rain  {EVENT_ID}",
        f":00.112  stored        rain  {EVENT_ID}  revision 2  (+12 ms)",
        f":00.131  rendered      rain  {EVENT_ID}  revision 2  (+31 ms)  http://127.0.0.1:8000/rain/",
    ]
    assert str(newsroom.last.url) == "http://127.0.0.1:8001/events?article=rain"
    assert newsroom.last.headers["Authorization"] == f"Bearer {KEY}"


def test_a_rejected_event_says_why() -> None:
    rejected = a_status("rejected", reason="The article was retracted, which is final.")
    result = run(Newsroom([a_stream(sse(rejected, "status"))]), "watch", "--count", "1")
    assert "rejected      rain" in result.stdout
    assert result.stdout.endswith("The article was retracted, which is final.\n")


def test_with_json_each_step_is_an_object_on_a_line() -> None:
    newsroom = Newsroom([a_stream(sse(a_status("accepted"), "status"), sse(a_status("stored"), "status"))])
    lines = run(newsroom, "watch", "--count", "2", "--json").stdout.splitlines()
    assert [json.loads(line) for line in lines] == [a_status("accepted"), a_status("stored")]


def test_after_a_break_of_the_life_of_events_it_is_told_that_some_may_be_missed() -> None:
    newsroom = Newsroom(
        [
            a_stream(sse(a_status("accepted"), "status")),
            broken_answer,
            a_stream(sse(a_status("stored"), "status")),
        ]
    )
    result = run(newsroom, "watch", "--count", "2")
    assert "what happened meanwhile is not shown (`newsroom status EVENT` tells it)" in result.stderr
    assert result.stdout.count("\n") == 2


def test_without_a_key_it_is_told_what_needs_none() -> None:
    newsroom = Newsroom([a_stream()])
    result = run(newsroom, "watch", key=None, newsroom_home="/nowhere")
    assert result.exit_code == wording.USAGE
    assert "`newsroom watch --notices`" in result.stderr
    assert not newsroom.requests


def test_a_key_that_may_not_watch_is_told() -> None:
    result = run(Newsroom([a_problem(403, "This needs the role reporter.")]), "watch")
    assert result.exit_code == wording.NOT_ALLOWED
