"""Who this database is: a random id, the log it belongs to, and where each partition ended when it was new.

The id names the consumer group, so that an empty database reads the log from its beginning. The ends are the
horizon: what stands before it is history, which is filed and not told (DESIGN §5).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Protocol

from pydantic import Field

from newsroom import mongo
from newsroom.articles import Contract
from newsroom.errors import Misconfigured
from newsroom.topics import EVENTS

IDENTITY = "identity"
_ONLY = "log"
_ANEW = "name an empty database in NEWSROOM_STORE_DATABASE, which is then filled from this log"


class Identity(Contract):
    """What a database knows about itself, by partition: the horizon, how far history is filed, what is told.

    `horizon`: the end when the database was new. `folded`: the offset up to which history was filed.
    `crossed`: the partitions whose history is filed and announced.
    """

    database_id: str
    cluster_id: str
    horizon: dict[int, int]
    folded: dict[int, int] = Field(default_factory=dict)
    crossed: frozenset[int] = frozenset()

    @property
    def is_replayed(self) -> bool:
        """Whether the whole history is filed and announced."""
        return self.crossed.issuperset(self.horizon)

    def due(self) -> frozenset[int]:
        """Partitions whose history is filed and not announced yet."""
        filed = {partition for partition, end in self.horizon.items() if self.folded.get(partition, 0) >= end}
        return frozenset(filed - self.crossed)


def new_identity(cluster_id: str, ends: Mapping[int, int]) -> Identity:
    """The identity of a new database. A partition without history is crossed at once."""
    return Identity(
        database_id=secrets.token_hex(8),
        cluster_id=cluster_id,
        horizon=dict(ends),
        crossed=frozenset(partition for partition, end in ends.items() if end == 0),
    )


def check(
    identity: Identity, *, cluster_id: str, newest: Mapping[int, int], ends: Mapping[int, int], name: str
) -> None:
    """Refuse a database that does not belong to this log.

    `newest`: the highest log positions among its heads. Raises: Misconfigured with one line
    that says what to do.
    """
    if identity.cluster_id != cluster_id:
        raise Misconfigured(
            f"database {name} belongs to the Kafka cluster {identity.cluster_id}, but NEWSROOM_KAFKA is the "
            f"cluster {cluster_id}: point it back, or {_ANEW}"
        )
    known = {partition: end - 1 for partition, end in identity.horizon.items()}
    for partition in sorted({*known, *newest}):
        offset = max(known.get(partition, -1), newest.get(partition, -1))
        if offset >= ends.get(partition, 0):
            raise Misconfigured(
                f"database {name} knows offset {offset} of {EVENTS} partition {partition}, but that ends at "
                f"{ends.get(partition, 0)}: the log was cut or restored from an older copy; bring all of it "
                f"back, or {_ANEW}"
            )


class Identities(Protocol):
    """Where the identity is kept. Every call may raise `Away`."""

    async def find(self) -> Identity | None: ...

    async def claim(self, new: Identity) -> Identity:
        """Give the database this identity unless it has one; the one that stands."""
        ...

    async def note_folded(self, offsets: Mapping[int, int]) -> None:
        """History is filed up to these offsets, by partition; never goes back."""
        ...

    async def note_crossed(self, partition: int) -> None: ...


class MongoIdentities:
    """One document in the store's database."""

    def __init__(self, database: mongo.Database) -> None:
        self._documents: mongo.Collection = database[IDENTITY]

    async def find(self) -> Identity | None:
        with mongo.translating():
            document = await self._documents.find_one({"_id": _ONLY})
        return Identity.model_validate(document) if document else None

    async def claim(self, new: Identity) -> Identity:
        document = {"_id": _ONLY, **new.model_dump(mode="json")}
        for field in ("horizon", "folded"):
            document[field] = {str(partition): offset for partition, offset in document[field].items()}
        with mongo.translating():
            try:
                await self._documents.insert_one(document)
            except mongo.DuplicateKeyError:
                standing = await self._documents.find_one({"_id": _ONLY})
                return Identity.model_validate(standing)
        return new

    async def note_folded(self, offsets: Mapping[int, int]) -> None:
        highest = {f"folded.{partition}": offset for partition, offset in offsets.items()}
        with mongo.translating():
            await self._documents.update_one({"_id": _ONLY}, {"$max": highest})

    async def note_crossed(self, partition: int) -> None:
        with mongo.translating():
            await self._documents.update_one({"_id": _ONLY}, {"$addToSet": {"crossed": partition}})
