"""A whole newsroom in a folder and on ports of its own, as processes that may be broken one by one.

async with Arena(plan, folder, jars) as arena:
    arena.kill("store-1")
    await arena.settled()
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from pymongo.errors import PyMongoError

from desk.parts.home import Home
from desk.parts.ports import free_ports
from desk.parts.prepare import prepare
from faults.fault import Plan
from faults.history import Files
from faults.stage import written
from faults.stage.environment import address, environment
from faults.stage.fleet import PATIENCE_SECONDS, Fleet
from faults.stage.instances import Instance
from faults.stage.keeper import Kept
from faults.stage.network import Network, Target
from faults.stage.parts import FIRST_START_SECONDS, Documents, Log, Server
from faults.stage.proxies import Proxy
from faults.stage.rest import Rest
from faults.stage.rooms import What, lacking, rooms_of, unmount_below
from newsroom.errors import Away
from newsroom.keys import new_secret

__all__ = ["Arena", "lacking"]

DATABASES = STORE_DATABASE, RENDER_DATABASE = "newsroom_store", "newsroom_render"
_LOOK_SECONDS = 0.2


class Arena(Fleet):
    """Starts everything on entering, and leaves nothing behind. `jars`: the folder of Kafka's."""

    def __init__(
        self, plan: Plan, folder: Path, jars: Path, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self.plan, self.folder, self._jars, self._say = plan, folder, jars, say
        self.home = Home(folder)
        self.home.make()
        super().__init__(self.home)
        self.pages = self.home.site
        """`public` in it is served."""
        self.key = new_secret()
        """A publisher's."""
        kafka_port, controller_port, *mongo_ports = free_ports(2 + plan.mongo_members)
        self.network = Network(kafka_port, controller_port, mongo_ports[0], is_proxied=plan.is_proxied)
        self.network.find_store = self._awake_store
        self.kafka = Log(self.home, kafka_port, controller_port, jars, self.network.kafka_settings())
        self.mongo = Documents(self.home, mongo_ports)
        self._rooms = rooms_of(plan, self.home)
        self.died_at: set[str] = set()
        """Named points at which a process was killed, as the mark of its trap tells."""
        self.keeps_parts = False
        """Whether the keeper starts Kafka and MongoDB again as well."""
        self._keeping: asyncio.Task[None] | None = None
        self._starting: set[asyncio.Task[None]] = set()
        self._rest = Rest(self.bootstrap, self.mongo_url, *DATABASES, pages=self.pages)

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # --- where everything is

    @property
    def bootstrap(self) -> str:
        """The log, without a proxy in between."""
        return self.kafka.bootstrap

    @property
    def mongo_url(self) -> str:
        """The documents, without a proxy in between."""
        return self.mongo.url

    @property
    def site_url(self) -> str:
        """How the site's pages call themselves: where the first render listens."""
        return address(self.ports["render"])

    @property
    def restarts(self) -> int:
        """How often the keeper started something again."""
        return self.keeper.restarts

    # --- all of it

    async def start(self) -> None:
        """Kafka, MongoDB and as many of each service as planned, all ready. Raises: PartFailed, TimeoutError,
        Misconfigured.
        """
        await asyncio.to_thread(prepare, self._jars, self._say)
        for room in self._rooms.values():
            room.open()
        await self.network.open()
        await asyncio.gather(self.kafka.start(FIRST_START_SECONDS), self.mongo.start(FIRST_START_SECONDS))
        self._keeping = asyncio.create_task(self.keeper.run(), name="keeper")
        counts = {"ingest": 1, "store": self.plan.stores, "render": self.plan.renders}
        await asyncio.gather(*(self.scale(service, count) for service, count in counts.items()))
        await self.settled()

    async def close(self) -> None:
        """Kill everything. Nothing is left but the files in the folder."""
        for task in (self._keeping, *self._starting):
            if task is not None:
                task.cancel()
        for instance in self._instances.values():
            instance.is_wanted = False
        self.cut_power()
        self.network.close()
        unmount_below(self.folder)

    def cut_power(self) -> None:
        """Everything ends at one moment: the services, Kafka, MongoDB."""
        everything: list[Instance | Server] = [*self._instances.values(), self.kafka, *self.mongo.members]
        for process in everything:
            process.signal(signal.SIGKILL)
        for process in everything:
            process.kill()

    # --- what they stand on

    def proxy(self, service: str, target: Target) -> Proxy:
        """Between a service and Kafka or MongoDB, where the plan is proxied."""
        return self.network.proxy(service, target)

    def fill(self, what: What) -> None:
        """Take all the room under the pages or under the log, where the plan gives them little."""
        self._rooms[what].fill()

    def free(self, what: What) -> None:
        """Give it back."""
        self._rooms[what].free()

    def read_only(self, what: What) -> None:
        """Nobody can write there from now on. Raises: OSError."""
        self._rooms[what].read_only()

    def writable(self, what: What) -> None:
        """As before."""
        self._rooms[what].writable()

    # --- at rest

    async def settled(self, timeout: float = PATIENCE_SECONDS) -> None:  # noqa: ASYNC109  (told in the error)
        """Wait until every instance is ready and every consumer has read its topic to the end.

        Raises: TimeoutError that says what is not, with the end of its log.
        """
        deadline = time.monotonic() + timeout
        while complaint := await self._unsettled():
            if time.monotonic() > deadline:
                raise TimeoutError(f"no rest after {timeout:.0f} s: {complaint}")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _unsettled(self) -> str:
        for instance in [each for each in self._instances.values() if each.is_wanted]:
            if complaint := await instance.complaint():
                return complaint
        try:
            return await self._rest.what_moves()
        except (Away, PyMongoError) as error:
            return str(error)

    def files(self) -> Files:
        """Every served file with the SHA-256 of its bytes."""
        return written.files(self.pages / "public")

    async def rebuild(self) -> Files:
        """What render writes into an empty folder. As many instances run afterwards as before."""
        return await self._again(("render",), [])

    async def replay(self) -> Files:
        """What store and render make of the log alone, without pages and documents."""
        return await self._again(("store", "render"), list(DATABASES))

    async def _again(self, services: tuple[str, ...], databases: list[str]) -> Files:
        stopped = [each for each in self._instances.values() if each.service in services and each.is_wanted]
        await asyncio.gather(*(each.stop() for each in stopped))
        await asyncio.to_thread(written.empty, self.pages)
        await asyncio.to_thread(written.drop, self.mongo_url, databases)
        for instance in stopped:
            instance.start()
        await self.settled(2 * PATIENCE_SECONDS)
        return self.files()

    def _told(self, service: str, **env: str) -> dict[str, str]:
        bug = {"NEWSROOM_TEST_BUG": self.plan.bug} if self.plan.bug else {}
        return environment(
            kafka=self.network.kafka_of(service, self.bootstrap),
            mongo=self.network.mongo_of(service, self.mongo_url),
            key=self.key,
            pages=self.pages,
            ports=self.ports,
            **{"NEWSROOM_STORE_URL": self.network.store_url, **bug, **self.plan.settings, **env},
        )

    def _kept(self) -> list[Kept]:
        parts: list[Server] = [self.kafka, *self.mongo.members] if self.keeps_parts else []
        return [*parts, *super()._kept()]

    def _start_again(self, kept: Kept) -> None:
        super()._start_again(kept)
        if isinstance(kept, Server):
            task = asyncio.create_task(self._start_server(kept))
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)

    def _awake_store(self) -> int | None:
        awake = [each for each in self._of("store") if each.is_alive and not each.is_paused]
        return awake[0].port if awake else None

    async def _start_server(self, server: Server) -> None:
        with suppress(Exception):  # it is looked at again in a moment
            await server.start()
