"""`python -m services.render`: everything of render wired together, here and nowhere else.

The site answers from the first moment; what needs the log and the read model comes up beside it, as soon as
they answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from datetime import timedelta

import httpx
import structlog

from newsroom import mongo, topics
from newsroom.errors import BadRecord
from newsroom.http.app import Health
from newsroom.http.keyfeed import KeyFeed
from newsroom.kafka import cluster
from newsroom.kafka.consumer import Consumer, LoopSettings
from newsroom.kafka.pacing import gathering
from newsroom.kafka.producer import KafkaPublisher
from newsroom.kafka.reader import TopicReader
from newsroom.kafka.source import KafkaSource
from newsroom.listings import Marked, decode_mark
from newsroom.notices import decode_notice
from newsroom.records import Record
from newsroom.service import main as run_service
from newsroom.service import persist, serve
from newsroom.settings import read
from newsroom.telemetry import configure_logging, metrics
from newsroom.telemetry.folders import tell_folder
from newsroom.updates import decode_update
from services.render.announced import AnnouncedByStore
from services.render.app import create_site
from services.render.archive import Archive
from services.render.consumer import UpdateRenderer
from services.render.listings import MARKS_AT_ONCE, ListingRenderer, hurries
from services.render.live import Hub, log_mark
from services.render.mending import Mender
from services.render.mongoreadmodel import MongoReadModel
from services.render.onrequest import OnRequest
from services.render.pages import Pages
from services.render.previewing import preview_routes
from services.render.readmodel import Identity
from services.render.rebuild import Rebuilder, StoreClient, identify, start_offsets, work_off
from services.render.redrawing import Redrawing
from services.render.renewal import LookSource, Renewal
from services.render.reuse import reuse_routes
from services.render.serving import SiteServer
from services.render.settings import RenderSettings
from services.render.site import SiteFolder
from services.render.standing import Announced
from services.render.verification import verification_routes
from services.render.verifying import Verifier

log = structlog.get_logger(__name__)
CLIENT = "newsroom-render"
RING_AGE = timedelta(hours=24)
GATHER_SECONDS = 0.1
"""Under load, how long updates are gathered for a batch."""
_CATCH_UP_SECONDS = 5.0
_SWITCH_SECONDS = 0.0005


class Render:
    """One render process: its parts, how they come up, and how they go down."""

    def __init__(self, settings: RenderSettings) -> None:
        self._settings = settings
        source = LookSource(settings.site_file, settings.site_folder, settings.site_url)
        seen = source.mark()
        self.pages = Pages.in_look(source.load())
        self.folder = SiteFolder(settings.pages)
        tell_folder("pages", settings.pages)
        metrics.stream_places.set(settings.live_streams)
        self.mongo = mongo.connect(settings.mongo, app_name=CLIENT, tls=settings.mongo_tls)
        self.model = MongoReadModel(self.mongo[settings.render_database])
        self.publisher = KafkaPublisher(settings.brokers, client_id=CLIENT)
        self.http = httpx.AsyncClient(timeout=10)
        self.keys = KeyFeed(settings.brokers, CLIENT)
        archive = Archive(settings.store_url, settings.publisher_key, self.http)
        self.on_request = OnRequest(archive, self.pages)
        self.announced = AnnouncedByStore(settings.store_url, settings.publisher_key, self.http)
        self.hub = Hub(settings.site_url, capacity=settings.live_ring)
        self.updates = UpdateRenderer(self.model, self.folder, self.pages, self.publisher)
        self.listings = ListingRenderer(self.model, self.folder, self.pages, self.publisher)
        self.mender = Mender(self.folder, self.updates, self.listings)
        self.rebuilder = Rebuilder(
            model=self.model,
            folder=self.folder,
            pages=self.pages,
            updates=self.updates,
            listings=self.listings,
            store=StoreClient(settings.store_url, settings.publisher_key, self.http),
            worked_off=lambda identity: work_off(settings.brokers, identity),
        )
        self.renewal = Renewal(source, self.pages, self.rebuilder, seen=seen)
        self._update_loop: Consumer[Announced] | None = None
        self._listing_loop: Consumer[Marked] | None = None
        self._notices: TopicReader | None = None
        self._rising: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._mending: asyncio.Task[None] | None = None

    def server(self) -> SiteServer:
        """What answers for the paths of the site."""
        return SiteServer(
            self.folder.root,
            self.pages,
            self.model.address,
            on_request=self.on_request,
            serves_pages=self._settings.serve_pages,
        )

    def verifier(self) -> Verifier:
        """One comparison of the site with a rebuild."""
        return Verifier(
            model=self.model,
            root=self.folder.root,
            site=self.pages.site,
            fixed=self.pages.fixed(),
            announced=self.announced,
            drawing=Redrawing(self.model, self.pages, self.listings, self.announced),
        )

    def add_checks(self, health: Health) -> None:
        """Ready: the log and the read model answer, the live stream has caught up, the keys are read.

        Alive: the consumers get on.
        """
        health.add_ready("kafka", self.publisher.is_reachable)
        health.add_ready("mongodb", lambda: mongo.ping(self.mongo))
        health.add_ready(
            "consumers", lambda: self._update_loop is not None and self._listing_loop is not None
        )
        health.add_ready("live", self.hub.ready.is_set)
        health.add_ready("keys", lambda: self.keys.is_caught_up)
        health.add_live("updates", lambda: self._update_loop is None or self._update_loop.progress.is_alive)
        health.add_live(
            "listings", lambda: self._listing_loop is None or self._listing_loop.progress.is_alive
        )

    async def run(self) -> None:
        """Come up, however long the log and the database take, then consume until `stop`."""
        self._rising = asyncio.create_task(self._come_up(), name="come-up")
        with contextlib.suppress(asyncio.CancelledError):
            await self._rising
        if self._rising.cancelled():
            return
        await self._consume()

    async def stop(self) -> None:
        """Take no more, finish, commit, close; open streams end first, so that readers go elsewhere at
        once.
        """
        self.hub.end()
        for task in (self._rising, self._renewing, self._mending):
            if task is not None:
                task.cancel()
        running = [
            part for part in (self._update_loop, self._listing_loop, self._notices) if part is not None
        ]
        await asyncio.gather(*(part.stop() for part in running), self.keys.stop())
        await self.publisher.stop()
        await self.http.aclose()
        self.mongo.close()
        self.folder.close()

    async def _come_up(self) -> None:
        settings = self._settings
        await persist(self._open_folder, "pages folder")
        await persist(
            lambda: cluster.ensure_topics(
                settings.brokers, replication=settings.replication, min_insync=settings.min_insync
            ),
            "topics",
        )
        await persist(self.publisher.start, "publisher")
        await persist(self.model.prepare, "read model")
        identity = await persist(lambda: identify(self.model, settings.brokers), "identity")
        await persist(self.rebuilder.lay_ground, "standing pages")
        self._wire_consumers(identity)
        self._renewing = asyncio.create_task(self.renewal.run(identity), name="renewal")
        self._mending = asyncio.create_task(self.mender.run(), name="mending")

    async def _open_folder(self) -> None:
        self.folder.open()

    def _wire_consumers(self, identity: Identity) -> None:
        kafka = self._settings.brokers
        row = LoopSettings(dead_letters_in_row=self._settings.dead_letters_in_row)
        self.updates.partly_read = frozenset(number for number, begin in identity.updates.items() if begin)
        updates = self._update_loop = Consumer(
            KafkaSource(
                kafka,
                topics.UPDATES,
                identity.updates_group,
                client_id=CLIENT,
                start_offsets=start_offsets(topics.UPDATES, identity.updates),
            ),
            self.publisher,
            name="render-updates",
            decode=decode_update,
            handle=self.updates.handle,
            rest=gathering(GATHER_SECONDS),
            settings=row,
        )
        self._listing_loop = Consumer(
            KafkaSource(
                kafka,
                topics.LISTINGS,
                identity.listings_group,
                client_id=CLIENT,
                start_offsets=start_offsets(topics.LISTINGS, identity.listings),
                max_poll_records=MARKS_AT_ONCE,
            ),
            self.publisher,
            name="render-listings",
            decode=decode_mark,
            handle=self.listings.handle,
            rest=self.listings.rest_seconds,
            always_gathers=True,
            hurries=hurries,
            settings=row,
        )
        self.listings.progressed = self._listing_loop.progressed
        self.listings.is_busy = lambda: updates.progress.lag > 0
        self.hub.name_log(log_mark(identity.cluster_id))
        self._notices = TopicReader(
            kafka, topics.NOTICES, self._take_notice, client_id=CLIENT, begin=RING_AGE
        )

    async def _consume(self) -> None:
        assert self._update_loop is not None  # noqa: S101  (wired while coming up, like the next four)
        assert self._listing_loop is not None  # noqa: S101
        assert self._notices is not None  # noqa: S101
        assert self._renewing is not None  # noqa: S101
        assert self._mending is not None  # noqa: S101
        async with asyncio.TaskGroup() as group:
            group.create_task(self._update_loop.run())
            group.create_task(self._listing_loop.run())
            group.create_task(self._notices.run())
            group.create_task(self._open_streams(self._notices))
            group.create_task(_watch(self._renewing))
            group.create_task(_watch(self._mending))

    async def _open_streams(self, notices: TopicReader) -> None:
        while not self.hub.is_over and not await notices.catch_up(_CATCH_UP_SECONDS):
            log.info("live_waits", reason="the notices are not read to their end yet")
        self.hub.ready.set()

    def _take_notice(self, record: Record) -> None:
        try:
            self.hub.take(record.offset, decode_notice(record))
        except BadRecord as error:
            log.warning("notice_skipped", offset=record.offset, reason=str(error))
            self.hub.skip(record.offset)


async def _watch(task: asyncio.Task[None]) -> None:
    """A bug in it is a bug of the process, its cancellation at the stop is none."""
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


async def run() -> int:
    """The process, from its settings to its exit code."""
    settings = read(RenderSettings)
    configure_logging("render", settings.log_level, settings.log_format)
    render = Render(settings)
    health = Health("render")
    render.add_checks(health)
    routers = [
        preview_routes(render.on_request, render.pages),
        reuse_routes(render.model, render.pages),
        verification_routes(render.verifier),
    ]
    app = create_site(settings, health, render.hub, render.model, render.server(), routers)
    app.state.keys = render.keys.ring
    app.state.keys_are_known = lambda: render.keys.is_caught_up
    return await serve(
        app,
        host=settings.host,
        port=settings.site_port,
        health=health,
        tasks={"render": render.run, "keys": render.keys.run},
        on_stop=render.stop,
        stop_seconds=settings.stop_seconds,
    )


def main() -> None:
    """Run render until it is told to stop.

    Listings are drawn in a thread; with Python's own interval of 5 ms each step of an article would wait that
    long for it.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    run_service(run)


if __name__ == "__main__":
    main()
