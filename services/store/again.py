"""Announcing what stands once more: the one step that replays and rebuilds are made of."""

from __future__ import annotations

from collections.abc import Sequence

from newsroom.kafka.producer import Publisher
from newsroom.telemetry import metrics
from services.store.announcing import again
from services.store.articles import Article
from services.store.decisions import Revisions


async def announce_again(revisions: Revisions, publisher: Publisher, articles: Sequence[Article]) -> None:
    """Announce these heads, then those of them that moved on meanwhile, until the newest is on the log.

    So no older announcement is the last that the compacted topic keeps. What moved on is told by its owner as
    well: an article that was announced is known by then, so its notices come once.
    """
    due = list(articles)
    while due:
        await publisher.publish_all([again(article) for article in due])
        metrics.announcements.labels(again="yes").inc(len(due))
        announced = {article.id: article.revision for article in due}
        standing = await revisions.heads(announced.keys())
        due = [article for article in standing if article.revision > announced[article.id]]
