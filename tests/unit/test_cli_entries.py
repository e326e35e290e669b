"""Entries of a live article on the command line: added, changed as a whole or in parts, listed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desk import wording
from desk.cli import main
from tests.unit.desk_newsroom import Newsroom, a_problem, a_receipt, an_answer, run

BLANK = {"headline": "", "body": "", "key_event": False, "pinned": False}
LISTED = {
    "id": "e1",
    "article_id": "storm",
    "number": 1,
    "revision": 4,
    "entry": BLANK | {"headline": "The bridge is closed", "body": "<p>Closed.</p>", "pinned": True},
    "excerpt": "",
    "is_on_top": True,
    "added_at": "2023-06-20T04:40:00.000Z",
}


def answering() -> Newsroom:
    """A newsroom where everything goes well."""
    return Newsroom([an_answer(201, a_receipt(article_id="storm", entry_id="e1"))])


def test_a_headline_is_enough_for_an_entry() -> None:
    newsroom = answering()
    result = run(newsroom, "entry", "add", "storm", "--headline", "The bridge is closed", "--key-event")
    assert result.exit_code == wording.OK, result.output
    assert f"{newsroom.last.method} {newsroom.last.url.path}" == "POST /articles/storm/entries"
    assert newsroom.last_body == BLANK | {"headline": "The bridge is closed", "key_event": True}
    assert result.stdout.startswith("rendered: article storm, entry e1, revision 1\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is *closed*.\n", {"body": "<p>It is <em>closed</em>.</p>"}),
        (
            "---\nid: e1\nheadline: Closed\npinned: true\nauthor: A. B.\n---\nAll of it.\n",
            {
                "id": "e1",
                "headline": "Closed",
                "pinned": True,
                "author": "A. B.",
                "body": "<p>All of it.</p>",
            },
        ),
    ],
)
def test_an_entry_may_come_from_a_file(tmp_path: Path, text: str, expected: dict[str, object]) -> None:
    """With or without front matter."""
    path = tmp_path / "closed.md"
    path.write_text(text)
    newsroom = answering()
    assert run(newsroom, "entry", "add", "storm", path).exit_code == wording.OK
    assert newsroom.last_body == BLANK | expected


def test_an_entry_may_be_piped_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """And options stand before what its file says."""
    newsroom = answering()
    result = run(newsroom, "entry", "add", "storm", "-", "--author", "A. B.", "--pin", stdin="Closed.\n")
    assert result.exit_code == wording.OK, result.output
    assert newsroom.last_body == BLANK | {"body": "<p>Closed.</p>", "author": "A. B.", "pinned": True}


def test_an_entry_that_says_nothing_is_not_sent() -> None:
    newsroom = answering()
    result = run(newsroom, "entry", "add", "storm", "--author", "A. B.")
    assert result.exit_code == wording.USAGE
    assert "the entry says nothing" in result.stderr
    assert not newsroom.requests


def test_a_file_changes_the_whole_entry(tmp_path: Path) -> None:
    path = tmp_path / "closed.md"
    path.write_text("It is open again.\n")
    newsroom = answering()
    result = run(newsroom, "entry", "change", "storm", "e1", path, "--if-match", "4")
    assert result.exit_code == wording.OK
    assert f"{newsroom.last.method} {newsroom.last.url.path}" == "PUT /articles/storm/entries/e1"
    assert newsroom.last_body == BLANK | {"body": "<p>It is open again.</p>"}
    assert newsroom.last.headers["If-Match"] == '"4"'


def test_options_change_only_what_they_say() -> None:
    """The entry is read first; whoever changes it meanwhile is not overwritten."""
    newsroom = Newsroom([an_answer(200, LISTED), an_answer(200, a_receipt(entry_id="e1"))])
    assert run(newsroom, "entry", "change", "storm", "e1", "--unpin").exit_code == wording.OK
    assert newsroom.requests[0].url.path == "/articles/storm/entries/e1"
    assert newsroom.last_body == BLANK | {"headline": "The bridge is closed", "body": "<p>Closed.</p>"}
    assert newsroom.last.headers["If-Match"] == '"4"'


def test_an_entry_whose_body_is_not_told_is_not_emptied() -> None:
    """A key that sees the excerpt only must not make it the text."""
    told = LISTED | {"entry": {"headline": "The bridge is closed"}}
    newsroom = Newsroom([an_answer(200, told)])
    result = run(newsroom, "entry", "change", "storm", "e1", "--pin")
    assert result.exit_code == wording.FAILED
    assert "give a FILE with all of it" in result.stderr
    assert len(newsroom.requests) == 1


def test_a_change_says_something(tmp_path: Path) -> None:
    """And a file of another entry is not sent."""
    newsroom = answering()
    assert run(newsroom, "entry", "change", "storm", "e1").exit_code == wording.USAGE
    path = tmp_path / "other.md"
    path.write_text("---\nid: e2\n---\nText.\n")
    result = run(newsroom, "entry", "change", "storm", "e1", path)
    assert result.exit_code == wording.USAGE
    assert "the file is entry e2, the command names e1" in result.stderr
    assert not newsroom.requests


def test_entries_are_listed_part_after_part() -> None:
    newest = LISTED | {"id": "e2", "number": 2, "is_on_top": False, "excerpt": "Police have closed it."}
    newest |= {"entry": {"headline": "", "key_event": True}}  # as a caller without a key sees it
    told = LISTED | {"id": "e3", "entry": {"body": "<p>Police have <em>opened</em> it.</p>"}}
    newsroom = Newsroom(
        [an_answer(200, {"entries": [newest, told], "next": "place"}), an_answer(200, {"entries": [LISTED]})]
    )
    result = run(newsroom, "entries", "storm")
    rows = [line.split() for line in result.stdout.splitlines()]
    assert rows[0] == ["ID", "REVISION", "ADDED", "MARKS", "ENTRY"]
    assert rows[1][0] == "e2"
    assert " ".join(rows[1][4:]) == "key event Police have closed it."
    assert " ".join(rows[2][-4:]) == "Police have opened it."
    assert " ".join(rows[3][4:]) == "on top The bridge is closed"
    assert newsroom.last.url.params["cursor"] == "place"
    assert len(json.loads(run(newsroom, "entries", "storm", "--json", "--count", "1").stdout)) == 1


def test_an_article_without_entries_says_so() -> None:
    assert run(Newsroom([an_answer(200, {"entries": []})]), "entries", "storm").stdout == "no entries\n"


def test_an_article_that_is_not_live_is_told() -> None:
    newsroom = Newsroom([a_problem(409, "The article is not live: send it with `live` true.")])
    result = run(newsroom, "entry", "add", "storm", "--headline", "x")
    assert result.exit_code == wording.FAILED
    assert "is not live" in result.stderr


def test_both_commands_of_entries_are_there() -> None:
    assert {"entry", "entries"} <= main.commands.keys()
