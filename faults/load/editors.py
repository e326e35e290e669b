"""Editors at work: several at once write, change and take down articles, and tell the history what came of
it.

An editor goes on with an article only when the last event of it was answered for certain: what is unknown is
sent again with the same key, as a good client does, until it is answered, but for a tenth that give up and
leave the article alone for good. A few events are sent again although they were answered, at once or much
later.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Coroutine
from random import Random
from typing import Protocol

import httpx

from faults.history import History
from faults.load.answers import Answer
from faults.load.door import KEPT, Door, Order, Spread
from faults.load.moves import Moves
from faults.load.stories import Act, Clock, DueField, Stage, Story
from faults.load.words import Fields, Words

EVENTS_A_SECOND = 9.0
"""Of all editors together, while they are answered at once."""
_SHARED = "shared-story"
_MORE: tuple[Fields, ...] = (
    {},
    {"language": "ru", "translation_of": _SHARED},
    {"published_at": "2024-02-29T10:00:00Z"},
)
_MORE_ODDS = (8, 1, 1)
_HANDS = 6
_STORIES = 6
_BURST = 4
_REMEMBERED = 30
_FIRST_REST, _MOST_REST = 0.2, 2.0
_GIVES_UP = 0.1
_NEW = 0.2
_LOOKS_BACK = 0.5
_REPEATS = 0.08
_TWICE = 0.04


class Locked(Spread, Protocol):
    """A newsroom with a key that opens its door."""

    @property
    def key(self) -> str: ...


class Editors:
    """All of them. `run` for some seconds, then `finish`."""

    def __init__(
        self,
        arena: Locked,
        history: History,
        dice: Random,
        count: int = 3,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`transport` None: the network."""
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {arena.key}"},
            trust_env=False,
            limits=KEPT,
            transport=transport,
        )
        door = Door(arena, history, self._client)
        self._editors = [
            Editor(f"editor-{number}", number, door, Random(dice.random())) for number in range(1, count + 1)
        ]
        self._pace = count * (1 + _BURST) / 2 / EVENTS_A_SECOND

    async def run(self, seconds: float) -> None:
        """Work so long; returns with what is on its way still on its way."""
        async with asyncio.TaskGroup() as group:
            for editor in self._editors:
                group.create_task(editor.run(seconds, self._pace))

    def stop(self) -> None:
        """Begin nothing more: `run` returns soon."""
        for editor in self._editors:
            editor.stop()

    async def finish(self, seconds: float = 60.0) -> None:
        """Have everything answered that is not given up; what is not by then stays unknown."""
        self.stop()
        await asyncio.gather(*(editor.finish(seconds) for editor in self._editors))
        await self._client.aclose()


