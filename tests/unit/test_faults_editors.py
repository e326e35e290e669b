"""The editors of the experiment, at a door that answers as it likes."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from random import Random

import httpx
import pytest

from faults.history import Ended, History, Invoked
from faults.load.door import Door
from faults.load.editors import Editor, Editors
from faults.load.moves import FAR_SECONDS
from tests.load_parts import SeveralInstances, until

Handler = Callable[[httpx.Request], Awaitable[httpx.Response]]
PACE = 0.004
EVENT = "evt_" + "a2" * 13


class Desk:
    """An editor, the door, and every request that came to it."""

    def __init__(self, handler: Handler, seed: int = 1, number: int = 1) -> None:
        self.requests: list[httpx.Request] = []
        self._handler = handler
        self.history = History()
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        self.editor = Editor(
            f"editor-{number}", number, Door(SeveralInstances(), self.history, client), Random(seed)
        )

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return await self._handler(request)

    async def works(self, seconds: float = 0.5, patience: float = 30.0) -> None:
        await self.editor.run(seconds, PACE)
        await self.editor.finish(patience)

    def attempts(self) -> dict[str, list[Ended]]:
        """How each operation's attempts ended, in their order."""
        found: dict[str, list[Ended]] = defaultdict(list)
        for ended in self.history.of(Ended):
            found[ended.operation].append(ended)
        return found


def a_receipt(status: int = 202) -> httpx.Response:
    return httpx.Response(status, json={"event_id": EVENT, "article_id": "a"})


async def takes_all(_: httpx.Request) -> httpx.Response:
    return a_receipt()


def loses_the_first_answer() -> Handler:
    """Of each event."""
    known: set[str] = set()

    async def handler(request: httpx.Request) -> httpx.Response:
        name = request.headers["idempotency-key"]
        if name not in known:
            known.add(name)
            raise httpx.ReadTimeout("", request=request)
        return a_receipt()

    return handler


async def test_each_attempt_is_told_before_it_is_sent_and_when_it_ended() -> None:
    desk = Desk(takes_all)
    await desk.works()

    invoked = {(each.operation, each.attempt): each for each in desk.history.of(Invoked)}
    ended = {(each.operation, each.attempt): each for each in desk.history.of(Ended)}
    assert len(desk.requests) == len(invoked) > 10
    assert set(invoked) == set(ended)
    assert all(invoked[name].at <= each.at for name, each in ended.items())
    assert {(each.result, each.state) for each in ended.values()} == {("ok", "accepted")}


async def test_a_request_says_what_the_history_says_of_it() -> None:
    desk = Desk(takes_all)
    await desk.works()

    sent = {request.headers["idempotency-key"]: request for request in desk.requests}
    for invoked in desk.history.of(Invoked):
        request = sent[invoked.operation]
        assert invoked.token in request.content.decode()
        if_match = request.headers.get("if-match")
        assert if_match == (None if invoked.if_match is None else f'"{invoked.if_match}"')
        assert (
            invoked.article_id in request.url.path or json.loads(request.content)["id"] == invoked.article_id
        )


async def test_what_is_unknown_is_sent_again_alike_until_it_is_answered_but_for_some_who_give_up() -> None:
    desk = Desk(loses_the_first_answer())
    await desk.works()

    sent = defaultdict(set)
    for request in desk.requests:
        sent[request.headers["idempotency-key"]].add((request.method, request.url.path, request.content))
    assert all(len(each) == 1 for each in sent.values())
    results = [[ended.result for ended in attempts] for attempts in desk.attempts().values()]
    answered = [each for each in results if each[-1] == "ok"]
    assert all(each[0] == "unknown" for each in results)
    assert 0 < len(results) - len(answered) < len(answered)


@pytest.mark.parametrize(("number", "withheld"), [(1, "embargoed"), (2, "scheduled")])
async def test_every_run_has_a_text_of_each_editor_that_nobody_may_read(number: int, withheld: str) -> None:
    desk = Desk(takes_all, number=number)
    await desk.works()

    first = next(desk.history.of(Invoked))
    assert first.withheld == withheld
    assert first.due_at is not None
    assert first.due_at > FAR_SECONDS - 1
    sent = {each.operation for each in desk.history.of(Invoked) if each.article_id == first.article_id}
    assert sent == {first.operation}


async def test_no_connection_is_told_as_a_failure_and_tried_again() -> None:
    refused: list[str] = []

    async def refuses_first(request: httpx.Request) -> httpx.Response:
        if len(refused) < 3:
            refused.append(request.url.host)
            raise httpx.ConnectError("", request=request)
        return a_receipt()

    desk = Desk(refuses_first)
    await desk.works()

    failed = [each for each in desk.history.of(Ended) if each.result == "fail"]
    assert [(each.status, each.reason) for each in failed] == [(None, "ConnectError")] * 3


async def test_an_article_is_gone_on_with_only_when_its_last_event_was_answered() -> None:
    desk = Desk(loses_the_first_answer())
    await desk.works(1.0)

    last: dict[str, str] = {}
    answered: set[str] = set()
    for entry in desk.history.entries:
        if isinstance(entry, Ended) and entry.result == "ok":
            answered.add(entry.operation)
        elif isinstance(entry, Invoked) and entry.attempt == 1:
            former = last.get(entry.article_id)
            assert former is None or former in answered or entry.article_id == "shared-story"
            last[entry.article_id] = entry.operation
    assert len(last) > 3


async def test_some_events_are_sent_again_although_they_were_answered() -> None:
    desk = Desk(takes_all)
    await desk.works(1.0)

    again = [attempts for attempts in desk.attempts().values() if len(attempts) > 1]
    assert 0 < len(again) < len(desk.attempts()) / 2


async def test_a_door_that_does_not_answer_has_a_bounded_number_of_hands_on_it() -> None:
    busy: list[int] = []
    at_once = 0

    async def never_answers(_: httpx.Request) -> httpx.Response:
        nonlocal at_once
        at_once += 1
        busy.append(at_once)
        try:
            await asyncio.Event().wait()
        finally:
            at_once -= 1
        raise AssertionError

    desk = Desk(never_answers)
    await desk.works(0.3, patience=0.1)

    assert 0 < max(busy) <= 12, "six hands, each of which may send the same twice"
    assert {each.result for each in desk.history.of(Ended)} == {"unknown"}
    assert len(list(desk.history.of(Ended))) == len(list(desk.history.of(Invoked)))


async def test_what_goes_wrong_in_an_editor_is_no_finding_but_an_error() -> None:
    async def breaks(_: httpx.Request) -> httpx.Response:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Desk(breaks).works()


async def test_several_editors_share_one_article_and_go_to_every_instance() -> None:
    history = History()
    hosts: set[str] = set()

    async def answer(request: httpx.Request) -> httpx.Response:
        hosts.add(request.url.host)
        return a_receipt()

    editors = Editors(SeveralInstances(), history, Random(1), transport=httpx.MockTransport(answer))
    working = asyncio.create_task(editors.run(60))

    def writers() -> set[str]:
        return {each.editor for each in history.of(Invoked) if each.article_id == "shared-story"}

    await until(lambda: len(writers()) == 3 and len(hosts) == 2, "three editors at one article")
    editors.stop()
    await working
    await editors.finish(5)

    shared = {each.kind for each in history.of(Invoked) if each.article_id == "shared-story"}
    assert "published" in shared
    assert not shared & {"withdrawn", "retracted", "drafted"}
