"""What a page may weigh and load: everything of one origin, small, and nothing that the policy would stop."""

from __future__ import annotations

import httpx
import pytest
from playwright.async_api import Browser, ConsoleMessage

from services.render.site import ENCODINGS
from tests.open_site import a_page
from tests.page_parts import Element, read_page
from tests.whole_site import SHOWN, WholeSite

pytestmark = pytest.mark.asyncio(loop_scope="module")

MOST_HTML = 20_000
MOST_CSS = 8_000
MOST_SCRIPT = 6_000
LOADING = {"stylesheet", "icon", "manifest", "preload", "modulepreload"}
"""Relations of links that a browser follows by itself."""
DATA = {"application/ld+json", "application/json"}
"""Types of script that no browser runs."""
_REMEMBER_VIOLATIONS = """
    window.violations = [];
    addEventListener("securitypolicyviolation", (event) =>
        window.violations.push(`${event.effectiveDirective}: ${event.blockedURI}`));
"""


def packed(content: bytes) -> int:
    """Its size on the wire, as the site packs it."""
    return len(ENCODINGS[".br"](content))


async def test_no_page_is_heavier_than_its_budget(site: WholeSite) -> None:
    pages = await site.every_page()
    assert {path: packed(page) for path, page in pages.items() if packed(page) > MOST_HTML} == {}


async def test_style_and_script_keep_to_theirs(site: WholeSite) -> None:
    """All scripts that a page may load, together."""
    files = site.files()
    styles = sum(packed(content) for path, content in files.items() if path.endswith(".css"))
    scripts = sum(packed(content) for path, content in files.items() if path.endswith(".js"))
    assert 0 < styles <= MOST_CSS
    assert 0 < scripts <= MOST_SCRIPT


async def test_what_is_sent_is_what_was_weighed(site: WholeSite) -> None:
    """Pages, styles, scripts and feeds come packed to whoever takes it."""
    files = site.files()
    paths = ["/", "/feed.atom", *(path for path in files if path.endswith((".css", ".js")))]
    async with httpx.AsyncClient(base_url=site.url) as client:
        for path in paths:
            async with client.stream("GET", path, headers={"Accept-Encoding": "br"}) as answer:
                sent = b"".join([part async for part in answer.aiter_raw()])
            assert answer.headers["content-encoding"] == "br", path
            assert len(sent) == packed(files[f"{path}index.html" if path == "/" else path]), path


async def test_no_page_has_what_the_policy_would_stop(site: WholeSite) -> None:
    """No style or script within the page, no handler in an attribute, nothing from elsewhere."""
    for path, content in (await site.every_page()).items():
        page = read_page(content)
        assert page.all("style") == [], path
        assert [script for script in page.all("script") if not is_allowed(script)] == [], path
        for element in page.all():
            stopped = [name for name in element.attributes if name == "style" or name.startswith("on")]
            assert stopped == [], (path, element.name)
            loaded = element.attributes.get("src") or (is_loading(element) and element.attributes.get("href"))
            assert not loaded or str(loaded).startswith("/"), (path, loaded)


def is_allowed(script: Element) -> bool:
    if script.attributes.get("type") in DATA:
        return "src" not in script.attributes
    return script.attributes.get("src", "").startswith("/assets/") and not script.text


def is_loading(element: Element) -> bool:
    rel = element.attributes.get("rel", "").split()
    return element.name == "link" and not {
        "stylesheet",
        "icon",
        "manifest",
        "preload",
        "modulepreload",
    }.isdisjoint(rel)


@pytest.mark.browser
async def test_no_page_asks_another_server_or_breaks_its_policy(site: WholeSite, browser: Browser) -> None:
    """As Chromium sees it, with the script running; nothing on the page fails to load either."""
    async with a_page(browser) as page:
        requests: list[str] = []
        told: list[ConsoleMessage] = []
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: told.append(message))
        await page.add_init_script(_REMEMBER_VIOLATIONS)
        for shown in SHOWN:
            told.clear()
            await page.set_extra_http_headers(dict(shown.headers))
            await page.goto(site.url + shown.path, wait_until="load")
            assert await page.evaluate("window.violations") == [], shown.name
            complaints = [each.text for each in told if each.type in ("error", "warning")]
            assert [text for text in complaints if f"status of {shown.status}" not in text] == [], shown.name
    assert [url for url in requests if not url.startswith(f"{site.url}/")] == []
