"""The whole way from events to store, pages, feeds and notices, beside a model that fits on one screen.

The model knows what editors are promised and nothing of how it is kept.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from newsroom.articles import EntryText
from newsroom.events import (
    Amended,
    Corrected,
    Drafted,
    Due,
    Dues,
    EntryAdded,
    EntryChanged,
    Event,
    EventData,
    EventKind,
    Published,
    Retracted,
    Updated,
    Withdrawn,
)
from newsroom.notices import NoticeKind
from newsroom.updates import Status
from services.store.articles import Article, is_breaking
from tests.due_parts import SteppingClock
from tests.newsroom_world import SmallNewsroom
from tests.render_world import MEMORY
from tests.store_parts import a_text, an_event, an_event_id, minute

HALF = timedelta(seconds=30)
NEVER = datetime.min.replace(tzinfo=UTC)
ABSENT: Any = "absent"
EXAMPLES = 60


@dataclass(frozen=True)
class Act:
    """One thing an editor does at a minute, or (kind `time`) a look at the clock then."""

    kind: str
    article: str
    at: datetime
    words: str
    create: bool = False
    live: bool = False
    breaking_until: datetime | None = None
    publish_at: datetime | None = ABSENT
    embargo_until: datetime | None = ABSENT
    entry: str = "e1"
    read: int | None = None


@dataclass
class Story:
    """What the model knows of one article. `held` are the changes that wait, until the times in `due`."""

    revision: int = 0
    status: str = "new"
    words: str = ""
    text: Act = Act("", "", NEVER, "")
    held: list[tuple[int, str]] = field(default_factory=list)
    due: dict[str, datetime | None] = field(default_factory=dict)
    bumped: datetime = NEVER
    breaking_until: datetime = NEVER
    is_breaking: bool = False
    entries: dict[str, str] = field(default_factory=dict)


TEXTS = {"published": "published", "updated": "update", "corrected": "correction", "amended": ""}


class Model:
    """What is promised: which articles stand, what readers were told, in order."""

    def __init__(self) -> None:
        self.stories = defaultdict[str, Story](Story)
        self.notices: list[tuple[str, int, str]] = []

    def do(self, act: Act) -> None:
        for name in sorted(self.stories) if act.kind == "time" else ():
            self._pass(name, self.stories[name], act.at)
        story = self.stories[act.article]
        if act.kind != "time" and self.may(story, act):
            story.revision += 1
            getattr(self, f"_{act.kind}")(act.article, story, act)

    def may(self, s: Story, act: Act) -> bool:
        is_open, is_mismatch = s.status == "public" and not s.held, act.read not in (None, s.revision)
        if s.status == "retracted" or is_mismatch or (s.status == "new" and act.read is not None):
            return False
        return {
            "drafted": s.status == "new" or not act.create,
            "published": act.create if s.status == "new" else not act.create and s.status != "public",
            "retracted": s.status in ("public", "withdrawn"),
            "entry_added": is_open and s.text.live and act.entry not in s.entries,
            "entry_changed": (is_open or (s.status == "withdrawn" and not s.held)) and act.entry in s.entries,
        }.get(act.kind, bool(s.status == "public" or s.held))

    def _drafted(self, _name: str, s: Story, _act: Act) -> None:
        s.status = "draft" if s.status == "new" else s.status

    def _send(self, name: str, s: Story, act: Act) -> None:
        s.status = "draft" if s.status == "new" else s.status
        s.held, s.text = [*s.held, (s.revision, act.kind)], act
        times = {"publish": act.publish_at, "embargo": act.embargo_until}
        s.due |= {each: at for each, at in times.items() if at is not ABSENT}
        s.breaking_until = act.breaking_until or s.breaking_until
        if self._release_at(s) <= act.at:
            self._release(name, s, act.at)

    _published = _updated = _corrected = _amended = _send

    def _release_at(self, s: Story) -> datetime:
        return max((at for at in s.due.values() if at), default=NEVER)

    def _release(self, name: str, s: Story, at: datetime) -> None:
        kinds = [(number, TEXTS[kind]) for number, kind in s.held]
        s.is_breaking = bool(s.text.breaking_until and s.breaking_until > at)
        if s.status != "public":
            kinds = [(s.revision, "breaking" if s.is_breaking else "published")]
        if s.status != "public" or "updated" in dict(s.held).values():
            s.bumped = at
        self.notices += [(name, number, kind) for number, kind in kinds if kind]
        s.status, s.words, s.held, s.due = "public", s.text.words, [], {}

    def _pass(self, name: str, s: Story, at: datetime) -> None:
        if (
            s.is_breaking
            and s.breaking_until <= at
            and not (s.held and self._release_at(s) < s.breaking_until)
        ):
            s.is_breaking, s.breaking_until, s.revision = False, NEVER, s.revision + 1
        if s.held and self._release_at(s) <= at:
            s.revision += 1
            self._release(name, s, at)

    def _withdrawn(self, name: str, s: Story, _: Act) -> None:
        if s.status == "public":
            self.notices.append((name, s.revision, "withdrawn"))
            s.status = "withdrawn"
        s.held, s.due["publish"], s.breaking_until, s.is_breaking = [], None, NEVER, False

    def _retracted(self, name: str, s: Story, _: Act) -> None:
        self.notices.append((name, s.revision, "retraction"))
        s.status, s.held, s.due, s.is_breaking = "retracted", [], {}, False

    def _entry_added(self, name: str, s: Story, act: Act) -> None:
        s.entries[act.entry] = act.words
        if s.status == "public":
            s.bumped = act.at
            self.notices.append((name, s.revision, "live_entry"))

    _entry_changed = _entry_added

    def listed(self, *statuses: str) -> list[str]:
        """The articles of a front or feed, newest first, as they stand in it."""
        shown = sorted((name, s) for name, s in self.stories.items() if s.status in statuses)
        shown.sort(key=lambda each: each[1].bumped, reverse=True)
        return ["retracted" if s.status == "retracted" else s.words for _, s in shown]


# --- the same acts, as editors send them


def data_of(act: Act) -> EventData:
    text = a_text(act.words, live=act.live, breaking=act.breaking_until is not None)
    entry = EntryText(headline=act.words, body=f"<p>{act.words}.</p>")
    times = {"publish_at": act.publish_at, "embargo_until": act.embargo_until}
    said = {name: Due(at=at) for name, at in times.items() if at is not ABSENT}
    dues = Dues(**said, breaking_until=Due(at=act.breaking_until) if act.breaking_until else None)
    made: dict[str, EventData] = {
        "drafted": Drafted(article=text, create=act.create),
        "published": Published(article=text, create=act.create, dues=dues),
        "updated": Updated(note=act.words, article=text, dues=dues),
        "corrected": Corrected(kind="correction", note=act.words, article=text, dues=dues),
        "amended": Amended(article=text, dues=dues),
        "retracted": Retracted(note=act.words),
        "withdrawn": Withdrawn(note=act.words),
        "entry_added": EntryAdded(entry_id=act.entry, entry=entry),
        "entry_changed": EntryChanged(entry_id=act.entry, entry=entry),
    }
    return made[act.kind]


def event_of(act: Act, number: int) -> Event:
    kind, name = EventKind(act.kind), an_event_id(number)
    return an_event(kind, act.article, data=data_of(act), at=act.at, event_id=name, if_match=act.read)


KINDS = (
    "published", "published", "updated", "updated", "corrected", "amended", "drafted", "withdrawn",
    "entry_added", "entry_added", "entry_added", "entry_changed", "time", "time", "retracted",
)  # fmt: skip


@st.composite
def acts(draw: st.DrawFn) -> list[Act]:
    """A day of several editors, two minutes between one thing and the next: mostly what may be done, and now
    and then what may not.
    """
    made: list[Act] = []
    model = Model()
    for number in range(draw(st.integers(6, 18))):
        act = draw(one_act(model, number))
        model.do(act)
        made.append(act)
    return made


@st.composite
def one_act(draw: st.DrawFn, model: Model, number: int) -> Act:
    at, article = minute(2 * number), draw(st.sampled_from(["a", "b"]))
    story = model.stories[article]
    is_sensible = draw(st.sampled_from([True] * 5 + [False]))
    plain = Act("", article, at, f"Words {number}", create=story.status == "new", entry=f"e{number % 3}")
    may = [kind for kind in KINDS if model.may(story, replace(plain, kind=kind))]
    kind = draw(st.sampled_from(may if is_sensible and may else KINDS))
    later = [at + timedelta(minutes=minutes) for minutes in (0, 3, 9)]
    due = st.sampled_from([ABSENT, ABSENT, ABSENT, None, *later])
    return replace(
        plain,
        kind=kind,
        create=plain.create if is_sensible else draw(st.booleans()),
        live=draw(st.sampled_from([True, True, False])),
        breaking_until=later[1] + HALF if kind in TEXTS and draw(st.booleans()) else None,
        publish_at=draw(due),
        embargo_until=draw(due),
        read=draw(st.sampled_from([None, None, story.revision or None, 2])) if kind in TEXTS else None,
    )


@settings(max_examples=EXAMPLES, deadline=None)
@given(acts(), st.data())
def test_what_stands_and_what_was_told_is_what_editors_are_promised(
    day: list[Act], data: st.DataObject
) -> None:
    """With events sent twice and updates delivered again, whatever came in between."""
    again = [data.draw(st.none() | st.integers(0, number), "sent again") for number in range(len(day))]
    cuts = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=8), "sizes of batches")
    asyncio.run(check(day, again, cuts))


async def check(day: list[Act], again: list[int | None], cuts: list[int]) -> None:
    model, sent = (
        Model(),
        [event_of(act, number) if act.kind != "time" else None for number, act in enumerate(day)],
    )
    with TemporaryDirectory(dir=MEMORY) as folder:
        newsroom = SmallNewsroom(Path(folder) / "one", SteppingClock(minute(0)))
        await newsroom.open()
        for act, event, repeated in zip(day, sent, again, strict=True):
            model.do(act)
            if event is None:
                await newsroom.pass_to(act.at)
            else:
                await newsroom.post(event)
            if repeated is not None and (twice := sent[repeated]) is not None:
                await newsroom.post(twice)
                await newsroom.render_again(newsroom.updates()[: repeated + 1])
        check_store(newsroom, model)
        check_site(newsroom, model)
        check_told(newsroom, model)
        assert await in_batches(Path(folder) / "two", newsroom.events(), cuts) == newsroom.render.files()


async def in_batches(folder: Path, events: list[Event], cuts: list[int]) -> dict[str, bytes]:
    """What the same log comes to when it is read in batches of other sizes."""
    other = SmallNewsroom(folder, SteppingClock(minute(0)))
    await other.open()
    place = number = 0
    while place < len(events):
        size = cuts[number % len(cuts)]
        await other.post(*events[place : place + size])
        place, number = place + size, number + 1
    return other.render.files()


def check_store(newsroom: SmallNewsroom, model: Model) -> None:
    standing = newsroom.store.revisions.standing
    promised = {name: s for name, s in model.stories.items() if s.status != "new"}
    assert {name: head.revision for name, head in standing.items()} == {
        name: s.revision for name, s in promised.items()
    }
    statuses = {name: "unpublished" if s.status == "draft" else s.status for name, s in promised.items()}
    assert {name: head.status.value for name, head in standing.items()} == statuses
    assert {n for n, head in standing.items() if is_breaking(head)} == {
        n for n, s in promised.items() if s.is_breaking
    }
    assert {name: standing_times(head) for name, head in standing.items()} == {
        name: (s.due.get("publish"), s.due.get("embargo"), bool(s.held), s.bumped)
        for name, s in promised.items()
    }
    shown = {
        f"{name}/{entry}": words if s.status == "public" else None
        for name, s in promised.items()
        for entry, words in s.entries.items()
    }
    assert {k: e.entry.text.headline if e.entry else None for k, e in newsroom.entries().items()} == shown


def standing_times(head: Article) -> tuple[datetime | None, datetime | None, bool, datetime]:
    """What waits until when, and what orders the fronts."""
    publish_at, embargo_until = head.publish_at, head.embargo_until
    return (
        publish_at.at if publish_at else None,
        embargo_until.at if embargo_until else None,
        head.withheld is not None,
        head.bumped_at or NEVER,
    )


def check_site(newsroom: SmallNewsroom, model: Model) -> None:
    """Each public article has its page, each retracted one its note, and nobody else anything."""
    heads = newsroom.store.revisions.standing.values()
    pages = {head.path: name for head in heads if (name := promised_page(model.stories[head.id]))}
    files = {path: text.decode() for path, text in newsroom.render.files().items() if path.endswith("html")}
    found = {path: files.get(f"{path}index.html", "") for path in pages if path}
    assert all(f"<h1>{headline}</h1>" in found[path] for path, headline in pages.items() if path)
    hidden = [head.path for head in heads if head.status in (Status.WITHDRAWN, Status.UNPUBLISHED)]
    assert not [path for path in files for gone in hidden if gone and path.startswith(gone)]
    listings = newsroom.render.files()
    assert cards(listings["/index.html"]) == model.listed("public")
    assert cards(listings["/feed.atom"]) == model.listed("public", "retracted")


def promised_page(story: Story) -> str:
    return {"public": story.words, "retracted": "Retracted"}.get(story.status, "")


def cards(listing: bytes) -> list[str]:
    """The headlines of a plain listing, whose cards end with their paths."""
    lines = [line.rpartition(" ") for line in listing.decode().splitlines()[1:]]
    return [headline for headline, _, path in lines if path.startswith("/")]


def check_told(newsroom: SmallNewsroom, model: Model) -> None:
    """Every notice once, an article's in order: between articles that fall due at once there is none."""
    told = defaultdict[str, list[tuple[int, str]]](list)
    for notice in newsroom.render.notices:
        told[notice.article_id].append((notice.revision, notice.kind.value))
    promised = defaultdict[str, list[tuple[int, str]]](list)
    for name, revision, kind in model.notices:
        promised[name].append((revision, NoticeKind(kind).value))
    assert told == promised
