"""How long to wait before the next try of what is away: exponential, with full jitter."""

from __future__ import annotations

import random


class Backoff:
    """Delays in seconds, each random between nothing and a bound that doubles from `first` to `most`.

    Full jitter keeps processes that lost the same dependency from coming back at the same moment.
    """

    def __init__(self, first: float = 0.1, most: float = 5.0) -> None:
        self._first = first
        self._most = most
        self.tries = 0

    def next_delay_seconds(self) -> float:
        """The wait before the next try; each call counts as one."""
        bound = min(self._most, self._first * 2 ** min(self.tries, 32))
        self.tries += 1
        return random.uniform(0, bound)  # noqa: S311  (spreads load, guards nothing)

    def reset(self) -> None:
        """It answered: the next wait is short again."""
        self.tries = 0
