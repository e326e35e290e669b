"""An article of which the caller may know: the one way by which the API's answers come to one."""

from __future__ import annotations

from newsroom.errors import NotFound
from services.store.articles import Article
from services.store.reading import Reading
from services.store.views import Sight, is_visible


async def visible_article(reading: Reading, article_id: str, sight: Sight) -> Article:
    """The head as it stands now. Raises: NotFound, the same for an unknown and for a hidden one; Away."""
    article = await reading.article(article_id)
    if article is None or not is_visible(article, sight):
        raise NotFound("There is no such article, or none that you may see.")
    return article
