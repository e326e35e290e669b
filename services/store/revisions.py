"""Decisions and heads in MongoDB: the store's own database, and who writes it.

`decisions` is the history: one document for each event that has come to an end. `heads` is derived from it:
one for each article, for readers. Both carry a text only once where the public one is the newest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from newsroom import mongo
from newsroom.addresses import slugify
from newsroom.errors import Away
from newsroom.outcomes import EventState
from newsroom.updates import Status
from services.store.articles import Article
from services.store.decisions import Decision, Loaded, Overtaken
from services.store.effects import history_after

DECISIONS = "decisions"
HEADS = "heads"
_SAME_TEXT = "same"
_TORN_READS = 5


class MongoRevisions:
    """See `services.store.decisions.Revisions`."""

    def __init__(self, database: mongo.Database) -> None:
        self._decisions: mongo.Collection = database[DECISIONS]
        self._heads: mongo.Collection = database[HEADS]

    async def prepare(self) -> None:
        """Create the indexes; those that stand stay."""
        with mongo.translating():
            await self._decisions.create_indexes(
                [
                    mongo.IndexModel(
                        [("article_id", mongo.ASCENDING), ("revision", mongo.ASCENDING)],
                        name="one_of_each_revision",
                        unique=True,
                        partialFilterExpression={"revision": {"$exists": True}},
                    )
                ]
            )
            await self._heads.create_indexes(_HEAD_INDEXES)

    async def load(self, article_ids: Collection[str], event_ids: Collection[str]) -> Loaded:
        for _ in range(_TORN_READS):
            loaded = await self._load_once(article_ids, event_ids)
            if loaded is not None:
                return loaded
        raise Away("mongodb", "the history moves on while it is read")

    async def _load_once(self, article_ids: Collection[str], event_ids: Collection[str]) -> Loaded | None:
        """Heads first, then what is newer and decided, so that every event in a head is seen as decided."""
        with mongo.translating():
            heads = {head.id: head for head in await self.heads(article_ids)}
            newer = [
                {
                    "article_id": article_id,
                    "revision": {"$gt": heads[article_id].revision if article_id in heads else 0},
                }
                for article_id in article_ids
            ]
            found = self._decisions.find({"$or": [{"_id": {"$in": list(event_ids)}}, *newer]})
            decisions = [to_decision(document) async for document in found]
        return _assemble(heads, decisions, frozenset(article_ids), frozenset(event_ids))

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

    async def replace_heads(self, articles: Sequence[Article]) -> None:
        if not articles:
            return
        steps = [
            mongo.ReplaceOne(
                {"_id": article.id, "revision": {"$lt": article.revision}}, _from_head(article), upsert=True
            )
            for article in articles
        ]
        with mongo.translating():
            try:
                await self._heads.bulk_write(steps, ordered=False)
            except mongo.BulkWriteError as error:
                if not mongo.only_duplicates(error):  # a duplicate is a head that is not behind
                    raise

    async def park(self, decision: Decision) -> Decision:
        with mongo.translating():
            document = await self._decisions.find_one_and_update(
                {"_id": decision.event_id},
                {"$setOnInsert": {k: v for k, v in _from_decision(decision).items() if k != "_id"}},
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
            return [to_head(document) async for document in found]

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
            return [to_head(document) async for document in found]

    async def newest_offsets(self) -> dict[int, int]:
        with mongo.translating():
            stages: list[mongo.Document] = [
                {"$sort": {"partition": mongo.ASCENDING, "offset": mongo.DESCENDING}},
                {"$group": {"_id": "$partition", "offset": {"$first": "$offset"}}},
            ]
            return {found["_id"]: found["offset"] async for found in self._heads.aggregate(stages)}


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
    mongo.IndexModel([("partition", mongo.ASCENDING), ("offset", mongo.DESCENDING)], name="log_position"),
    mongo.IndexModel([("partition", mongo.ASCENDING), ("_id", mongo.ASCENDING)], name="of_partition"),
]


def _assemble(
    heads: Mapping[str, Article],
    decisions: Sequence[Decision],
    article_ids: frozenset[str],
    event_ids: frozenset[str],
) -> Loaded | None:
    """The articles with what is newer than their heads; None where a revision is missing in between."""
    articles = dict(heads)
    stored = (d for d in decisions if d.revision is not None and d.article_id in article_ids)
    for decision in sorted(stored, key=lambda decision: decision.revision or 0):
        article = articles.get(decision.article_id)
        missing = (decision.revision or 0) - (article.revision if article else 0)
        if missing > 1:
            return None
        if missing == 1:
            articles[decision.article_id] = _after(article, decision)
    known = [decision for decision in decisions if decision.event_id in event_ids]
    return Loaded(
        articles=articles,
        heads={article_id: head.revision for article_id, head in heads.items()},
        decided={d.event_id: d for d in known if d.state is not EventState.DEAD_LETTERED},
        parked=frozenset(d.event_id for d in known if d.state is EventState.DEAD_LETTERED),
    )


def _after(article: Article | None, decision: Decision) -> Article:
    """The article after one more of its revisions, with the history."""
    if decision.article is None or decision.kind is None:
        raise ValueError(f"decision {decision.event_id} made a revision without an article")
    history = history_after(article.changes if article else (), decision.kind, decision.change)
    return decision.article.model_copy(update={"changes": history})


def _insertion(
    decision: Decision, is_instead: bool
) -> mongo.InsertOne[mongo.Document] | mongo.ReplaceOne[mongo.Document]:
    document = _from_decision(decision)
    if is_instead:
        standing = {"_id": decision.event_id, "state": EventState.DEAD_LETTERED.value}
        return mongo.ReplaceOne(standing, document, upsert=True)
    return mongo.InsertOne(document)


def _from_decision(decision: Decision) -> mongo.Document:
    document = decision.model_dump(mode="json", exclude_none=True)
    document["_id"] = document.pop("event_id")
    if decision.article is not None:
        document["article"] = _fold_text(decision.article)
        del document["article"]["changes"]
    return document


def to_decision(document: Mapping[str, object]) -> Decision:
    """A decision from its document."""
    fields = dict(document)
    fields["event_id"] = fields.pop("_id")
    article = fields.get("article")
    if isinstance(article, dict):
        fields["article"] = _unfold_text(article)
    return Decision.model_validate(fields)


def _from_head(article: Article) -> mongo.Document:
    document = _fold_text(article)
    document["_id"] = document.pop("id")
    if article.status is Status.PUBLIC and article.public is not None and article.public.text is not None:
        document["listed"] = {
            "section": slugify(article.public.section),
            "tags": sorted({slugify(tag) for tag in article.public.text.tags}),
        }
    return document


def to_head(document: Mapping[str, object]) -> Article:
    """An article from its head's document."""
    fields = _unfold_text(dict(document))
    fields["id"] = fields.pop("_id")
    return Article.model_validate(fields)


def _fold_text(article: Article) -> mongo.Document:
    """The article as a document that says a text once."""
    document = article.model_dump(mode="json", exclude_none=True)
    public = document.get("public")
    if public is not None and article.public is not None and article.public.text == article.text:
        public["text"] = _SAME_TEXT
    return document


def _unfold_text(document: mongo.Document) -> mongo.Document:
    public = document.get("public")
    if isinstance(public, dict) and public.get("text") == _SAME_TEXT:
        return {**document, "public": {**public, "text": document["text"]}}
    return document
