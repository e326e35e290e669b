"""What `newsroom doctor` says of one thing: good, worth a look, or wrong; what was found, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue

from desk.troubles import ENTRIES, RUNBOOK, Trouble
from newsroom.errors import NewsroomError


class State(StrEnum):
    """How bad it is. Only `FAIL` keeps a newsroom from working."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's table. `advice` says what to do, where there is something to do; `trouble`
    names it for scripts, where the runbook has an entry.
    """

    check: str
    state: State
    found: str
    advice: str = ""
    trouble: Trouble | None = None

    def to_json(self) -> JsonValue:
        return {
            "check": self.check,
            "state": self.state.value,
            "found": self.found,
            "advice": self.advice,
            "trouble": self.trouble.value if self.trouble else None,
        }


def good(check: str, found: str) -> Finding:
    return Finding(check, State.OK, found)


def warn(check: str, found: str, advice: str, trouble: Trouble | None = None) -> Finding:
    return Finding(check, State.WARN, found, advice, trouble)


def wrong(check: str, found: str, advice: str, trouble: Trouble | None = None) -> Finding:
    return Finding(check, State.FAIL, found, advice, trouble)


def attempt(check: str, look: Callable[[], str], *, otherwise: State = State.FAIL) -> Finding:
    """The finding of a check that either says what is there or raises what is wrong."""
    try:
        return good(check, look())
    except NewsroomError as error:
        found, _, advice = str(error).partition(": ")
        return Finding(check, otherwise, found, advice)


def lines(findings: Sequence[Finding]) -> list[str]:
    """The table for people; what to do stands under its line."""
    width = max((len(finding.check) for finding in findings), default=0)
    told = []
    for finding in findings:
        told.append(f"{finding.state.value:<5} {finding.check:<{width}}  {finding.found}")
        if finding.advice:
            told.append(f"{'':<5} {'':<{width}}  → {finding.advice}")
        if finding.trouble:
            told.append(f"{'':<5} {'':<{width}}    {RUNBOOK}: {ENTRIES[finding.trouble]}")
    return told


def is_healthy(findings: Sequence[Finding]) -> bool:
    return all(finding.state is not State.FAIL for finding in findings)
