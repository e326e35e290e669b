"""Check 7: everything is calm again within a minute, without an operator."""

from __future__ import annotations

from collections.abc import Iterator

from faults.checks.account import Account
from faults.history import Calm, Violation

MOST_SECONDS = 60.0


def calm(account: Account) -> Iterator[Violation]:
    """The newsroom came to rest in time after the last that was done to it. No false alarm: that is asked."""
    found = list(account.history.of(Calm))
    if not found:
        yield Violation(7, "it never became calm")
    for each in found:
        if each.seconds > MOST_SECONDS:
            yield Violation(7, f"it was calm only after {each.seconds:.1f} s")
