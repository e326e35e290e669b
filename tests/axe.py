"""What axe says of a page that is open in Chromium, and the widths and colours in which it is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from playwright.async_api import Browser, Page

from tests.node_tools import AXE
from tests.open_site import PATIENCE_MS

Scheme = Literal["light", "dark"]
WIDTHS = (320, 390, 1280)
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_RUN = """
    (tags) => axe.run(document, { runOnly: tags, resultTypes: ["violations"] }).then(({ violations }) =>
        violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map(({ html }) => html) })))
"""


@asynccontextmanager
async def an_audited_page(browser: Browser, scheme: Scheme) -> AsyncIterator[Page]:
    """A page of its own context that has axe in it, in these colours and without motion."""
    context = await browser.new_context(color_scheme=scheme, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    await context.add_init_script(path=AXE)
    try:
        yield await context.new_page()
    finally:
        await context.close()


async def violations(page: Page, widths: tuple[int, ...] = WIDTHS) -> list[str]:
    """What the page as it stands does wrong at each width, one line per rule."""
    found: list[str] = []
    for width in widths:
        await page.set_viewport_size({"width": width, "height": 800})
        told: list[dict[str, Any]] = await page.evaluate(_RUN, list(TAGS))
        found += [f"{width} px: {each['id']}: {each['help']}: {each['nodes'][:3]}" for each in told]
    return found
