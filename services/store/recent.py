"""The articles that were folded lately, so that most need no reading before they are written.

What stands here is never more than a guess. An article's state is a function of its log up to a position, and
a batch goes on where the last one of this assignment ended, so the guess is right unless an event comes a
second time or an article of that name stands already. Then the database refuses the write, and the batch is
folded on what it has.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from newsroom.events import Drafted, EntryChanged, Event, Published
from newsroom.kafka.consumer import Delivery
from services.store.articles import Article, is_in
from services.store.decisions import Loaded

ARTICLES = 500
LARGEST_CHARACTERS = 50_000


@dataclass(frozen=True)
class Guess:
    """What stands of a batch's articles, but for the `unknown` ones, which have to be read."""

    loaded: Loaded
    unknown: frozenset[str]


class Recent:
    """At most `ARTICLES` articles in their newest state, those with long texts or histories left out."""

    def __init__(self) -> None:
        self._articles: OrderedDict[str, Article] = OrderedDict()

    def guess(self, batch: Iterable[Delivery[Event]]) -> Guess:
        """What stands of the articles of a batch; those of which something was redelivered have to be read.

        That no entry of its name stands is a guess as well; one that is changed has to be read.
        """
        known: dict[str, Article] = {}
        created: set[str] = set()
        unknown: set[str] = set()
        for delivery in batch:
            article_id = delivery.item.article_id
            article = self._articles.get(article_id)
            if isinstance(delivery.item.data, EntryChanged):
                unknown.add(article_id)
            elif article_id in created:
                continue
            elif article is None and _creates(delivery.item):
                created.add(article_id)
            elif article is None or is_in(article, delivery.record):
                unknown.add(article_id)
            else:
                known[article_id] = article
        kept = {article_id: article for article_id, article in known.items() if article_id not in unknown}
        heads = {article.id: article.revision for article in kept.values()}
        return Guess(Loaded(articles=kept, heads=heads, decided={}), frozenset(unknown))

    def remember(self, articles: Iterable[Article]) -> None:
        """These stand in the database now, heads and all."""
        for article in articles:
            self._articles.pop(article.id, None)
            if _weight(article) <= LARGEST_CHARACTERS:
                self._articles[article.id] = article
        while len(self._articles) > ARTICLES:
            self._articles.popitem(last=False)

    def forget(self) -> None:
        """Another owner may have gone on: know nothing any more."""
        self._articles.clear()


def _creates(event: Event) -> bool:
    return isinstance(event.data, Published | Drafted) and event.data.create


def _weight(article: Article) -> int:
    """About how many characters it holds."""
    texts = [article.text, *(each.text for each in (article.public, article.withheld) if each)]
    return sum(len(text.body) for text in texts if text) + 200 * len(article.changes)
