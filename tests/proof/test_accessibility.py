"""Every kind of page, and a page with each kind of notice on it, under all of axe's rules."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from newsroom.updates import ArticleUpdate, ChangeKind
from tests.axe import Scheme, an_audited_page, violations
from tests.page_parts import a_retraction, a_story, a_text, a_told
from tests.render_parts import a_withdrawn
from tests.whole_site import SHOWN, WholeSite, a_whole_site

pytestmark = [
    pytest.mark.browser,
    pytest.mark.usefixtures("checkers"),
    pytest.mark.asyncio(loop_scope="module"),
]

SCHEMES: tuple[Scheme, ...] = ("light", "dark")


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_no_kind_of_page_breaks_a_rule(site: WholeSite, browser: Browser, scheme: Scheme) -> None:
    found: dict[str, list[str]] = {}
    async with an_audited_page(browser, scheme) as page:
        for shown in SHOWN:
            await page.set_extra_http_headers(dict(shown.headers))
            await page.goto(site.url + shown.path)
            found[shown.name] = await violations(page)
    assert {name: told for name, told in found.items() if told} == {}


@pytest.mark.parametrize("language", ["kk", "ru", "ar"])
async def test_no_page_breaks_a_rule_in_another_language(browser: Browser, language: str) -> None:
    found: dict[str, list[str]] = {}
    async with a_whole_site(language) as site, an_audited_page(browser, "light") as page:
        for shown in SHOWN:
            if not shown.name.startswith("article: "):
                await page.set_extra_http_headers(dict(shown.headers))
                await page.goto(site.url + shown.path)
                found[shown.name] = await violations(page, (390,))
    assert {name: told for name, told in found.items() if told} == {}


async def test_a_site_without_a_story_breaks_no_rule(browser: Browser) -> None:
    async with a_whole_site(is_empty=True) as site, an_audited_page(browser, "dark") as page:
        for path in ("/", "/kazakhstan/", "/updates/", "/corrections/"):
            await page.goto(site.url + path)
            assert await violations(page) == [], path


async def test_a_page_that_breaks_rules_is_found(site: WholeSite, browser: Browser) -> None:
    """So that the tests above can fail: of structure, of contrast, of size, and of colours in the dark."""
    async with an_audited_page(browser, "dark") as page:
        await page.goto(f"{site.url}/")
        await page.evaluate(
            """() => {
                const main = document.querySelector("main");
                main.innerHTML = "<h4>Deep</h4><p>Faint words</p><p><a href=/1>1</a> <a href=/2>2</a></p>";
                main.querySelector("p").style.color = "#444";
                document.documentElement.removeAttribute("lang");
            }"""
        )
        found = " ".join(await violations(page, (390,)))
    for rule in ("color-contrast", "html-has-lang", "page-has-heading-one", "target-size"):
        assert rule in found


# --- notices on an open page

STORY = a_story(a_text(slug="open"), article_id="open")
UPDATED = a_told(2, ChangeKind.UPDATED, "Two more are free.")
CORRECTED = a_told(2, ChangeKind.CORRECTION, "It was seven people, not eight.")
NOTICES: dict[str, ArticleUpdate] = {
    "update": a_story(a_text(slug="open", body="<p>Other words.</p>"), UPDATED, article_id="open"),
    "correction": a_story(a_text(slug="open", body="<p>Right words.</p>"), CORRECTED, article_id="open"),
    "retraction": a_retraction(STORY, "The story was not true."),
    "withdrawal": a_withdrawn(STORY, 2),
}


async def listening(site: WholeSite, page: Page, path: str) -> None:
    """Open a page and wait until it hears what is told."""
    before = site.listening
    await page.goto(site.url + path)
    await site.has_readers(before + 1)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("notice", NOTICES)
async def test_no_notice_breaks_a_rule_offered_or_shown(
    site: WholeSite, browser: Browser, scheme: Scheme, notice: str
) -> None:
    own = f"{notice}{scheme}"
    path = str(STORY.path).replace("open-", f"open-{own}-")
    async with an_audited_page(browser, scheme) as page:
        await site.take(named(STORY, own, path))
        await listening(site, page, path)
        await site.take(named(NOTICES[notice], own, path))
        offer = page.locator("[data-offer]")
        await expect(offer).to_be_visible()
        assert await violations(page) == []
        await offer.get_by_role("button").first.click()
        await expect(offer).to_be_hidden()
        assert await violations(page) == []


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_page_that_is_switched_off_breaks_no_rule(
    site: WholeSite, browser: Browser, scheme: Scheme
) -> None:
    live = next(shown for shown in SHOWN if shown.name == "article: live")
    async with an_audited_page(browser, scheme) as page:
        await listening(site, page, live.path)
        switch = page.get_by_role("switch")
        await switch.click()
        await expect(switch).to_have_attribute("aria-checked", "false")
        assert await violations(page) == []


def named(update: ArticleUpdate, article_id: str, path: str) -> ArticleUpdate:
    """The same update of an article of its own."""
    return update.model_copy(update={"article_id": article_id, "path": path})
