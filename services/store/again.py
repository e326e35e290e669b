"""Announcing what stands once more: the one step that replays and rebuilds are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from newsroom.kafka.producer import Publisher
from newsroom.steps import reached
from newsroom.telemetry import metrics
from services.store.announcing import again, entry_announcement
from services.store.articles import Article
from services.store.decisions import Revisions

_ENTRIES_AT_ONCE = 50


async def announce_again(revisions: Revisions, publisher: Publisher, articles: Sequence[Article]) -> None:
    """Announce these heads, then those of them that moved on meanwhile, until the newest is on the log.

    So no older announcement is the last that the compacted topic keeps. What moved on is told by its owner as
    well: an article that was announced is known by then, so its notices come once.
    """
    due = list(articles)
    while due:
        await announce_entries(revisions, publisher, due, is_again=True)
        await publisher.publish_all([again(article) for article in due])
        metrics.announcements.labels(again="yes").inc(len(due))
        announced = {article.id: article.revision for article in due}
        standing = await revisions.head_revisions(announced.keys())
        moved = [each for each, revision in standing.items() if revision > announced[each]]
        due = await revisions.heads(moved) if moved else []


async def announce_entries(
    revisions: Revisions, publisher: Publisher, articles: Iterable[Article], *, is_again: bool = False
) -> None:
    """Announce all entries of these articles as they stand, part by part; their own records are to follow.

    What was posted since is left to whoever tells of it: it belongs to a later state of its article.
    """
    live = {article.id: article for article in articles if article.live and article.live.entries}
    left, after = sorted(live), 0
    while left:
        entries = await revisions.entries_from(left, after, _ENTRIES_AT_ONCE)
        await publisher.publish_all(
            [
                entry_announcement(live[entry.article_id], entry, again=is_again)
                for entry in entries
                if entry.revision <= live[entry.article_id].revision
            ]
        )
        reached("store.entries_announced")
        if len(entries) < _ENTRIES_AT_ONCE:
            return
        left, after = left[left.index(entries[-1].article_id) :], entries[-1].number
