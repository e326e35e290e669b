"""A whole newsroom in a folder and on ports of its own, as processes that may be broken one by one.

async with Arena(plan, folder, jars) as arena:
    arena.kill("store-1")
    await arena.settled()
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from desk.parts.home import Home
from desk.parts.kafka import prepare_jars
from desk.parts.ports import free_ports
from faults.clocks import Clock
from faults.environment import SERVICES, address, environment
from faults.fault import Plan
from faults.history import Files
from faults.instances import Instance
from faults.keeper import Keeper, Kept
from faults.parts import Documents, Log, Server
from faults.rest import Rest
from newsroom.errors import Away
from newsroom.keys import new_secret

PATIENCE_SECONDS = 60.0
DATABASES = STORE_DATABASE, RENDER_DATABASE = "newsroom_store", "newsroom_render"
_LOOK_SECONDS = 0.2


class Arena:
    """Starts everything on entering, and leaves nothing behind. `jars`: the folder of Kafka's."""

    def __init__(
        self, plan: Plan, folder: Path, jars: Path, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self.plan, self.folder, self._jars, self._say = plan, folder, jars, say
        self.home = Home(folder)
        self.home.make()
        self.pages = self.home.site
        """`public` in it is served."""
        self.key = new_secret()
        """A publisher's."""
        kafka_port, controller_port = free_ports(2)
        self.kafka = Log(self.home, kafka_port, controller_port, jars, {})
        self.mongo = Documents(self.home, free_ports(plan.mongo_members))
        self.keeps_parts = False
        """Whether the keeper starts Kafka and MongoDB again as well."""
        self.keeper = Keeper(self._kept, self._start_again)
        self._ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
        self._instances: dict[str, Instance] = {}
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
        return address(self._ports["render"])

    @property
    def restarts(self) -> int:
        """How often the keeper started something again."""
        return self.keeper.restarts

    def names(self, service: str) -> list[str]:
        """Of a service's instances, stopped ones too."""
        return [each.name for each in self._instances.values() if each.service == service]

    def urls(self, service: str) -> list[str]:
        """Where a service answers: each instance that is there, also a paused one. The first one's address
        where there is none.
        """
        there = [each for each in self._of(service) if each.is_alive]
        return [each.address for each in there] or [address(self._ports[service])]

    def url(self, service: str) -> str:
        """The first that is awake."""
        awake = (each.address for each in self._of(service) if each.is_alive and not each.is_paused)
        return next(awake, address(self._ports[service]))

    def alive(self, name: str) -> bool:
        """Whether the process is there, paused or not."""
        return name in self._instances and self._instances[name].is_alive

    def clock(self, name: str) -> Clock:
        """The wall clock of an instance."""
        return self._instances[name].clock

    def log(self, name: str) -> str:
        """What an instance has printed."""
        return self._instances[name].log.read_text(errors="replace")

    # --- all of it

    async def start(self) -> None:
        """Kafka, MongoDB and as many of each service as planned, all ready. Raises: PartFailed, TimeoutError,
        Misconfigured.
        """
        await asyncio.to_thread(prepare_jars, self._jars, self._say)
        await asyncio.gather(self.kafka.start(), self.mongo.start())
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
            instance.kill()
        self.kafka.kill()
        self.mongo.kill()

    # --- one instance

    async def spawn(self, service: str, name: str | None = None, trap: str = "", **env: str) -> str:
        """Start an instance, a further one or one that ended; its name. It becomes ready later.

        `trap` as in `faults.launch`; the next start has none. `env` holds from start to start.
        """
        name = name or self._a_name(service)
        instance = self._instances.get(name)
        if instance is None or env:
            instance = self._instances[name] = self._an_instance(name, service, env)
        instance.start(trap)
        return name

    async def ready(self, name: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until it is. Raises: TimeoutError with its checks that fail and the end of its log."""
        instance = self._instances[name]
        deadline = time.monotonic() + seconds
        while not (health := await instance.health()).is_good:
            if time.monotonic() > deadline:
                failing = ", ".join(health.failing) or "no answer"
                raise TimeoutError(f"{name} is not ready ({failing}):\n{instance.last_words()}")
            await asyncio.sleep(_LOOK_SECONDS)

    def kill(self, name: str) -> None:
        """SIGKILL. The keeper starts it again."""
        self._instances[name].kill()

    async def stop(self, name: str) -> int | None:
        """SIGTERM; its exit code. The keeper leaves it."""
        return await self._instances[name].stop()

    def pause(self, name: str) -> None:
        """SIGSTOP."""
        self._instances[name].pause()

    def resume(self, name: str) -> None:
        """SIGCONT."""
        self._instances[name].resume()

    def unkept(self, name: str) -> AbstractContextManager[None]:
        """Whatever becomes of it in the block, the keeper does nothing."""
        return self.keeper.unkept(name)

    async def springs(self, name: str, seconds: float = PATIENCE_SECONDS) -> str:
        """Wait until an instance has reached its trap; the point. Raises: TimeoutError."""
        mark = self._instances[name].mark
        deadline = time.monotonic() + seconds
        while not mark.exists():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} did not reach its trap")
            await asyncio.sleep(0.05)
        return mark.read_text()

    async def scale(self, service: str, count: int) -> None:
        """Run so many: the last ones are stopped, or the first that are missing started and ready."""
        running = [each for each in self._of(service) if each.is_wanted]
        await asyncio.gather(*(each.stop() for each in running[count:]))
        started = [await self.spawn(service, self._unwanted(service)) for _ in range(count - len(running))]
        await asyncio.gather(*(self.ready(name) for name in started))

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
            health = await instance.health()
            if not health.is_good:
                failing = ", ".join(health.failing) or "no answer"
                return f"{instance.name} is not ready ({failing}):\n{instance.last_words()}"
        try:
            return await self._rest.what_moves()
        except (Away, PyMongoError) as error:
            return str(error)

    def files(self) -> Files:
        """Every served file with the SHA-256 of its bytes."""
        return _hashes(self.pages / "public")

    async def rebuild(self) -> Files:
        """What render writes into an empty folder. As many instances run afterwards as before."""
        return await self._again(("render",), [])

    async def replay(self) -> Files:
        """What store and render make of the log alone, without pages and documents."""
        return await self._again(("store", "render"), list(DATABASES))

    async def _again(self, services: tuple[str, ...], databases: list[str]) -> Files:
        stopped = [each for each in self._instances.values() if each.service in services and each.is_wanted]
        await asyncio.gather(*(each.stop() for each in stopped))
        await asyncio.to_thread(_empty, self.pages)
        await asyncio.to_thread(_drop, self.mongo_url, databases)
        for instance in stopped:
            instance.start()
        await self.settled(2 * PATIENCE_SECONDS)
        return self.files()

    # --- within

    def _of(self, service: str) -> list[Instance]:
        return [each for each in self._instances.values() if each.service == service]

    def _a_name(self, service: str) -> str:
        taken = self.names(service)
        return next(name for number in range(1, 100) if (name := f"{service}-{number}") not in taken)

    def _unwanted(self, service: str) -> str | None:
        """The first instance that was stopped."""
        return next((each.name for each in self._of(service) if not each.is_wanted), None)

    def _an_instance(self, name: str, service: str, env: dict[str, str]) -> Instance:
        is_first = name == f"{service}-1"
        port = self._ports[service] if is_first else free_ports(1)[0]
        bug = {"NEWSROOM_TEST_BUG": self.plan.bug} if self.plan.bug else {}
        told = environment(
            kafka=self.bootstrap,
            mongo=self.mongo_url,
            key=self.key,
            pages=self.pages,
            ports=self._ports,
            **{**bug, **self.plan.settings, **env},
        )
        return Instance(name, service, self.home, port, told)

    def _kept(self) -> list[Kept]:
        parts: list[Server] = [self.kafka, *self.mongo.members] if self.keeps_parts else []
        return [*parts, *self._instances.values()]

    def _start_again(self, kept: Kept) -> None:
        if isinstance(kept, Instance):
            kept.start()
        elif isinstance(kept, Server):
            task = asyncio.create_task(self._start_server(kept))
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)

    async def _start_server(self, server: Server) -> None:
        with suppress(Exception):  # it is looked at again in a moment
            await server.start()


def _hashes(public: Path) -> dict[str, str]:
    return {
        str(path.relative_to(public)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(public.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def _empty(folder: Path) -> None:
    """Also where the folder is a mount, which cannot be removed."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _drop(mongo_url: str, databases: list[str]) -> None:
    with MongoClient[dict[str, object]](mongo_url) as client:
        for name in databases:
            client.drop_database(name)
