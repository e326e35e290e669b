"""Decisions and heads in MongoDB: the store's own database, and who writes it.

`decisions` is the history: one document for each event that has come to an end. Derived from it are
`entries`, one for each entry of a live article, and `heads`, one for each article, for readers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from newsroom import mongo
from newsroom.errors import Away
from newsroom.outcomes import EventState
from services.store.articles import Article, Entry
from services.store.decisions import Decision, Loaded, Overtaken, article_after
from services.store.documents import (
    DECISIONS,
    ENTRIES,
    HEADS,
    from_decision,
    from_entry,
    from_head,
    to_decision,
    to_entry,
    to_head,
)

_TORN_READS = 5


class MongoRevisions:
    """See `services.store.decisions.Revisions`."""

    def __init__(self, database: mongo.Database) -> None:
        self._decisions: mongo.Collection = database[DECISIONS]
        self._entries: mongo.Collection = database[ENTRIES]
        self._heads: mongo.Collection = database[HEADS]

    async def prepare(self) -> None:
        """Create the indexes; those that stand stay."""
        with mongo.translating():
            await self._decisions.create_indexes(_DECISION_INDEXES)
            await self._entries.create_indexes(_ENTRY_INDEXES)
            await self._heads.create_indexes(_HEAD_INDEXES)

    async def load(
        self, article_ids: Collection[str], event_ids: Collection[str], entry_keys: Collection[str] = ()
    ) -> Loaded:
        for _ in range(_TORN_READS):
            loaded = await self._load_once(article_ids, event_ids, entry_keys)
            if loaded is not None:
                return loaded
        raise Away("mongodb", "the history moves on while it is read")

    async def _load_once(
        self, article_ids: Collection[str], event_ids: Collection[str], entry_keys: Collection[str]
    ) -> Loaded | None:
        """Heads first, then what is newer and decided, so that every event in a head is seen as decided."""
        with mongo.translating():
            heads = {head.id: head for head in await self.heads(article_ids)}
            entries = {entry.key: entry for entry in await self._entries_of(entry_keys)}
            newer = [
                {
                    "article_id": article_id,
                    "revision": {"$gt": heads[article_id].revision if article_id in heads else 0},
                }
                for article_id in article_ids
            ]
            found = self._decisions.find({"$or": [{"_id": {"$in": list(event_ids)}}, *newer]})
            decisions = [to_decision(document) for document in await found.to_list(None)]
        return _assemble(heads, decisions, entries, frozenset(article_ids), frozenset(event_ids))

    async def _entries_of(self, keys: Collection[str]) -> list[Entry]:
        if not keys:
            return []
        found = self._entries.find({"_id": {"$in": list(keys)}})
        return [to_entry(document) for document in await found.to_list(None)]

    async def write(self, decisions: Sequence[Decision], *, instead: Collection[str] = ()) -> None:
        if not decisions:
            return
        steps = [_insertion(decision, decision.event_id in instead) for decision in decisions]
        with mongo.translating():
            try:
                await self._decisions.bulk_write(steps, ordered=True)
            except mongo.BulkWriteError as error:
                if mongo.only_duplicates(error):
                    raise Overtaken from error
                raise

    async def replace_entries(self, entries: Sequence[Entry]) -> None:
        await mongo.replace_older(self._entries, [from_entry(entry) for entry in entries], first="version")

    async def replace_heads(self, articles: Sequence[Article]) -> None:
        await mongo.replace_older(self._heads, [from_head(article) for article in articles])

    async def park(self, decision: Decision) -> Decision:
        with mongo.translating():
            document = await self._decisions.find_one_and_update(
                {"_id": decision.event_id},
                {"$setOnInsert": {k: v for k, v in from_decision(decision).items() if k != "_id"}},
                upsert=True,
                return_document=mongo.ReturnDocument.AFTER,
            )
        return to_decision(document)

    async def count(self) -> int:
        with mongo.translating():
            return await self._heads.estimated_document_count()

    async def heads(self, article_ids: Collection[str]) -> list[Article]:
        with mongo.translating():
            found = self._heads.find({"_id": {"$in": list(article_ids)}}).sort("_id", mongo.ASCENDING)
            return [to_head(document) for document in await found.to_list(None)]

    async def heads_from(
        self, after: str, most: int, *, partition: int | None = None, before: int | None = None
    ) -> list[Article]:
        query: mongo.Document = {"_id": {"$gt": after}}
        if partition is not None:
            query["partition"] = partition
        if before is not None:
            query["offset"] = {"$lt": before}
        with mongo.translating():
            found = self._heads.find(query).sort("_id", mongo.ASCENDING).limit(most)
            return [to_head(document) for document in await found.to_list(None)]

    async def head_revisions(self, article_ids: Collection[str]) -> dict[str, int]:
        with mongo.translating():
            found = self._heads.find({"_id": {"$in": list(article_ids)}}, {"revision": True})
            return {document["_id"]: document["revision"] for document in await found.to_list(None)}

    async def entries_from(self, article_ids: Sequence[str], after: int, most: int) -> list[Entry]:
        first, *others = article_ids
        query: mongo.Document = {"article_id": first, "number": {"$gt": after}}
        if others:
            query = {"$or": [query, {"article_id": {"$in": others}}]}
        order = [("article_id", mongo.ASCENDING), ("number", mongo.ASCENDING)]
        with mongo.translating():
            found = self._entries.find(query).sort(order).limit(most)
            return [to_entry(document) for document in await found.to_list(None)]

    async def newest_offsets(self) -> dict[int, int]:
        with mongo.translating():
            stages: list[mongo.Document] = [
                {"$sort": {"partition": mongo.ASCENDING, "offset": mongo.DESCENDING}},
                {"$group": {"_id": "$partition", "offset": {"$first": "$offset"}}},
            ]
            return {found["_id"]: found["offset"] async for found in self._heads.aggregate(stages)}


_DECISION_INDEXES = [
    mongo.IndexModel(
        [("article_id", mongo.ASCENDING), ("revision", mongo.ASCENDING)],
        name="one_of_each_revision",
        unique=True,
        partialFilterExpression={"revision": {"$exists": True}},
    ),
    mongo.IndexModel(
        [
            ("article_id", mongo.ASCENDING),
            ("entry.id", mongo.ASCENDING),
            ("entry.version", mongo.ASCENDING),
        ],
        name="one_of_each_version_of_an_entry",
        unique=True,
        partialFilterExpression={"entry": {"$exists": True}},
    ),
]
_ENTRY_INDEXES = [
    mongo.IndexModel([("article_id", mongo.ASCENDING), ("number", mongo.ASCENDING)], name="of_article"),
]
_HEAD_INDEXES = [
    mongo.IndexModel(
        [("status", mongo.ASCENDING), ("bumped_at", mongo.DESCENDING), ("_id", mongo.ASCENDING)],
        name="newest",
    ),
    mongo.IndexModel(
        [("listed.section", mongo.ASCENDING), ("bumped_at", mongo.DESCENDING), ("_id", mongo.ASCENDING)],
        name="newest_of_section",
    ),
    mongo.IndexModel(
        [("listed.tags", mongo.ASCENDING), ("bumped_at", mongo.DESCENDING), ("_id", mongo.ASCENDING)],
        name="newest_of_tag",
    ),
    mongo.IndexModel(
        [("time", mongo.DESCENDING), ("_id", mongo.ASCENDING)],
        name="drafts",
        partialFilterExpression={"draft_revision": {"$exists": True}},
    ),
    mongo.IndexModel(
        [("waiting.for", mongo.ASCENDING), ("waiting.until", mongo.ASCENDING), ("_id", mongo.ASCENDING)],
        name="waiting",
        partialFilterExpression={"waiting.for": {"$exists": True}},
    ),
    mongo.IndexModel(
        [("due_at", mongo.ASCENDING)], name="due", partialFilterExpression={"due_at": {"$exists": True}}
    ),
    mongo.IndexModel([("partition", mongo.ASCENDING), ("offset", mongo.DESCENDING)], name="log_position"),
    mongo.IndexModel([("partition", mongo.ASCENDING), ("_id", mongo.ASCENDING)], name="of_partition"),
]


def _assemble(
    heads: Mapping[str, Article],
    decisions: Sequence[Decision],
    entries: Mapping[str, Entry],
    article_ids: frozenset[str],
    event_ids: frozenset[str],
) -> Loaded | None:
    """The articles and entries with what is newer than the heads; None where a revision is missing."""
    articles, late = dict(heads), dict[str, Entry]()
    stored = (d for d in decisions if d.revision is not None and d.article_id in article_ids)
    for decision in sorted(stored, key=lambda decision: decision.revision or 0):
        article = articles.get(decision.article_id)
        missing = (decision.revision or 0) - (article.revision if article else 0)
        if missing > 1:
            return None
        if missing == 1:
            articles[decision.article_id] = article_after(article, decision)
            if decision.entry is not None:
                late[decision.entry.key] = decision.entry
    known = [decision for decision in decisions if decision.event_id in event_ids]
    return Loaded(
        articles=articles,
        heads={article_id: head.revision for article_id, head in heads.items()},
        decided={d.event_id: d for d in known if d.state is not EventState.DEAD_LETTERED},
        parked=frozenset(d.event_id for d in known if d.state is EventState.DEAD_LETTERED),
        entries={**entries, **late},
        late=tuple(late.values()),
    )


def _insertion(
    decision: Decision, is_instead: bool
) -> mongo.InsertOne[mongo.Document] | mongo.ReplaceOne[mongo.Document]:
    document = from_decision(decision)
    if is_instead:
        standing = {"_id": decision.event_id, "state": EventState.DEAD_LETTERED.value}
        return mongo.ReplaceOne(standing, document, upsert=True)
    return mongo.InsertOne(document)
