"""`python -m services.ingest`: everything of ingest wired together, here and nowhere else.

It answers from the first moment, with `503` until the log is there; what needs the log comes up beside it,
however long that takes.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

import httpx
from fastapi import FastAPI

from newsroom import topics
from newsroom.http.app import Health
from newsroom.http.keyfeed import KeyFeed
from newsroom.kafka import cluster
from newsroom.kafka.producer import KafkaPublisher
from newsroom.kafka.reader import TopicReader
from newsroom.service import main as run_service
from newsroom.service import persist, serve
from newsroom.settings import read
from newsroom.telemetry import configure_logging
from services.ingest.app import create_ingest
from services.ingest.intake import PUBLISH_SECONDS, Intake
from services.ingest.keyadmin import KeyAdmin
from services.ingest.life import Life
from services.ingest.lookup import Lookup
from services.ingest.routes import Door
from services.ingest.settings import IngestSettings
from services.ingest.statuses import Statuses

CLIENT = "newsroom-ingest"
OUTCOMES_AGE = timedelta(minutes=15)


class Ingest:
    """One ingest process: its parts, how they come up, and how they go down."""

    def __init__(self, settings: IngestSettings) -> None:
        self._settings = settings
        self.publisher = KafkaPublisher(settings.brokers, client_id=CLIENT, timeout_seconds=PUBLISH_SECONDS)
        self.keys = KeyFeed(settings.brokers, CLIENT)
        self.life = Life()
        self.statuses = Statuses(settings.site_url, self.life.tell)
        self.outcomes = TopicReader(
            settings.brokers,
            topics.OUTCOMES,
            self.statuses.take,
            client_id=f"{CLIENT}-outcomes",
            begin=OUTCOMES_AGE,
        )
        # No proxy of the environment: the store is one of us.
        self.store = httpx.AsyncClient(base_url=settings.store_url, trust_env=False)
        self.intake = Intake(self.publisher, self.statuses, settings.max_in_flight)
        self.admin = KeyAdmin(self.keys, self.publisher)
        self._has_first_key = asyncio.Event()
        self._rising: asyncio.Task[None] | None = None

    def app(self, health: Health) -> FastAPI:
        """What answers. Ready: the log answers, the keys and what became of events lately are read."""
        health.add_ready("kafka", self.publisher.is_reachable)
        health.add_ready("keys", lambda: self.keys.is_caught_up and self._has_first_key.is_set())
        health.add_ready("outcomes", lambda: self.outcomes.is_caught_up)
        door = Door(self.intake, self.statuses, Lookup(self.statuses, self.outcomes, self.store), self.life)
        app = create_ingest(self._settings, health, self.keys.ring, door, self.admin)
        app.state.keys_are_known = lambda: self.keys.is_caught_up
        return app

    async def run(self) -> None:
        """Come up, however long the log takes, then follow keys and outcomes until `stop`."""
        self._rising = asyncio.create_task(self._come_up(), name="come-up")
        with contextlib.suppress(asyncio.CancelledError):
            await self._rising
        if self._rising.cancelled():
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self.keys.run())
            group.create_task(self.outcomes.run())
            self._rising = group.create_task(self._put_first_key())

    async def stop(self) -> None:
        """Let go who waits or follows, take nothing more, and close once what is on its way has arrived."""
        self.statuses.release()
        self.life.end()
        if self._rising is not None:
            self._rising.cancel()
        await self.intake.stop()
        await asyncio.gather(self.keys.stop(), self.outcomes.stop())
        await self.publisher.stop()
        await self.store.aclose()

    async def _come_up(self) -> None:
        settings = self._settings
        await persist(
            lambda: cluster.ensure_topics(
                settings.brokers, replication=settings.replication, min_insync=settings.min_insync
            ),
            "topics",
        )
        await persist(self.publisher.start, "publisher")

    async def _put_first_key(self) -> None:
        secret = self._settings.publisher_key
        if secret is not None:
            await persist(lambda: self.admin.ensure_first(secret), "first key")
        self._has_first_key.set()


async def run() -> int:
    """The process, from its settings to its exit code."""
    settings = read(IngestSettings)
    configure_logging("ingest", settings.log_level, settings.log_format)
    ingest = Ingest(settings)
    health = Health("ingest")
    app = ingest.app(health)
    return await serve(
        app,
        host=settings.host,
        port=settings.ingest_port,
        health=health,
        tasks={"ingest": ingest.run},
        on_stop=ingest.stop,
        stop_seconds=settings.stop_seconds,
    )


def main() -> None:
    """Run ingest until it is told to stop."""
    run_service(run)


if __name__ == "__main__":
    main()
