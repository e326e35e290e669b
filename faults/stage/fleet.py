"""The services of an arena: so many instances of each, by name, and the keeper who starts them again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from desk.parts.home import Home
from desk.parts.ports import free_ports
from faults.stage.clocks import Clock
from faults.stage.environment import SERVICES, address
from faults.stage.instances import Instance
from faults.stage.keeper import Keeper, Kept

PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.2


class Fleet:
    """`store-1` is the first store. All names, ports and settings stay from start to start."""

    def __init__(self, home: Home) -> None:
        self.keeper = Keeper(self._kept, self._start_again)
        self.ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
        """Where the first instance of each service listens."""
        self._home = home
        self._instances: dict[str, Instance] = {}

    def _told(self, service: str, **env: str) -> dict[str, str]:
        """The environment of a service's instances."""
        raise NotImplementedError

    def _kept(self) -> list[Kept]:
        return list(self._instances.values())

    def _start_again(self, kept: Kept) -> None:
        if isinstance(kept, Instance):
            kept.start()

    def names(self, service: str) -> list[str]:
        """Of a service's instances, stopped ones too."""
        return [each.name for each in self._instances.values() if each.service == service]

    def urls(self, service: str) -> list[str]:
        """Where a service answers: each instance that is there, also a paused one. The first one's address
        where there is none.
        """
        there = [each for each in self._of(service) if each.is_alive]
        return [each.address for each in there] or [address(self.ports[service])]

    def url(self, service: str) -> str:
        """The first that is awake."""
        awake = (each.address for each in self._of(service) if each.is_alive and not each.is_paused)
        return next(awake, address(self.ports[service]))

    def alive(self, name: str) -> bool:
        """Whether the process is there, paused or not."""
        return name in self._instances and self._instances[name].is_alive

    def clock(self, name: str) -> Clock:
        """The wall clock of an instance."""
        return self._instances[name].clock

    def log(self, name: str) -> str:
        """What an instance has printed."""
        return self._instances[name].log.read_text(errors="replace")

    async def spawn(self, service: str, name: str | None = None, trap: str = "", **env: str) -> str:
        """Start an instance, a further one or one that ended; its name. It becomes ready later.

        `trap` as in `faults.stage.launch`; the next start has none. `env` holds from start to start.
        """
        name = name or self._a_name(service)
        instance = self._instances.get(name)
        if instance is None or env:
            told = self._told(service, **env)
            instance = Instance(name, service, self._home, self._port_of(name, service), told)
            self._instances[name] = instance
        instance.start(trap)
        return name

    async def ready(self, name: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until it is. Raises: TimeoutError with its checks that fail and the end of its log."""
        instance = self._instances[name]
        deadline = time.monotonic() + seconds
        while complaint := await instance.complaint():
            if time.monotonic() > deadline:
                raise TimeoutError(complaint)
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
        if not await self._comes(mark.exists, seconds):
            raise TimeoutError(f"{name} did not reach its trap")
        return mark.read_text()

    async def gone(self, name: str, seconds: float) -> bool:
        """Wait for its end, for so long; whether it came."""
        return await self._comes(lambda: not self.alive(name), seconds)

    async def returns(self, name: str, seconds: float = PATIENCE_SECONDS) -> bool:
        """Wait for the keeper to start it again, for so long; whether he did."""
        return await self._comes(lambda: self.alive(name), seconds)

    async def _comes(self, condition: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    async def scale(self, service: str, count: int) -> None:
        """Run so many: the last ones are stopped, or the first that are missing started and ready."""
        running = [each for each in self._of(service) if each.is_wanted]
        await asyncio.gather(*(each.stop() for each in running[count:]))
        started = [await self.spawn(service, self._unwanted(service)) for _ in range(count - len(running))]
        await asyncio.gather(*(self.ready(name) for name in started))

    def _of(self, service: str) -> list[Instance]:
        return [each for each in self._instances.values() if each.service == service]

    def _a_name(self, service: str) -> str:
        taken = self.names(service)
        return next(name for number in range(1, 100) if (name := f"{service}-{number}") not in taken)

    def _unwanted(self, service: str) -> str | None:
        """The first instance that was stopped."""
        return next((each.name for each in self._of(service) if not each.is_wanted), None)

    def _port_of(self, name: str, service: str) -> int:
        """The first instance listens where the others look for it."""
        known = self._instances.get(name)
        if known is not None:
            return known.port
        return self.ports[service] if name == f"{service}-1" else free_ports(1)[0]
