"""The live stream's memory and its readers: from `newsroom.notices` (offset and notice) to bytes for each
open page.

Every process reads the topic without a group into the ring here. Nothing in this module waits or does I/O:
`stream` writes what a subscription has pending. A reader keeps one pending notice per article, never a queue,
in the order of offsets, so that the id of the last event it got is always a place to go on from.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import orjson

from newsroom.notices import Notice, NoticeKind
from newsroom.times import rfc3339

_REMEMBERED = 10
"""For how many times the ring's capacity of articles the newest revision is remembered."""
_ID = re.compile(r"([A-Za-z0-9_-]{1,8})-([0-9]{1,19})")


def log_mark(cluster_id: str) -> str:
    """Eight characters that name this log in the ids of events, fit for a header and a URL."""
    return re.sub(r"[^A-Za-z0-9_]", "_", cluster_id)[:8]


@dataclass(frozen=True, slots=True)
class Told:
    """One notice in the ring, encoded once for all its readers: a withdrawal as the reset of its article."""

    offset: int
    notice: Notice
    wire: bytes


class Subscription:
    """One open stream: what it has yet to be sent. `article_id=None` is the whole site's."""

    __slots__ = (
        "_after",
        "_limit",
        "_pending",
        "_reset",
        "_reset_wire",
        "article_id",
        "is_doubtful",
        "is_over",
        "on_news",
        "revision",
    )

    def __init__(
        self,
        article_id: str | None,
        revision: int,
        reset_wire: Callable[[int | None, str | None], bytes],
        limit: int,
    ) -> None:
        self.article_id = article_id
        self.revision = revision
        self.on_news: Callable[[], object] | None = None
        """Called whenever there is something to take, or it is over."""
        self.is_over = False
        self.is_doubtful = False
        """The ring cannot tell whether the reader missed something: ask the read model, then `judge`."""
        self._reset_wire = reset_wire
        self._limit = limit
        self._after = -1
        self._reset: bytes | None = None
        self._pending: dict[str, Told] = {}

    @property
    def has_pending(self) -> bool:
        return self._reset is not None or bool(self._pending)

    def begin_after(self, offset: int) -> None:
        """What stands at or before this offset the reader has had already, perhaps from another process."""
        self._after = offset

    def offer(self, told: Told) -> None:
        """Take a notice in, over an earlier one of its article and of no other.

        A reader too many articles behind is to fetch again.
        """
        if told.offset <= self._after or (
            self.article_id is not None and told.notice.revision <= self.revision
        ):
            return
        self._pending.pop(told.notice.article_id, None)
        self._pending[told.notice.article_id] = told
        if len(self._pending) > self._limit:
            self.reset(told.offset)
        else:
            self._tell()

    def reset(self, offset: int | None) -> None:
        """Have the reader fetch again all that it listens to: what was pending does not matter any more."""
        self._pending.clear()
        self._reset = self._reset_wire(offset, self.article_id)
        self._tell()

    def judge(self, public_revision: int | None, offset: int | None) -> None:
        """Settle a doubt by the read model's revision (None: nothing public that we know of)."""
        told = max((told.notice.revision for told in self._pending.values()), default=self.revision)
        is_behind = public_revision is not None and public_revision > max(told, self.revision)
        if self.is_doubtful and self._reset is None and is_behind:
            self.reset(offset)
        self.is_doubtful = False

    def take(self) -> bytes:
        """All that is pending, in the order of offsets; empty if nothing is."""
        wires = [] if self._reset is None else [self._reset]
        wires += [told.wire for told in self._pending.values()]
        self._reset = None
        self._pending.clear()
        return b"".join(wires)

    def end(self) -> None:
        self.is_over = True
        self._tell()

    def _tell(self) -> None:
        if self.on_news is not None:
            self.on_news()


