"""The read model in a MongoDB database of its own, as `readmodel` says what it must do.

`articles` holds one document per article with everything that listings, addresses and notices need, so that
each step is one guarded write; `entries` one per post of a live article; `listings` a counter per listing;
`identity` who this read model is and which rebuild it asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

from newsroom import mongo
from newsroom.addresses import CORRECTIONS_LEDGER, TRANSLATIONS_SITEMAP, UPDATES_LEDGER
from newsroom.times import rfc3339
from newsroom.updates import EntryUpdate, Status
from services.render.cards import Card, LedgerEntry
from services.render.listingkinds import Place
from services.render.readmodel import Address, Identity, Rebuild, newest_entries
from services.render.shown import LEDGERS, NOT_ARCHIVED, archived, entries_in
from services.render.standing import ArticleState, told_revision
from services.render.together import Together

P = ParamSpec("P")
R = TypeVar("R")
_LONG_BYTES = 8 * 1024
"""Of a longer document nothing is remembered: so many of them would fill the memory."""


def _translated(call: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Tell an outage of the database as Away."""

    @wraps(call)
    async def translated(*args: P.args, **kwargs: P.kwargs) -> R:
        with mongo.translating():
            return await call(*args, **kwargs)

    return translated


class MongoReadModel:
    """The read model in MongoDB. A listing costs the same at any number of articles: every query ends at
    its limit.
    """

    def __init__(self, database: mongo.Database) -> None:
        self._articles = database["articles"]
        self._listed = mongo.undecoded(self._articles)
        self._entries = database["entries"]
        self._listings = database["listings"]
        self._identity = database["identity"]
        self._find = Together(self._find_all)
        self._revision = Together(self._find_revisions)
        self._insert = Together(self._insert_all)
        self._replace = Together(self._replace_all)
        self._acknowledge = Together(self._acknowledge_all)

    @_translated
    async def prepare(self) -> None:
        """Make the indexes (idempotent)."""
        newest_first = [("_id", mongo.ASCENDING)]
        await self._articles.create_index(
            [("listings", mongo.ASCENDING), ("bumped_at", mongo.DESCENDING), *newest_first]
        )
        await self._articles.create_index([("listings", mongo.ASCENDING), *_BY_PUBLICATION])
        await self._articles.create_index([("listings", mongo.ASCENDING), ("month", mongo.DESCENDING)])
        for by in _ORDERS:
            await self._articles.create_index(by)
        await self._articles.create_index(
            [("leaving", mongo.ASCENDING)], partialFilterExpression=_LEAVES_SOME
        )
        for order in _POST_ORDERS:
            await self._entries.create_index([(field, mongo.DESCENDING) for field in order])

    @_translated
    async def identity(self) -> Identity | None:
        document = await self._identity.find_one({"_id": "identity"})
        return Identity.model_validate({**document, "id": document["name"]}) if document else None

    @_translated
    async def claim(self, identity: Identity) -> Identity:
        fields = identity.model_dump(mode="json", exclude={"id"}) | {"name": identity.id}
        numbered = {name: _text_keys(value) for name, value in fields.items()}
        try:
            await self._identity.insert_one({"_id": "identity", **numbered})
        except mongo.DuplicateKeyError:
            standing = await self.identity()
            assert standing is not None, "the identity is inserted once and never removed"  # noqa: S101
            return standing
        return identity

    @_translated
    async def rebuild(self) -> Rebuild | None:
        document = await self._identity.find_one({"_id": "rebuild"})
        return Rebuild.model_validate(document) if document else None

    @_translated
    async def note_rebuild(self, rebuild: Rebuild) -> None:
        await self._identity.replace_one({"_id": "rebuild"}, rebuild.model_dump(mode="json"), upsert=True)

    @_translated
    async def find(self, article_id: str) -> ArticleState | None:
        return await self._find(article_id)

    async def _find_all(self, article_ids: Sequence[str]) -> list[ArticleState | None]:
        found = await self._articles.find(_these(article_ids)).to_list(None)
        states = {document["_id"]: document for document in found}
        return [_state(states[each]) if each in states else None for each in article_ids]

    @_translated
    async def revision(self, article_id: str) -> int | None:
        return await self._revision(article_id)

    async def _find_revisions(self, article_ids: Sequence[str]) -> list[int | None]:
        found = await self._articles.find(_these(article_ids), {"revision": 1}).to_list(None)
        revisions = {document["_id"]: int(document["revision"]) for document in found}
        return [revisions.get(each) for each in article_ids]

    @_translated
    async def told(self, article_id: str) -> int | None:
        document = await self._articles.find_one({"_id": article_id}, {"told": 1})
        return document["told"] if document else None

    @_translated
    async def ids_after(self, article_id: str, most: int) -> tuple[str, ...]:
        later = self._articles.find({"_id": {"$gt": article_id}}, {"_id": 1})
        found = await later.sort("_id", mongo.ASCENDING).limit(most).to_list(most)
        return tuple(document["_id"] for document in found)

    @_translated
    async def insert(self, state: ArticleState) -> bool:
        return await self._insert(state)

    async def _insert_all(self, states: Sequence[ArticleState]) -> list[bool]:
        documents = [
            {"_id": state.article_id, **_fields(state), "announced": state.announced} for state in states
        ]
        try:
            await self._articles.insert_many(documents, ordered=False)
        except mongo.BulkWriteError as error:
            if not mongo.only_duplicates(error):
                raise
            there = mongo.failed(error)
            return [number not in there for number in range(len(states))]
        return [True] * len(states)

    @_translated
    async def replace(self, state: ArticleState, former_revision: int) -> bool:
        return await self._replace((state, former_revision))

    async def _replace_all(self, asked: Sequence[tuple[ArticleState, int]]) -> list[bool]:
        """The server counts what it replaced and does not tell which: where not all were, nobody is told that
        his was.
        """
        steps = [
            mongo.UpdateOne(
                {"_id": state.article_id, "revision": former_revision},
                {"$set": _fields(state), "$max": {"announced": state.announced}},
            )
            for state, former_revision in asked
        ]
        result = await self._articles.bulk_write(steps, ordered=False)
        return [bool(result.matched_count == len(steps))] * len(steps)

    @_translated
    async def acknowledge(
        self,
        article_id: str,
        revision: int,
        marks: Iterable[str],
        announced: int,
        written: Iterable[int] = (),
    ) -> None:
        gone = {"marks": {"$in": sorted(marks)}, "stale": {"$in": sorted(written)}}
        told = {"$max": {"announced": announced}}
        await self._acknowledge(
            [
                mongo.UpdateOne({"_id": article_id, "revision": revision}, {"$pull": gone}),
                mongo.UpdateOne({"_id": article_id}, told),
            ]
        )

    async def _acknowledge_all(self, asked: Sequence[Sequence[mongo.UpdateOne]]) -> list[None]:
        await self._articles.bulk_write([step for steps in asked for step in steps], ordered=False)
        return [None] * len(asked)

    @_translated
    async def left(self, listing: str, marked: Collection[tuple[str, int]]) -> tuple[ArticleState, ...]:
        """One look rules out nearly all: whether an article is hidden or waits at a given revision does not
        change, and what lingers was noted before it was marked.
        """
        ids = sorted({article_id for article_id, _ in marked})
        moved_out = {"_id": {"$in": ids}, "$or": [*_FOLLOWED, {"lingering": listing}]}
        those = await self._articles.find(moved_out, {"revision": 1}).to_list(None)
        left = []
        for article_id, revision in {(each["_id"], each["revision"]) for each in those} & set(marked):
            document = await self._articles.find_one_and_update(
                {"_id": article_id, "revision": revision},
                {"$pull": {"leaving": listing, "lingering": listing}},
                return_document=mongo.ReturnDocument.AFTER,
            )
            if document and (document["is_hidden"] or document["waits"]):
                left.append(_state(document))
        return tuple(left)

    @_translated
    async def leaving(self, listing: str) -> tuple[ArticleState, ...]:
        found = self._articles.find({"leaving": listing, **_LEAVES_SOME}).sort("_id", mongo.ASCENDING)
        return tuple([_state(document) for document in await found.to_list(None)])

    @_translated
    async def put_posts(self, posts: Sequence[EntryUpdate]) -> None:
        if not posts:
            return
        steps = [
            mongo.ReplaceOne(
                {"_id": _post_id(post), "as_of": {"$lte": post.as_of}}, _post_document(post), upsert=True
            )
            for post in posts
        ]
        try:
            await self._entries.bulk_write(steps, ordered=False)
        except mongo.BulkWriteError as error:
            if not mongo.only_duplicates(error):  # a duplicate is a later record that stands
                raise

    @_translated
    async def posts(self, article_id: str, pages: Collection[int]) -> tuple[EntryUpdate, ...]:
        wanted = {"article_id": article_id, "shown": True, "page": {"$in": sorted(pages)}}
        found = self._entries.find(wanted).sort("number", mongo.DESCENDING)
        return tuple([EntryUpdate.model_validate(document) for document in await found.to_list(None)])

    @_translated
    async def post(self, article_id: str, entry_id: str) -> EntryUpdate | None:
        document = await self._entries.find_one({"_id": f"{article_id}/{entry_id}"})
        return EntryUpdate.model_validate(document) if document else None

    @_translated
    async def key_posts(self, article_id: str, limit: int) -> tuple[EntryUpdate, ...]:
        found = self._entries.find({"article_id": article_id, "is_key": True})
        newest = found.sort("number", mongo.DESCENDING).limit(limit)
        return tuple([EntryUpdate.model_validate(document) for document in await newest.to_list(None)])

    @_translated
    async def newest_posts(
        self, article_id: str, limit: int | None, *, after: int = 0
    ) -> tuple[EntryUpdate, ...]:
        found = self._entries.find({"article_id": article_id, "shown": True, "revision": {"$gt": after}})
        newest = found.sort("revision", mongo.DESCENDING).limit(limit or 0)
        return tuple([EntryUpdate.model_validate(document) for document in await newest.to_list(None)])

    @_translated
    async def moved_pages(self, article_id: str, after: int) -> frozenset[int]:
        found = self._entries.find({"article_id": article_id, "as_of": {"$gt": after}}, {"page": 1, "_id": 0})
        return frozenset([document["page"] for document in await found.to_list(None)])

    @_translated
    async def take_turn(self, listing: str) -> int:
        document = await self._listings.find_one_and_update(
            {"_id": listing},
            {"$inc": {"counter": 1}},
            upsert=True,
            return_document=mongo.ReturnDocument.AFTER,
        )
        return int(document["counter"])

    @_translated
    async def turn(self, listing: str) -> int:
        document = await self._listings.find_one({"_id": listing})
        return int(document["counter"]) if document else 0

    @_translated
    async def cards(self, listing: str, limit: int) -> tuple[Card, ...]:
        newest = self._listed.find({"listings": listing}, {"card": 1})
        found = (
            await newest.sort([("bumped_at", mongo.DESCENDING), ("_id", mongo.ASCENDING)])
            .limit(limit)
            .to_list(limit)
        )
        return tuple([_card(document) for document in found])

    @_translated
    async def entries(self, ledger: str, limit: int) -> tuple[LedgerEntry, ...]:
        """As many articles as entries are enough: each one before an article that is left out has a newer
        entry.
        """
        field = _NEWEST_ENTRY[ledger]
        newest = self._listed.find({field: {"$ne": None}}, {"ledger": 1})
        order = [(field, mongo.DESCENDING), ("_id", mongo.ASCENDING)]
        found = await newest.sort(order).limit(limit).to_list(limit)
        entries = [entry for document in found for entry in _entries(document)]
        return newest_entries(entries_in(ledger, tuple(entries)), limit)

    @_translated
    async def archive(self, listing: str, limit: int) -> tuple[Card, ...]:
        newest = self._listed.find({"listings": listing}, _ARCHIVED).sort(_BY_PUBLICATION).limit(limit)
        return tuple([_archived_card(document) for document in await newest.to_list(None)])

    @_translated
    async def months(self, listing: str) -> tuple[str, ...]:
        found = await self._articles.distinct("month", {"listings": listing, "month": {"$ne": None}})
        return tuple(sorted(found, reverse=True))

    @_translated
    async def days(self, month: str) -> tuple[str, ...]:
        found = await self._articles.distinct("day", {"day": {"$gte": f"{month}/", "$lt": f"{month}0"}})
        return tuple(sorted(found, reverse=True))

    @_translated
    async def places(self, sitemap: str, limit: int) -> tuple[Place, ...]:
        newest = self._articles.find({"listings": sitemap}, _PLACE).sort(_BY_PUBLICATION).limit(limit)
        return tuple([_place(document) for document in await newest.to_list(None)])

    @_translated
    async def translations(self, limit: int) -> tuple[Place, ...]:
        translations = await self.places(TRANSLATIONS_SITEMAP, limit)
        here = {place.article_id for place in translations}
        wanted = {place.translation_of for place in translations if place.translation_of} - here
        originals = self._articles.find({"_id": {"$in": sorted(wanted)}, "card.retracted": False}, _PLACE)
        places = [
            *translations,
            *[_place(document) for document in await originals.sort("_id", mongo.ASCENDING).to_list(None)],
        ]
        return tuple(replace(place, changed_at=None) for place in places)

    @_translated
    async def changes(self) -> tuple[tuple[str, datetime], ...]:
        latest = await self._articles.aggregate(_LATEST_BY_MONTH).to_list(None)
        found = [(month["_id"], datetime.fromisoformat(month["changed_at"])) for month in latest]
        return tuple(sorted(found, reverse=True))

    @_translated
    async def is_listed(self, listing: str) -> bool:
        return await self._articles.find_one({"listings": listing}, {"_id": 1}) is not None

    @_translated
    async def is_translated(self, article_id: str) -> bool:
        return await self._articles.find_one({"card.translation_of": article_id}, {"_id": 1}) is not None

    @_translated
    async def fresh(self, since: datetime, limit: int) -> tuple[Card, ...]:
        wanted = {"card.published_at": {"$gte": rfc3339(since)}, "card.retracted": False}
        newest = self._articles.find(wanted, {"card": 1}).sort(_BY_PUBLICATION).limit(limit)
        return tuple([Card.model_validate(document["card"]) for document in await newest.to_list(None)])

    @_translated
    async def page_of(self, article_id: str) -> Address | None:
        return _address(await self._articles.find_one({"_id": article_id}, _ADDRESS))

    @_translated
    async def address(self, path: str) -> Address | None:
        return _address(await self._articles.find_one({"paths": path}, _ADDRESS))


