"""The life of events as it happens: from what is known of each to everybody who follows it.

Nothing here waits or does I/O: `following` writes what a follower has pending. What was before is not told;
`GET /events/{event}` answers that.
"""

from __future__ import annotations

from collections.abc import Callable

from newsroom.outcomes import EventStatus

MAX_FOLLOWERS = 100
MAX_FOLLOWERS_OF_A_KEY = 20
MAX_PENDING = 5_000


class Follower:
    """One who follows: the newest state of each event that is still to be told, never a queue.

    `article_id` None: every article's. Cut when more events wait than may.
    """

    def __init__(self, key_name: str, article_id: str | None, most_pending: int) -> None:
        self.on_news: Callable[[], object] | None = None
        """Called whenever there is something to take, or it is over."""
        self.is_over = False
        self.key_name, self.article_id = key_name, article_id
        self._most_pending = most_pending
        self._pending: dict[str, EventStatus] = {}

    def offer(self, status: EventStatus) -> None:
        """Take a state in, in the place of an earlier one of its event."""
        if self.article_id not in (None, status.article_id):
            return
        self._pending.pop(status.event_id, None)
        self._pending[status.event_id] = status
        if len(self._pending) > self._most_pending:
            self.is_over = True
        self._tell()

    def take(self) -> bytes:
        """All that is pending as Server-Sent Events, in the order of its coming; empty if nothing is."""
        wire = b"".join(map(_wire, self._pending.values()))
        self._pending.clear()
        return wire

    def end(self) -> None:
        self.is_over = True
        self._tell()

    def _tell(self) -> None:
        if self.on_news is not None:
            self.on_news()


class Life:
    """Everybody who follows now."""

    def __init__(self, *, most_followers: int = MAX_FOLLOWERS, most_pending: int = MAX_PENDING) -> None:
        self.most_pending = most_pending
        self._most_followers = most_followers
        self._followers: set[Follower] = set()
        self._is_over = False

    @property
    def followers(self) -> int:
        """How many follow now."""
        return len(self._followers)

    @property
    def is_full(self) -> bool:
        return self.followers >= self._most_followers

    def has_enough(self, key_name: str) -> bool:
        """Whether so many follow with that key that one more would take the place of others."""
        of_the_key = sum(follower.key_name == key_name for follower in self._followers)
        return of_the_key >= MAX_FOLLOWERS_OF_A_KEY

    @property
    def is_over(self) -> bool:
        return self._is_over

    def tell(self, status: EventStatus) -> None:
        """An event has come further."""
        for follower in [*self._followers]:  # one that is over leaves
            follower.offer(status)

    def add(self, follower: Follower) -> None:
        """Let it follow everything from now on, until `leave`."""
        self._followers.add(follower)
        if self._is_over:
            follower.end()

    def leave(self, follower: Follower) -> None:
        self._followers.discard(follower)

    def end(self) -> None:
        """Let everybody go, now and from now on: the process stops."""
        self._is_over = True
        for follower in [*self._followers]:
            follower.end()


def _wire(status: EventStatus) -> bytes:
    return b"event: status\ndata: " + status.model_dump_json(exclude_none=True).encode() + b"\n\n"
