"""One newsroom for the fault tests of a module: one after another, and the site must converge after each."""

from __future__ import annotations

from collections.abc import AsyncIterator
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
