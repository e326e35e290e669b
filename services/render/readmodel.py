"""Render's own picture of all articles, in a MongoDB database that its instances share: between updates and
files.

`articles` holds one document per article with everything that listings, addresses and notices need, so that
each step is one guarded write; `entries` one per post of a live article; `listings` a counter per listing;
`identity` who this read model is and which rebuild it asked for. `ReadModel` is what the rest of render
knows; a fake in the tests passes the same contract suite.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar

from newsroom import mongo
from newsroom.addresses import CORRECTIONS_LEDGER, UPDATES_LEDGER
from newsroom.articles import Contract
from newsroom.updates import EntryUpdate, Status
from services.render.cards import Card, LedgerEntry
from services.render.standing import LEDGERS, ArticleState, entries_in, told_revision

P = ParamSpec("P")
R = TypeVar("R")


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

        False: another revision stands by now. `announced` only rises.
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

    async def left(self, article_id: str, revision: int, listing: str) -> ArticleState | None:
        """Note that a listing was written without a hidden article.

        The state after it, None unless that revision stands hidden.
        """
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

    async def days(self, listing: str, until: str, limit: int) -> tuple[str, ...]:
        """Days (`2023/06/20`) up to and including `until` with articles of that listing, newest first."""
        ...

    async def address(self, path: str) -> Address | None:
        """Whose path this is or was, None for nobody's."""
        ...


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
        self._entries = database["entries"]
        self._listings = database["listings"]
        self._identity = database["identity"]

    @_translated
    async def prepare(self) -> None:
        """Make the indexes (idempotent)."""
        newest_first = [("_id", mongo.ASCENDING)]
        await self._articles.create_index(
            [("listings", mongo.ASCENDING), ("bumped_at", mongo.DESCENDING), *newest_first]
        )
        await self._articles.create_index([("listings", mongo.ASCENDING), ("day", mongo.DESCENDING)])
        await self._articles.create_index([("paths", mongo.ASCENDING)])
        for field in _NEWEST_ENTRY.values():
            await self._articles.create_index(
                [("listings", mongo.ASCENDING), (field, mongo.DESCENDING), *newest_first]
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
        document = await self._articles.find_one({"_id": article_id})
        return _state(document) if document else None

    @_translated
    async def revision(self, article_id: str) -> int | None:
        document = await self._articles.find_one({"_id": article_id}, {"revision": 1})
        return int(document["revision"]) if document else None

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
        try:
            await self._articles.insert_one(
                {"_id": state.article_id, **_fields(state), "announced": state.announced}
            )
        except mongo.DuplicateKeyError:
            return False
        return True

    @_translated
    async def replace(self, state: ArticleState, former_revision: int) -> bool:
        result = await self._articles.update_one(
            {"_id": state.article_id, "revision": former_revision},
            {"$set": _fields(state), "$max": {"announced": state.announced}},
        )
        return bool(result.matched_count)

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
        done = {"$pull": gone, "$max": {"announced": announced}}
        result = await self._articles.update_one({"_id": article_id, "revision": revision}, done)
        if not result.matched_count:
            await self._articles.update_one({"_id": article_id}, {"$max": {"announced": announced}})

    @_translated
    async def left(self, article_id: str, revision: int, listing: str) -> ArticleState | None:
        document = await self._articles.find_one_and_update(
            {"_id": article_id, "revision": revision, "is_hidden": True},
            {"$pull": {"leaving": listing}},
            return_document=mongo.ReturnDocument.AFTER,
        )
        return _state(document) if document else None

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
        return tuple([EntryUpdate.model_validate(document) async for document in found])

    @_translated
    async def post(self, article_id: str, entry_id: str) -> EntryUpdate | None:
        document = await self._entries.find_one({"_id": f"{article_id}/{entry_id}"})
        return EntryUpdate.model_validate(document) if document else None

    @_translated
    async def key_posts(self, article_id: str, limit: int) -> tuple[EntryUpdate, ...]:
        found = self._entries.find({"article_id": article_id, "is_key": True})
        newest = found.sort("number", mongo.DESCENDING).limit(limit)
        return tuple([EntryUpdate.model_validate(document) async for document in newest])

    @_translated
    async def newest_posts(
        self, article_id: str, limit: int | None, *, after: int = 0
    ) -> tuple[EntryUpdate, ...]:
        found = self._entries.find({"article_id": article_id, "shown": True, "revision": {"$gt": after}})
        newest = found.sort("revision", mongo.DESCENDING).limit(limit or 0)
        return tuple([EntryUpdate.model_validate(document) async for document in newest])

    @_translated
    async def moved_pages(self, article_id: str, after: int) -> frozenset[int]:
        found = self._entries.find({"article_id": article_id, "as_of": {"$gt": after}}, {"page": 1, "_id": 0})
        return frozenset([document["page"] async for document in found])

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
        newest = self._articles.find({"listings": listing}, {"card": 1})
        found = (
            await newest.sort([("bumped_at", mongo.DESCENDING), ("_id", mongo.ASCENDING)])
            .limit(limit)
            .to_list(limit)
        )
        return tuple(Card.model_validate(document["card"]) for document in found)

    @_translated
    async def entries(self, ledger: str, limit: int) -> tuple[LedgerEntry, ...]:
        """As many articles as entries are enough: each one before an article that is left out has a newer
        entry.
        """
        newest = self._articles.find({"listings": ledger}, {"ledger": 1})
        order = [(_NEWEST_ENTRY[ledger], mongo.DESCENDING), ("_id", mongo.ASCENDING)]
        found = await newest.sort(order).limit(limit).to_list(limit)
        entries = [LedgerEntry.model_validate(entry) for document in found for entry in document["ledger"]]
        return newest_entries(entries_in(ledger, tuple(entries)), limit)

    @_translated
    async def days(self, listing: str, until: str, limit: int) -> tuple[str, ...]:
        """One step of the index per day, however many articles a day has."""
        days: list[str] = []
        bound = {"$lte": until}
        while len(days) < limit:
            found = await self._articles.find_one(
                {"listings": listing, "day": bound}, {"day": 1}, sort=[("day", mongo.DESCENDING)]
            )
            if not found:
                break
            days.append(found["day"])
            bound = {"$lt": found["day"]}
        return tuple(days)

    @_translated
    async def address(self, path: str) -> Address | None:
        fields = {"update.status": 1, "page_path": 1}
        document = await self._articles.find_one({"paths": path}, fields)
        if not document:
            return None
        return Address(document["_id"], Status(document["update"]["status"]), document["page_path"])


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


_NEWEST_ENTRY = {UPDATES_LEDGER: "updates_at", CORRECTIONS_LEDGER: "corrections_at"}


def newest_entries(entries: Iterable[LedgerEntry], limit: int) -> tuple[LedgerEntry, ...]:
    """Newest first, ties by article id, then revision."""
    ordered = sorted(entries, key=lambda entry: (entry.article_id, entry.revision))
    return tuple(sorted(ordered, key=lambda entry: entry.time, reverse=True)[:limit])


def day_of(state: ArticleState) -> str | None:
    """The day whose archive lists the article, None if none does."""
    return next(
        (path.strip("/") for path in state.listings if path[1:2].isdigit() and path.count("/") == 4), None
    )


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
        "day": day_of(state),
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
