"""The comparison over HTTP: for publishers, one at a time, line by line, and never half a result."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence

import httpx
import pytest
from fastapi import FastAPI

from newsroom import keys
from newsroom.errors import Away
from newsroom.http.app import Health, create_app
from newsroom.keys import ApiKey, Role
from services.render.comparison import Difference, What
from services.render.settings import RenderSettings
from services.render.verification import MOST_TOLD, told, verification_routes
from services.render.verifying import Progress, Totals
from tests.render_parts import minute

SECRETS = {role: keys.new_secret() for role in Role}
MISSING = Difference(What.MISSING, "/x/index.html", "a rebuild would write it", "a1")
DONE = Progress(Totals(articles=3, expected=3, listings=5, files=14))


class Script:
    """A comparison that says what it is told to, and then breaks if it is told to."""

    def __init__(self, *steps: Progress, then: Exception | None = None) -> None:
        self._steps, self._then = steps, then
        self.has_begun = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def run(self) -> AsyncIterator[Progress]:
        self.has_begun.set()
        for step in self._steps:
            yield step
            await self.may_go_on.wait()
        if self._then is not None:
            raise self._then


def an_app(begin: Callable[[], Script]) -> FastAPI:
    """Render's application with nothing but this route, and a key of each role."""
    app = create_app(
        title="Site", description="", version="1", health=Health("render"), settings=RenderSettings()
    )
    app.include_router(verification_routes(begin))
    for role, secret in SECRETS.items():
        app.state.keys.put(
            ApiKey(name=role.value, role=role, secret_sha256=keys.digest(secret), created_at=minute(0))
        )
    return app


async def asked(app: FastAPI, role: Role | None = Role.PUBLISHER) -> httpx.Response:
    headers = {"Authorization": f"Bearer {SECRETS[role]}"} if role else {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site") as client:
        return await client.post("/api/verification", headers=headers)


async def lines_of(*steps: Progress, then: Exception | None = None) -> list[dict[str, object]]:
    answer = await asked(an_app(lambda: Script(*steps, then=then)))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_progress_differences_and_the_total_are_lines() -> None:
    found = await lines_of(Progress(Totals(articles=2, expected=3, files=4), [MISSING]), DONE)
    assert found == [
        {
            "line": "difference",
            "what": "missing",
            "path": "/x/index.html",
            "detail": "a rebuild would write it",
            "article_id": "a1",
        },
        {"line": "progress", "articles": 2, "expected": 3, "listings": 0, "files": 4},
        {"line": "progress", "articles": 3, "expected": 3, "listings": 5, "files": 14},
        {"line": "total", "articles": 3, "expected": 3, "listings": 5, "files": 14, "differences": 1},
    ]


async def test_what_could_not_be_done_to_the_end_has_no_total() -> None:
    found = await lines_of(DONE, then=Away("store", "503"))
    assert found[-1]["line"] == "failure"
    assert "store" in str(found[-1]["reason"])


@pytest.mark.parametrize("parts", [(MOST_TOLD + 5,), (MOST_TOLD - 1, 3, 2), (MOST_TOLD, 7)])
async def test_of_very_many_differences_the_first_are_told_and_all_counted(parts: Sequence[int]) -> None:
    found = await lines_of(*(Progress(Totals(), [MISSING] * count) for count in parts))
    assert sum(line["line"] == "difference" for line in found) == MOST_TOLD
    assert found[-1]["differences"] == sum(parts)


async def test_a_process_that_stops_gives_no_total() -> None:
    stopping = asyncio.Event()
    heard = []
    async for line in told(Script(DONE, DONE, DONE), stopping):
        heard.append(line.line)
        stopping.set()
    assert heard == ["progress", "failure"]


@pytest.mark.parametrize(
    ("role", "status"), [(None, 401), (Role.READER, 403), (Role.REPORTER, 403), (Role.EDITOR, 403)]
)
async def test_it_is_for_publishers(role: Role | None, status: int) -> None:
    answer = await asked(an_app(lambda: Script(DONE)), role)
    assert answer.status_code == status
    assert "total" not in answer.text


async def test_one_runs_at_a_time_and_gives_its_turn_up() -> None:
    """Also where it broke."""
    first = Script(DONE)
    first.may_go_on.clear()
    scripts = iter([first, Script(DONE, then=ZeroDivisionError()), Script(DONE)])
    app = an_app(lambda: next(scripts))
    running = asyncio.create_task(asked(app))
    await first.has_begun.wait()
    busy = await asked(app)
    assert busy.status_code == 503
    assert busy.headers["Retry-After"] == "30"
    first.may_go_on.set()
    assert (await running).status_code == 200
    with pytest.raises(ZeroDivisionError):
        await asked(app)
    assert (await asked(app)).status_code == 200
