"""The ring and its readers: whatever happens in between, nobody misses a notice and nothing taken back is
told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsroom.notices import Notice, NoticeKind
from services.render.live import Hub, Subscription, log_mark
from tests.render_parts import SITE_URL, a_notice

MARK = "log_mark"


def a_hub(*notices: Notice, capacity: int = 100, first_offset: int = 0, pending_limit: int = 100) -> Hub:
    """A hub whose topic has these notices from an offset on."""
    hub = Hub(SITE_URL, capacity=capacity, pending_limit=pending_limit)
    hub.name_log(MARK)
    for offset, notice in enumerate(notices, first_offset):
        hub.take(offset, notice)
    return hub


@dataclass(frozen=True)
class Event:
    """One event as a browser dispatches it."""

    name: str
    id: str | None
    data: dict[str, Any]

    @property
    def revision(self) -> int:
        return int(self.data["revision"])


def events(wire: bytes) -> list[Event]:
    """What a browser makes of the bytes: blocks without data only set the last event id."""
    found = []
    for block in wire.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in fields:
            found.append(Event(fields["event"], fields.get("id"), orjson.loads(fields["data"])))
    return found


def revisions(subscription: Subscription) -> list[int]:
    return [event.revision for event in events(subscription.take())]


def names(subscription: Subscription) -> list[str]:
    return [event.name for event in events(subscription.take())]


def test_an_event_says_what_the_contract_says() -> None:
    """Kind, note, time and an absolute address, under an id made of log and offset."""
    hub = a_hub(a_notice("a1", 2), first_offset=7)
    (event,) = events(hub.subscribe("a1", 1, None).take())
    assert event == Event(
        "notice",
        f"{MARK}-7",
        {
            "article_id": "a1",
            "revision": 2,
            "kind": "update",
            "note": "Note 2.",
            "time": "2023-06-20T04:02:00.000Z",
            "url": f"{SITE_URL}/kazakhstan/2023/06/20/a1/",
            "headline": "Headline 2",
        },
    )


def test_a_page_resumes_from_its_own_revision() -> None:
    """What the page shows already is not told again; what came while it loaded is, though nobody was
    connected.
    """
    hub = a_hub(*(a_notice("a1", revision) for revision in (1, 2, 3)))
    subscription = hub.subscribe("a1", 2, None)
    assert revisions(subscription) == [3]
    hub.take(3, a_notice("a1", 4))
    assert revisions(subscription) == [4]


def test_a_connection_resumes_from_its_last_event() -> None:
    """Also where the offset is one that another process read before this one did."""
    hub = a_hub(*(a_notice("a1", revision) for revision in (1, 2, 3)))
    assert revisions(hub.subscribe("a1", 0, f"{MARK}-1")) == [3]
    ahead = hub.subscribe("a1", 0, f"{MARK}-4")
    hub.take(3, a_notice("a1", 4))
    hub.take(4, a_notice("a1", 5))
    hub.take(5, a_notice("a1", 6))
    assert revisions(ahead) == [6]


@pytest.mark.parametrize(
    "last_event_id", ["other_id-1", "log_mark-", "log_mark-x", "", "log_mark--1", "1", "я-1"]
)
def test_an_id_of_another_log_means_reset(last_event_id: str) -> None:
    """An offset says nothing on another log."""
    hub = a_hub(a_notice("a1", 1))
    assert names(hub.subscribe("a1", 1, last_event_id)) == ["reset"]
    assert names(hub.subscribe(None, None, last_event_id)) == ["reset"]


@pytest.mark.parametrize(("public_revision", "told"), [(None, []), (5, []), (6, ["reset"])])
def test_where_the_ring_cannot_tell_the_public_revision_decides(
    public_revision: int | None, told: list[str]
) -> None:
    """Nothing for a page that is current and for an article that nobody knows; reset for one that moved
    on.
    """
    hub = a_hub(a_notice("other", 1), first_offset=1000)
    for last_event_id in (None, f"{MARK}-5"):
        subscription = hub.subscribe("a1", 5, last_event_id)
        assert subscription.is_doubtful
        subscription.judge(public_revision, hub.end_offset)
        assert names(subscription) == told


def test_the_model_is_not_asked_where_the_ring_knows() -> None:
    """A topic read from its very beginning, or a last event that the ring still has, leaves no doubt."""
    whole = a_hub(a_notice("other", 1))
    assert not whole.subscribe("a1", 5, None).is_doubtful
    partial = a_hub(a_notice("a1", 5), first_offset=1000)
    assert not partial.subscribe("a1", 5, f"{MARK}-1000").is_doubtful
    assert partial.subscribe("a1", 5, None).is_doubtful


def test_a_repeat_from_before_the_ring_does_not_hide_what_came_after_it() -> None:
    """A late publisher tells revision 1 again; that 2 was told before the ring began only the model knows."""
    hub = a_hub(a_notice("a1", 1), first_offset=1000)
    for page in (0, 1):
        subscription = hub.subscribe("a1", page, None)
        subscription.judge(2, hub.end_offset)
        assert names(subscription) == ["reset"]


def test_what_was_taken_back_stays_untold_after_the_ring_has_forgotten_it() -> None:
    """A notice told again, when its withdrawal has been pushed out of the ring by others."""
    hub = a_hub(a_notice("a1", 1), a_notice("a1", 2, NoticeKind.WITHDRAWN), capacity=2)
    for offset in range(2, 6):
        hub.take(offset, a_notice("other", offset))
    hub.take(6, a_notice("a1", 1))
    assert hub.subscribe("a1", 0, f"{MARK}-5").take() == b""


def test_the_site_stream_begins_now_and_resumes_in_order() -> None:
    """Without an id nothing of the past; with one the newest of each article, in the order of offsets."""
    hub = a_hub(a_notice("a1", 1), a_notice("a2", 1), a_notice("a1", 2))
    assert names(hub.subscribe(None, None, None)) == []
    resumed = events(hub.subscribe(None, None, f"{MARK}-0").take())
    assert [(event.data["article_id"], event.revision, event.id) for event in resumed] == [
        ("a2", 1, f"{MARK}-1"),
        ("a1", 2, f"{MARK}-2"),
    ]


def test_a_withdrawal_takes_the_notices_out_and_resets_open_pages() -> None:
    """No event of it carries a word; who comes later with an older page is reset too."""
    hub = a_hub(a_notice("a1", 1), a_notice("a1", 2))
    open_page, slow_page, front = (
        hub.subscribe("a1", 2, None),
        hub.subscribe("a1", 0, None),
        hub.subscribe(None, None, None),
    )
    other = hub.subscribe("a2", 1, None)
    hub.take(2, a_notice("a1", 3, NoticeKind.WITHDRAWN))
    assert names(open_page) == names(slow_page) == names(front) == ["reset"]
    assert names(other) == []
    assert names(hub.subscribe("a1", 1, None)) == ["reset"]
    assert names(hub.subscribe(None, None, f"{MARK}-0")) == ["reset"]
    hub.take(3, a_notice("a1", 4, NoticeKind.PUBLISHED))
    assert revisions(open_page) == [4]


def told(subscription: Subscription) -> list[tuple[str, str | None, str | None]]:
    """Name, article and id of all that is pending."""
    return [(event.name, event.data["article_id"], event.id) for event in events(subscription.take())]


def test_a_withdrawal_resets_its_own_article_and_hides_nothing_of_others() -> None:
    """Before it and after it, in the order of offsets; a second one is not lost either."""
    hub = a_hub()
    front = hub.subscribe(None, None, None)
    hub.take(0, a_notice("a1", 1))
    hub.take(1, a_notice("a2", 2, NoticeKind.CORRECTION))
    hub.take(2, a_notice("a1", 2, NoticeKind.WITHDRAWN))
    hub.take(3, a_notice("a3", 2, NoticeKind.WITHDRAWN))
    hub.take(4, a_notice("a4", 1))
    assert told(front) == [
        ("notice", "a2", f"{MARK}-1"),
        ("reset", "a1", f"{MARK}-2"),
        ("reset", "a3", f"{MARK}-3"),
        ("notice", "a4", f"{MARK}-4"),
    ]


def test_a_reset_of_everything_outlives_the_withdrawal_of_one_article() -> None:
    """A front that is to be fetched whole is not told to fetch one article instead."""
    hub = a_hub(a_notice("a1", 1))
    front = hub.subscribe(None, None, "other_id-1")
    hub.take(1, a_notice("a2", 2, NoticeKind.WITHDRAWN))
    assert told(front) == [("reset", None, f"{MARK}-0"), ("reset", "a2", f"{MARK}-1")]


def test_withdrawals_count_towards_what_a_reader_may_be_behind() -> None:
    """Too many of them wait as one reset of everything."""
    hub = a_hub(pending_limit=3)
    front = hub.subscribe(None, None, None)
    for offset in range(4):
        hub.take(offset, a_notice(f"b{offset}", 2, NoticeKind.WITHDRAWN))
    assert told(front) == [("reset", None, f"{MARK}-3")]


def test_a_retraction_takes_earlier_notices_out_and_is_told() -> None:
    """What was told of a retracted article is not told any more."""
    hub = a_hub(a_notice("a1", 1), a_notice("a1", 2), a_notice("a1", 3, NoticeKind.RETRACTION))
    assert revisions(hub.subscribe("a1", 1, None)) == [3]
    assert revisions(hub.subscribe(None, None, f"{MARK}-0")) == [3]


def test_a_notice_told_twice_is_dropped_even_after_a_withdrawal() -> None:
    """A process that died between publishing and noting publishes again; a late one may do so after the
    withdrawal.
    """
    hub = a_hub(a_notice("a1", 1))
    page = hub.subscribe("a1", 0, None)
    assert revisions(page) == [1]
    hub.take(1, a_notice("a1", 1))
    assert page.take() == b""
    hub.take(2, a_notice("a1", 2, NoticeKind.WITHDRAWN))
    assert names(page) == ["reset"]
    hub.take(3, a_notice("a1", 1))
    assert page.take() == b""
    assert names(hub.subscribe("a1", 0, None)) == ["reset"]


def test_a_slow_reader_keeps_one_pending_notice_per_article() -> None:
    """A thousand updates wait as one; too many articles at once wait as a reset."""
    hub = a_hub(pending_limit=3)
    page, front = hub.subscribe("a1", 0, None), hub.subscribe(None, None, None)
    for offset in range(1000):
        hub.take(offset, a_notice("a1", offset + 1))
    assert revisions(page) == revisions(front) == [1000]
    for offset in range(1000, 1010):
        hub.take(offset, a_notice(f"b{offset}", 1))
    assert names(front)[0] == "reset"


def test_everyone_shares_the_same_bytes() -> None:
    """A notice is encoded once, however many read it."""
    hub = a_hub()
    first, second = hub.subscribe("a1", 0, None), hub.subscribe("a1", 0, None)
    hub.take(0, a_notice("a1", 1))
    told = hub._by_article["a1"][0]
    assert first._pending["a1"].wire is second._pending["a1"].wire is told.wire


def test_the_end_ends_every_stream() -> None:
    """Those that are open and those that come too late."""
    hub = a_hub()
    before, told = hub.subscribe("a1", 0, None), []
    before.on_news = lambda: told.append(before.is_over)
    hub.end()
    assert told == [True]
    assert hub.subscribe("a1", 0, None).is_over


def test_whoever_is_told_of_news_may_leave_at_once() -> None:
    """The others hear of it all the same."""
    hub, told = a_hub(), []
    for subscription in [hub.subscribe("a1", 0, None) for _ in range(3)]:

        def leave(subscription: Subscription = subscription) -> None:
            told.append(subscription.take())
            hub.leave(subscription)

        subscription.on_news = leave
    hub.take(0, a_notice("a1", 1))
    assert len(told) == 3
    for subscription in [hub.subscribe("a1", 0, None) for _ in range(3)]:
        subscription.on_news = partial(hub.leave, subscription)
    hub.end()
    assert hub._subscriptions == {}


def test_readers_that_left_are_forgotten() -> None:
    """Nothing grows with readers that are gone."""
    hub = a_hub()
    subscription = hub.subscribe("a1", 0, None)
    hub.leave(subscription)
    hub.leave(subscription)
    hub.take(0, a_notice("a1", 1))
    assert not subscription.has_pending
    assert hub._subscriptions == {}


def test_the_log_mark_fits_a_header() -> None:
    """Cluster ids are URL-safe Base64; the mark has no hyphen, which parts it from the offset."""
    assert log_mark("5L6g3nShT-eMCtK--X86sw") == "5L6g3nSh"
    assert log_mark("a-b_c") == "a_b_c"


# --- any interleaving


@dataclass
class Reader:
    """A browser with one page (or the front) open: what it knows, and where it would resume."""

    article_id: str | None
    page_revision: int
    knows: dict[str, int] = field(default_factory=dict)
    last_id: str | None = None
    subscription: Subscription | None = None


ARTICLES = ("a1", "a2", "a3")
KINDS = {"update": NoticeKind.UPDATE, "withdraw": NoticeKind.WITHDRAWN, "retract": NoticeKind.RETRACTION}
STEPS = st.one_of(
    st.tuples(
        st.sampled_from(["update", "update", "update", "withdraw", "retract"]), st.sampled_from(ARTICLES)
    ),
    st.tuples(st.just("repeat"), st.integers(0, 30)),
    st.tuples(st.sampled_from(["connect", "drop", "read"]), st.integers(0, 4)),
    st.tuples(st.just("restart"), st.integers(0, 6)),
)


class World:
    """A topic, a hub over its tail, and five readers; the rules of a browser, without a network.

    One front is open from the beginning.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.topic: list[Notice] = []
        self.begin = 0
        self.hub = a_hub(capacity=capacity)
        self.revision = dict.fromkeys(ARTICLES, 0)
        self.taken_back = dict.fromkeys(ARTICLES, 0)
        self.final = set[str]()
        self.readers = [Reader("a1", 0), Reader("a1", 1), Reader("a2", 0), Reader(None, 0), Reader(None, 0)]
        self.connect(self.readers[-1])

    def step(self, action: str, what: Any) -> None:
        if action in KINDS:
            self.tell(action, what)
        elif action == "repeat" and self.topic:
            self.repeat(what % len(self.topic))
        elif action == "restart":
            self.restart(what)
        elif action in ("connect", "drop", "read"):
            getattr(self, action)(self.readers[what])

    def tell(self, action: str, article_id: str) -> None:
        if article_id in self.final:
            return
        self.revision[article_id] += 1
        if action != "update":
            self.taken_back[article_id] = self.revision[article_id]
        if action == "retract":
            self.final.add(article_id)
        self.publish(a_notice(article_id, self.revision[article_id], KINDS[action]))

    def repeat(self, offset: int) -> None:
        """A late process publishes again; what was taken back only as long as this process has read that."""
        notice = self.topic[offset]
        if offset >= self.begin or notice.revision >= self.taken_back[notice.article_id]:
            self.publish(notice)

    def publish(self, notice: Notice) -> None:
        self.topic.append(notice)
        self.hub.take(len(self.topic) - 1, notice)

    def restart(self, tail: int) -> None:
        """The process is replaced by one that reads only the end of the topic; every reader is cut off."""
        for reader in self.readers:
            self.drop(reader)
        first = self.begin = max(0, len(self.topic) - tail)
        self.hub = a_hub(*self.topic[first:], capacity=self.capacity, first_offset=first)

    def connect(self, reader: Reader) -> None:
        if reader.subscription is not None:
            return
        if reader.article_id is None:
            reader.subscription = self.hub.subscribe(None, None, reader.last_id)
            if reader.last_id is None:  # it loaded the front just now
                reader.knows = dict(self.revision)
            return
        reader.knows.setdefault(
            reader.article_id, min(reader.page_revision, self.revision[reader.article_id])
        )
        page = reader.knows[reader.article_id]
        reader.subscription = self.hub.subscribe(reader.article_id, page, reader.last_id)
        reader.subscription.judge(self.revision[reader.article_id] or None, self.hub.end_offset)

    def drop(self, reader: Reader) -> None:
        if reader.subscription is not None:
            self.hub.leave(reader.subscription)
            reader.subscription = None

    def read(self, reader: Reader) -> None:
        """Everything that is pending, then where the ring is: what a stream writes when it has nothing
        else.
        """
        if reader.subscription is None:
            return
        offset = -1
        for event in events(reader.subscription.take()):
            before, offset = offset, int((event.id or "").removeprefix(f"{MARK}-") or offset)
            assert before <= offset, "told out of order: an id in between would hide what comes after"
            reader.last_id = event.id or reader.last_id
            if event.name == "reset":
                self.fetch_again(reader, event.data["article_id"])
                continue
            article_id = event.data["article_id"]
            assert event.revision >= self.taken_back[article_id], "told what was taken back"
            reader.knows[article_id] = max(reader.knows.get(article_id, 0), event.revision)
        place = self.hub.place().decode().strip()
        reader.last_id = place.removeprefix("id: ") or reader.last_id

    def fetch_again(self, reader: Reader, article_id: str | None) -> None:
        """That article and no more; everything only where no article is named."""
        assert reader.article_id in (None, article_id)
        for name in ARTICLES if article_id is None else [article_id]:
            reader.knows[name] = self.revision[name]


@settings(max_examples=400, deadline=None)
@given(st.lists(STEPS, max_size=60), st.integers(1, 4))
def test_in_any_interleaving_nobody_misses_a_notice(steps: list[tuple[str, Any]], capacity: int) -> None:
    """Every connected reader gets every notice, a later one of the article, or is told to fetch again."""
    world = World(capacity)
    for action, what in steps:
        world.step(action, what)
    for reader in world.readers:
        world.connect(reader)
        world.read(reader)
        for article_id in [reader.article_id] if reader.article_id else ARTICLES:
            assert reader.knows[article_id or ""] == world.revision[article_id or ""], (reader, article_id)
