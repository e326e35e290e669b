"""Check 7: everything is calm again in time, without an operator."""

from __future__ import annotations

from collections.abc import Iterator

from faults.checks.account import Account
from faults.history import Calm, Violation


def calm(account: Account) -> Iterator[Violation]:
    """The newsroom came to rest in time after the last that was done to it. No false alarm: that is asked."""
    found = list(account.history.of(Calm))
    if not found:
        yield Violation(7, "it never became calm")
    for each in found:
        if each.seconds > account.calm_seconds:
            yield Violation(7, f"it was calm only after {each.seconds:.1f} s")
