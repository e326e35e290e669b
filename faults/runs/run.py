"""What one run found, and the ledger of runs: a line of JSON each, so that an interrupted whole goes on."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults.history import Violation

NEWSROOM = ("shared", "services", "desk/parts", "site", "site.toml")
EXPERIMENT = ("faults",)


@dataclass(frozen=True)
class Run:
    """A fault, once, from one seed. `calm_seconds` is None when it never became calm, or was never run.

    `lacking` is what this machine lacks for it, in one line; `error` why the run itself broke. Both are
    empty in a run that tells something.
    """

    fault: str
    seed: int
    violations: tuple[Violation, ...] = ()
    calm_seconds: float | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    """What was done and seen: operations, events, reads, notices, samples, files."""
    restarts: int = 0
    died_at: tuple[str, ...] = ()
    """Named points at which a process was killed."""
    seconds: float = 0.0
    error: str = ""
    lacking: str = ""
    code: str = ""
    """A fingerprint of the code that was run."""

    @property
    def is_told(self) -> bool:
        """Whether it was run to its end, so that its zeros mean something."""
        return not self.error and not self.lacking

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong with it. What a machine lacks is not wrong."""
        return not self.violations and not self.error


def as_json(run: Run) -> str:
    return json.dumps(dataclasses.asdict(run))


def from_json(line: str) -> Run:
    """Raises: ValueError, TypeError at what is no run."""
    told: dict[str, Any] = json.loads(line)
    violations = tuple(Violation(**violation) for violation in told.pop("violations"))
    died_at = tuple(told.pop("died_at", ()))
    return Run(**told, violations=violations, died_at=died_at)


class Ledger:
    """The runs of a file, the last one of each fault and seed. A line that a crash left half is passed
    over.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        self._runs = {(run.fault, run.seed): run for run in _whole(lines)}

    def add(self, run: Run) -> None:
        self._runs[run.fault, run.seed] = run
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as file:
            file.write("\n" * (not _ends_a_line(self._file)) + as_json(run) + "\n")

    def find(self, fault: str, seed: int, code: str) -> Run | None:
        """A run to its end of exactly this code."""
        run = self._runs.get((fault, seed))
        return run if run and run.code == code and run.is_told else None


def _ends_a_line(file: Path) -> bool:
    return not file.stat().st_size or file.read_bytes().endswith(b"\n")


def _whole(lines: Iterable[str]) -> Iterator[Run]:
    for line in lines:
        try:
            yield from_json(line)
        except (ValueError, TypeError, KeyError):
            continue


def fingerprint(source: Path) -> str:
    """Of all files that decide what a run does, whether committed or not."""
    digest = hashlib.sha256()
    for path in _files(source):
        digest.update(str(path.relative_to(source)).encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _files(source: Path) -> list[Path]:
    paths = [
        found
        for root in (source / name for name in (*NEWSROOM, *EXPERIMENT))
        for found in ([root] if root.is_file() else root.rglob("*"))
    ]
    return sorted(path for path in paths if path.is_file() and path.suffix != ".pyc")


def revision(source: Path) -> str:
    """The commit by its short name, with `+` behind it when files differ; empty outside of a repository."""
    try:
        told = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--exclude=*"],  # noqa: S607  (the one on PATH)
            cwd=source, capture_output=True, text=True, check=True, timeout=30,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return told.stdout.strip()
