"""What the desk prints: answers as lines for people, and as JSON for scripts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

from desk import colours
from desk.answers import (
    Head,
    History,
    KeyEntry,
    ListedArticle,
    ListedEntry,
    LiveCounts,
    Rebuild,
    Receipt,
    SiteNotice,
    Standing,
)
from desk.frontmatter import BadManuscript
from newsroom.bodies import paragraphs
from newsroom.errors import Away, Forbidden, Invalid, Misconfigured, NewsroomError, Unauthenticated
from newsroom.outcomes import EventState, EventStatus

OK = 0
FAILED = 1
USAGE = 2
UNREACHABLE = 3
NOT_ALLOWED = 4
UNFINISHED = 5
_TABLE_TEXT = 60

EXIT_CODES = """\b
Exit codes:
  0  done
  1  refused or failed: the newsroom says why
  2  usage or setup: the command, a file or a setting is wrong, or there is no key; nothing was sent
  3  the newsroom cannot be reached, or is too busy
  4  not allowed: the key is unknown, expired or revoked, or its role is not enough
  5  accepted and safe, but not finished within --wait: ask `newsroom status`
  130  ended by Ctrl-C"""

_STATES = {
    EventState.ACCEPTED: "accepted: safe on the log, not stored yet",
    EventState.STORED: "stored",
    EventState.RENDERED: "rendered: the public sees it",
    EventState.REJECTED: "rejected: it had no effect",
    EventState.DEAD_LETTERED: "dead-lettered: it could not be read",
}


def exit_code(error: NewsroomError) -> int:
    """The code that the desk ends with after this error."""
    match error:
        case Misconfigured() | BadManuscript():
            return USAGE
        case Away():
            return UNREACHABLE
        case Unauthenticated() | Forbidden():
            return NOT_ALLOWED
        case _:
            return FAILED


def error_lines(error: NewsroomError) -> list[str]:
    """What went wrong and what to do: one line, then one for each bad field."""
    match error:
        case Away():
            return [
                f"{error}. Start the newsroom with `make up`, or say where it is "
                "(NEWSROOM_URL, NEWSROOM_STORE_URL, NEWSROOM_SITE_URL)"
            ]
        case Unauthenticated():
            return [f"{error} (pass --key or set NEWSROOM_KEY)"]
        case Invalid():
            fields = [f"  {field.pointer or '(the whole)'}: {field.detail}" for field in error.errors]
            return [error.detail, *fields]
        case _:
            return [str(error)]


def receipt_lines(receipt: Receipt) -> list[str]:
    """What a change came to."""
    if receipt.revision is None:
        return [
            f"accepted: article {receipt.article_id}; it is safe, its page is still to come",
            f"  see `newsroom status {receipt.event_id}`",
        ]
    entry = f", entry {receipt.entry_id}" if receipt.entry_id else ""
    lines = [f"{receipt.state}: article {receipt.article_id}{entry}, revision {receipt.revision}"]
    return [*lines, f"  {receipt.url}"] if receipt.url else lines


def status_lines(status: EventStatus) -> list[str]:
    """What became of an event, with the steps it took and their distance from the first in milliseconds."""
    facts = {
        "article": status.article_id,
        "revision": status.revision,
        "reason": status.reason,
        "page": status.url,
    }
    steps = sorted(status.times.items(), key=lambda step: step[1])
    return [
        _STATES[status.state],
        *(f"  {name:<9} {value}" for name, value in facts.items() if value is not None),
        *(f"  {_clock(time, None)}  {name}{_since(steps[0][1], time)}" for name, time in steps),
    ]


def notice_line(notice: SiteNotice, zone: tzinfo | None = None) -> str:
    """One notice on one line, its time in `zone` (None: this machine's)."""
    kind = notice.kind.replace("_", " ")
    note = f" – {notice.note}" if notice.note else ""
    return f"{_clock(notice.time, zone)}  {kind:<13} {notice.headline}{note}  {notice.url}"


def step_line(status: EventStatus, zone: tzinfo | None = None) -> str:
    """One step in the life of an event: when, what, and how long after it was accepted."""
    steps = sorted(status.times.values())
    at = status.times.get(status.state.value, steps[-1] if steps else None)
    when = f"{at.astimezone(zone):%H:%M:%S.%f}"[:12] if at else "--:--:--.---"
    word = colours.state(f"{status.state.value:<13}", status.state)
    facts = [
        status.article_id or "",
        status.event_id,
        f"revision {status.revision}" if status.revision is not None else "",
        _since(steps[0], at).strip() if at else "",
        status.url or status.reason or "",
    ]
    return f"{when}  {word} {'  '.join(fact for fact in facts if fact)}"


def key_lines(keys: Iterable[KeyEntry], now: datetime) -> list[str]:
    """Every key with its role and whether it still opens anything."""
    return table(
        ("NAME", "ROLE", "STATE"), [(key.name, key.role.value, _key_state(key, now)) for key in keys]
    )


def article_lines(articles: Sequence[ListedArticle]) -> list[str]:
    """Articles as a table, with what they wait for where any does; one sentence where there are none."""
    if not articles:
        return ["no articles"]
    is_waiting = any(article.waiting for article in articles)
    rows = [
        (
            article.id,
            str(article.revision),
            *([_waiting(article)] if is_waiting else []),
            _day(moment) if (moment := article.updated_at or article.time) else "",
            article.article.headline if article.article else f"({article.status})",
        )
        for article in articles
    ]
    heading = ("ID", "REVISION", *(["WAITS UNTIL"] if is_waiting else []), "UPDATED", "HEADLINE")
    return table(heading, rows)


def head_lines(head: Head) -> list[str]:
    """How an article stands: what the public sees of it, what waits, and until when."""
    facts = {
        "headline": head.article.headline if head.article else None,
        "section": head.article.section if head.article else None,
        "page": head.url,
        "published": _day(head.published_at) if head.published_at else None,
        "updated": _day(head.updated_at) if head.updated_at else None,
        "draft": f"revision {head.draft_revision}" if head.draft_revision else None,
        "waits": f"revision {head.withheld_revision}, {_waiting(head)}" if head.waiting else None,
        "embargo": f"until {_due(head.embargo_until)}" if head.embargo_until else None,
        "breaking": f"until {_due(head.breaking_until)}" if head.breaking_until else None,
        "live": _live(head.live) if head.live else None,
    }
    told = [f"  {name:<9} {value}" for name, value in facts.items() if value is not None]
    return [f"article {head.id}: {head.status}, revision {head.revision}", *told]


def history_lines(history: History) -> list[str]:
    """Every revision that the caller may see, oldest first."""
    rows = [
        (
            str(each.revision),
            _day(each.time),
            each.kind.replace("_", " ") if each.is_public else f"({each.kind.replace('_', ' ')})",
            ", ".join(each.changed) or each.entry_id or "",
            each.note or "",
        )
        for each in history.revisions
    ]
    lines = table(("REVISION", "TIME", "KIND", "CHANGED", "NOTE"), rows)
    is_all_public = all(each.is_public for each in history.revisions)
    return lines if is_all_public else [*lines, "(in brackets: not for the public)"]


def entry_lines(entries: Sequence[ListedEntry]) -> list[str]:
    """Entries as a table, newest first; one sentence where there are none."""
    if not entries:
        return ["no entries"]
    rows = [
        (
            each.id,
            str(each.revision),
            _day(each.added_at),
            f"{'on top ' if each.is_on_top else ''}{'key event' if each.entry.key_event else ''}".strip(),
            _beginning(each),
        )
        for each in entries
    ]
    return table(("ID", "REVISION", "ADDED", "MARKS", "ENTRY"), rows)


def _beginning(entry: ListedEntry) -> str:
    """An entry's headline, else how its text begins."""
    text = entry.entry.headline or " ".join(paragraphs(entry.entry.body or "")) or entry.excerpt or ""
    return shortened(text)


def _waiting(article: Standing) -> str:
    return f"{article.waiting} until {_due(article.due_at)}" if article.waiting and article.due_at else ""


def _live(live: LiveCounts) -> str:
    since = f", closed {_day(live.closed_at)}" if live.closed_at else ""
    return f"{live.entries} entries{since}"


def shortened(text: str) -> str:
    """As much of the text as a cell of a table has room for."""
    return text if len(text) <= _TABLE_TEXT else f"{text[: _TABLE_TEXT - 1].rstrip()}…"


def rebuild_lines(rebuild: Rebuild, rate: str = "") -> list[str]:
    """How far a rebuild is, and how fast it was."""
    state = "done" if rebuild.is_done else "going on"
    return [f"{state}: {rebuild_progress(rebuild, rate)}; render writes their pages"]


def rebuild_progress(rebuild: Rebuild, rate: str = "") -> str:
    """How many articles were announced again."""
    fast = f" ({rate})" if rate else ""
    return f"{rebuild.announced} of {rebuild.total} announced again{fast}"


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows under a heading, each column as wide as its widest cell."""
    widths = [max(len(row[column]) for row in (heading, *rows)) for column in range(len(heading))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (heading, *rows)
    ]


def _key_state(key: KeyEntry, now: datetime) -> str:
    if key.revoked_at is not None:
        return f"revoked {_day(key.revoked_at)}"
    if key.expires_at is None:
        return "good"
    return f"good until {_day(key.expires_at)}" if now < key.expires_at else f"expired {_day(key.expires_at)}"


def _day(time: datetime) -> str:
    return f"{time.astimezone():%Y-%m-%d %H:%M}"


def _due(time: datetime) -> str:
    """With this machine's zone, which may be another than the story's."""
    return f"{time.astimezone():%Y-%m-%d %H:%M %Z}"


def _clock(time: datetime, zone: tzinfo | None) -> str:
    return f"{time.astimezone(zone):%H:%M:%S}"


def _since(first: datetime, time: datetime) -> str:
    return f" (+{(time - first).total_seconds() * 1000:.0f} ms)" if time > first else ""
