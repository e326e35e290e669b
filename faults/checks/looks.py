"""Check 4, the pages: nobody saw half of one, or an older revision after a newer one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from faults.checks.account import NOTELESS, TEXTS, Account, Operation
from faults.history import Ended, Entry, Read, Told, Violation

SHOWN = frozenset({200, 304})
"""The reader has a page before it: a new one, or the same as before."""


class Known(NamedTuple):
    """Since when a reader can know of a revision, and by what."""

    at: float
    revision: int
    by: Entry


def torn(account: Account) -> Iterator[Violation]:
    """Every answer is whole. No false alarm: a connection that was cut is no answer."""
    for read in account.reads:
        if read.torn and read.status is not None:
            yield Violation(4, f"{read.torn}: {read}", "torn")


def forward(account: Account) -> Iterator[Violation]:
    """A reader who asks for a page again gets that revision or a later one.

    No false alarm: the second question was asked after the first answer had come.
    """
    pages: dict[tuple[str, str], list[Read]] = defaultdict(list)
    for read in account.reads:
        if read.revision is not None and read.status in SHOWN:
            pages[read.reader, read.path].append(read)
    for reads in pages.values():
        known = [Known(read.ended, read.revision or 0, read) for read in reads]
        yield from _behind(reads, known)


def as_told(account: Account) -> Iterator[Violation]:
    """Who was told of a revision, on the stream or as its editor, finds it on the page.

    No false alarm: it is the promise that the page is written before anybody is told, and a revision that
    readers are told of is never above the one that its page calls itself.
    """
    told: dict[tuple[str, str], list[Known]] = defaultdict(list)
    for each in account.history.of(Told):
        if each.what == "notice" and each.about and each.revision is not None:
            told[each.reader, each.about].append(Known(each.at, each.revision, each))
    promised = {
        article_id: [
            Known(ended.at, ended.revision, ended)
            for operation in group
            for ended in operation.ended
            if _is_of_a_page(ended) and ended.revision is not None
        ]
        for article_id, group in account.by_article.items()
    }
    pages: dict[tuple[str, str], list[Read]] = defaultdict(list)
    for read in account.reads:
        if read.article_id and read.revision is not None and _is_page(read):
            pages[read.reader, read.article_id].append(read)
    for (reader, article_id), reads in pages.items():
        yield from _behind(reads, [*told[reader, article_id], *promised.get(article_id, [])])


def _is_of_a_page(ended: Ended) -> bool:
    return ended.result == "ok" and ended.state == "rendered" and ended.url is not None


def _is_page(read: Read) -> bool:
    """The article's own page: neither the API, nor the pages below it, which name other revisions."""
    is_below = "/history/" in read.path or "/entries/" in read.path
    return read.status in SHOWN and not is_below and read.path.startswith("/")


def _behind(reads: Iterable[Read], known: Iterable[Known]) -> Iterator[Violation]:
    """Reads that show less than was known when they began."""
    coming = iter(sorted(known, key=lambda each: (each.at, each.revision)))
    following = next(coming, None)
    newest: Known | None = None
    for read in sorted(reads, key=lambda read: read.begun):
        while following is not None and following.at <= read.begun:
            if newest is None or following.revision > newest.revision:
                newest = following
            following = next(coming, None)
        if newest is not None and (read.revision or 0) < newest.revision:
            yield Violation(
                4, f"revision {read.revision} after {newest.revision}: {read}; {newest.by}", "older"
            )


def replaced(account: Account) -> Iterator[Violation]:
    """A reader who saw a later text of an article, in a listing or anywhere, does not get a former one there
    instead.

    No false alarm: only texts without a note are looked at as former ones, for notes stay, and as later ones
    only texts that replace them; where both stand side by side, they are being compared.
    """
    places: dict[tuple[str, str, str], list[Text]] = defaultdict(list)
    for read in account.reads:
        for article_id, texts in _texts(account, read).items():
            newest = max(texts, key=_revision)
            places[read.reader, read.path, article_id].append(Text(read, newest, tuple(texts)))
    for seen in places.values():
        yield from _back(seen)


class Text(NamedTuple):
    """What a reader saw of an article in one place: its newest text there, and all of them."""

    read: Read
    newest: Operation
    texts: tuple[Operation, ...]


def _texts(account: Account, read: Read) -> dict[str, list[Operation]]:
    found: dict[str, list[Operation]] = defaultdict(list)
    for token in read.tokens:
        operation = account.by_token.get(token)
        if operation is not None and operation.revision is not None and operation.kind in TEXTS:
            found[operation.article_id].append(operation)
    return found


def _revision(operation: Operation) -> int:
    return operation.revision or 0


def _back(seen: list[Text]) -> Iterator[Violation]:
    coming = iter(sorted(seen, key=lambda each: each.read.ended))
    following = next(coming, None)
    known: Text | None = None
    for text in seen:
        while following is not None and following.read.ended <= text.read.begun:
            if known is None or _revision(following.newest) > _revision(known.newest):
                known = following
            following = next(coming, None)
        is_former = any(each.kind in NOTELESS for each in text.texts)
        if known is not None and is_former and _revision(text.newest) < _revision(known.newest):
            what = f"{text.newest.name} seen after {known.newest.name}: {text.read}; {known.read}"
            yield Violation(4, what, "older")
