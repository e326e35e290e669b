"""One run: a newsroom of its own, editors and readers at work, one fault, calm, and the checker's verdict.

What is found does not depend on what the newsroom says of itself more than a history does: the checker gets
what was seen, and what lies on the log, in the files and behind the APIs when all is calm.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import httpx
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]

from faults.checks.checker import check
from faults.checks.eyes import unseen
from faults.evidence.gathering import gather
from faults.evidence.sampling import Sampler
from faults.fault import Fault
from faults.history import Calm, Ended, Evidence, History, Injected, Invoked, Read, Sampled, Told, Violation
from faults.load.editors import Editors
from faults.load.readers import Readers
from faults.load.stories import NEAR_SECONDS
from faults.runs.run import Run
from faults.stage.arena import Arena, lacking

CALM_SECONDS = 60.0
"""What is promised."""
LOAD_SECONDS = 600.0
"""At most; it ends with the fault."""
DUE_SECONDS = NEAR_SECONDS[1] + 1.0
"""So long after the last answer to an editor nothing is left to fall due in this run."""
HISTORY = "history.jsonl"
_RESTLESS_SECONDS = 180.0


@dataclass(frozen=True)
class Course:
    """How a run goes: seconds of load before the fault and behind it; how long calm may take after it;
    `is_thorough`: with a rebuild and a replay of the log at its end.
    """

    before_seconds: float = 4.0
    after_seconds: float = 3.0
    calm_seconds: float = CALM_SECONDS
    is_thorough: bool = True


class Blind(Exception):
    """The experiment itself failed: its zeros would mean nothing."""


async def run_once(
    fault: Fault, seed: int, folder: Path, jars: Path, course: Course, say: Callable[[str], None]
) -> Run:
    """Raises: PartFailed, Misconfigured, TimeoutError and whatever breaks the experiment itself."""
    missing = lacking(fault.plan)
    if missing:
        return Run(fault.name, seed, lacking=missing)
    history = History(folder / HISTORY)
    try:
        async with Arena(fault.plan, folder / "newsroom", jars, say) as arena:
            say(f"{fault.name} from seed {seed}: the newsroom stands")
            experiment = _Experiment(arena, history, fault, seed, course, say)
            violations = await experiment.run()
            return Run(
                fault.name,
                seed,
                violations,
                next((calm.seconds for calm in history.of(Calm)), None),
                counts(history),
                arena.restarts,
                tuple(sorted(arena.died_at)),
            )
    finally:
        history.close()


def counts(history: History) -> dict[str, int]:
    """What was done and seen."""
    found = Counter(type(entry) for entry in history.entries)
    return {
        "operations": len({invoked.operation for invoked in history.of(Invoked)}),
        "attempts": found[Invoked],
        "reads": found[Read],
        "notices": sum(told.what == "notice" for told in history.of(Told)),
        "samples": found[Sampled],
    }


class _Experiment:
    def __init__(
        self,
        arena: Arena,
        history: History,
        fault: Fault,
        seed: int,
        course: Course,
        say: Callable[[str], None],
    ) -> None:
        self._arena, self._history, self._fault, self._course = arena, history, fault, course
        self._say = say
        self._dice = Random(f"{seed}/{fault.name}")
        self._editors = Editors(arena, history, Random(f"{seed}/editors"))
        self._readers = Readers(arena, history, Random(f"{seed}/readers"))

    async def run(self) -> tuple[Violation, ...]:
        """What is wrong."""
        late = ""
        async with _beside(Sampler(self._arena.bootstrap, self._history).run()):
            self._readers.start()
            try:
                await self._under_load()
                await self._become_calm()
                await self._readers.last_look()
            except TimeoutError as error:
                late = f"not calm {self._course.calm_seconds:.0f} s after the fault: {error}"
            finally:
                await self._readers.stop()
        if late:
            return (Violation(7, late), *await self._judged_restless())
        return await self._judged()

    async def _judged(self) -> tuple[Violation, ...]:
        self._say("taking the evidence")
        evidence = await gather(self._arena, self._history, is_thorough=self._course.is_thorough)
        self._say("judging")
        if missing := list(unseen(self._history, evidence)):
            raise Blind(f"the run saw too little to tell anything: {'; '.join(missing)}")
        return self._checked(evidence)

    async def _judged_restless(self) -> tuple[Violation, ...]:
        """What else is wrong where it never became calm: only what holds at every moment is asked, for what
        is on its way is not lost. What keeps it from calm may keep the evidence from us as well.
        """
        self._say("taking what evidence there is")
        try:
            async with asyncio.timeout(_RESTLESS_SECONDS):
                evidence = await gather(self._arena, self._history)
        except (OSError, KafkaError, httpx.HTTPError) as error:
            self._say(f"nothing else could be judged: {str(error) or type(error).__name__}")
            return ()
        return tuple(violation for violation in self._checked(evidence) if violation.check != 7)

    def _checked(self, evidence: Evidence) -> tuple[Violation, ...]:
        return check(
            self._history,
            evidence,
            is_clock_true=self._fault.is_clock_true,
            calm_seconds=self._course.calm_seconds,
        )

    async def _under_load(self) -> None:
        async with _beside(self._editors.run(LOAD_SECONDS)):
            await asyncio.sleep(self._course.before_seconds)
            await self._inject()
            await asyncio.sleep(self._course.after_seconds)

    async def _inject(self) -> None:
        self._told("begins")
        await self._fault.inject(self._arena, self._dice)
        self._told("ends")

    def _told(self, step: str) -> None:
        self._say(f"{self._fault.name} {step}")
        self._history.add(Injected(self._fault.name, step, self._history.now()))

    async def _become_calm(self) -> None:
        """By itself, and once more when everything has fallen due that was to. Raises: TimeoutError that says
        what is not calm.

        The time runs from the end of the fault, or from the last thing that an editor wanted if that came
        later; an answer that is long in coming is no calm.
        """
        patience = self._course.calm_seconds
        await self._editors.finish(patience)
        wanted = (invoked.at for invoked in self._history.of(Invoked) if invoked.attempt == 1)
        since = max(*(injected.at for injected in self._history.of(Injected)), *wanted)
        await self._arena.settled(max(1.0, patience - (self._history.now() - since)))
        seconds = self._history.now() - since
        self._say(f"calm after {seconds:.1f} s")
        answered = max((ended.at for ended in self._history.of(Ended)), default=0.0)
        await asyncio.sleep(max(0.0, answered + DUE_SECONDS - self._history.now()))
        await self._arena.settled(patience)
        self._history.add(Calm(self._history.now(), seconds))


@asynccontextmanager
async def _beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Goes on while the block does; what goes wrong with it ends the block."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        try:
            yield
        finally:
            task.cancel()
