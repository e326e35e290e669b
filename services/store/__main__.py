"""`python -m services.store`: everything of the store wired together, here and nowhere else.

The API answers from the first moment, with 503 until the log's history is filed; what needs the log and the
database comes up beside it, as soon as they answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Mapping

import structlog

from newsroom import mongo, topics
from newsroom.events import Event, decode_event
from newsroom.http.app import Health
from newsroom.http.keyfeed import KeyFeed
from newsroom.kafka import cluster
from newsroom.kafka.consumer import Consumer, LoopSettings
from newsroom.kafka.dead_letters import Mark, Parked
from newsroom.kafka.pacing import gathering
from newsroom.kafka.producer import KafkaPublisher
from newsroom.kafka.reader import TopicReader
from newsroom.kafka.source import KafkaSource
from newsroom.outcomes import Outcome, decode_outcome
from newsroom.records import Record, TopicPartition
from newsroom.service import main as run_service
from newsroom.service import persist, serve
from newsroom.settings import read
from newsroom.telemetry import configure_logging
from services.store.agenda import MongoDueWork
from services.store.api import create_api
from services.store.consumer import Filer
from services.store.dead_letters import MongoDeadLetters
from services.store.formerletters import FormerLetters
from services.store.identity import Identity, MongoIdentities, check, new_identity
from services.store.letterbox import Letterbox
from services.store.letterbox import decode as decode_letter
from services.store.reading import MongoReading
from services.store.rebuilds import Rebuilds
from services.store.renderings import MongoRenderings, RenderingKeeper
from services.store.replay import Replay
from services.store.republications import MongoRepublications
from services.store.republishing import Republisher
from services.store.revisions import MongoRevisions
from services.store.scheduler import Scheduler
from services.store.settings import StoreSettings

log = structlog.get_logger(__name__)
CLIENT = "newsroom-store"
GATHER_SECONDS = 0.1
"""Under load, how long events are gathered for a batch."""
RENDERINGS_GATHER_SECONDS = 0.5
"""The same for what render tells, always: nobody waits for it here, as ingest hears it from the log."""


class Store:
    """One store process: its parts, how they come up, and how they go down."""

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        self.mongo = mongo.connect(settings.mongo, app_name=CLIENT, tls=settings.mongo_tls)
        database = self.mongo[settings.store_database]
        self.revisions = MongoRevisions(database)
        self.reading = MongoReading(database)
        self.identities = MongoIdentities(database)
        self.renderings = MongoRenderings(database)
        self.republications = MongoRepublications(database)
        self.publisher = KafkaPublisher(settings.brokers, client_id=CLIENT)
        self.dead_letters = MongoDeadLetters(database)
        self.letterbox = Letterbox(self.dead_letters, self.publisher)
        self.former_letters = FormerLetters()
        self.keys = KeyFeed(settings.brokers, CLIENT)
        self._group = ""
        self.republisher = Republisher(
            self.republications,
            self.revisions,
            self.publisher,
            self._committed,
            holder=secrets.token_hex(8),
        )
        self.rebuilds = Rebuilds(self.republications, self.revisions, self.republisher.ring)
        self._replay: Replay | None = None
        self._due_work = MongoDueWork(database)
        self._scheduler: Scheduler | None = None
        self._events: Consumer[Event] | None = None
        self._outcomes: Consumer[Outcome] | None = None
        self._letters: Consumer[Parked | Mark | None] | None = None
        self._rising: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the whole history is filed and announced, by whichever instance."""
        return self._replay is not None and self._replay.is_over

    def add_checks(self, health: Health) -> None:
        """Ready: log and database answer, the history is filed, the keys are read.

        Alive: the consumers get on, and the scheduler looks at the clock.
        """
        health.add_ready("kafka", self.publisher.is_reachable)
        health.add_ready("mongodb", lambda: mongo.ping(self.mongo))
        health.add_ready("history", lambda: self.is_open)
        health.add_ready("keys", lambda: self.keys.is_caught_up)
        health.add_live("events", lambda: self._events is None or self._events.progress.is_alive)
        health.add_live("scheduler", lambda: self._scheduler is None or self._scheduler.is_alive)
        health.add_live("outcomes", lambda: self._outcomes is None or self._outcomes.progress.is_alive)
        health.add_live("dead letters", lambda: self._letters is None or self._letters.progress.is_alive)

    async def run(self) -> None:
        """Come up, however long the log and the database take, then consume until `stop`."""
        self._rising = asyncio.create_task(self._come_up(), name="come-up")
        with contextlib.suppress(asyncio.CancelledError):
            await self._rising
        if self._rising.cancelled():
            return
        await self._consume()

    async def stop(self) -> None:
        """Take no more, finish, commit, close."""
        if self._rising is not None:
            self._rising.cancel()
        loops = [
            loop
            for loop in (self._scheduler, self._events, self._outcomes, self._letters)
            if loop is not None
        ]
        others = (self.republisher, self.letterbox, self.keys)
        await asyncio.gather(*(part.stop() for part in (*loops, *others)))
        await self.publisher.stop()

    def close(self) -> None:
        """After everything else."""
        self.mongo.close()

    async def _come_up(self) -> None:
        settings = self._settings
        await persist(
            lambda: cluster.ensure_topics(
                settings.brokers, replication=settings.replication, min_insync=settings.min_insync
            ),
            "topics",
        )
        await persist(self.publisher.start, "publisher")
        await persist(self._prepare, "indexes")
        identity = await persist(self._identify, "identity")
        if not identity.is_replayed:
            await persist(lambda: self.former_letters.read(self._letter_reader), "former letters")
        self._wire(identity)

    async def _prepare(self) -> None:
        await self.revisions.prepare()
        await self.republications.prepare()
        await self.dead_letters.prepare()

    async def _identify(self) -> Identity:
        """The database's identity, given now if it is new.

        Raises: Misconfigured when it is of another log; Away.
        """
        here = await cluster.cluster_id(self._settings.brokers)
        ends = _by_number(await cluster.end_offsets(self._settings.brokers, topics.EVENTS))
        identity = await self.identities.find()
        if identity is None:
            identity = await self.identities.claim(new_identity(here, ends))
            ends = _by_number(await cluster.end_offsets(self._settings.brokers, topics.EVENTS))
        newest = await self.revisions.newest_offsets()
        check(identity, cluster_id=here, newest=newest, ends=ends, name=self._settings.store_database)
        return identity

    def _wire(self, identity: Identity) -> None:
        kafka = self._settings.brokers
        row = LoopSettings(dead_letters_in_row=self._settings.dead_letters_in_row)
        self._group = f"store-{identity.database_id}"
        self._replay = Replay(identity, self.identities, self.revisions, self.publisher)
        source = KafkaSource(kafka, topics.EVENTS, self._group, client_id=CLIENT)
        self._scheduler = Scheduler(
            self._due_work,
            self.publisher,
            owned=lambda: frozenset(place.partition for place in source.owned),
            is_open=lambda: self.is_open,
        )
        filer = Filer(self.revisions, self.publisher, self._replay, self._scheduler.heard)
        self._events = Consumer(
            source,
            self.publisher,
            name="store",
            decode=decode_event,
            handle=filer.handle,
            on_dead_letter=filer.park,
            on_assigned=filer.begin,
            is_parked=self.former_letters.has,
            rest=gathering(GATHER_SECONDS),
            settings=row,
        )
        self._outcomes = Consumer(
            KafkaSource(kafka, topics.OUTCOMES, f"store-outcomes-{identity.database_id}", client_id=CLIENT),
            self.publisher,
            name="store-outcomes",
            decode=decode_outcome,
            handle=RenderingKeeper(self.renderings).handle,
            is_parked=self.former_letters.has,
            rest=gathering(RENDERINGS_GATHER_SECONDS, few=0),
            settings=row,
        )
        group = f"store-dead-letters-{identity.database_id}"
        self._letters = Consumer(
            KafkaSource(kafka, topics.DEAD_LETTERS, group, client_id=CLIENT),
            self.publisher,
            name="store-dead-letters",
            decode=decode_letter,
            handle=self.letterbox.handle,
            settings=row,
        )

    def _letter_reader(self, on_record: Callable[[Record], None]) -> TopicReader:
        return TopicReader(self._settings.brokers, topics.DEAD_LETTERS, on_record, client_id=CLIENT)

    async def _consume(self) -> None:
        assert self._replay is not None  # noqa: S101  (wired while coming up, like the next three)
        assert self._events is not None  # noqa: S101
        assert self._outcomes is not None  # noqa: S101
        assert self._scheduler is not None  # noqa: S101
        assert self._letters is not None  # noqa: S101
        async with asyncio.TaskGroup() as group:
            group.create_task(self._events.run())
            group.create_task(self._outcomes.run())
            group.create_task(self._letters.run())
            group.create_task(self.letterbox.watch())
            group.create_task(self._scheduler.run())
            group.create_task(self._replay.watch())
            group.create_task(self.republisher.run())

    async def _committed(self) -> Mapping[int, int]:
        return await cluster.committed_offsets(self._settings.brokers, self._group, topics.EVENTS)


def _by_number(offsets: Mapping[TopicPartition, int]) -> dict[int, int]:
    return {place.partition: offset for place, offset in offsets.items()}


async def run() -> int:
    """The process, from its settings to its exit code."""
    settings = read(StoreSettings)
    configure_logging("store", settings.log_level, settings.log_format)
    store = Store(settings)
    health = Health("store")
    store.add_checks(health)
    app = create_api(settings, health, store.reading, store.rebuilds, store.letterbox, lambda: store.is_open)
    app.state.keys = store.keys.ring
    try:
        return await serve(
            app,
            host=settings.host,
            port=settings.store_port,
            health=health,
            tasks={"store": store.run, "keys": store.keys.run},
            on_stop=store.stop,
            stop_seconds=settings.stop_seconds,
        )
    finally:
        store.close()


def main() -> None:
    """Run the store until it is told to stop."""
    run_service(run)


if __name__ == "__main__":
    main()
