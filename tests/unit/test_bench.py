"""The benchmark's run: what is measured, in which order, and what becomes of a measure that fails."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bench import __main__ as cli
from bench import document, measures
from bench.articles import a_request, an_article, an_update
from bench.findings import Finding
from bench.measures import MEASURES, Entry
from bench.stack import Broken
from bench.table import Chapter, Goal, Measure, Row, Size, Stand
from desk.parts.home import SOURCE
from newsroom.articles import ArticleText
from services.ingest.requests import NewArticle


def a_chapter(stand: Stand) -> Chapter:
    """Of a measure that looks at its folder."""
    assert list(stand.folder.iterdir()) == []
    stand.say("measuring")
    return Chapter("another name", "A title", "how it was done", [Row("took", [3.0], "ms", Goal(2))])


REAL_WORK = cli.WORK


def a_chapter_of_nothing() -> Chapter:
    return Chapter("", "A title", "how it was done")


def raising(error: BaseException) -> Measure:
    def measure(stand: Stand) -> Chapter:
        raise error

    return measure


def entries(**by_name: Measure) -> tuple[Entry, ...]:
    return tuple(Entry(name, f"what {name} is", measure) for name, measure in by_name.items())


@pytest.fixture(autouse=True)
def _all_else_stays_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is configured holds for all tests of this process, and the project's folder is not theirs."""
    monkeypatch.setattr(cli, "WORK", tmp_path / "bench")
    monkeypatch.setattr(cli, "configure_logging", lambda **_: None)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs `python -m bench` with other measures."""

    def with_measures(measured: tuple[Entry, ...], *arguments: str) -> int:
        monkeypatch.setattr(cli, "MEASURES", measured)
        return cli.main(arguments)

    return with_measures


def test_every_measure_has_a_name_of_its_own_and_a_line() -> None:
    assert len(set(measures.NAMES)) == len(MEASURES) > 3
    assert all(entry.what and "\n" not in entry.what for entry in MEASURES)


def test_the_list_tells_every_measure(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(measures.NAMES)


def test_what_is_found_is_printed_under_the_name_of_its_measure(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(entries(speed=a_chapter)) == 0
    told = capsys.readouterr()
    assert "another name" not in told.out
    assert "speed" in told.out
    assert "MISSED" in told.out
    assert "speed: measuring" in told.err


def test_a_measure_that_fails_is_told_and_the_others_go_on(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    error = ExceptionGroup("several", [Broken("the door\nis shut")])
    assert run(entries(door=raising(error), speed=a_chapter), "--json") == 1
    door, speed = json.loads(capsys.readouterr().out)["chapters"]
    assert door["failed"] == "Broken: the door is shut"
    assert (speed["failed"], speed["rows"][0]["value"], speed["rows"][0]["is_met"]) == ("", 3, False)


def test_all_lies_in_the_projects_folder_until_the_run_ends(run: Callable[..., int], tmp_path: Path) -> None:
    """Nothing is deleted between two measures."""
    stood: list[Path] = []

    def writing(stand: Stand) -> Chapter:
        (stand.folder / "page").write_text("a page")
        stood.extend(sorted(tmp_path.rglob("page")))
        return a_chapter_of_nothing()

    assert SOURCE / ".newsroom" in REAL_WORK.parents
    assert run(entries(one=writing, two=writing)) == 0
    assert [page.parent.name for page in stood] == ["one", "one", "two"]
    assert list((tmp_path / "bench").iterdir()) == []


def test_what_a_killed_run_left_is_removed_after_a_run(tmp_path: Path) -> None:
    work, own = tmp_path / "work", f"{os.getpid()}-other"
    for name in ("999999999-killed", own):
        (work / name).mkdir(parents=True)
    with cli.a_folder(work):
        assert len(list(work.iterdir())) == 3
    assert [left.name for left in work.iterdir()] == [own]


def test_after_an_interruption_is_printed_what_was_found(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = entries(speed=a_chapter, stopped=raising(KeyboardInterrupt()), never=a_chapter)
    assert run(stopped, "--json") == cli.INTERRUPTED
    assert [each["name"] for each in json.loads(capsys.readouterr().out)["chapters"]] == ["speed"]


def test_only_what_is_named_is_measured(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(entries(one=a_chapter, two=a_chapter, three=a_chapter), "--only", "three, one", "--json") == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)["chapters"]] == ["one", "three"]


def test_a_name_that_is_none_is_refused(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(entries(one=a_chapter), "--only", "two")
    assert "there are one" in capsys.readouterr().err


def test_a_long_run_takes_what_has_long_rows_and_what_is_named() -> None:
    short, long = Entry("short", "", a_chapter), Entry("long", "", a_chapter, has_long=True)
    assert cli.chosen([short, long], None, Size.LONG) == [long]
    assert cli.chosen([short, long], ["short"], Size.LONG) == [short]
    assert cli.chosen([short, long], None, Size.TABLE) == [short, long]


def test_only_what_is_wanted_is_written(
    run: Callable[..., int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept: list[Finding] = []
    monkeypatch.setattr(document, "written", lambda _, found: kept.extend(found))
    assert run(entries(speed=a_chapter)) == 0
    assert kept == []
    assert run(entries(speed=a_chapter), "--write") == 0
    assert [finding.key for finding in kept] == [("speed", Size.TABLE)]


def test_nothing_is_kept_of_a_smoke_run(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(entries(speed=a_chapter), "--size", "smoke", "--write")
    assert "smoke" in capsys.readouterr().err


def test_the_door_takes_the_article_and_floor_and_newsroom_write_the_same() -> None:
    article = an_article("1")
    sent = NewArticle.model_validate(a_request("bench-1", article))
    assert sent.id == "bench-1"
    assert ArticleText.model_validate(sent.model_dump(exclude_unset=True)) == article
    update = an_update("bench-1", article)
    assert update.public is not None
    assert update.public.text == article
