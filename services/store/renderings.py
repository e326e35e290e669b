"""How far each article's public outputs have come, kept so that an event once *rendered* is told so for ever.

From `newsroom.outcomes`, off the way of the articles: nothing waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from newsroom import mongo
from newsroom.kafka.consumer import Delivery
from newsroom.outcomes import Outcome, Rendering

RENDERINGS = "renderings"


class Renderings(Protocol):
    """Where they are kept. Every call may raise `Away`."""

    async def note(self, renderings: Sequence[Rendering]) -> None:
        """Keep each unless its article has come as far already."""
        ...


class RenderingKeeper:
    """Keeps what render tells; the handler of the loop on outcomes. Idempotent, as the loop asks."""

    def __init__(self, renderings: Renderings) -> None:
        self._renderings = renderings

    async def handle(self, batch: Sequence[Delivery[Outcome]]) -> None:
        """Keep the furthest rendering of each article in the batch."""
        furthest: dict[str, Rendering] = {}
        for delivery in batch:
            told = delivery.item
            if not isinstance(told, Rendering):
                continue
            former = furthest.get(told.article_id)
            if former is None or told.revision > former.revision:
                furthest[told.article_id] = told
        if furthest:
            await self._renderings.note(list(furthest.values()))


class MongoRenderings:
    """One document for each article."""

    def __init__(self, database: mongo.Database) -> None:
        self._documents: mongo.Collection = database[RENDERINGS]

    async def note(self, renderings: Sequence[Rendering]) -> None:
        await mongo.replace_older(self._documents, [_from_rendering(each) for each in renderings])


def _from_rendering(rendering: Rendering) -> mongo.Document:
    document = rendering.model_dump(mode="json", exclude_none=True)
    document["_id"] = document.pop("article_id")
    return document


def to_rendering(document: Mapping[str, object]) -> Rendering:
    """A rendering from its document."""
    fields = dict(document)
    fields["article_id"] = fields.pop("_id")
    return Rendering.model_validate(fields)
