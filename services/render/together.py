"""Questions asked at the same time, answered by one: under load a batch of articles costs a round trip to the
database, not each of them.

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
    """Gathers what is asked while an answer is under way, and asks for all of it next.

    `answer` gets the questions in the order in which they were asked, `most` at a time, and answers each in
    its place. What it raises, everyone gets who asked with it.
    """

    def __init__(self, answer: Callable[[Sequence[Q]], Awaitable[Sequence[A]]], most: int = 200) -> None:
        self._answer = answer
        self._most = most
        self._asked: deque[tuple[Q, asyncio.Future[A]]] = deque()
        self._answering: asyncio.Task[None] | None = None

    async def __call__(self, question: Q) -> A:
        """The answer to this one. Raises: whatever `answer` raises."""
        answered: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._asked.append((question, answered))
        if self._answering is None:
            self._answering = asyncio.create_task(self._answer_all())
        return await answered

    async def _answer_all(self) -> None:
        try:
            while self._asked:
                await self._answer_some()
        finally:
            self._answering = None

    async def _answer_some(self) -> None:
        group = [self._asked.popleft() for _ in range(min(self._most, len(self._asked)))]
        try:
            answers = await self._answer([question for question, _ in group])
        except Exception as error:  # noqa: BLE001  (whoever asked gets it)
            for _, answered in group:
                if not answered.done():
                    answered.set_exception(error)
            return
        for (_, answered), answer in zip(group, answers, strict=True):
            if not answered.done():
                answered.set_result(answer)
