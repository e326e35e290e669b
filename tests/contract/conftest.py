"""What holds for every test against the real servers, and for the fakes beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.closings import all_closed


@pytest.fixture(autouse=True)
async def _closed() -> AsyncIterator[None]:
    """Set up before all others of a test, so awaited after them."""
    yield
    await all_closed()
