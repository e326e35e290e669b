"""One whole site and one Chromium for all tests of a module."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser

from tests.open_site import a_browser
from tests.whole_site import WholeSite, a_whole_site


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site() -> AsyncIterator[WholeSite]:
    async with a_whole_site() as site:
        yield site


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with a_browser(chromium) as browser:
        yield browser
