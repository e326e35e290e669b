"""Render's own picture of all articles, which its instances share: between updates and files.

`ReadModel` is what the rest of render knows. `mongoreadmodel` keeps it in MongoDB; a fake in the tests passes
the same contract suite.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from newsroom.articles import Contract
from newsroom.updates import EntryUpdate, Status
from services.render.cards import Card, LedgerEntry
from services.render.listingkinds import Place
from services.render.standing import ArticleState


class Identity(Contract):
    """Who a read model is. `updates` and `listings`: where each partition of those topics ended when it was
    made.

    A compacted topic keeps old records; none from before the read model's birth is ever rendered.
    """

    id: str
    cluster_id: str
    updates: dict[int, int]
    listings: dict[int, int]

    @property
    def updates_group(self) -> str:
        """The consumer group of `newsroom.updates`, which ends with the read model."""
        return f"render-{self.id}"

    @property
    def listings_group(self) -> str:
        """The consumer group of `newsroom.listings`."""
        return f"render-listings-{self.id}"


class Rebuild(Contract):
    """The rebuild that was asked of the store last: for which pages (`wanted`), and its id there."""

    wanted: str
    republication_id: str


@dataclass(frozen=True)
class Address:
    """What a path leads to: an article's status, and where its page stands now (None: nowhere)."""

    article_id: str
    status: Status
    page_path: str | None


class ReadModel(Protocol):
    """Every call raises Away("mongodb") when the database does not answer."""

    async def identity(self) -> Identity | None: ...

    async def claim(self, identity: Identity) -> Identity:
        """Give a new read model its identity; whoever comes second gets the first one's."""
        ...

    async def rebuild(self) -> Rebuild | None: ...

    async def note_rebuild(self, rebuild: Rebuild) -> None: ...

    async def find(self, article_id: str) -> ArticleState | None: ...

    async def revision(self, article_id: str) -> int | None:
        """The revision that stands."""
        ...

    async def told(self, article_id: str) -> int | None:
        """`standing.told_revision` of the article, None for one that is not here or was never public."""
        ...

    async def ids_after(self, article_id: str, most: int) -> tuple[str, ...]:
        """Up to so many articles whose id comes after that one, by id."""
        ...

    async def insert(self, state: ArticleState) -> bool:
        """Put an article in that was not there. False: it is there by now."""
        ...

    async def replace(self, state: ArticleState, former_revision: int) -> bool:
        """Put the state in place of that revision's.

        False: another revision may stand by now, so look what does. `announced` only rises.
        """
        ...

    async def acknowledge(
        self,
        article_id: str,
        revision: int,
        marks: Iterable[str],
        announced: int,
        written: Iterable[int] = (),
    ) -> None:
        """Note that these marks are on the log and these pages of posts are written (if that revision still
        stands), and that the notices up to `announced` are on the log.
        """
        ...

    async def left(self, listing: str, marked: Collection[tuple[str, int]]) -> tuple[ArticleState, ...]:
        """Note that a listing was written without the articles that have left it, however they did.

        `marked`: articles, each at a revision. Returns the states after it of those of which that revision
        stands, and is hidden or waits for its listings: few, however many were marked.
        """
        ...

    async def leaving(self, listing: str) -> tuple[ArticleState, ...]:
        """The articles that are leaving a listing, by id."""
        ...

    async def put_posts(self, posts: Sequence[EntryUpdate]) -> None:
        """Let each stand unless a record of the same post with a higher `as_of` does. Of a hidden one no
        word is kept.
        """
        ...

    async def posts(self, article_id: str, pages: Collection[int]) -> tuple[EntryUpdate, ...]:
        """The article's posts on these pages that the public may see, the newest first, by number."""
        ...

    async def post(self, article_id: str, entry_id: str) -> EntryUpdate | None: ...

    async def key_posts(self, article_id: str, limit: int) -> tuple[EntryUpdate, ...]:
        """The newest key events that the public may see, by number."""
        ...

    async def newest_posts(
        self, article_id: str, limit: int | None, *, after: int = 0
    ) -> tuple[EntryUpdate, ...]:
        """Those of a revision after that one that the public may see, the latest revision first."""
        ...

    async def moved_pages(self, article_id: str, after: int) -> frozenset[int]:
        """The pages of the posts whose record is of a later revision of the article than that."""
        ...

    async def take_turn(self, listing: str) -> int:
        """Count one up before the listing is made; returns the counter."""
        ...

    async def turn(self, listing: str) -> int:
        """The counter as it stands: the same as ours means that nobody began after us."""
        ...

    async def cards(self, listing: str, limit: int) -> tuple[Card, ...]:
        """The listing's newest cards by `bumped_at`, ties by article id."""
        ...

    async def entries(self, ledger: str, limit: int) -> tuple[LedgerEntry, ...]:
        """The ledger's newest entries by time, ties by article id, then revision."""
        ...

    async def archive(self, listing: str, limit: int) -> tuple[Card, ...]:
        """The listing's newest cards by `published_at`, ties by article id; without what `NOT_ARCHIVED` names
        (times stand at the publication's).
        """
        ...

    async def months(self, listing: str) -> tuple[str, ...]:
        """Every month (`2023/06`) with articles of that front in its archive, newest first."""
        ...

    async def days(self, month: str) -> tuple[str, ...]:
        """Every day (`2023/06/20`) of a month with articles in the site's archive, newest first."""
        ...

    async def places(self, sitemap: str, limit: int) -> tuple[Place, ...]:
        """The newest pages of a sitemap by first publication, ties by article id."""
        ...

    async def translations(self, limit: int) -> tuple[Place, ...]:
        """The newest translations by first publication, ties by article id, then those of their originals
        that readers may see, by id; without times.
        """
        ...

    async def changes(self) -> tuple[tuple[str, datetime], ...]:
        """Every month of first publication with its articles' latest `updated_at`, newest month first."""
        ...

    async def is_listed(self, listing: str) -> bool:
        """Whether any article stands in it."""
        ...

    async def is_translated(self, article_id: str) -> bool:
        """Whether an article stands here that names this one as its original."""
        ...

    async def fresh(self, since: datetime, limit: int) -> tuple[Card, ...]:
        """Cards of what was first published since then and not retracted, newest first, ties by id."""
        ...

    async def page_of(self, article_id: str) -> Address | None:
        """Where an article's page stands, None for one that is not here."""
        ...

    async def address(self, path: str) -> Address | None:
        """Whose path this is or was, None for nobody's."""
        ...


def newest_entries(entries: Iterable[LedgerEntry], limit: int) -> tuple[LedgerEntry, ...]:
    """Newest first, ties by article id, then revision."""
    ordered = sorted(entries, key=lambda entry: (entry.article_id, entry.revision))
    return tuple(sorted(ordered, key=lambda entry: entry.time, reverse=True)[:limit])
