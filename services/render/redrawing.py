"""What a rebuild would make, drawn in memory from what the store announces; see `verifying` beside this."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from newsroom.updates import ArticleUpdate, EntryUpdate
from services.render.drawing import ArticleDrawing
from services.render.listings import ListingRenderer
from services.render.pages import Pages
from services.render.posts import all_pages, page_count
from services.render.readmodel import ReadModel
from services.render.standing import ArticleState, View
from services.render.verifying import Announced, DrawnArticle


class Redrawing:
    """Draws as the two handlers do, and writes nothing.

    Listings and posts come from the read model, so that is compared with what is announced.
    """

    def __init__(
        self, model: ReadModel, pages: Pages, listings: ListingRenderer, announced: Announced
    ) -> None:
        self._model, self._announced = model, announced
        self._drawing = ArticleDrawing(model, pages)
        self._listings = listings

    async def article(self, update: ArticleUpdate) -> DrawnArticle:
        """Its files, and what the read model keeps otherwise. Raises: CannotBeDrawn; Away."""
        view = await self._drawing.view(update)
        drawn = await self._drawing.article(update)
        state = await self._model.find(update.article_id)
        told = [*_disagreements(state, update, view), *await self._posts(update)]
        return DrawnArticle(drawn.files, view.listings, told)

    async def listing(self, path: str) -> Mapping[str, bytes]:
        """Its files as the read model makes them. Raises: CannotBeDrawn; Away."""
        return await self._listings.drawn(path)

    async def _posts(self, update: ArticleUpdate) -> list[str]:
        """The posts of a live article that the read model keeps otherwise, misses, or has too many."""
        if not page_count(update):
            return []
        announced = await self._announced.entries(update.article_id)
        should = _by_id(post for post in announced if post.entry is not None)
        has = _by_id(await self._model.posts(update.article_id, all_pages(update)))
        differing = sorted(each for each in should.keys() | has.keys() if should.get(each) != has.get(each))
        return [f"entry {each} is not kept as the store announces it" for each in differing]


def _by_id(posts: Iterable[EntryUpdate]) -> Mapping[str, EntryUpdate]:
    """When a post was announced last makes no difference."""
    return {post.entry_id: post.model_copy(update={"as_of": 0}) for post in posts}


def _disagreements(state: ArticleState | None, update: ArticleUpdate, view: View) -> Sequence[str]:
    """What the read model keeps of the article, beside what follows from the announcement."""
    if state is None or state.revision != update.revision:
        return []
    kept = {
        "announcement": (_without_events(state.update), _without_events(update)),
        "card": (state.card, view.card),
        "ledger": (state.ledger, view.ledger),
        "list of listings": (frozenset(state.listings), view.listings),
    }
    return [
        f"render keeps another {name} of it than follows from what the store announces"
        for name, (has, should) in kept.items()
        if has != should
    ]


def _without_events(update: ArticleUpdate) -> ArticleUpdate:
    """Which events it followed from stands in no rebuild."""
    return update.model_copy(update={"event_ids": ()})
