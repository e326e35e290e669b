"""Decisions and heads in MongoDB: the store's own database, and who writes it.

`decisions` is the history: one document for each event that has come to an end. Derived from it are
`entries`, one for each entry of a live article, and `heads`, one for each article, for readers. No document
says an article's text twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from newsroom import mongo
from newsroom.addresses import slugify
from newsroom.errors import Away
from newsroom.events import EventKind
from newsroom.outcomes import EventState
from newsroom.times import rfc3339
from newsroom.updates import Change, Status
from services.store.articles import Article, Entry, due_events, has_page, release_due
from services.store.decisions import Decision, Loaded, Overtaken, article_after

DECISIONS = "decisions"
ENTRIES = "entries"
HEADS = "heads"
_SAME_TEXT = "same"
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
            decisions = [to_decision(document) async for document in found]
        return _assemble(heads, decisions, entries, frozenset(article_ids), frozenset(event_ids))

    async def _entries_of(self, keys: Collection[str]) -> list[Entry]:
        if not keys:
            return []
        found = self._entries.find({"_id": {"$in": list(keys)}})
        return [to_entry(document) async for document in found]

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
        await _replace(self._entries, [_from_entry(entry) for entry in entries])

    async def replace_heads(self, articles: Sequence[Article]) -> None:
        await _replace(self._heads, [_from_head(article) for article in articles])

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

    async def entries_from(self, article_id: str, after: int, most: int) -> list[Entry]:
        query = {"article_id": article_id, "number": {"$gt": after}}
        with mongo.translating():
            found = self._entries.find(query).sort("number", mongo.ASCENDING).limit(most)
            return [to_entry(document) async for document in found]

    async def newest_offsets(self) -> dict[int, int]:
        with mongo.translating():
            stages: list[mongo.Document] = [
                {"$sort": {"partition": mongo.ASCENDING, "offset": mongo.DESCENDING}},
                {"$group": {"_id": "$partition", "offset": {"$first": "$offset"}}},
            ]
            return {found["_id"]: found["offset"] async for found in self._heads.aggregate(stages)}


async def _replace(collection: mongo.Collection, documents: Sequence[mongo.Document]) -> None:
    """Put each where it is to stand, unless a document of its revision or a later one is there."""
    if not documents:
        return
    steps = [
        mongo.ReplaceOne({"_id": each["_id"], "revision": {"$lt": each["revision"]}}, each, upsert=True)
        for each in documents
    ]
    with mongo.translating():
        try:
            await collection.bulk_write(steps, ordered=False)
        except mongo.BulkWriteError as error:
            if not mongo.only_duplicates(error):  # a duplicate is one that is not behind
                raise


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
    decision = Decision.model_validate(fields)
    return decision if "renders" in fields else _of_former_form(decision, fields.get("change"))


def _of_former_form(decision: Decision, change: object) -> Decision:
    """A decision of before texts were withheld: each public revision added one change, and showed."""
    if decision.state is not EventState.STORED:
        return decision
    article, shows = decision.article, decision.kind is not EventKind.DRAFTED
    return decision.model_copy(
        update={
            "added": (Change.model_validate(change),) if change else (),
            "renders": shows,
            "path": article.path if article and shows and has_page(article) else None,
        }
    )


def _from_head(article: Article) -> mongo.Document:
    document = _fold_text(article)
    document["_id"] = document.pop("id")
    if article.status is Status.PUBLIC and article.public is not None and article.public.text is not None:
        document["listed"] = {
            "section": slugify(article.public.section),
            "tags": sorted({slugify(tag) for tag in article.public.text.tags}),
        }
    return {**document, **_due_fields(article)}


def _due_fields(article: Article) -> mongo.Document:
    """What falls due of it (`due_at`, `due`), and what the newest text sent waits for (`waiting`)."""
    fields: mongo.Document = {}
    if dues := due_events(article):
        fields["due_at"] = rfc3339(dues[0].due.at)
        fields["due"] = [{"kind": each.kind.value, **each.due.model_dump(mode="json")} for each in dues]
    release = release_due(article)
    if article.withheld is not None and release is not None:
        what = "embargoed" if release == article.embargo_until else "scheduled"
        fields["waiting"] = {"for": what, "until": rfc3339(release.at)}
    return fields


def to_head(document: Mapping[str, object]) -> Article:
    """An article from its head's document."""
    fields = _unfold_text(dict(document))
    fields["id"] = fields.pop("_id")
    return Article.model_validate(fields)


def _from_entry(entry: Entry) -> mongo.Document:
    return {"_id": entry.key, **entry.model_dump(mode="json", exclude_none=True)}


def to_entry(document: Mapping[str, object]) -> Entry:
    """An entry from its document."""
    return Entry.model_validate(document)


def _fold_text(article: Article) -> mongo.Document:
    """The article as a document that says a text once."""
    document = article.model_dump(mode="json", exclude_none=True)
    for place, holder in (("public", article.public), ("withheld", article.withheld)):
        if holder is not None and holder.text == article.text:
            document[place]["text"] = _SAME_TEXT
    return document


def _unfold_text(document: mongo.Document) -> mongo.Document:
    unfolded = dict(document)
    for place in ("public", "withheld"):
        holder = document.get(place)
        if isinstance(holder, dict) and holder.get("text") == _SAME_TEXT:
            unfolded[place] = {**holder, "text": document["text"]}
    return unfolded