def _remembered(
    most: int,
) -> Callable[[Callable[[mongo.Document], R]], Callable[[mongo.Undecoded], R]]:
    """What was made of so many documents is: a listing asks for all that it shows whenever one moved."""

    def remembering(make: Callable[[mongo.Document], R]) -> Callable[[mongo.Undecoded], R]:
        def read(raw: bytes) -> R:
            return make(mongo.decoded(raw))

        kept = lru_cache(maxsize=most)(read)

        def found(document: mongo.Undecoded) -> R:
            raw = mongo.bytes_of(document)
            return (read if len(raw) > _LONG_BYTES else kept)(raw)

        return found

    return remembering


@_remembered(1024)
def _card(document: mongo.Document) -> Card:
    return Card.model_validate(document["card"])


@_remembered(2 * 1024)
def _archived_card(document: mongo.Document) -> Card:
    return archived(document["card"])


@_remembered(512)
def _entries(document: mongo.Document) -> tuple[LedgerEntry, ...]:
    return tuple([LedgerEntry.model_validate(entry) for entry in document["ledger"]])


def _these(article_ids: Sequence[str]) -> mongo.Document:
    return {"_id": {"$in": list(dict.fromkeys(article_ids))}}


_FOLLOWED: Sequence[Mapping[str, Any]] = [{"is_hidden": True}, {"waits": True}]
"""Articles of which a listing tells that it has let them go."""
_LEAVES_SOME = {"leaving.0": {"$exists": True}}
"""Of few articles, so that its index holds few."""
_NEWEST_ENTRY = {UPDATES_LEDGER: "updates_at", CORRECTIONS_LEDGER: "corrections_at"}
_BY_PUBLICATION = [("card.published_at", mongo.DESCENDING), ("_id", mongo.ASCENDING)]
_ORDERS: tuple[list[tuple[str, int]], ...] = (
    [("paths", mongo.ASCENDING)],
    _BY_PUBLICATION,
    [("day", mongo.DESCENDING)],
    [("first_month", mongo.DESCENDING), ("card.updated_at", mongo.DESCENDING)],
    [("card.translation_of", mongo.ASCENDING)],
    *([(field, mongo.DESCENDING), ("_id", mongo.ASCENDING)] for field in _NEWEST_ENTRY.values()),
)
_ARCHIVED = {f"card.{field}": 1 for field in Card.model_fields if field not in NOT_ARCHIVED}
_ADDRESS = {"update.status": 1, "page_path": 1}
_PLACE = {
    f"card.{field}": 1
    for field in ("path", "updated_at", "published_at", "timezone", "language", "translation_of")
}
_LATEST_BY_MONTH: list[Mapping[str, Any]] = [
    {"$sort": {"first_month": mongo.DESCENDING, "card.updated_at": mongo.DESCENDING}},
    {"$match": {"first_month": {"$ne": None}}},
    {"$group": {"_id": "$first_month", "changed_at": {"$first": "$card.updated_at"}}},
]


