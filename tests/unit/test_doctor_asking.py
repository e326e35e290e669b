"""How the doctor asks a service, and what it reads in logs: on answers and lines that were made up."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx

from desk.asking import Reach, look_at
from desk.loglines import lately
from newsroom.telemetry import metrics
from tests.unit.seen_services import an_instance

NOW = datetime(2030, 1, 31, 12, 0, tzinfo=UTC)


def answering(request: httpx.Request) -> httpx.Response:
    """A service that is ready, waits for nothing, and whose clock is a minute ahead."""
    if request.url.path == "/metrics":
        numbers = {"newsroom_clock_seconds": 60, "process_start_time_seconds": -5}
        lines = (f"{name} {NOW.timestamp() + offset}\n" for name, offset in numbers.items())
        return httpx.Response(200, text="".join(lines))
    checks = {"kafka": True, "mongodb": request.url.path == "/health/live"}
    return httpx.Response(200, json={"status": "failing", "service": "store", "checks": checks})


def test_health_numbers_and_clock_are_read() -> None:
    [found] = look_at([an_instance()], httpx.MockTransport(answering), NOW.timestamp)
    assert found.reach is Reach.ANSWERS
    assert found.waits_for == ("mongodb",)
    assert found.stuck == ()
    assert found.ahead_seconds == 60
    assert found.age_seconds == 5


def test_the_numbers_of_a_real_process_can_be_read() -> None:
    def told(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/metrics":
            return httpx.Response(200, content=metrics.exposition())
        return httpx.Response(200, json={"checks": {}})

    [found] = look_at([an_instance()], httpx.MockTransport(told))
    assert found.numbers.total("newsroom_clock_seconds") is not None
    assert abs(found.ahead_seconds or 99) < 30


def test_nobody_who_listens_is_told_from_somebody_who_says_nothing() -> None:
    def refused(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("nothing came", request=request)

    assert look_at([an_instance()], httpx.MockTransport(refused))[0].reach is Reach.REFUSED
    assert look_at([an_instance()], httpx.MockTransport(silent))[0].reach is Reach.SILENT


def test_an_edge_without_an_instance_is_no_answer_of_the_service() -> None:
    def edge(request: httpx.Request) -> httpx.Response:
        return httpx.Response(503, json={"title": "Service Unavailable", "status": 503})

    assert look_at([an_instance()], httpx.MockTransport(edge))[0].reach is Reach.EMPTY


def test_a_service_that_has_no_place_for_us_is_full() -> None:
    def full(request: httpx.Request) -> httpx.Response:
        return httpx.Response(503, json={"type": "/problems/busy", "status": 503})

    assert look_at([an_instance()], httpx.MockTransport(full))[0].reach is Reach.FULL


def test_numbers_that_are_none_do_no_harm() -> None:
    def odd(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/metrics":
            return httpx.Response(200, text="<html>\n{{{")
        return httpx.Response(200, json={"checks": {"kafka": True}})

    [found] = look_at([an_instance()], httpx.MockTransport(odd))
    assert found.reach is Reach.ANSWERS
    assert found.ahead_seconds is None


def a_line(event: str, *, minutes_ago: float = 1, **more: object) -> str:
    """A line of a service's log."""
    time = (NOW - timedelta(minutes=minutes_ago)).isoformat()
    return json.dumps({"timestamp": time, "level": "info", "event": event, **more})


def test_starts_and_errors_of_late_are_found_in_a_log() -> None:
    stopped = {"type": "newsroom.kafka.consumer.TooManyDeadLetters", "message": "store stopped: mend it"}
    group = {"type": "builtins.ExceptionGroup", "message": "unhandled errors"}
    told = lately(
        [
            a_line("service_started", minutes_ago=60),
            a_line("service_started"),
            "no JSON at all",
            "[]",
            a_line("task_failed", level="error", exception=[group, stopped]),
            a_line("service_started"),
        ],
        NOW,
    )
    assert told.starts == 2
    assert told.last_error == "task_failed: TooManyDeadLetters: store stopped: mend it"


def test_a_calm_log_tells_nothing() -> None:
    told = lately([a_line("event_accepted"), a_line("not_drawn", level="error", minutes_ago=30)], NOW)
    assert (told.starts, told.last_error) == (0, "")
