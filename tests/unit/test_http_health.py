"""Health: alive for what a restart can mend, ready for what work needs; a check that fails is named."""

from __future__ import annotations

import asyncio
import time

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response

from newsroom.http import health as module
from newsroom.http.app import create_app
from newsroom.http.health import Health
from newsroom.settings import CommonSettings


async def ask(health: Health, kind: str) -> Response:
    app: FastAPI = create_app(
        title="Test", description="", version="1", health=health, settings=CommonSettings()
    )
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        return await client.get(f"/health/{kind}")


async def test_a_service_without_checks_is_well() -> None:
    for kind in ("live", "ready"):
        response = await ask(Health("test"), kind)
        assert response.status_code == 200
        assert response.json() == {"status": "ok", "service": "test", "checks": {}}


async def test_a_failing_check_is_named() -> None:
    health = Health("test")

    async def answers() -> bool:
        return True

    health.add_ready("kafka", answers)
    health.add_ready("keys", lambda: False)
    response = await ask(health, "ready")
    assert response.status_code == 503
    assert response.json() == {
        "status": "failing",
        "service": "test",
        "checks": {"kafka": True, "keys": False},
    }


async def test_a_dependency_that_is_away_does_not_make_the_process_dead() -> None:
    health = Health("test")
    health.add_ready("kafka", lambda: False)
    assert (await ask(health, "live")).status_code == 200


async def test_a_check_that_raises_has_failed() -> None:
    health = Health("test")

    def breaks() -> bool:
        raise RuntimeError

    health.add_live("loop", breaks)
    assert (await ask(health, "live")).json()["checks"] == {"loop": False}


async def test_a_check_that_hangs_has_failed_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.05)
    health = Health("test")

    async def hangs() -> bool:
        await asyncio.Event().wait()
        return True

    health.add_ready("kafka", hangs)
    begun = time.monotonic()
    assert (await ask(health, "ready")).status_code == 503
    assert time.monotonic() - begun < 30


async def test_a_stopping_service_is_alive_and_not_ready() -> None:
    health = Health("test")
    health.stopping()
    response = await ask(health, "ready")
    assert (response.status_code, response.json()["status"]) == (503, "stopping")
    assert (await ask(health, "live")).status_code == 200
