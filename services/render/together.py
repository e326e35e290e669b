"""Questions asked at the same time, answered by one: under load a batch of articles costs a round trip to the
database, or a thread, not each of them.

Whoever asks while nobody else does is answered at once, as if by himself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Together(Generic[Q, A]):
    """Gathers what is asked while answers are under way, and asks for all of it next.

    `answer` gets the questions in the order in which they were asked, `most` at a time, and answers each in
    its place: with an exception, which that one gets raised. What it raises itself, everyone gets who asked
    with it. So many answers may be under way `at_once`; nobody joins one that is.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Q]], Awaitable[Sequence[A | Exception]]],
        *,
        most: int = 200,
        at_once: int = 1,
    ) -> None:
        self._answer = answer
        self._most, self._at_once = most, at_once
        self._asked: deque[tuple[Q, asyncio.Future[A]]] = deque()
        self._answering = 0
        self._tasks = set[asyncio.Task[None]]()

    async def __call__(self, question: Q) -> A:
        """The answer to this one. Raises: whatever `answer` raises, or answers."""
        return await self.ask(question)

    def ask(self, question: Q) -> asyncio.Future[A]:
        """The same for who may have to leave before it is answered."""
        answered: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._asked.append((question, answered))
        if self._answering < self._at_once:
            self._answering += 1
            task = asyncio.create_task(self._answer_all())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return answered

    async def _answer_all(self) -> None:
        try:
            await self._answer_groups()
        finally:
            self._answering -= 1

    async def _answer_groups(self) -> None:
        while self._asked:
            group = [self._asked.popleft() for _ in range(min(self._most, len(self._asked)))]
            try:
                answers = await self._answer([question for question, _ in group])
            except Exception as error:  # noqa: BLE001  (whoever asked gets it)
                answers = [error] * len(group)
            for (_, answered), answer in zip(group, answers, strict=True):
                _settle(answered, answer)


def _settle(answered: asyncio.Future[A], answer: A | Exception) -> None:
    if answered.done():  # who asked has left
        return
    if isinstance(answer, Exception):
        answered.set_exception(answer)
    else:
        answered.set_result(answer)
