"""Many runs, a few at a time: none is done twice, and each is told as soon as it is over."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from faults.runs.run import Ledger, Run
from faults.runs.schedule import Job, remaining_seconds


@dataclass(frozen=True)
class Progress:
    """How far the whole is, and how many seconds it will still take, as far as one can say."""

    done: int
    of: int
    remaining_seconds: float


@dataclass
class Whole:
    """All runs of a call of `make faults`. `run` does one, in one of as many places as there are runs at a
    time; `told` hears of each that is over, and how far the whole is.
    """

    jobs: Sequence[Job]
    ledger: Ledger
    code: str
    run: Callable[[Job, int], Awaitable[Run]]
    told: Callable[[Run, Progress], None]
    is_fresh: bool = False
    done: list[Run] = field(default_factory=list)
    _took: list[float] = field(default_factory=list)

    async def go(self, at_once: int) -> list[Run]:
        """Run what is not in the ledger. Returns all, in the order in which they ended; also those of
        before.
        """
        waiting = []
        for job in self.jobs:
            former = None if self.is_fresh else self.ledger.find(job.fault, job.seed, self.code)
            if former:
                self.done.append(former)
            else:
                waiting.append(job)
        queue = iter(waiting)
        async with asyncio.TaskGroup() as group:
            for place in range(min(at_once, len(waiting))):
                group.create_task(self._work(queue, place, at_once))
        return self.done

    async def _work(self, queue: Iterator[Job], place: int, at_once: int) -> None:
        for job in queue:
            begun = time.monotonic()
            found = await self.run(job, place)
            self._took.append(time.monotonic() - begun)
            run = dataclasses.replace(found, code=self.code, seconds=self._took[-1])
            self.ledger.add(run)
            self.done.append(run)
            left = len(self.jobs) - len(self.done)
            self.told(
                run, Progress(len(self.done), len(self.jobs), remaining_seconds(self._took, left, at_once))
            )
