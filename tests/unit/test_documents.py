"""The documents say what is there: links resolve, tables are the code's, commands and settings exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import click
import pytest
from click.testing import CliRunner

from desk import reference
from desk.cli import main

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "SECURITY.md", *(ROOT / "docs").rglob("*.md")])
REQUIREMENTS = sorted((ROOT / "requirements").glob("*.in"))
NODE_TOOLS = ROOT / "tests" / "tools" / "package.json"
CODE = ("desk", "services", "shared", "compose", "Makefile", "docker-compose.yml", ".env.example")

_LINK = re.compile(r"(?<!`)!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_VARIABLE = re.compile(r"\bNEWSROOM_[A-Z][A-Z_]*[A-Z]\b")
_TARGET = re.compile(r"^([a-z]+):", re.MULTILINE)
_WIDEST = 140


def text_of(document: Path) -> str:
    """A document's text."""
    return document.read_text(encoding="utf-8")


def links_of(document: Path) -> Iterator[str]:
    """Every link within the project, code blocks left out."""
    for target in _LINK.findall(_FENCE.sub("", text_of(document))):
        if not re.match(r"https?://|mailto:", target):
            yield target


def anchors_of(document: Path) -> set[str]:
    """The anchors that headings make, as GitHub does."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text_of(document)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    """Files and folders of the project, and headings in them."""
    for target in links_of(document):
        path, _, anchor = target.partition("#")
        place = (document.parent / unquote(path)).resolve() if path else document
        assert place.is_relative_to(ROOT), target
        assert place.exists(), target
        assert not anchor or anchor in anchors_of(place), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_named_in_the_text_is_there(document: Path) -> None:
    """`services/…`, `tests/…`, `docs/…`: what a reader would open."""
    named = re.findall(
        r"`((?:services|shared|desk|tests|docs|compose|bench|faults|supply)/[\w./-]+)`", text_of(document)
    )
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_tables_of_the_operators_are_the_codes() -> None:
    """Whoever changes a setting, a topic, a metric or a command runs `python -m desk.reference`."""
    for file, tables in reference.PAGES.items():
        assert reference.filled(text_of(file), tables) == text_of(file)
    assert CliRunner().invoke(reference.main, ["--check"]).exit_code == 0


def test_a_table_that_is_out_of_date_is_found() -> None:
    """So that the test above can fail."""
    text = text_of(reference.FILE)
    old = text.replace("`NEWSROOM_HOST`", "`NEWSROOM_GUEST`", 1)
    assert reference.filled(old) == reference.filled(text) != old
    with pytest.raises(click.ClickException, match="no marks"):
        reference.filled(text.replace("<!-- end of metrics -->", ""))


def test_every_setting_that_the_code_reads_is_told_to_operators() -> None:
    known = set(_VARIABLE.findall(text_of(reference.FILE)))
    files = [
        file
        for name in CODE
        for file in ([ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*"))
    ]
    read = {
        variable
        for file in files
        if file.is_file() and file.suffix not in (".pyc", ".ttf")
        for variable in _VARIABLE.findall(file.read_text(encoding="utf-8"))
    }
    assert len(read) > 20
    assert read - known == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_document_names_a_setting_that_nothing_reads(document: Path) -> None:
    read = {
        variable
        for source in (reference.FILE, ROOT / "tests" / "conftest.py")
        for variable in _VARIABLE.findall(text_of(source))
    }
    assert set(_VARIABLE.findall(text_of(document))) <= read


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    targets = set(_TARGET.findall(text_of(ROOT / "Makefile")))
    named = set(re.findall(r"(?:^|`|&& |=\d+ )make ([a-z]+)", text_of(document), re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_is_named_exists(document: Path) -> None:
    """`newsroom …` in the text, and at the beginning of a line in the examples."""
    text = text_of(document)
    examples = "\n".join(re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL))
    named = {
        *re.findall(r"[`/]newsroom ([a-z][a-z-]*)", text),
        *re.findall(r"^newsroom ([a-z][a-z-]*)", examples, re.MULTILINE),
    }
    assert named <= main.commands.keys()


def test_the_readme_tells_every_command() -> None:
    section = (
        text_of(ROOT / "README.md").partition("## From the command line")[2].partition("## With Docker")[0]
    )
    told = set(re.findall(r"[a-z-]+", " ".join(re.findall(r"^\| (`.+?) \|", section, re.MULTILINE))))
    assert main.commands.keys() <= told


def test_every_dependency_has_its_line() -> None:
    """What for, why this one, what else was weighed."""
    told = re.findall(r"^\| ([\w, @/-]+) \|", text_of(ROOT / "docs" / "dependencies.md"), re.MULTILINE)
    names = {name.strip() for cell in told for name in cell.split(",")}
    required = {
        match[0]
        for listed in REQUIREMENTS
        for line in text_of(listed).splitlines()
        if (match := re.match(r"[A-Za-z0-9][\w.-]*", line))
    } | json.loads(text_of(NODE_TOOLS))["devDependencies"].keys()
    assert len(required) > 30
    assert required - names == set()
    assert names - required - {"package", "package of npm", "what", "---"} <= {
        "Apache Kafka 4",
        "MongoDB",
        "Caddy",
        "Python",
    }


def test_the_records_are_listed_and_complete() -> None:
    """Numbered without a gap, each with its four parts, each on one screen."""
    records = sorted(path for path in (ROOT / "docs" / "decisions").glob("*.md") if path.name != "README.md")
    assert [path.name[:4] for path in records] == [f"{number:04}" for number in range(1, len(records) + 1)]
    index = text_of(ROOT / "docs" / "decisions" / "README.md")
    for path in records:
        text = text_of(path)
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "Alternatives"]
        assert len(text.splitlines()) <= 50
        title = re.match(r"# \d+\. (.+)", text)
        assert title is not None
        assert f"[{title[1]}]({path.name})" in index


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_prose_fits_a_terminal(document: Path) -> None:
    """Tables and pictures may be wider."""
    wide = [
        line for line in text_of(document).splitlines() if len(line) > _WIDEST and not line.startswith("|")
    ]
    assert wide == []
