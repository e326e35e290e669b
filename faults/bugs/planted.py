"""Bugs that a test build has on purpose, so that the checker is shown to fail: each has to be found by one of
the checks that are for it (`tests/fault/test_planted_bugs.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from faults.bugs import door, filing, loop, pages


@dataclass(frozen=True)
class Bug:
    """`checks`: one of these has to tell it; `fault`: under which it shows, by a name of
    `faults.kinds.proofs`.
    """

    plant: Callable[[], None]
    checks: frozenset[int]
    fault: str = "nothing"
    is_thorough: bool = False
    """Whether only a rebuild or a replay can tell it."""

    @property
    def what(self) -> str:
        """In one line."""
        return (self.plant.__doc__ or "").strip()


def _checks(*numbers: int) -> frozenset[int]:
    return frozenset(numbers)


BUGS: Mapping[str, Bug] = {
    "acceptance-before-the-log": Bug(
        door.accept_before_the_log_has_it, _checks(1), "ingest-killed-in-a-frozen-log"
    ),
    "forgotten-key": Bug(door.forget_the_idempotency_key, _checks(2)),
    "early-commit": Bug(loop.commit_before_the_effect, _checks(6), "documents-frozen-shortly"),
    "poison-skipped": Bug(loop.park_without_a_letter, _checks(1, 6), "poisoned-shortly"),
    "never-resumes": Bug(loop.never_resume, _checks(7), "documents-killed-shortly"),
    "lost-duplicate-check": Bug(filing.lose_the_duplicate_check, _checks(2), "events-again"),
    "swapped-batch": Bug(filing.swap_a_batch, _checks(1, 2), "store-frozen-shortly"),
    "revision-gap": Bug(filing.skip_a_number, _checks(2)),
    "if-match-ignored": Bug(filing.ignore_if_match, _checks(2)),
    "time-of-the-clock": Bug(filing.go_by_the_clock, _checks(3), is_thorough=True),
    "embargo-skipped": Bug(filing.skip_embargoes, _checks(4)),
    "draft-shown": Bug(filing.show_drafts, _checks(4)),
    "rejection-untold": Bug(filing.leave_rejections_untold, _checks(6)),
    "page-after-notice": Bug(pages.tell_before_the_page_stands, _checks(4)),
    "torn-write": Bug(pages.write_in_place, _checks(4)),
    "stale-sibling": Bug(pages.keep_stale_siblings, _checks(3, 4)),
    "stale-write": Bug(pages.write_older_revisions, _checks(3, 4), "updates-again"),
    "notice-dropped": Bug(pages.drop_notices_at_reconnects, _checks(5), "streams-ending"),
    "withdrawn-listed": Bug(pages.keep_the_withdrawn_listed, _checks(4)),
    "listing-unmarked": Bug(pages.mark_listings_once, _checks(3, 4)),
}


def plant(name: str) -> None:
    """Have this process err in that way. Raises: KeyError, or LookupError where the bug fits no more."""
    BUGS[name].plant()
