"""Announcing what stands once more: the one step that replays and rebuilds are made of."""

from __future__ import annotations

from collections.abc import Sequence

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
        for article in due:
            await announce_entries(revisions, publisher, article, is_again=True)
        await publisher.publish_all([again(article) for article in due])
        metrics.announcements.labels(again="yes").inc(len(due))
        announced = {article.id: article.revision for article in due}
        standing = await revisions.heads(announced.keys())
        due = [article for article in standing if article.revision > announced[article.id]]


async def announce_entries(
    revisions: Revisions, publisher: Publisher, article: Article, *, is_again: bool = False
) -> None:
    """Announce all entries of an article as it stands, part by part; its own record is to follow.

    What was posted since is left to whoever tells of it: it belongs to a later state of the article.
    """
    after, newest = 0, article.live.entries if article.live else 0
    while after < newest:
        entries = await revisions.entries_from(article.id, after, _ENTRIES_AT_ONCE)
        if not entries:
            return
        after = entries[-1].number
        standing = [entry for entry in entries if entry.revision <= article.revision]
        await publisher.publish_all(
            [entry_announcement(article, entry, again=is_again) for entry in standing]
        )
        reached("store.entries_announced")
