"""What is kept of the benchmark's runs, the document that is made of it, and its pictures."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench import document, findings
from bench.document import made, written
from bench.findings import Finding, merged
from bench.machine import Machine, commit_of, file_system, program_version, this_machine
from bench.plots import drawn, ticks
from bench.table import Chapter, Goal, Plot, Row, Series, Size

MACHINE = Machine("A processor", 2, 8.0, "Linux 6.1", {"Python": "3.11.7"})
PLOT = Plot("speed", "How fast & slow", "percentile", "ms", [Series("page", [(1, 2.0), (50, 3.5), (100, 9)])])
CHAPTER = Chapter(
    name="publish",
    title="How fast it is",
    how="By turns, 1 + 2 - 3. " * 20,
    rows=[Row("a page | a notice", [3.0], "x floor", Goal(2))],
    details=["  a table    of its own", "long " * 60],
    plots=[PLOT],
)


def a_finding(chapter: Chapter = CHAPTER, size: Size = Size.TABLE, day: int = 1) -> Finding:
    return Finding(chapter, size, date(2026, 1, day), 12.3, MACHINE)


def without_figures(*, skipped: str = "", failed: str = "") -> Chapter:
    return Chapter(CHAPTER.name, CHAPTER.title, "", skipped=skipped, failed=failed)


def test_findings_are_read_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    assert findings.read(file) == []
    kept = [a_finding(), a_finding(without_figures(skipped="no peer"), Size.LONG)]
    findings.write(file, kept)
    assert len(file.read_text().splitlines()) == 2 + len(kept)
    again = findings.read(file)
    assert made(again) == made(kept)
    assert [finding.key for finding in again] == [finding.key for finding in kept]


def test_a_new_finding_takes_the_place_of_the_former_one_alone() -> None:
    other = a_finding(replace(CHAPTER, name="rest"))
    long = a_finding(size=Size.LONG)
    found = merged([a_finding(day=1), other, long], [a_finding(day=2)])
    assert found == [a_finding(day=2), other, long]


@pytest.mark.parametrize(
    ("chapter", "said"),
    [
        (without_figures(skipped="no peer"), "Tried again on 2026-01-02, skipped: no peer"),
        (without_figures(failed="shut"), "Tried again on 2026-01-02, failed: shut"),
    ],
)
def test_what_brings_no_figures_leaves_those_that_stand_and_says_so(chapter: Chapter, said: str) -> None:
    assert merged([a_finding()], [a_finding(chapter, day=2)]) == [replace(a_finding(), tried_again=said)]
    assert merged([], [a_finding(chapter, day=2)])[0].chapter is chapter
    assert merged([a_finding(chapter, day=2)], [a_finding(day=3)]) == [a_finding(day=3)]


def test_own_figures_are_kept_where_only_the_comparison_was_skipped() -> None:
    alone = a_finding(replace(CHAPTER, skipped="the comparison with a peer"), day=2)
    assert merged([a_finding()], [alone]) == [alone]
    assert "By turns, 1 + 2 - 3." in (text := made([alone])["benchmarks.md"])
    assert "the comparison with a peer" in text


def test_nothing_that_was_kept_is_lost_by_a_further_run(tmp_path: Path) -> None:
    written(tmp_path, [a_finding(size=Size.LONG)])
    found = written(tmp_path, [a_finding(replace(CHAPTER, name="rest")), a_finding()])
    assert [finding.key for finding in found] == [
        ("publish", Size.TABLE),
        ("publish", Size.LONG),
        ("rest", Size.TABLE),
    ]
    text = (tmp_path / "benchmarks.md").read_text()
    assert text.count("\n## publish") == 2
    assert "## publish (long): How fast it is" in text
    assert sorted(file.name for file in (tmp_path / "benchmarks").iterdir()) == [
        "speed-long.svg",
        "speed.svg",
    ]


def test_a_picture_that_is_drawn_no_more_goes(tmp_path: Path) -> None:
    written(tmp_path, [a_finding()])
    written(tmp_path, [a_finding(replace(CHAPTER, plots=[]))])
    assert list((tmp_path / "benchmarks").iterdir()) == []


def test_the_document_tells_the_whole_table_with_day_and_machine() -> None:
    text = made([a_finding(), a_finding(without_figures(failed="shut"), Size.LONG)])["benchmarks.md"]
    assert "| [publish](#publish-how-fast-it-is) | a page \\| a notice | 3 x floor | ≤ 2 | MISSED |" in text
    assert "FAILED" in text
    assert "![How fast & slow](benchmarks/speed.svg)" in text
    assert "Measured on 2026-01-01, in 12 s." in text
    assert "A processor, 2 cores, 8.0 GiB memory, Linux 6.1; Python 3.11.7." in text


def test_commit_and_file_system_are_told_where_they_are_known(tmp_path: Path) -> None:
    known = replace(a_finding(), commit="abc1234+", machine=replace(MACHINE, files="ext4"))
    text = made([known])["benchmarks.md"]
    assert "Measured on 2026-01-01 at abc1234+, in 12 s." in text
    assert "Linux 6.1, files on ext4; Python 3.11.7." in text
    file = tmp_path / "kept.json"
    findings.write(file, [known])
    file.write_text(re.sub(r',"(commit|files)":"[^"]*"', "", file.read_text()))
    assert made(findings.read(file)) == made([a_finding()])


def git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, capture_output=True)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not on PATH")
def test_a_commit_is_told_with_a_sign_where_files_were_changed(tmp_path: Path) -> None:
    assert commit_of(tmp_path) == ""
    git(tmp_path, "init")
    (tmp_path / "code.py").write_text("1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "One")
    commit = commit_of(tmp_path)
    assert re.fullmatch("[0-9a-f]{7,}", commit)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/benchmarks.json").write_text("[]")
    assert commit_of(tmp_path) == commit
    (tmp_path / "code.py").write_text("2")
    assert commit_of(tmp_path) == f"{commit}+"


def test_the_file_system_is_that_of_the_nearest_mount(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mount(point: Path, kind: str) -> SimpleNamespace:
        return SimpleNamespace(mountpoint=str(point), fstype=kind)

    mounts = [mount(Path("/"), "ext4"), mount(tmp_path, "xfs"), mount(tmp_path, "tmpfs")]
    monkeypatch.setattr("psutil.disk_partitions", lambda **_: mounts)
    assert file_system(tmp_path / "bench") == "tmpfs"
    assert file_system(Path(f"{tmp_path}-other")) == "ext4"
    monkeypatch.setattr("psutil.disk_partitions", lambda **_: [])
    assert file_system(tmp_path) == ""


def test_machines_are_told_apart() -> None:
    other = replace(a_finding(size=Size.LONG), machine=replace(MACHINE, cores=1))
    text = made([a_finding(), other])["benchmarks.md"]
    assert "Measured on 2026-01-01 on machine 2, in 12 s." in text
    assert "2. A processor, 1 core, " in text


def test_the_document_keeps_to_the_width_and_makes_no_list_of_prose() -> None:
    text = made([a_finding()])["benchmarks.md"]
    prose = [line for line in text.splitlines() if not line.startswith("|")]
    assert max(map(len, prose)) <= 140
    assert not [line for line in prose if re.match(r"[-+*] |\d+\. ", line)]
    assert "  a table    of its own" in prose


def test_the_documents_of_the_project_are_what_was_kept() -> None:
    """Whoever changes how it is told runs `python -m bench.document`."""
    files = made(findings.read(document.DOCS / document.FINDINGS))
    assert {name: (document.DOCS / name).read_text(encoding="utf-8") for name in files} == dict(files)


def test_a_picture_is_the_same_for_the_same_points_and_leads_nowhere() -> None:
    svg = drawn(PLOT)
    assert svg == drawn(PLOT)
    assert svg != drawn(replace(PLOT, title="Another"))
    assert set(re.findall(r"https?://[^\s\"'<)]+", svg)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert "<script" not in svg
    assert "<!--" not in svg
    assert "How fast &amp; slow" in svg


@pytest.mark.parametrize("points", [[], [(5, 30)], [(5, 30), (50, 30)]])
@pytest.mark.parametrize("is_logarithmic", [True, False])
def test_little_can_be_drawn_too(points: list[tuple[float, float]], is_logarithmic: bool) -> None:
    assert "page" in drawn(Plot("few", "Few", "x", "y", [Series("page", points)], is_logarithmic))


@pytest.mark.parametrize(
    ("values", "marks"),
    [
        ([], []),
        ([0], []),
        ([3], [2, 5]),
        ([30, 9_000], [20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000]),
        ([0.15, 1], [0.1, 0.2, 0.5, 1]),
    ],
)
def test_a_logarithmic_axis_is_marked_by_round_figures(values: list[float], marks: list[float]) -> None:
    assert ticks(values) == pytest.approx(marks)


def test_this_machine_can_be_told(tmp_path: Path) -> None:
    found = this_machine(tmp_path)
    assert found.processor
    assert found.cores >= 1
    assert found.versions["Python"].startswith("3.")


def test_a_program_says_its_version_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program"
    program.write_text('#!/bin/sh\ntest "$1" = -v && echo "A program v1.22.3 (2026)"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert program_version("program", "-v") == "1.22.3"
    assert program_version("program", "--version") is None
    assert program_version("another") is None
