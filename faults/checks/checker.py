"""The judge: what was done and seen, and what stands when all is calm, against what the newsroom promises.

It knows no code, no clock and no file: only the records of `faults.history`. Each rule says why it gives no
false alarm; `faults.bugs.planted` and its tests show that each can fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from faults.checks import calm, commits, looks, notices, order, promises, rest
from faults.checks.account import Account
from faults.checks.leaks import Leaks
from faults.history import Evidence, History, Violation

Check = Callable[[Account], Iterable[Violation]]
ALWAYS: tuple[Check, ...] = (
    order.once,
    order.as_acknowledged,
    order.only_where_it_matches,
    looks.torn,
    looks.forward,
    looks.as_told,
    looks.replaced,
    commits.behind_the_work,
    calm.calm,
)
"""What holds at every moment."""

AT_REST: tuple[Check, ...] = (
    promises.kept,
    promises.decided,
    promises.lettered,
    promises.whole,
    promises.shown,
    order.without_gaps,
    order.as_on_the_log,
    order.of_the_outcomes,
    rest.as_rebuilt,
    rest.as_replayed,
    rest.with_fresh_siblings,
    rest.without_former_texts,
    notices.told,
)
"""What holds when nothing is on its way any more."""


def check(
    history: History, evidence: Evidence, *, is_clock_true: bool, calm_seconds: float
) -> tuple[Violation, ...]:
    """Everything that is wrong, by number. Where it never became calm: everything of what holds always.

    `is_clock_true`: no clock was moved, so that what falls due does so by the time of the history.
    `calm_seconds`: how long calm may take.
    """
    account = Account(history, evidence, is_clock_true=is_clock_true, calm_seconds=calm_seconds)
    leaks = Leaks(account)
    checks = (*ALWAYS, *(AT_REST if account.calm_at is not None else ()))
    found = [violation for ask in checks for violation in ask(account)]
    found += [*leaks.in_reads(), *leaks.on_the_stream(), *leaks.in_files()]
    return tuple(sorted(dict.fromkeys(found), key=lambda violation: violation.check))
