"""`docs/benchmarks.md` and its pictures, made of what is kept in `docs/benchmarks.json`.

`python -m bench.document` makes them anew without measuring.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench import findings as kept
from bench.findings import Finding
from bench.measures import NAMES
from bench.plots import drawn
from bench.report import HEADINGS, Line, lines
from bench.table import Plot, Size
from desk.parts.home import SOURCE

DOCS = SOURCE / "docs"
FINDINGS = "benchmarks.json"
_DOCUMENT = "benchmarks.md"
_PICTURES = "benchmarks"
_WIDTH = 138
_OPENING = """\
# Benchmarks

Made by `make bench`, which measures beside a floor or a peer, by turns on one machine; do not edit.
Ratios hold on other machines, milliseconds do not.

```sh
make bench                              # the whole table
make bench ARGS="--only publish,live"   # some measures; the others stay here as they were found
make bench-long                         # what takes longer than the table may
.venv/bin/python -m bench --list        # what there is
```

A value is the median of its repetitions, with the lowest and the highest. How each was measured stands below
the table, with the day and the machine. A goal that is missed stays as it was set.
"""
_MARKER = re.compile(r"^(\d*)([-+*#>.)])(?=\s|$)")


def written(docs: Path, new: Sequence[Finding]) -> list[Finding]:
    """Keep what is new, and make document and pictures of all that is kept; that is returned."""
    findings = _ordered(kept.merged(kept.read(docs / FINDINGS), new))
    kept.write(docs / FINDINGS, findings)
    files = made(findings)
    pictures = docs / _PICTURES
    pictures.mkdir(exist_ok=True)
    for former in set(pictures.glob("*.svg")) - {docs / name for name in files}:
        former.unlink()
    for name, content in files.items():
        (docs / name).write_text(content, encoding="utf-8")
    return findings


def made(findings: Sequence[Finding]) -> Mapping[str, str]:
    """Document and pictures, by their place in the folder of documents."""
    pictures = {
        _picture(finding, plot): drawn(plot) for finding in findings for plot in finding.chapter.plots
    }
    return {_DOCUMENT: _text(findings), **pictures}


def _ordered(findings: Sequence[Finding]) -> list[Finding]:
    """In the order of the measures; what is measured no more goes last."""
    order = {name: number for number, name in enumerate(NAMES)}
    return sorted(
        findings, key=lambda each: (order.get(each.chapter.name, len(order)), each.size is Size.LONG)
    )


def _text(findings: Sequence[Finding]) -> str:
    machines = list(dict.fromkeys(str(finding.machine) for finding in findings))
    parts = [
        _OPENING,
        *_table(findings),
        *(line for finding in findings for line in _chapter(finding, machines)),
        *_machines(machines),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _table(findings: Sequence[Finding]) -> Iterator[str]:
    yield "## The table\n"
    yield _row(HEADINGS)
    yield _row(["---"] * len(HEADINGS))
    anchors = {_name(finding): _anchor(_heading(finding)) for finding in findings}
    for line in lines((_name(finding), finding.chapter) for finding in findings):
        yield _row(_cells(line, anchors))
    yield ""


def _cells(line: Line, anchors: Mapping[str, str]) -> list[str]:
    first, *others = (cell.replace("|", "\\|") for cell in line.cells)
    return [f"[{first}](#{anchors[line.measure]})", *others]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _chapter(finding: Finding, machines: Sequence[str]) -> Iterator[str]:
    chapter = finding.chapter
    yield f"## {_heading(finding)}\n"
    where = f" on machine {machines.index(str(finding.machine)) + 1}" if len(machines) > 1 else ""
    at = f" at {finding.commit}" if finding.commit else ""
    yield f"Measured on {finding.day}{at}{where}, in {finding.seconds:.0f} s.\n"
    for said in (chapter.how, chapter.skipped, chapter.failed, finding.tried_again):
        if said:
            yield "\n".join(_filled(said)) + "\n"
    for plot in chapter.plots:
        yield f"![{plot.title}]({_picture(finding, plot)})\n"
    if chapter.details:
        yield "```text"
        yield from (line for each in chapter.details for line in _wrapped(each))
        yield "```\n"


def _machines(machines: Sequence[str]) -> Iterator[str]:
    yield "## The machine\n" if len(machines) < 2 else "## The machines\n"
    for number, machine in enumerate(machines, 1):
        yield "\n".join(_filled(f"{number}. {machine}." if len(machines) > 1 else f"{machine}."))
        yield ""


def _name(finding: Finding) -> str:
    return f"{finding.chapter.name} (long)" if finding.size is Size.LONG else finding.chapter.name


def _heading(finding: Finding) -> str:
    return f"{_name(finding)}: {finding.chapter.title}"


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _picture(finding: Finding, plot: Plot) -> str:
    return f"{_PICTURES}/{plot.name}{'-long' if finding.size is Size.LONG else ''}.svg"


def _filled(text: str) -> list[str]:
    """Prose in lines, none of which begins as a list or a heading would."""
    found = textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [found[0], *(_MARKER.sub(r"\1\\\2", line) for line in found[1:])]


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, _WIDTH, subsequent_indent="      ", break_on_hyphens=False) or [""]


def main() -> int:
    """Make all of it of what is kept."""
    written(DOCS, [])
    return 0


if __name__ == "__main__":
    sys.exit(main())
