"""What the store would announce now, as it answers when render compares the site with a rebuild.

Not on the log: the same records as there, asked for part by part, and nothing follows from them.
"""

from __future__ import annotations

from pydantic import Field

from newsroom.articles import Contract
from newsroom.updates import ArticleUpdate, EntryUpdate


class AnnouncedPart(Contract):
    """A part of all articles, by id. Without `next` it is the last."""

    updates: tuple[ArticleUpdate, ...]
    total: int = Field(description="Articles there are, about")
    next: str | None = Field(default=None, description="Send it as `after` for the next part")


class AnnouncedEntries(Contract):
    """A part of a live article's entries, by number. Without `next` it is the last."""

    entries: tuple[EntryUpdate, ...]
    next: int | None = Field(default=None, description="Send it as `before` for the next part")
