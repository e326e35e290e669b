"""The feed of the newest articles."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.syndication.views import Feed
from django.utils.feedgenerator import Atom1Feed

from bench.wagtailsite.models import ArticlePage, newest


class NewestArticles(Feed):
    """As the newsroom's `/feed.atom`."""

    feed_type = Atom1Feed
    title = "Bench"
    link = "/"

    def items(self) -> Any:
        return newest()

    def item_title(self, item: ArticlePage) -> str:
        return str(item.title)

    def item_description(self, item: ArticlePage) -> str:
        return str(item.deck)

    def item_link(self, item: ArticlePage) -> str:
        return str(item.url)

    def item_pubdate(self, item: ArticlePage) -> datetime | None:
        return item.first_published_at
