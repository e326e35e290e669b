"""Bounds for each address and each key: what is one too many is told when to come again."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import Depends, FastAPI
from structlog.testing import capture_logs

from newsroom.http.app import create_app
from newsroom.http.auth import requires
from newsroom.http.health import Health
from newsroom.http.limits import Places, Rate, client_of, counted_as
from newsroom.keys import Role
from newsroom.settings import CommonSettings
from newsroom.times import now
from tests.ingest_parts import a_key

GOOD = {"Authorization": "Bearer nrk_good"}
BAD = {"Authorization": "Bearer nrk_canary"}
FAILED_LOGINS = 3
KEY_REQUESTS = 5


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_so_many_a_minute_and_then_one_by_one() -> None:
    clock = Clock()
    rate = Rate(60, clock)
    assert [rate.wait_seconds("a") for _ in range(60)] == [0.0] * 60
    assert rate.wait_seconds("a") == pytest.approx(1.0)
    assert rate.wait_seconds("b") == 0.0
    clock.now += 0.5
    assert rate.wait_seconds("a") == pytest.approx(0.5)
    clock.now += 0.6
    assert rate.wait_seconds("a") == 0.0
    assert rate.wait_seconds("a") > 0.0


def test_what_was_refused_makes_nobody_wait_longer() -> None:
    clock = Clock()
    rate = Rate(1, clock)
    assert rate.wait_seconds("a") == 0.0
    for _ in range(1_000):
        assert rate.wait_seconds("a") > 0.0
    clock.now += 60
    assert rate.wait_seconds("a") == 0.0


def test_a_rate_remembers_no_more_names_than_its_bound() -> None:
    """Somebody with very many addresses fills no memory; those who were quiet for longest are forgotten."""
    rate = Rate(1, Clock())
    for number in range(30_000):
        rate.wait_seconds(str(number))
    assert len(rate._free_at) <= 10_000
    assert rate.wait_seconds("29999") > 0.0


def test_places_are_counted_by_name() -> None:
    places = Places(2)
    assert [places.take("a"), places.take("a"), places.take("a"), places.take("b")] == [
        True,
        True,
        False,
        True,
    ]
    places.leave("a")
    assert places.take("a")


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("x" * 500, "x" * 80),
    ],
)
def test_an_address_is_counted_with_those_that_its_owner_has_too(host: str, name: str) -> None:
    assert counted_as(host) == name


def test_who_has_no_address_is_counted_too() -> None:
    assert client_of({"type": "http", "client": None}) == "unknown"


def an_app(trusted_proxies: str | None = None) -> FastAPI:
    app = create_app(
        title="Test",
        description="",
        version="1",
        health=Health("test"),
        settings=CommonSettings(
            failed_logins_per_minute=FAILED_LOGINS,
            key_requests_per_minute=KEY_REQUESTS,
            trusted_proxies=trusted_proxies,
        ),
    )

    @app.get("/desk", dependencies=[Depends(requires(Role.EDITOR))])
    async def desk() -> str:
        return "in"

    app.state.keys.put(a_key("good", Role.EDITOR, "nrk_good"))
    app.state.keys.put(a_key("low", Role.READER, "nrk_low"))
    app.state.keys.put(a_key("revoked", Role.EDITOR, "nrk_revoked", revoked_at=now()))
    app.state.keys.put(a_key("expired", Role.EDITOR, "nrk_expired", expires_at=now()))
    return app


def client(app: FastAPI, address: str = "192.0.2.1") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://test")


@pytest.fixture
async def caller() -> AsyncIterator[httpx.AsyncClient]:
    async with client(an_app()) as caller:
        yield caller


async def failures(caller: httpx.AsyncClient, count: int) -> list[int]:
    return [(await caller.get("/desk", headers=BAD)).status_code for _ in range(count)]


async def test_bad_keys_from_one_address_are_told_to_wait(caller: httpx.AsyncClient) -> None:
    assert await failures(caller, FAILED_LOGINS) == [401] * FAILED_LOGINS
    response = await caller.get("/desk", headers=BAD)
    assert (response.status_code, response.json()["type"]) == (429, "/problems/too-many-requests")
    assert 1 <= int(response.headers["retry-after"]) <= 60


async def test_a_good_key_opens_whatever_else_came_from_its_address(caller: httpx.AsyncClient) -> None:
    await failures(caller, 2 * FAILED_LOGINS)
    assert (await caller.get("/desk", headers=GOOD)).status_code == 200


async def test_another_address_is_judged_by_its_own_failures() -> None:
    app = an_app()
    async with client(app) as one, client(app, "192.0.2.2") as other:
        await failures(one, 2 * FAILED_LOGINS)
        assert await failures(other, 1) == [401]


async def test_no_key_at_all_is_no_failed_login(caller: httpx.AsyncClient) -> None:
    assert {(await caller.get("/desk")).status_code for _ in range(5 * FAILED_LOGINS)} == {401}


async def test_a_key_has_so_many_requests_a_minute(caller: httpx.AsyncClient) -> None:
    told = [await caller.get("/desk", headers=GOOD) for _ in range(KEY_REQUESTS + 1)]
    assert [response.status_code for response in told] == [200] * KEY_REQUESTS + [429]
    assert told[-1].json()["type"] == "/problems/too-many-requests"
    assert 1 <= int(told[-1].headers["retry-after"]) <= 60


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ("Bearer nrk_canary", "unknown"),
        ("Bearer nrk_revoked", "revoked"),
        ("Bearer nrk_expired", "expired"),
        ("Basic bnJrX2NhbmFyeQ==", "malformed"),
        ("Bearer", "malformed"),
    ],
)
async def test_a_failed_login_is_logged_with_its_reason_and_never_with_its_key(
    caller: httpx.AsyncClient, sent: str, reason: str
) -> None:
    with capture_logs() as lines:
        assert (await caller.get("/desk", headers={"Authorization": sent})).status_code == 401
    (line,) = [line for line in lines if line["event"] == "login_refused"]
    assert (line["address"], line["reason"], line["log_level"]) == ("192.0.2.1", reason, "warning")
    assert not [line for line in lines if sent.partition(" ")[2] and sent.partition(" ")[2] in str(line)]


async def test_what_is_one_too_many_is_not_logged_as_a_failed_login(
    caller: httpx.AsyncClient,
) -> None:
    with capture_logs() as lines:
        await failures(caller, 5 * FAILED_LOGINS)
    assert len([line for line in lines if line["event"] == "login_refused"]) == FAILED_LOGINS


async def test_a_role_that_is_not_enough_is_logged(caller: httpx.AsyncClient) -> None:
    with capture_logs() as lines:
        response = await caller.get("/desk", headers={"Authorization": "Bearer nrk_low"})
    assert response.status_code == 403
    (line,) = [line for line in lines if line["event"] == "access_refused"]
    assert (line["key"], line["role"], line["needed"]) == ("low", "reader", "editor")


async def test_refusals_are_counted(caller: httpx.AsyncClient) -> None:
    await failures(caller, FAILED_LOGINS + 1)
    told = (await caller.get("/metrics")).text
    assert 'newsroom_logins_refused_total{reason="unknown"}' in told
    assert 'newsroom_requests_limited_total{limit="failed_logins"}' in told


PROXY = "10.1.2.3"
BEHIND = {**BAD, "X-Forwarded-For": "198.51.100.9"}


async def test_behind_a_trusted_proxy_the_address_is_the_one_that_it_tells() -> None:
    app = an_app(trusted_proxies="10.0.0.0/8, 192.168.1.1")
    async with client(app, PROXY) as proxy:
        for _ in range(FAILED_LOGINS):
            assert (await proxy.get("/desk", headers=BEHIND)).status_code == 401
        assert (await proxy.get("/desk", headers=BEHIND)).status_code == 429
        elsewhere = {**BAD, "X-Forwarded-For": "198.51.100.10"}
        assert (await proxy.get("/desk", headers=elsewhere)).status_code == 401


@pytest.mark.parametrize("caller", ["198.51.100.9", "192.168.1.5"])
async def test_what_a_caller_claims_before_the_proxy_is_not_believed(caller: str) -> None:
    """Nor one in a private network that is not the proxies' own."""
    app = an_app(trusted_proxies="10.0.0.0/8")
    async with client(app, PROXY) as proxy:
        told = [
            await proxy.get("/desk", headers={**BAD, "X-Forwarded-For": f"192.0.2.{number}, {caller}"})
            for number in range(FAILED_LOGINS + 1)
        ]
    assert [response.status_code for response in told] == [401] * FAILED_LOGINS + [429]


@pytest.mark.parametrize("trusted", [None, "10.0.0.0/8"])
async def test_nobody_else_is_believed(trusted: str | None) -> None:
    app = an_app(trusted)
    async with client(app) as caller:
        told = [
            await caller.get("/desk", headers={**BAD, "X-Forwarded-For": f"198.51.100.{number}"})
            for number in range(FAILED_LOGINS + 1)
        ]
    assert told[-1].status_code == 429


@pytest.mark.parametrize("trusted", ["*", "10.0.0.1/8", "proxy.example", "10.0.0.0/8,,"])
def test_a_list_of_proxies_that_cannot_be_read_is_refused(trusted: str) -> None:
    with pytest.raises(ValueError, match="write addresses or networks"):
        CommonSettings(trusted_proxies=trusted)
