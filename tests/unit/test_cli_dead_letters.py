"""Dead letters at the command line: shown without harm to a terminal, retried and dropped by id."""

from __future__ import annotations

import base64
import json

import pytest

from desk import wording
from desk.deadletters import safe
from tests.unit.desk_newsroom import Newsroom, a_problem, an_answer, no_connection, run

LETTER = "dl_" + "a" * 26
OTHER = "dl_" + "b" * 26


def a_letter(**changed: object) -> dict[str, object]:
    """A letter as the store lists it."""
    return {
        "id": LETTER, "state": "waiting", "topic": "newsroom.events", "partition": 3, "offset": 7,
        "time": "2023-06-20T05:40:00.000Z", "reason": "no JSON", "consumer": "store",
        "article_id": "rain", "attempts": 1, "size": 9, "is_whole": True,
    } | changed  # fmt: skip


def some_bytes(raw: bytes) -> dict[str, str]:
    shown = {"base64": base64.b64encode(raw).decode()}
    try:
        return shown | {"text": raw.decode()}
    except UnicodeDecodeError:
        return shown


def a_whole_letter(value: bytes = b"no json", **changed: object) -> dict[str, object]:
    headers = [{"name": "ce_id", "value": some_bytes(b"evt_x")}]
    return a_letter(key=some_bytes(b"rain"), headers=headers, value=some_bytes(value)) | changed


def test_letters_are_a_table() -> None:
    newsroom = Newsroom([an_answer(200, {"dead_letters": [a_letter(), a_letter(id=OTHER, attempts=2)]})])
    result = run(newsroom, "dead-letters", "list", "--state", "waiting")
    assert result.exit_code == wording.OK
    heading, first, second = result.stdout.splitlines()
    assert heading.split() == ["ID", "STATE", "PARKED", "TIMES", "OF", "REASON"]
    assert first.startswith(f"{LETTER}  waiting")
    assert first.endswith("events rain  no JSON")
    assert second.startswith(OTHER)
    assert dict(newsroom.last.url.params) == {"state": "waiting", "limit": "20"}


def test_all_parts_of_the_list_are_asked_for() -> None:
    parts = [{"dead_letters": [a_letter()], "next": "there"}, {"dead_letters": [a_letter(id=OTHER)]}]
    newsroom = Newsroom([an_answer(200, part) for part in parts])
    result = run(newsroom, "dead-letters", "list", "--json")
    assert [each["id"] for each in json.loads(result.stdout)] == [LETTER, OTHER]
    assert newsroom.last.url.params["cursor"] == "there"


def test_no_letters_is_one_sentence() -> None:
    assert run(Newsroom([an_answer(200, {"dead_letters": []})]), "dead-letters", "list").stdout == (
        "no dead letters\n"
    )


def test_a_letter_is_shown_with_reason_headers_and_text() -> None:
    newsroom = Newsroom([an_answer(200, a_whole_letter())])
    result = run(newsroom, "dead-letters", "show", LETTER)
    assert newsroom.last.url.path == f"/dead-letters/{LETTER}"
    for told in ("reason   no JSON", "newsroom.events partition 3 offset 7", "ce_id: evt_x", "\n  no json"):
        assert told in result.stdout


def test_bytes_that_are_no_text_are_shown_as_bytes() -> None:
    result = run(
        Newsroom([an_answer(200, a_whole_letter(b"\xff\x00ab" + b"x" * 16))]), "dead-letters", "show", LETTER
    )
    assert "00000000  ff 00 61 62" in result.stdout
    assert "..ab" in result.stdout
    assert "00000010  78 78 78 78" in result.stdout


def test_nothing_in_a_letter_reaches_the_terminal_as_a_command() -> None:
    """Neither an escape sequence nor what turns the line around, wherever it stands."""
    evil = "\x1b[2J\x07\x9b1m\u202egnp\r\x00"
    letter = a_whole_letter(
        evil.encode(), reason=evil, consumer=evil, topic=evil, key=some_bytes(evil.encode()),
        headers=[{"name": evil, "value": some_bytes(evil.encode())}],
    )  # fmt: skip
    for command in (["show", LETTER], ["list"], ["retry", LETTER]):
        answer = {"dead_letters": [letter]} if command == ["list"] else letter
        result = run(Newsroom([an_answer(200, answer)]), "dead-letters", *command)
        assert result.exit_code == wording.OK
        assert not {*"\x1b\x07\x9b\u202e\r\x00"} & {*result.stdout}
        assert "\\x1b[2J" in result.stdout


@pytest.mark.parametrize("text", ["", "plain", "Қазақстан — №7", "two\nlines", "日本"])
def test_what_a_person_can_read_stays_as_it_is(text: str) -> None:
    assert safe(text) == text


def test_a_long_value_is_shown_in_part_and_given_whole_as_json() -> None:
    newsroom = Newsroom([an_answer(200, a_whole_letter(b"x" * 100_000))])
    result = run(newsroom, "dead-letters", "show", LETTER)
    assert len(result.stdout) < 10_000
    assert "the whole with --json" in result.stdout
    whole = json.loads(run(newsroom, "dead-letters", "show", LETTER, "--json").stdout)
    assert len(whole["value"]["text"]) == 100_000


@pytest.mark.parametrize(
    ("command", "method", "path", "state"),
    [("retry", "POST", "/retry", "retried"), ("drop", "DELETE", "", "dropped")],
)
def test_letters_are_retried_and_dropped_by_id(command: str, method: str, path: str, state: str) -> None:
    newsroom = Newsroom(
        [an_answer(200, a_letter(state=state)), an_answer(200, a_letter(id=OTHER, state=state))]
    )
    result = run(newsroom, "dead-letters", command, LETTER, OTHER)
    assert [(sent.method, sent.url.path) for sent in newsroom.requests] == [
        (method, f"/dead-letters/{LETTER}{path}"),
        (method, f"/dead-letters/{OTHER}{path}"),
    ]
    assert result.stdout.splitlines() == [f"{state}: {LETTER}, events rain", f"{state}: {OTHER}, events rain"]


@pytest.mark.parametrize(
    ("status", "code"), [(404, wording.FAILED), (409, wording.FAILED), (403, wording.NOT_ALLOWED)]
)
def test_a_refusal_says_why(status: int, code: int) -> None:
    result = run(Newsroom([a_problem(status, "because")]), "dead-letters", "retry", LETTER)
    assert (result.exit_code, "because" in result.stderr) == (code, True)


def test_nothing_is_sent_for_what_is_no_letter() -> None:
    newsroom = Newsroom([no_connection])
    assert run(newsroom, "dead-letters", "drop", "../keys").exit_code == wording.USAGE
    assert (
        run(newsroom, "dead-letters", "list", key=None, newsroom_home="/nowhere").exit_code == wording.USAGE
    )
    assert newsroom.requests == []
