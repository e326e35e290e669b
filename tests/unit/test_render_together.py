"""Questions that are answered together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from services.render.together import Together


class Oracle:
    """Answers with the number's double, once it may."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.may_answer = asyncio.Event()

    async def answer(self, numbers: Sequence[int]) -> list[int]:
        self.asked.append(list(numbers))
        await self.may_answer.wait()
        if 13 in numbers:
            raise LookupError("thirteen")
        return [2 * number for number in numbers]


async def test_whoever_asks_alone_is_answered_alone() -> None:
    oracle = Oracle()
    oracle.may_answer.set()
    together = Together(oracle.answer)
    assert [await together(1), await together(2)] == [2, 4]
    assert oracle.asked == [[1], [2]]


async def test_what_is_asked_meanwhile_is_asked_at_once_and_never_joins_what_is_under_way() -> None:
    """Each gets the answer to his own question, in groups of so many at most."""
    oracle = Oracle()
    together = Together(oracle.answer, most=3)
    first = asyncio.create_task(together(1))
    await asyncio.sleep(0.01)
    rest = [asyncio.create_task(together(number)) for number in (2, 3, 4, 5)]
    await asyncio.sleep(0.01)
    assert oracle.asked == [[1]]
    oracle.may_answer.set()
    assert await asyncio.gather(first, *rest) == [2, 4, 6, 8, 10]
    assert oracle.asked == [[1], [2, 3, 4], [5]]


async def test_who_asks_with_one_that_fails_fails_and_the_next_do_not() -> None:
    oracle = Oracle()
    together = Together(oracle.answer, most=2)
    tasks = [asyncio.create_task(together(number)) for number in (1, 13, 2)]
    await asyncio.sleep(0.01)
    oracle.may_answer.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(answer) for answer in answers] == [LookupError, LookupError, int]
    with pytest.raises(LookupError, match="thirteen"):
        await together(13)


async def test_who_goes_away_takes_nobody_along() -> None:
    oracle = Oracle()
    together = Together(oracle.answer)
    gone, stays = asyncio.create_task(together(1)), asyncio.create_task(together(2))
    await asyncio.sleep(0.01)
    gone.cancel()
    oracle.may_answer.set()
    assert await stays == 4


async def test_who_asks_the_moment_that_another_is_answered_is_answered() -> None:
    oracle = Oracle()
    oracle.may_answer.set()
    together = Together(oracle.answer)
    first, asked = together.ask(1), list[asyncio.Future[int]]()
    first.add_done_callback(lambda _: asked.append(together.ask(2)))
    await first
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        assert [await answer for answer in asked] == [4]


async def test_an_answer_that_is_an_error_is_raised_to_who_asked_for_it() -> None:
    """And to nobody else."""

    async def halves(numbers: Sequence[int]) -> list[int | Exception]:
        return [number // 2 if number % 2 == 0 else ArithmeticError(number) for number in numbers]

    together = Together(halves)
    assert await asyncio.gather(*map(together, (2, 4))) == [1, 2]
    found = await asyncio.gather(*map(together, (2, 3, 4)), return_exceptions=True)
    assert [type(each) for each in found] == [int, ArithmeticError, int]


async def test_so_many_answers_are_under_way_at_once() -> None:
    oracle = Oracle()
    together = Together(oracle.answer, most=2, at_once=2)
    tasks = [asyncio.create_task(together(number)) for number in range(1, 6)]
    await asyncio.sleep(0.01)
    assert oracle.asked == [[1, 2], [3, 4]]
    oracle.may_answer.set()
    assert await asyncio.gather(*tasks) == [2, 4, 6, 8, 10]
    assert oracle.asked[2:] == [[5]]
