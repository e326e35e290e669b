"""What changed between two revisions of an article, in words: the store's answer, and what render shows.

Not on the log: made on request, and never kept.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from newsroom.articles import ArticleText, Contract
from newsroom.times import Moment


class Segment(Contract):
    """Words that stayed, came or went. One after the other, less what came, they give the text before."""

    op: Literal["equal", "added", "removed"]
    text: str


class FieldDifference(Contract):
    """What changed in one field of the article.

    Headline and deck come as `segments`, the body as `html` with `<ins>` and `<del>`, every other field as it
    was and is. Without a key only the counts.
    """

    field: str = Field(description="Name of the article's field")
    added: int = Field(description="Words that came; of fields that are no text, values")
    removed: int = Field(description="Words that went")
    segments: tuple[Segment, ...] | None = None
    html: str | None = Field(
        default=None, description="The newer body with `<ins>` and, at its place, the former with `<del>`"
    )
    before: JsonValue = None
    after: JsonValue = None


class Side(Contract):
    """One of the two revisions."""

    revision: int
    kind: str
    time: Moment
    note: str | None = None


class Difference(Contract):
    """What changed from one revision of an article to a later one, field by field."""

    article_id: str
    older: Side
    newer: Side
    fields: tuple[FieldDifference, ...] = Field(
        description="Those that differ; with `whole`, headline, deck and body in any case"
    )
    article: ArticleText | None = Field(
        default=None, description="The newer text without its body (with `whole` and a key)"
    )
