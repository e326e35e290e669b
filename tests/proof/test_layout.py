"""Every kind of page on small screens and with large letters: nothing runs over, nothing jumps."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page

from tests.open_site import a_browser, a_page
from tests.slow_delivery import a_slow_line
from tests.whole_site import SHOWN, Shown, WholeSite, a_whole_site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

_OVER = """() => {
    const width = document.documentElement.clientWidth;
    const over = document.documentElement.scrollWidth - width;
    const told = ({ outerHTML }) => outerHTML.slice(0, 120);
    const culprits = [...document.querySelectorAll("body *")].filter((element) => {
        const box = element.getBoundingClientRect();
        return (box.right > width + 1 || box.left < -1) && !element.closest("pre, table, .skip, .unseen");
    });
    return over > 0 ? [`${over} px`, ...culprits.slice(0, 3).map(told)] : [];
}"""
_TWICE_AS_LARGE = "--blink-settings=defaultFontSize=32,defaultFixedFontSize=26"
"""What a reader sets in the browser to have letters twice as large."""


async def opened(page: Page, url: str, shown: Shown, width: int) -> None:
    await page.set_extra_http_headers(dict(shown.headers))
    await page.set_viewport_size({"width": width, "height": 700})
    await page.goto(url + shown.path)


async def settled(page: Page) -> None:
    """After the next frame, with whatever it set off."""
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")


async def test_no_page_is_wider_than_the_smallest_screen(site: WholeSite, browser: Browser) -> None:
    async with a_page(browser) as page:
        for shown in SHOWN:
            await opened(page, site.url, shown, 320)
            assert await page.evaluate(_OVER) == [], shown.name


@pytest.mark.parametrize("width", [320, 768, 1280])
async def test_letters_twice_as_large_run_over_on_no_page(site: WholeSite, chromium: str, width: int) -> None:
    async with a_browser(chromium, _TWICE_AS_LARGE) as browser, a_page(browser) as page:
        for shown in SHOWN:
            await opened(page, site.url, shown, width)
            assert await page.evaluate(_OVER) == [], shown.name


@pytest.mark.parametrize("language", ["kk", "ru", "ar"])
async def test_no_language_is_wider_than_the_smallest_screen(browser: Browser, language: str) -> None:
    async with a_whole_site(language) as site, a_page(browser) as page:
        for shown in SHOWN:
            await opened(page, site.url, shown, 320)
            assert await page.evaluate(_OVER) == [], shown.name


@pytest.mark.parametrize("width", [390, 1280])
async def test_nothing_moves_while_a_page_comes_up(site: WholeSite, browser: Browser, width: int) -> None:
    """Not by a pixel: neither the script nor a late style sheet or picture shifts anything."""
    async with a_page(browser) as page:
        for shown in SHOWN:
            await opened(page, site.url, shown, width)
            await settled(page)
            assert await page.evaluate("window.shifts") == 0, shown.name


@pytest.mark.parametrize("width", [390, 1280])
async def test_nothing_moves_while_a_page_arrives_in_pieces(
    site: WholeSite, browser: Browser, width: int
) -> None:
    """The end of a short page does not climb while it grows, as it would at the foot of the screen, nor do
    the sections in the masthead make room for each other.
    """
    async with a_slow_line(site.url) as url, a_page(browser) as page:
        for shown in SHOWN:
            await opened(page, url, shown, width)
            await settled(page)
            assert await page.evaluate("window.shifts") == 0, shown.name


@pytest.mark.parametrize(
    "former",
    [
        pytest.param(b"main { flex: 1; min-block-size: 0; } .imprint { flex: none; }", id="end"),
        pytest.param(b".masthead:not(:has(+ *)) .sections { visibility: visible; }", id="sections"),
    ],
)
async def test_what_moved_before_would_be_seen_to_move(
    site: WholeSite, browser: Browser, former: bytes
) -> None:
    """The line is slow enough for what the test before rules out."""
    async with a_slow_line(site.url, former) as url, a_page(browser) as page:
        short = next(shown for shown in SHOWN if shown.name == "empty section")
        for _ in range(20):  # a busy machine may paint several pieces at once
            await opened(page, url, short, 1280)
            await settled(page)
            if await page.evaluate("window.shifts") > 0:
                return
    pytest.fail("nothing was seen to move")
