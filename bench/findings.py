"""What runs of the benchmark found, kept from run to run: the document is made of it.

A chapter is kept under its name and size, each with its own day and machine. So a run of a few measures
leaves the others as they stand, and the short table does not take the place of a long run. Nor does a chapter
without figures, skipped or failed, take the place of one that has some: these stay, and it is said beside
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from pydantic import TypeAdapter

from bench.machine import Machine
from bench.table import Chapter, Size


@dataclass(frozen=True)
class Finding:
    """A chapter: in which size it was measured, when, for how long, and where.

    `commit`: of the project, with a `+` where files were changed; empty where that is not known.
    `tried_again`: what later runs said that brought no figures.
    """

    chapter: Chapter
    size: Size
    day: date
    seconds: float
    machine: Machine
    tried_again: str = ""
    commit: str = ""

    @property
    def key(self) -> tuple[str, Size]:
        return self.chapter.name, self.size

    @property
    def has_figures(self) -> bool:
        """Also where a part of the chapter was skipped."""
        return bool(self.chapter.rows) and not self.chapter.failed


_KEPT = TypeAdapter(list[Finding])
_ONE = TypeAdapter(Finding)


def read(file: Path) -> list[Finding]:
    """What is kept there; nothing where there is no such file. Raises: ValidationError."""
    return _KEPT.validate_json(file.read_bytes()) if file.exists() else []


def write(file: Path, findings: Sequence[Finding]) -> None:
    """One finding a line, so that a difference shows which is new."""
    lines = ",\n".join(_ONE.dump_json(finding).decode() for finding in findings)
    file.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def merged(kept: Sequence[Finding], new: Sequence[Finding]) -> list[Finding]:
    """The new ones in the place of those kept of the same name and size, but for those without figures."""
    found = {finding.key: finding for finding in kept}
    for finding in new:
        former = found.get(finding.key)
        if former is None or finding.has_figures or not former.has_figures:
            found[finding.key] = finding
        else:
            found[finding.key] = replace(former, tried_again=_said(finding))
    return list(found.values())


def _said(finding: Finding) -> str:
    what = (
        f"skipped: {finding.chapter.skipped}"
        if finding.chapter.skipped
        else f"failed: {finding.chapter.failed}"
    )
    return f"Tried again on {finding.day}, {what}"
