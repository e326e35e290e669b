"""One newsroom for the fault tests of a module: one after another, and the site must converge after each.
Runs of the experiment have newsrooms of their own.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.stack import Stack, a_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import RunningKafka, RunningMongo


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(
    fresh_kafka: Callable[[], RunningKafka], mongo: RunningMongo, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    async with a_stack(fresh_kafka().bootstrap, mongo.url, tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture
def apart(parts_home: Path) -> list[str]:
    """Options of a run of the experiment: where the jars are, and ports that no other worker chooses from."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    workers = os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")
    return ["--jars", str(parts_home), "--share", f"{worker}/{workers}"]
