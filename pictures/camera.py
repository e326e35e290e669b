"""The camera: a browser that goes through the site by its links, as readers do, and takes pictures."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

from newsroom.errors import Misconfigured
from pictures.album import Picture, Screen

_BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_FLAGS = ("--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--font-render-hinting=none")
_PATIENCE_MS = 20_000


@contextmanager
def a_camera(site: str) -> Iterator[Camera]:
    """A camera for the site at that address. Raises: Misconfigured where no Chromium is found."""
    executable = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if executable is None:
        raise Misconfigured(
            "no Chromium on this machine: `apt-get install chromium` (or Google Chrome on PATH)"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(_FLAGS))
        try:
            yield Camera(browser, site)
        finally:
            browser.close()


class Camera:
    """Opens pages of one site. Each stays open in a window of its own until the browser is closed."""

    def __init__(self, browser: Browser, site: str) -> None:
        self._browser = browser
        self._site = site

    def open(self, path: str, screen: Screen) -> Page:
        """The page at that path."""
        window = self._browser.new_context(
            viewport={"width": screen.width, "height": screen.height},
            color_scheme=screen.scheme,
            reduced_motion="reduce",
        )
        window.set_default_timeout(_PATIENCE_MS)
        page = window.new_page()
        page.goto(f"{self._site}{path}")
        return page

    def follow(self, headline: str, screen: Screen) -> Page:
        """The article with that headline, reached from the main page."""
        page = self.open("/", screen)
        page.get_by_role("link", name=headline, exact=True).first.click()
        page.wait_for_url(lambda url: url != f"{self._site}/")
        return page

    def take(self, picture: Picture, path: str) -> None:
        """The picture of the page at that path."""
        snap(self.open(path, picture.screen), picture)


def snap(page: Page, picture: Picture) -> None:
    """What the window shows of an open page, as a file."""
    picture.file.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=picture.file)
