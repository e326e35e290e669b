"""`python -m supply.audit`: asks the advisory services about every pinned package.

Exit code 0: all were asked about, and nothing is known. 1: a hole is known. 2: some could not be asked about,
which is told apart from "nothing is known", as pip-audit by itself does not.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desk.parts.home import SOURCE
from supply.pinned import DEV, EDGE, PARTS, PEER, RUNTIME

_TOOLS = SOURCE / "tests" / "tools"
_PATIENCE_SECONDS = 900
_FOR_MACHINES = ("--format", "json", "--progress-spinner", "off", "--disable-pip", "--require-hashes")


@dataclass(frozen=True)
class Answer:
    """What is known of some packages: how many were asked about, of how many nothing could be learnt."""

    of: str
    asked: int = 0
    unasked: int = 0
    holes: tuple[str, ...] = ()
    problem: str = ""

    @property
    def code(self) -> int:
        if self.holes:
            return 1
        return 2 if self.unasked or self.problem else 0

    def lines(self) -> Iterator[str]:
        for hole in self.holes:
            yield f"{self.of}: {hole}"
        if self.problem:
            yield f"{self.of}: NOT AUDITED: {self.problem}"
        elif self.unasked:
            yield f"{self.of}: NOT AUDITED: the advisory service knows {self.unasked} of them not at all"
        if self.asked:
            yield f"{self.of}: {self.asked} asked about, {len(self.holes)} known holes"


def python_packages(locks: Sequence[Path], of: str = "Python") -> Answer:
    """Asks by pip-audit, without installing anything. The lists have to agree on every version."""
    lists = [word for lock in locks for word in ("--requirement", str(lock))]
    done = _run([sys.executable, "-m", "pip_audit", *_FOR_MACHINES, *lists], SOURCE)
    return read_pip_audit(done.stdout, done.stderr, of)


def read_pip_audit(said: str, complained: str, of: str = "Python") -> Answer:
    """What pip-audit's JSON says; without any, the last line of its complaint."""
    try:
        told: list[dict[str, Any]] = json.loads(said)["dependencies"]
    except (ValueError, KeyError):
        return Answer(of, problem=_last_line(complained))
    skipped = [each for each in told if "skip_reason" in each]
    holes = [
        f"{each['name']} {each['version']}: {hole['id']}, {_mended(hole['fix_versions'])}"
        for each in told
        for hole in each.get("vulns", ())
    ]
    return Answer(of, len(told) - len(skipped), len(skipped), tuple(holes))


def _mended(versions: Sequence[str]) -> str:
    return f"mended in {', '.join(versions)}" if versions else "not mended yet"


def node_tools() -> Answer:
    """The checkers of the pages, which only tests run; asks by npm."""
    if shutil.which("npm") is None:
        return Answer("Node", problem="npm is not here: `apt-get install nodejs npm`")
    done = _run(["npm", "audit", "--json"], _TOOLS)
    return read_npm_audit(done.stdout, done.stderr)


def read_npm_audit(said: str, complained: str) -> Answer:
    """What npm's JSON says: it has counts only where the service answered, and else a message."""
    try:
        told: dict[str, Any] = json.loads(said)
        asked = int(told["metadata"]["dependencies"]["total"])
        found: dict[str, dict[str, Any]] = told["vulnerabilities"]
    except ValueError:
        return Answer("Node", problem=_last_line(complained))
    except KeyError:
        return Answer("Node", problem=str(told.get("message") or _last_line(complained))[:200])
    return Answer("Node", asked, 0, tuple(f"{name}: {hole['severity']}" for name, hole in found.items()))


def _run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603  (ours, word by word)
            command, cwd=folder, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"no answer within {_PATIENCE_SECONDS} s")


def _last_line(complained: str) -> str:
    lines = [line.strip() for line in complained.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it says nothing"


def main() -> int:
    """Ask, tell, and leave with the worst of the codes: a hole is worse than an answer that is missing."""
    peer = python_packages((PEER,), "Wagtail, for the benchmark")
    edge = python_packages((EDGE,), "Caddy, for the benchmark")
    answers = [python_packages((RUNTIME, PARTS, DEV)), peer, edge, node_tools()]
    for answer in answers:
        for line in answer.lines():
            print(line)
    codes = {answer.code for answer in answers}
    return next((code for code in (1, 2) if code in codes), 0)


if __name__ == "__main__":
    sys.exit(main())
