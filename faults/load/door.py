"""The way of an editor's request to any instance of the door, and of each answer into the history."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Protocol

import httpx

from faults.history import Ended, History, Invoked
from faults.load.answers import Answer, no_answer, read_answer
from faults.load.stories import Act

_CONNECT_SECONDS = 2.0
_ANSWER_SECONDS = 4.0
KEPT = httpx.Limits(max_connections=100, keepalive_expiry=2)
"""Connections are kept for less time than the newsroom keeps them."""


class Spread(Protocol):
    """Where the instances of a service are. The arena is one."""

    def urls(self, service: str) -> list[str]: ...


@dataclass
class Order:
    """An act on its way: every attempt of it is the same request. `name` is its Idempotency-Key."""

    act: Act
    name: str
    wait_seconds: int
    gives_up: bool
    attempts: int = 0

    def headers(self) -> dict[str, str]:
        told = {"Idempotency-Key": self.name, "Content-Type": "application/json"}
        if self.wait_seconds:
            told["Prefer"] = f"wait={self.wait_seconds}"
        if self.act.if_match is not None:
            told["If-Match"] = f'"{self.act.if_match}"'
        return told


class Door:
    """The newsroom's door, any instance of it: requests go in, the history is told."""

    def __init__(self, spread: Spread, history: History, client: httpx.AsyncClient) -> None:
        self.history = history
        self._spread, self._client = spread, client

    async def attempt(self, editor: str, order: Order, dice: Random) -> Answer:
        """Send it once."""
        order.attempts += 1
        number, act = order.attempts, order.act
        self.history.add(
            Invoked(
                operation=order.name,
                attempt=number,
                editor=editor,
                kind=act.kind,
                article_id=act.article_id,
                token=act.token,
                at=self.history.now(),
                withheld=act.withheld,
                due_at=act.due_at,
                if_match=act.if_match,
            )
        )
        answer = no_answer("the run ended", was_sent=True)
        try:
            answer = await self._send(order, dice)
        finally:
            self.history.add(_ended(order.name, number, answer, self.history.now()))
        return answer

    async def _send(self, order: Order, dice: Random) -> Answer:
        url = dice.choice(self._spread.urls("ingest")) + order.act.path
        timeout = httpx.Timeout(_ANSWER_SECONDS + order.wait_seconds, connect=_CONNECT_SECONDS)
        try:
            response = await self._client.request(
                order.act.method, url, content=order.act.content, headers=order.headers(), timeout=timeout
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return no_answer(type(error).__name__, was_sent=False)
        except httpx.TransportError as error:
            return no_answer(type(error).__name__, was_sent=True)
        return read_answer(response.status_code, response.content)


def _ended(operation: str, attempt: int, answer: Answer, at: float) -> Ended:
    return Ended(
        operation=operation,
        attempt=attempt,
        result=answer.result,
        at=at,
        status=answer.status,
        event_id=answer.event_id,
        state=answer.state,
        revision=answer.revision,
        url=answer.url,
        reason=answer.reason,
    )
