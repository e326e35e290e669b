"""Check 5: every reader of the live stream got every notice for the page, a later one, or word to fetch
again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from faults.checks.account import Account
from faults.checks.looks import SHOWN
from faults.history import Noticed, Read, Told, Violation

HEARING_SECONDS = 1.0
"""In which a new connection brings what was missed before."""


def _found(what: str) -> Violation:
    return Violation(5, what)


@dataclass(frozen=True)
class Standing:
    """What the stream has to tell of an article at rest: the newest notice, or that it was taken away."""

    newest: Noticed
    is_away: bool


def told(account: Account) -> Iterator[Violation]:
    """Who listens when all is calm comes to know the newest notice of all that was listened to.

    No false alarm: a reader counts whose connection stood long enough while nothing new came; a later
    notice, a page of that revision, or a reset stand for a notice. Notices that a withdrawal took from the
    stream are nobody's.
    """
    if account.calm_at is None:
        return
    standing = _standing(account.evidence.noticed)
    end = max((entry.ended for entry in account.reads), default=0.0)
    heard: dict[str, list[Told]] = defaultdict(list)
    for each in account.history.of(Told):
        heard[each.reader].append(each)
    pages: dict[str, list[Read]] = defaultdict(list)
    for read in account.reads:
        pages[read.reader].append(read)
    for reader, entries in heard.items():
        watched = _listened_at_rest(entries, account.calm_at, end)
        if watched is None:
            continue
        if watched.article_id is None:
            yield from _of_the_site(reader, entries, standing.values())
        elif watched.article_id in standing and watched.revision is not None:
            yield from _of_a_page(account, watched, entries, pages[reader], standing[watched.article_id])


def _standing(noticed: Iterable[Noticed]) -> dict[str, Standing]:
    """By article. A repeat says nothing new, and where it is silent nothing before it counts."""
    standing: dict[str, Standing] = {}
    for notice in sorted(noticed, key=lambda each: each.offset):
        former = standing.get(notice.article_id)
        if former is None or notice.revision > former.newest.revision:
            standing[notice.article_id] = Standing(notice, notice.silent)
    return standing


def _listened_at_rest(entries: list[Told], calm: float, end: float) -> Told | None:
    """The last connection that stood long enough when all was calm to bring what had been missed."""
    changes = [each for each in entries if each.what in ("connected", "cut")]
    ends = [each.at for each in changes[1:]] + [end]
    long_enough = (
        each
        for each, until in zip(changes, ends, strict=False)  # who never connected has no changes
        if each.what == "connected" and until - max(each.at, calm) >= HEARING_SECONDS
    )
    return max(long_enough, key=lambda each: each.at, default=None)


def _of_a_page(
    account: Account, watched: Told, entries: list[Told], reads: list[Read], standing: Standing
) -> Iterator[Violation]:
    article_id, newest = watched.article_id, standing.newest
    mine = [each for each in entries if article_id in (each.article_id, each.about)]
    pages = [
        read
        for read in reads
        if read.article_id == article_id and read.status in SHOWN and read.revision is not None
    ]
    fetched = [read for read in pages if read.begun <= (account.calm_at or 0.0)]
    knows = [each.revision or 0 for each in mine if each.what in ("connected", "notice")]
    revision = max([*knows, *(read.revision or 0 for read in fetched)], default=0)
    last = max((read.begun for read in fetched), default=0.0)
    is_reset = any(each.what == "reset" and each.at >= last for each in mine)
    if revision < newest.revision and not is_reset:
        yield _found(
            f"{watched.reader} listened to {article_id} at rest and knows of revision {revision} only, by "
            f"{[*mine[-2:], *fetched[-1:]]}; the newest notice is {newest}"
        )


def _of_the_site(reader: str, entries: list[Told], standing: Iterable[Standing]) -> Iterator[Violation]:
    """Who listens to all of the site is owed what comes behind the first place that is known of it, since it
    last asked for what is new from then on.
    """
    anew = [n for n, each in enumerate(entries) if each.what == "connected" and _place(each) is None]
    entries = entries[max(anew, default=0) :]
    places = [place for each in entries if (place := _place(each)) is not None]
    if not places:
        return
    first = min(places)
    resets = [each for each in entries if each.what == "reset"]
    for each in standing:
        newest = each.newest
        if newest.offset <= first:
            continue
        is_told = any(
            entry.what == "notice"
            and entry.about == newest.article_id
            and (entry.revision or 0) >= newest.revision
            for entry in entries
        )
        is_reset = any(_covers(reset, newest) for reset in resets)
        if not is_told and not is_reset:
            yield _found(f"{reader} listened to the site at rest and never heard of {newest}")


def _covers(reset: Told, notice: Noticed) -> bool:
    """Whether a reader that fetches again by this word has all that the notice tells of."""
    if reset.about not in (None, notice.article_id):
        return False
    place = _place(reset)
    return place is None or place >= notice.offset


def _place(told: Told) -> int | None:
    """The offset among the notices, as the id of the event tells it behind the log's mark."""
    number = (told.event_id or "").rpartition("-")[2]
    return int(number) if number.isdigit() else None