def _address(document: Mapping[str, Any] | None) -> Address | None:
    if not document:
        return None
    return Address(document["_id"], Status(document["update"]["status"]), document["page_path"])


def _place(document: Mapping[str, Any]) -> Place:
    """Without a model in between: there may be fifty thousand."""
    card = document["card"]
    return Place(
        path=card["path"],
        changed_at=datetime.fromisoformat(card["updated_at"]),
        language=card["language"],
        article_id=document["_id"],
        translation_of=card.get("translation_of"),
    )


_POST_ORDERS = (
    ("article_id", "shown", "page", "number"),
    ("article_id", "is_key", "number"),
    ("article_id", "shown", "revision"),
    ("article_id", "as_of", "page"),
)
"""What posts are found by: their page, being a key event, the revision they came to read so, what moved."""


def _post_id(post: EntryUpdate) -> str:
    return f"{post.article_id}/{post.entry_id}"


def _post_document(post: EntryUpdate) -> mongo.Document:
    """The record with what its queries find it by."""
    is_key = post.entry is not None and post.entry.text.key_event
    return {
        **post.model_dump(mode="json"),
        "_id": _post_id(post),
        "shown": post.entry is not None,
        "is_key": is_key,
    }


def _fields(state: ArticleState) -> Mapping[str, Any]:
    """The document's fields: the state and what its queries are sorted and found by."""
    dumped = state.model_dump(mode="json", exclude={"article_id", "announced"})
    newest = {
        field: max(
            (dumped_time["time"] for dumped_time in _dumped(entries_in(path, state.ledger))), default=None
        )
        for path, field in _NEWEST_ENTRY.items()
    }
    return {
        **dumped,
        **newest,
        "bumped_at": dumped["card"]["bumped_at"] if dumped["card"] else None,
        "day": state.card.day if state.card and not state.card.retracted else None,
        "month": state.card.month if state.card and not state.card.retracted else None,
        "first_month": state.card.month if state.card else None,
        "page_path": state.page_path,
        "is_hidden": state.is_hidden,
        "told": told_revision(state),
    }


def _dumped(entries: Iterable[LedgerEntry]) -> list[mongo.Document]:
    return [entry.model_dump(mode="json") for entry in entries]


def _state(document: Mapping[str, Any]) -> ArticleState:
    return ArticleState.model_validate({**document, "article_id": document["_id"]})


def _text_keys(value: Any) -> Any:
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else value


assert set(_NEWEST_ENTRY) == set(LEDGERS)  # noqa: S101