class Hub:
    """The ring of recent notices and everybody who listens.

    `site_url` goes before each path; `capacity` is how many notices are kept; `pending_limit` how many
    articles a reader may be behind before its stream is cut.
    """

    def __init__(self, site_url: str, *, capacity: int = 10_000, pending_limit: int = 500) -> None:
        self.ready = asyncio.Event()
        """Set once the ring holds what the topic had at start; nobody may subscribe before."""
        self.streams = 0
        """How many readers are connected, those that still wait for `ready` among them."""
        self._mark, self._site_url = "", site_url
        self._capacity, self._pending_limit = capacity, pending_limit
        self._ring: dict[int, Told] = {}
        self._by_article: dict[str, list[Told]] = {}
        self._newest: dict[str, int] = {}
        self._begin: int | None = None
        self._end: int | None = None
        self._subscriptions: dict[str | None, set[Subscription]] = {}
        self._is_over = False

    @property
    def end_offset(self) -> int | None:
        """The newest offset that was read, None before the first."""
        return self._end

    @property
    def is_over(self) -> bool:
        return self._is_over

    def name_log(self, mark: str) -> None:
        """Say which log the offsets are of, before the first notice."""
        self._mark = mark

    def take(self, offset: int, notice: Notice) -> None:
        """A notice as read from the topic.

        One not above what was read of its article before is a repeat and is dropped.
        """
        self.skip(offset)
        if self._is_repeat(notice):
            return
        told = Told(offset, notice, self._wire(offset, notice))
        if notice.kind in (NoticeKind.WITHDRAWN, NoticeKind.RETRACTION):
            self._forget(self._by_article.get(notice.article_id, []))
        self._ring[offset] = told
        self._by_article.setdefault(notice.article_id, []).append(told)
        self._evict()
        for subscription in [*self._listening(notice.article_id), *self._listening(None)]:
            subscription.offer(told)

    def skip(self, offset: int) -> None:
        """An offset was read, whatever stood there."""
        if self._begin is None:
            self._begin = offset
        self._end = offset

    def subscribe(
        self, article_id: str | None, revision: int | None, last_event_id: str | None
    ) -> Subscription:
        """Open a stream that goes on after `last_event_id`, else after the page's revision, else from now
        on.
        """
        floor = revision if revision is not None else 0
        subscription = Subscription(article_id, floor, self._reset_wire, self._pending_limit)
        self._resume(subscription, revision, last_event_id)
        self._subscriptions.setdefault(article_id, set()).add(subscription)
        if self._is_over:
            subscription.end()
        return subscription

    def leave(self, subscription: Subscription) -> None:
        group = self._subscriptions.get(subscription.article_id, set())
        group.discard(subscription)
        if not group:
            self._subscriptions.pop(subscription.article_id, None)

    def end(self) -> None:
        """End every stream, now and from now on: the process stops and readers go to another."""
        self._is_over = True
        self.ready.set()
        for subscription in [each for group in self._subscriptions.values() for each in group]:
            subscription.end()

    def place(self) -> bytes:
        """An event without data: it only sets the reader's last event id to where the ring is.

        Empty before the first notice.
        """
        return b"" if self._end is None else f"id: {self._mark}-{self._end}\n\n".encode()

    def pulse(self) -> bytes:
        """The same as an event, which a page's script can see: there is a stream, and it is this far."""
        place = b"" if self._end is None else f"id: {self._mark}-{self._end}\n".encode()
        return b"event: pulse\n" + place + b"data: {}\n\n"

    def _resume(self, subscription: Subscription, revision: int | None, last_event_id: str | None) -> None:
        if last_event_id is not None:
            seen = self._offset_of(last_event_id)
            if seen is None:
                subscription.reset(self._end)
                return
            if self._covers(seen):
                subscription.begin_after(seen)
                self._offer_all(subscription, (told for told in self._of(subscription) if told.offset > seen))
                return
            if revision is None or subscription.article_id is None:
                subscription.reset(self._end)
                return
        if subscription.article_id is not None and revision is not None:
            self._offer_all(subscription, self._of(subscription))
            subscription.is_doubtful = self._begin != 0

    def _offer_all(self, subscription: Subscription, told: Iterable[Told]) -> None:
        for one in told:
            subscription.offer(one)

    def _of(self, subscription: Subscription) -> list[Told]:
        if subscription.article_id is None:
            return list(self._ring.values())
        return list(self._by_article.get(subscription.article_id, []))

    def _is_repeat(self, notice: Notice) -> bool:
        """Whether that revision or a later one was read before; remembered for longer than the ring lasts."""
        former = self._newest.pop(notice.article_id, -1)
        self._newest[notice.article_id] = max(former, notice.revision)
        if len(self._newest) > _REMEMBERED * self._capacity:
            del self._newest[next(iter(self._newest))]
        return notice.revision <= former

    def _covers(self, seen: int) -> bool:
        return self._begin is not None and seen + 1 >= self._begin

    def _offset_of(self, event_id: str) -> int | None:
        """The offset in an event id of this log, None for anything else."""
        match = _ID.fullmatch(event_id)
        return int(match[2]) if match and match[1] == self._mark else None

    def _listening(self, article_id: str | None) -> list[Subscription]:
        return list(self._subscriptions.get(article_id, ()))

    def _forget(self, gone: Iterable[Told]) -> None:
        for told in list(gone):
            self._ring.pop(told.offset, None)
            standing = self._by_article[told.notice.article_id]
            standing.remove(told)
            if not standing:
                del self._by_article[told.notice.article_id]

    def _evict(self) -> None:
        while len(self._ring) > self._capacity:
            oldest = next(iter(self._ring.values()))
            self._forget([oldest])
            self._begin = oldest.offset + 1

    def _wire(self, offset: int, notice: Notice) -> bytes:
        if notice.kind is NoticeKind.WITHDRAWN:
            return self._reset_wire(offset, notice.article_id)
        data = {
            "article_id": notice.article_id,
            "revision": notice.revision,
            "kind": notice.kind.value,
            "note": notice.note,
            "time": rfc3339(notice.time),
            "url": self._site_url + notice.path,
            "headline": notice.headline,
        }
        return f"event: notice\nid: {self._mark}-{offset}\ndata: ".encode() + orjson.dumps(data) + b"\n\n"

    def _reset_wire(self, offset: int | None, article_id: str | None) -> bytes:
        place = "" if offset is None else f"id: {self._mark}-{offset}\n"
        data = orjson.dumps({"article_id": article_id}).decode()
        return f"event: reset\n{place}data: {data}\n\n".encode()
