"""The command line: what is typed becomes the right call, what comes back becomes lines and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import click
import httpx
import pytest
from click.testing import CliRunner

from desk import wording
from desk.cli import main
from desk.client import MAX_ATTEMPTS
from tests.unit.desk_newsroom import (
    EVENT_ID,
    KEY,
    Newsroom,
    a_problem,
    a_receipt,
    an_answer,
    broken_answer,
    no_connection,
    run,
)

ARTICLE = {"headline": "Rain", "section": "World", "body": "<p>It rained.</p>"}


@pytest.fixture
def story(tmp_path: Path) -> Path:
    """A manuscript."""
    path = tmp_path / "rain.md"
    path.write_text("---\nheadline: Rain\nsection: World\n---\nIt rained.\n")
    return path


def answering(**changed: object) -> Newsroom:
    """A newsroom where everything goes well."""
    return Newsroom([an_answer(201, a_receipt(**changed))])


@pytest.mark.parametrize(
    ("arguments", "method", "path", "body"),
    [
        (["post", "FILE"], "POST", "/articles", ARTICLE),
        (
            ["post", "FILE", "--id", "rain", "--draft"],
            "POST",
            "/articles",
            {"id": "rain", **ARTICLE, "draft": True},
        ),
        (["publish", "rain", "FILE"], "POST", "/articles/rain/publication", ARTICLE),
        (["draft", "rain", "FILE"], "PUT", "/articles/rain/draft", ARTICLE),
        (
            ["update", "rain", "FILE", "--note", "More."],
            "POST",
            "/articles/rain/updates",
            {"note": "More.", "article": ARTICLE},
        ),
        (
            ["correct", "rain", "FILE", "--note", "Not so.", "--kind", "clarification"],
            "POST",
            "/articles/rain/corrections",
            {"kind": "clarification", "note": "Not so.", "article": ARTICLE},
        ),
        (["amend", "rain", "FILE"], "POST", "/articles/rain/amendments", {"article": ARTICLE}),
        (["retract", "rain", "--note", "False."], "POST", "/articles/rain/retraction", {"note": "False."}),
        (["withdraw", "rain", "--note", "Wait."], "POST", "/articles/rain/withdrawal", {"note": "Wait."}),
    ],
)
def test_each_command_makes_its_call(
    story: Path, arguments: list[str], method: str, path: str, body: dict[str, object]
) -> None:
    """Method, path, body, key and headers are those of the API."""
    newsroom = answering()
    result = run(newsroom, *[str(story) if part == "FILE" else part for part in arguments])
    assert result.exit_code == wording.OK, result.output
    request = newsroom.last
    assert (request.method, str(request.url)) == (method, f"http://127.0.0.1:8001{path}")
    assert newsroom.last_body == body
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["Prefer"] == "wait=10"
    assert len(request.headers["Idempotency-Key"]) > 20
    assert "If-Match" not in request.headers


def test_a_change_prints_revision_and_page(story: Path) -> None:
    """What the author wants to know next."""
    result = run(answering(), "post", story)
    assert result.stdout == (
        "rendered: article rain, revision 1\n  http://127.0.0.1:8000/kazakhstan/2023/06/20/rain-abcdef/\n"
    )


def test_a_draft_has_no_page(story: Path) -> None:
    """So none is printed."""
    result = run(answering(state="stored", url=None), "post", story, "--draft")
    assert result.stdout == "stored: article rain, revision 1\n"


def test_json_is_the_whole_answer(story: Path) -> None:
    """For scripts; the option may stand before the command, too."""
    orders: tuple[list[str | Path], ...] = (["post", story, "--json"], ["--json", "post", story])
    for arguments in orders:
        assert json.loads(run(answering(), *arguments).stdout) == a_receipt()


def test_what_is_accepted_but_not_seen_yet_has_a_code_of_its_own(story: Path) -> None:
    """It is safe, but a script that waits for the page must know."""
    newsroom = answering(state="accepted", revision=None, url=None)
    result = run(newsroom, "post", story)
    assert result.exit_code == wording.UNFINISHED
    assert f"newsroom status {EVENT_ID}" in result.stdout


def test_who_does_not_want_to_wait_is_done_when_it_is_accepted(story: Path) -> None:
    """No `Prefer`, no waiting, code 0."""
    newsroom = answering(state="accepted", revision=None, url=None)
    result = run(newsroom, "post", story, "--wait", "0")
    assert result.exit_code == wording.OK
    assert "Prefer" not in newsroom.last.headers


def test_if_match_makes_the_change_conditional(story: Path) -> None:
    """And its failure is a refusal in plain words."""
    newsroom = Newsroom([a_problem(412, "the article stands at revision 4, not 3")])
    result = run(newsroom, "amend", "rain", story, "--if-match", "3")
    assert newsroom.last.headers["If-Match"] == '"3"'
    assert result.exit_code == wording.FAILED
    assert result.stderr == "Error: the article stands at revision 4, not 3\n"


def test_a_rejection_names_each_field(story: Path) -> None:
    """One line for the whole, one for each pointer."""
    newsroom = Newsroom(
        [
            a_problem(
                422,
                "2 fields to mend",
                [
                    {"pointer": "/section", "detail": "is taken by the site"},
                    {"pointer": "", "detail": "is too long"},
                ],
            )
        ]
    )
    result = run(newsroom, "post", story)
    assert result.exit_code == wording.FAILED
    assert result.stderr.splitlines() == [
        "Error: 2 fields to mend",
        "  /section: is taken by the site",
        "  (the whole): is too long",
    ]


def test_with_json_a_refusal_is_json(story: Path) -> None:
    """On stdout, with the code that the process ends with."""
    newsroom = Newsroom([a_problem(422, "1 field to mend", [{"pointer": "/section", "detail": "is taken"}])])
    assert json.loads(run(newsroom, "post", story, "--json").stdout) == {
        "error": "1 field to mend",
        "exit_code": 1,
        "errors": [{"pointer": "/section", "detail": "is taken"}],
    }


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, 4),
        (403, 4),
        (404, 1),
        (409, 1),
        (412, 1),
        (413, 1),
        (422, 1),
        (500, 1),
        (429, 3),
        (503, 3),
        (502, 3),
    ],
)
def test_each_refusal_has_its_exit_code(story: Path, status: int, code: int) -> None:
    """As `newsroom --help` documents them."""
    result = run(Newsroom([a_problem(status, "no")]), "post", story)
    assert result.exit_code == code
    assert result.stderr.startswith("Error: ")


def test_a_newsroom_that_is_not_there_is_told_with_what_to_do(story: Path) -> None:
    """After a few attempts, each later than the one before."""
    newsroom = Newsroom([no_connection])
    result = run(newsroom, "post", story)
    assert result.exit_code == wording.UNREACHABLE
    assert (
        "http://127.0.0.1:8001 does not answer: no connection. Start the newsroom with `make up`"
        in result.stderr
    )
    assert len(newsroom.requests) == MAX_ATTEMPTS
    assert newsroom.pauses == [0.5, 1, 2]


def test_a_change_is_repeated_as_the_same_one(story: Path) -> None:
    """After a broken answer, and when a busy newsroom asked for time: same key, same bytes."""
    newsroom = Newsroom([broken_answer, a_problem(503, "busy", Retry_After="3"), an_answer(201, a_receipt())])
    assert run(newsroom, "post", story).exit_code == wording.OK
    assert newsroom.pauses == [0.5, 3]
    assert len({request.headers["Idempotency-Key"] for request in newsroom.requests}) == 1
    assert len({request.content for request in newsroom.requests}) == 1


def test_two_changes_are_never_taken_for_one(story: Path) -> None:
    """Each invocation has a key of its own."""
    newsroom = answering()
    run(newsroom, "post", story)
    run(newsroom, "post", story)
    first, second = (request.headers["Idempotency-Key"] for request in newsroom.requests)
    assert first != second


def test_a_newsroom_that_asks_for_very_long_patience_is_not_waited_for(story: Path) -> None:
    """The pause is bounded."""
    newsroom = Newsroom([a_problem(503, "busy", Retry_After="86400"), an_answer(201, a_receipt())])
    run(newsroom, "post", story)
    assert newsroom.pauses == [10]


def test_something_else_at_the_address_is_told(story: Path) -> None:
    """Not a traceback about JSON."""
    newsroom = Newsroom([lambda _: httpx.Response(200, text="<html>")])
    result = run(newsroom, "post", story)
    assert result.exit_code == wording.FAILED
    assert "is it the newsroom's address" in result.stderr


def test_addresses_come_from_options_before_the_environment(story: Path) -> None:
    """Wherever the option stands, and without caring for a slash at the end."""
    orders: tuple[list[str | Path], ...] = (
        ["--url", "http://a.example/", "post", story],
        ["post", story, "--url", "http://a.example"],
    )
    for arguments in orders:
        newsroom = answering()
        run(newsroom, *arguments, newsroom_url="http://b.example")
        assert newsroom.last.url.host == "a.example"
    newsroom = answering()
    run(newsroom, "post", story, newsroom_url="http://b.example")
    assert newsroom.last.url.host == "b.example"


@pytest.mark.parametrize("url", ["localhost:8001", "ftp://a.example", "http://", "http://a.example:x"])
def test_a_bad_address_is_told_before_anything_is_sent(story: Path, url: str) -> None:
    """As a matter of setup."""
    newsroom = answering()
    result = run(newsroom, "post", story, "--url", url)
    assert result.exit_code == wording.USAGE
    assert "is no web address" in result.stderr
    assert not newsroom.requests


def test_the_key_that_up_wrote_is_found(story: Path, tmp_path: Path) -> None:
    """In NEWSROOM_HOME, when none is given."""
    (tmp_path / "publisher.key").write_text("nrk_from_file\n")
    newsroom = answering()
    assert run(newsroom, "post", story, key=None, newsroom_home=str(tmp_path)).exit_code == wording.OK
    assert newsroom.last.headers["Authorization"] == "Bearer nrk_from_file"


def test_without_a_key_nothing_is_sent(story: Path, tmp_path: Path) -> None:
    """One line says where a key comes from."""
    newsroom = answering()
    result = run(newsroom, "post", story, key=None, newsroom_home=str(tmp_path))
    assert result.exit_code == wording.USAGE
    assert "no key: pass --key, set NEWSROOM_KEY" in result.stderr
    assert not newsroom.requests


@pytest.mark.parametrize("key", ["", "with space", "nrk_é", "a\nb"])
def test_what_can_be_no_key_is_told_without_printing_it(story: Path, key: str) -> None:
    """A pasted mistake must not break the request, nor show up on a screen."""
    result = run(answering(), "post", story, "--key", key)
    assert result.exit_code == wording.USAGE
    assert not key or key not in result.output


@pytest.mark.parametrize(
    "answer", [an_answer(201, a_receipt()), a_problem(403, "your role is reporter"), no_connection]
)
def test_the_key_is_never_printed(story: Path, answer: object) -> None:
    """In no outcome."""
    assert callable(answer)
    assert KEY not in run(Newsroom([answer]), "post", story).output


def test_a_bad_manuscript_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    """With file and key, as a matter of usage."""
    path = tmp_path / "rain.md"
    path.write_text("---\nheadline: Rain\n---\n")
    newsroom = answering()
    result = run(newsroom, "post", path)
    assert result.exit_code == wording.USAGE
    assert result.stderr == f"Error: {path}: section: is missing: add `section: …`\n"
    assert not newsroom.requests


def test_a_file_of_another_article_is_not_sent(tmp_path: Path) -> None:
    """Its id says which it is."""
    path = tmp_path / "rain.md"
    path.write_text("---\nid: snow\nheadline: Snow\nsection: World\n---\n")
    result = run(answering(), "update", "rain", path, "--note", "x")
    assert result.exit_code == wording.USAGE
    assert "the file is article snow, the command names rain" in result.stderr


@pytest.mark.parametrize("identity", ["../keys", "a b", "x" * 65])
def test_a_bad_article_id_reaches_nobody(identity: str) -> None:
    """It would be a part of the address."""
    newsroom = answering()
    assert run(newsroom, "retract", identity, "--note", "x").exit_code == wording.USAGE
    assert not newsroom.requests


@pytest.mark.parametrize("command", ["update", "correct"])
def test_readers_must_be_told_something(story: Path, command: str) -> None:
    """No note, no update."""
    result = run(answering(), command, "rain", story)
    assert result.exit_code == wording.USAGE
    assert "--note" in result.stderr


def test_status_tells_state_and_steps() -> None:
    """With the distance from the first step."""
    newsroom = Newsroom(
        [
            an_answer(
                200,
                {
                    "event_id": EVENT_ID,
                    "article_id": "rain",
                    "state": "rendered",
                    "revision": 2,
                    "url": "http://127.0.0.1:8000/x/",
                    "times": {"rendered": "2023-06-20T04:40:00.123Z", "accepted": "2023-06-20T04:40:00.000Z"},
                },
            )
        ]
    )
    result = run(newsroom, "status", EVENT_ID)
    assert result.exit_code == wording.OK
    assert newsroom.last.url.path == f"/events/{EVENT_ID}"
    lines = result.stdout.splitlines()
    assert lines[0] == "rendered: the public sees it"
    assert lines[-2].endswith("accepted")
    assert lines[-1].endswith("rendered (+123 ms)")


def test_status_of_a_refused_event_fails_with_the_reason() -> None:
    """So that a script notices."""
    answer = an_answer(200, {"event_id": EVENT_ID, "state": "rejected", "reason": "the article is retracted"})
    result = run(Newsroom([answer]), "status", EVENT_ID)
    assert result.exit_code == wording.FAILED
    assert "the article is retracted" in result.stdout


def test_status_of_something_else_is_a_usage_error() -> None:
    """An article id, for instance."""
    assert run(answering(), "status", "rain").exit_code == wording.USAGE


def test_help_documents_every_exit_code() -> None:
    """And begins with what a newcomer does first."""
    shown = run(answering(), "--help").stdout
    for code in range(6):
        assert f"\n    {code}  " in shown
    assert "newsroom up" in shown


def test_every_command_is_explained() -> None:
    """A sentence for each; an example for each that takes an argument."""
    context = click.Context(main)
    found = {name: main.get_command(context, name) for name in main.list_commands(context)}
    for name, command in found.items():
        assert command is not None
        assert command.help, name
        takes = [parameter for parameter in command.params if isinstance(parameter, click.Argument)]
        assert not takes or "newsroom " + name in command.help, name


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str) -> None:
    """And what the script asks for is answered: the commands that begin so."""
    script = run(answering(), "completion", shell).stdout
    assert f"_NEWSROOM_COMPLETE={shell}_complete" in script
    asked = {"_NEWSROOM_COMPLETE": "bash_complete", "COMP_WORDS": "newsroom wat", "COMP_CWORD": "1"}
    result = CliRunner(env=asked).invoke(main, prog_name="newsroom")
    assert "watch" in result.output
    assert "withdraw" not in result.output


def test_no_colour_leaves_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where NO_COLOR is set, or the output is none."""
    newsroom = Newsroom([a_problem(409, "no")])
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in run(newsroom, "retract", "rain", "--note", "x", colour=True).stderr
    assert "\x1b[" not in run(newsroom, "retract", "rain", "--note", "x").stderr
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run(newsroom, "retract", "rain", "--note", "x", colour=True).stderr