class Editor:
    """One editor with a desk of articles; has several hands, but never two on the same article."""

    def __init__(self, name: str, number: int, door: Door, dice: Random) -> None:
        self.name, self._number, self._door, self._dice = name, number, door, dice
        self._moves = Moves(dice, Words(dice))
        shared = Story(_SHARED, 0, name, is_shared=True, is_live=True)
        shared.stage = Stage.NEW if number == 1 else Stage.PUBLIC
        self._free: list[Story] = [shared]
        self._made = self._sent = 0
        self._hands: set[asyncio.Task[None]] = set()
        self._done: deque[Order] = deque(maxlen=_REMEMBERED)
        self._errors: list[BaseException] = []
        self._is_over = False

    async def run(self, seconds: float, pace: float) -> None:
        """Begin something about every `pace` seconds, until the time is over or `stop`."""
        deadline = time.monotonic() + seconds
        self._begin(self._hold_back())
        while time.monotonic() < deadline and not self._is_over:
            await asyncio.sleep(self._dice.expovariate(1 / pace))
            if len(self._hands) < _HANDS and not self._is_over:
                is_again = bool(self._done) and self._dice.random() < _REPEATS
                self._begin(self._repeat() if is_again else self._work(self._take_up()))

    def stop(self) -> None:
        self._is_over = True

    async def finish(self, seconds: float) -> None:
        """Wait for what is on its way; what is not answered in time is let go. Raises what went wrong."""
        if self._hands:
            _, late = await asyncio.wait(self._hands, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._errors:
            raise self._errors[0]

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._hands.add(task)
        task.add_done_callback(self._put_down)

    def _put_down(self, task: asyncio.Task[None]) -> None:
        self._hands.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._errors.append(error)
            self.stop()

    def _take_up(self) -> Story:
        """An article that nobody's hand is on; now and then a new one. First of all the one for everybody."""
        if self._free and self._free[0].is_shared and self._free[0].stage is Stage.NEW:
            return self._free.pop(0)
        if not self._free or self._dice.random() < _NEW:
            return self._new()
        return self._free.pop(self._dice.randrange(len(self._free)))

    def _new(self) -> Story:
        self._made += 1
        return Story(
            article_id=f"{self.name}-{self._made}",
            number=self._number * 1000 + self._made,
            pen=self.name,
            has_slug=self._dice.random() < 0.75,
            is_live=self._dice.random() < 0.25,
            more=self._dice.choices(_MORE, _MORE_ODDS)[0],
        )

    def _put_back(self, story: Story) -> None:
        """The desk holds so many: the one that lay there longest leaves it. The article that all share never
        does; a retracted one is mostly done with.
        """
        if not story.is_over or self._dice.random() < _LOOKS_BACK:
            self._free.append(story)
        if len(self._free) > _STORIES:
            self._free.remove(next(each for each in self._free if not each.is_shared))

    async def _hold_back(self) -> None:
        """Send one text that nobody may read in this run, and leave it alone: so every run has what a leak
        would show, under embargo from one editor and under a schedule from the next.
        """
        clock = Clock(self._door.history.now(), time.time())
        field: DueField = "embargo_until" if self._number % 2 else "publish_at"
        await self._carry_out(self._order(self._moves.hold_back(self._new(), clock, field)))

    async def _work(self, story: Story) -> None:
        """A few events of one article, each sent as soon as the one before is answered."""
        for _ in range(self._dice.randint(1, _BURST)):
            clock = Clock(self._door.history.now(), time.time())
            order = self._order(self._moves.next(story, clock))
            answer = await self._carry_out(order)
            if answer.is_open and not story.is_shared:
                return  # given up: nobody knows how the article stands
            story.settle(order.act, answer)
            if answer.result == "ok":
                self._done.append(order)
            if self._is_over or story.is_over:
                break
        self._put_back(story)

    def _order(self, act: Act) -> Order:
        self._sent += 1
        is_taking_down = act.kind in ("withdrawn", "retracted")
        waits = self._dice.random() < (0.7 if is_taking_down else 0.3)
        return Order(
            act=act,
            name=f"{self.name}-op-{self._sent}",
            wait_seconds=self._dice.randint(2, 6) if waits else 0,
            gives_up=self._dice.random() < _GIVES_UP,
        )

    async def _carry_out(self, order: Order) -> Answer:
        """Send it until it is answered for certain, or given up."""
        rest = _FIRST_REST
        if self._dice.random() < _TWICE:
            answers = await asyncio.gather(self._attempt(order), self._attempt(order))
            answer = min(answers, key=lambda each: each.is_open)
        else:
            answer = await self._attempt(order)
        while answer.is_open and not order.gives_up:
            await asyncio.sleep(rest * self._dice.uniform(0.5, 1))
            rest = min(2 * rest, _MOST_REST)
            answer = await self._attempt(order)
        return answer

    async def _repeat(self) -> None:
        """Send again what was answered, whatever has happened to its article since."""
        await self._attempt(self._dice.choice(list(self._done)))

    async def _attempt(self, order: Order) -> Answer:
        return await self._door.attempt(self.name, order, self._dice)
