"""Keys at the command line: a new secret comes alone on stdout, and lists never hold one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from desk import wording
from tests.unit.desk_newsroom import Newsroom, a_problem, an_answer, broken_answer, no_connection, run

SECRET = "nrk_fresh"


def a_key(**changed: object) -> dict[str, object]:
    """A key as ingest shows it."""
    return {"name": "wire", "role": "editor", "created_at": "2023-06-20T04:40:00.000Z"} | changed


def test_a_new_key_stands_alone_on_stdout() -> None:
    """So that it can be sent into a file."""
    newsroom = Newsroom([an_answer(201, a_key(secret=SECRET))])
    result = run(newsroom, "keys", "add", "wire", "--role", "editor")
    assert result.exit_code == wording.OK
    assert result.stdout == f"{SECRET}\n"
    assert (newsroom.last.method, newsroom.last.url.path) == ("POST", "/keys")
    assert newsroom.last_body == {"name": "wire", "role": "editor"}


@pytest.mark.parametrize(("span", "hours"), [("90d", 90 * 24), ("12h", 12), ("4w", 4 * 7 * 24)])
def test_a_key_may_end_after_a_span(span: str, hours: int) -> None:
    """Counted from now."""
    newsroom = Newsroom([an_answer(201, a_key(secret=SECRET))])
    run(newsroom, "keys", "add", "wire", "--role", "reader", "--expires", span)
    expires = datetime.fromisoformat(str(newsroom.last_body["expires_at"]))
    assert abs(expires - datetime.now(UTC) - timedelta(hours=hours)) < timedelta(minutes=1)


def test_a_key_may_end_at_a_time() -> None:
    """With its zone."""
    newsroom = Newsroom([an_answer(201, a_key(secret=SECRET))])
    run(newsroom, "keys", "add", "wire", "--role", "reader", "--expires", "2030-01-31T12:00+05:00")
    assert newsroom.last_body["expires_at"] == "2030-01-31T07:00:00.000Z"


@pytest.mark.parametrize("when", ["soon", "999999d", "99999w"])
def test_an_end_that_cannot_be_read_is_a_usage_error(when: str) -> None:
    """Nothing is sent."""
    newsroom = Newsroom([an_answer(201, a_key(secret=SECRET))])
    assert (
        run(newsroom, "keys", "add", "wire", "--role", "reader", "--expires", when).exit_code == wording.USAGE
    )
    assert not newsroom.requests


def test_a_key_whose_answer_was_lost_is_not_made_twice() -> None:
    """Its secret is lost, so a second attempt would only meet the first one's name."""
    newsroom = Newsroom([broken_answer])
    assert run(newsroom, "keys", "add", "wire", "--role", "editor").exit_code == wording.UNREACHABLE
    assert len(newsroom.requests) == 1


def test_a_key_that_surely_was_not_made_is_asked_for_again() -> None:
    """No connection, no key."""
    newsroom = Newsroom([no_connection, an_answer(201, a_key(secret=SECRET))])
    assert run(newsroom, "keys", "add", "wire", "--role", "editor").stdout == f"{SECRET}\n"


def test_a_refused_key_leaves_stdout_empty() -> None:
    """Nothing that could be taken for a key."""
    result = run(
        Newsroom([a_problem(409, "there is a key of that name")]), "keys", "add", "wire", "--role", "editor"
    )
    assert result.stdout == ""
    assert result.stderr == "Error: there is a key of that name\n"
    assert result.exit_code == wording.FAILED


def test_the_list_tells_what_still_opens_something() -> None:
    """Good, limited, expired, revoked."""
    newsroom = Newsroom(
        [
            an_answer(
                200,
                {
                    "keys": [
                        a_key(),
                        a_key(name="old", expires_at="2023-07-01T00:00:00.000Z"),
                        a_key(name="new", expires_at="2123-07-01T00:00:00.000Z"),
                        a_key(name="bad", revoked_at="2023-07-01T00:00:00.000Z"),
                    ]
                },
            )
        ]
    )
    lines = run(newsroom, "keys", "list").stdout.splitlines()
    assert lines[0].split() == ["NAME", "ROLE", "STATE"]
    assert [line.split()[2] for line in lines[1:]] == ["good", "expired", "good", "revoked"]
    assert "until 2123" in lines[3]


def test_the_list_as_json_is_an_array() -> None:
    """Of keys without secrets."""
    shown = json.loads(run(Newsroom([an_answer(200, {"keys": [a_key()]})]), "keys", "list", "--json").stdout)
    assert shown == [a_key()]


def test_a_key_is_revoked_by_name() -> None:
    """And the name is said again."""
    newsroom = Newsroom([an_answer(200, a_key(revoked_at="2023-07-01T00:00:00.000Z"))])
    result = run(newsroom, "keys", "revoke", "wire")
    assert (newsroom.last.method, newsroom.last.url.path) == ("DELETE", "/keys/wire")
    assert result.stdout == "revoked: wire\n"


@pytest.mark.parametrize("name", ["../articles", "A B", ""])
def test_a_bad_name_reaches_nobody(name: str) -> None:
    """It would be a part of the address."""
    newsroom = Newsroom([an_answer(200, a_key())])
    assert run(newsroom, "keys", "revoke", name).exit_code == wording.USAGE
    assert not newsroom.requests
