"""Who this read model is, and when every page has to be made again.

A new read model starts at the ends of its topics and has the store announce everything again; so do changed
templates, assets or site settings, told by a fingerprint that lies beside the pages. There is no second path
that writes pages: a rebuild is only a question to the store, and a broom for what no article and no listing
owns any more.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet

import structlog
from pydantic import ValidationError

from newsroom import topics
from newsroom.articles import Contract
from newsroom.errors import Away, Misconfigured
from newsroom.kafka import cluster
from newsroom.records import TopicPartition
from newsroom.servers import Bootstrap
from newsroom.service import persist
from services.render.consumer import UpdateRenderer, tell_undrawn
from services.render.drawing import CannotBeDrawn
from services.render.listingkinds import listing_of, standing_paths
from services.render.listings import ListingRenderer
from services.render.looks.look import Look
from services.render.pages import Pages, fingerprint_of
from services.render.posts import all_pages, key_page_path, posts_page_path
from services.render.readmodel import Identity, ReadModel, Rebuild
from services.render.site import EVERYTHING, SiteFolder
from services.render.storeapi import StoreApi

log = structlog.get_logger(__name__)
ASSETS = "/assets/"
_SITEMAPS = "/sitemaps"
_ARTICLE_FOLDER = re.compile(r"/[a-z0-9-]+/\d{4}/\d{2}/\d{2}/[a-z0-9-]+/")
_BELOW_POSTS = re.compile(rf"(?P<article>{_ARTICLE_FOLDER.pattern})entries/.*")
_POLL_SECONDS = 0.5
PATIENCE_SECONDS = 60.0


async def identify(model: ReadModel, bootstrap: Bootstrap) -> Identity:
    """The read model's identity, given now if it is new.

    Raises: Misconfigured when it belongs to another log; Away.
    """
    here = await cluster.cluster_id(bootstrap)
    identity = await model.identity()
    if identity is None:
        identity = await model.claim(
            Identity(
                id=secrets.token_hex(8),
                cluster_id=here,
                updates=_by_number(await cluster.end_offsets(bootstrap, topics.UPDATES)),
                listings=_by_number(await cluster.end_offsets(bootstrap, topics.LISTINGS)),
            )
        )
    if identity.cluster_id != here:
        raise Misconfigured(
            f"render's read model belongs to the Kafka cluster {identity.cluster_id}, but NEWSROOM_KAFKA is "
            f"{here}: point it back, or name an empty database in NEWSROOM_RENDER_DATABASE to render all anew"
        )
    return identity


def start_offsets(topic: str, by_number: Mapping[int, int]) -> dict[TopicPartition, int]:
    """Where a consumer begins that has not committed yet."""
    return {TopicPartition(topic, number): offset for number, offset in by_number.items()}


def _by_number(offsets: Mapping[TopicPartition, int]) -> dict[int, int]:
    return {place.partition: offset for place, offset in offsets.items()}


async def work_off(bootstrap: Bootstrap, identity: Identity) -> None:
    """Wait until render's instances together have done what stands on the log now, and the listings it moves.

    Told by the groups' committed offsets, which come after the effects. Raises: Away.
    """
    for topic, group, begin in (
        (topics.UPDATES, identity.updates_group, identity.updates),
        (topics.LISTINGS, identity.listings_group, identity.listings),
    ):
        ends = _by_number(await cluster.end_offsets(bootstrap, topic))
        while True:
            done = begin | await cluster.committed_offsets(bootstrap, group, topic)
            if all(done.get(number, 0) >= end for number, end in ends.items()):
                break
            await asyncio.sleep(_POLL_SECONDS)


class Republication(Contract):
    """A rebuild as the store tells of it."""

    id: str
    state: str


class StoreClient(StoreApi):
    """Asks the store for rebuilds. Raises Away for anything but an answer that can be used."""

    async def ask(self) -> Republication:
        """Have every article announced again."""
        asked = await self._ask(
            Republication, "/republications", "a rebuild", method="POST", json={"all": True}
        )
        if asked is None:
            raise Away("store", "it takes no rebuild: is NEWSROOM_STORE_URL the store's address?")
        return asked

    async def find(self, republication_id: str) -> Republication | None:
        """How far a rebuild is; None for one that the store does not know (any more)."""
        return await self._ask(Republication, f"/republications/{republication_id}", "a rebuild")


class Fingerprint(Contract):
    """What the pages folder was last rebuilt with; kept beside the pages."""

    fingerprint: str
    read_model: str


class Rebuilder:
    """Brings a pages folder up to this process's templates and read model, and keeps no more than belongs
    there.

    `worked_off`: waits until all instances have rendered what stands on the log. Raises: Away. A rebuild is
    asked for when all who write into the folder draw in one look, or after `patience_seconds`.
    """

    def __init__(
        self,
        *,
        model: ReadModel,
        folder: SiteFolder,
        pages: Pages,
        updates: UpdateRenderer,
        listings: ListingRenderer,
        store: StoreClient,
        worked_off: Callable[[Identity], Awaitable[None]],
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._model, self._folder, self._pages = model, folder, pages
        self._updates, self._listings = updates, listings
        self._store, self._worked_off = store, worked_off
        self._patience_seconds = patience_seconds

    async def lay_ground(self) -> None:
        """Write what no article makes: assets, fixed files, and the standing listings where they are
        missing.
        """
        await self._folder.settle(self._pages.fixed())
        for path in standing_paths(self._pages.site):
            name = f"{path}index.html" if path.endswith("/") else path
            if await self._folder.read(name) is None:
                await self._write_listing(path)

    async def renew(self, look: Look) -> None:
        """Draw in another look from now on; `run` makes of it what stands.

        What was noted of a rebuild for that look is forgotten: it began while we drew in another. The assets
        stand before a page leads to them.
        """
        await self._folder.settle(look.assets.files)
        await self._folder.write_note(b"")
        noted = await self._model.rebuild()
        if noted is not None and noted.wanted.startswith(f"{fingerprint_of(look)}/"):
            await self._model.note_rebuild(Rebuild(wanted="", republication_id=""))
        self._pages.become(look)
        await self.lay_ground()

    async def run(self, identity: Identity) -> None:
        """Rebuild if the folder was last built with something else; ends when it is done."""
        wanted = Fingerprint(fingerprint=self._pages.fingerprint, read_model=identity.id)
        await persist(lambda: self._folder.tell_look(wanted.fingerprint), "look")
        if await self._standing_fingerprint() != wanted:
            await self._rebuild(wanted, identity)
        await persist(self._updates.tell_rebuilt, "end of the rebuild")

    async def _rebuild(self, wanted: Fingerprint, identity: Identity) -> None:
        log.info("rebuild_begins", fingerprint=wanted.fingerprint)
        await self._agreed(wanted.fingerprint)
        await persist(lambda: self._announced_again(wanted), "rebuild")
        await persist(self._write_standing, "standing listings")
        await persist(lambda: self._worked_off(identity), "rebuild")
        await persist(self._sweep, "sweep")
        await persist(lambda: self._folder.write_note(wanted.model_dump_json().encode()), "fingerprint")
        log.info("rebuild_done", fingerprint=wanted.fingerprint)

    async def _agreed(self, fingerprint: str) -> None:
        """Wait until nobody here draws in another look, whose pages would come between."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience_seconds
        while not await persist(self._folder.looks, "looks") <= {fingerprint}:
            if loop.time() > deadline:
                log.warning("rebuild_goes_ahead", reason="another instance still draws in another look")
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def _standing_fingerprint(self) -> Fingerprint | None:
        note = await persist(self._folder.read_note, "fingerprint")
        try:
            return Fingerprint.model_validate_json(note or b"")
        except ValidationError:
            return None

    async def _announced_again(self, wanted: Fingerprint) -> None:
        """Have the store announce everything again, once for all instances, and wait until it has."""
        republication = await self._republication(f"{wanted.fingerprint}/{wanted.read_model}")
        while republication.state == "running":
            await asyncio.sleep(_POLL_SECONDS)
            found = await self._store.find(republication.id)
            if found is None:
                raise Away("store", "it forgot the rebuild")
            republication = found

    async def _write_standing(self) -> None:
        for path in standing_paths(self._pages.site):
            await self._write_listing(path)

    async def _write_listing(self, path: str) -> None:
        """One that cannot be drawn is told and left as it is: the rest of the site stands without it."""
        try:
            await self._listings.write(path)
        except CannotBeDrawn as error:
            tell_undrawn(error, where="rebuild")

    async def _republication(self, wanted: str) -> Republication:
        """The rebuild that was asked for these pages already, if the store still knows it, else a new one."""
        noted = await self._model.rebuild()
        if noted is not None and noted.wanted == wanted:
            found = await self._store.find(noted.republication_id)
            if found is not None and found.state == "running":
                return found
        asked = await self._store.ask()
        await self._model.note_rebuild(Rebuild(wanted=wanted, republication_id=asked.id))
        return asked

    async def _sweep(self) -> None:
        """Remove what a rebuild from scratch would not write."""
        await self._folder.remove_foreign()
        kept = set(self._pages.fixed())
        folders = set[str]()
        posts: dict[str, set[str]] = {}
        for path in await self._folder.paths():
            if path in kept:
                continue
            if path.startswith(ASSETS):
                await self._folder.settle({}, [path])
            else:
                folders.add(_place_of(path))
                if (below := _BELOW_POSTS.fullmatch(path)) is not None:
                    posts.setdefault(below["article"], set()).add(path)
        for place in sorted(folders):
            await self._sweep_place(place)
        for place in sorted(posts):
            await self._sweep_posts(place, posts[place])

    async def _sweep_place(self, place: str) -> None:
        address = await self._model.address(place)
        if address is not None and address.page_path == place:
            return
        if address is not None or _ARTICLE_FOLDER.fullmatch(place):
            await self._remove_page(place)
        elif place in standing_paths(self._pages.site):
            return
        elif not await self._model.is_listed(place):
            await self._write_listing(place)

    async def _sweep_posts(self, place: str, found: AbstractSet[str]) -> None:
        """Have a live article write its pages again where more of them stand than it has."""
        address = await self._model.address(place)
        state = await self._model.find(address.article_id) if address else None
        if address is None or address.page_path != place or state is None:
            return
        owned = {f"{posts_page_path(place, number)}index.html" for number in all_pages(state.update)}
        if not found <= owned | {f"{key_page_path(place)}index.html"}:
            await self._write_again(address.article_id)

    async def _remove_page(self, place: str) -> None:
        """Remove a page that is no article's. One that came to the read model meanwhile is written again."""
        await self._folder.settle({}, [place, f"{place}history/", f"{place}entries/{EVERYTHING}"])
        address = await self._model.address(place)
        if address is not None:
            await self._write_again(address.article_id)

    async def _write_again(self, article_id: str) -> None:
        try:
            await self._updates.write_again(article_id)
        except CannotBeDrawn as error:
            tell_undrawn(error, where="rebuild")


def _place_of(path: str) -> str:
    """The article or listing whose file this is: its folder, or where that holds many the file itself."""
    folder = path.rpartition("/")[0]
    if folder in ("", _SITEMAPS):
        return listing_of(path)
    below = _BELOW_POSTS.fullmatch(path)
    return below["article"] if below else f"{folder}/".removesuffix("history/")
