"""What is injected past the services, on one real newsroom: it does break something, and all is as before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio

from faults.catalogue import named
from faults.fault import Plan
from faults.kinds import tape
from faults.kinds.deskwork import a_publisher
from faults.kinds.poison import LIMIT
from faults.stage.arena import Arena
from newsroom import topics
from tests.closings import all_closed
from tests.stack import an_article

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def arena(parts_home: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Arena]:
    """A newsroom with a few articles."""
    async with Arena(Plan(), tmp_path_factory.mktemp("arena"), parts_home) as arena:
        async with a_publisher(arena) as client:
            for number in range(6):
                article = an_article(f"story-{number}")
                answer = await client.post(f"{arena.url('ingest')}/articles", json=article)
                answer.raise_for_status()
        await arena.settled()
        yield arena
    await all_closed()


async def test_links_and_foreign_files_are_never_followed_and_go_with_a_rebuild(arena: Arena) -> None:
    """The fault itself looks that none was followed."""
    written = arena.files()
    await named("symlinks-in-pages").inject(arena, Random(1))
    await arena.settled()
    assert (arena.folder / "outside" / "secret.html").exists()
    assert arena.files() == written


async def test_records_that_come_again_change_nothing(arena: Arena) -> None:
    written, before = arena.files(), len(await tape.read(arena.bootstrap, topics.EVENTS))
    await named("duplicates").inject(arena, Random(1))
    await arena.settled()
    assert len(await tape.read(arena.bootstrap, topics.EVENTS)) > before
    assert arena.files() == written


async def test_past_nothing_but_bad_records_goes_an_operator_once(arena: Arena) -> None:
    """A replay then needs none."""
    written = arena.files()
    await named("poison-only").inject(arena, Random(1))
    await arena.settled()
    stops = arena.log("store-1").count(LIMIT)
    assert stops > 0
    assert arena.files() == written
    assert await arena.replay() == written
    assert arena.log("store-1").count(LIMIT) == stops
