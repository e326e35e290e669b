"""Who listens where several tabs are open, and how a page goes on after a break or without a stream."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Browser, Error, Page, Route, expect

from newsroom.updates import ArticleUpdate, ChangeKind, EntryUpdate
from tests.open_site import OpenSite as Site
from tests.open_site import a_browser, a_page
from tests.page_parts import a_retraction, a_story, a_text, a_told
from tests.render_parts import a_live, a_post, a_withdrawn, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

NOTES = ("Two more are free.", "All are free.", "The street is open again.")
EIGHT = [f"story{number}" for number in range(1, 9)]
WHOLE_SITE = None
FULL = 5_000
LEDGER = "**/updates/feed.json"


def a_story_of(article_id: str, revision: int = 1) -> ArticleUpdate:
    """One of several stories, updated up to that revision."""
    told = [a_told(number, ChangeKind.UPDATED, NOTES[number - 2]) for number in range(2, revision + 1)]
    return a_story(a_text(slug=article_id, headline=f"About {article_id}"), *told, article_id=article_id)


async def tabs(site: Site, page: Page, article_ids: Sequence[str]) -> list[Page]:
    """The stories' pages in tabs of one window, the first in the page given; all follow one stream."""
    pages = [page, *[await page.context.new_page() for _ in article_ids[1:]]]
    for article_id, tab in zip(article_ids, pages, strict=True):
        await site.take(a_story_of(article_id))
        await tab.goto(site.url + str(a_story_of(article_id).path))
    await until(lambda: listened_to(site) == [WHOLE_SITE], "one tab listens for all")
    return pages


def listened_to(site: Site) -> list[str | None]:
    """What the open streams are of: an article's id, or None for the whole site."""
    return [article_id for article_id, group in site.hub._subscriptions.items() for _ in group]


async def offers(page: Page, count: int = 1) -> None:
    name = "1 update · show" if count == 1 else f"{count} updates · show"
    await expect(page.get_by_role("button", name=name)).to_be_visible()


async def test_a_tab_alone_has_a_stream_of_its_own(site: Site, browser: Browser) -> None:
    async with a_page(browser) as page:
        await site.take(a_story_of("story1"))
        await page.goto(site.url + str(a_story_of("story1").path))
        await until(lambda: listened_to(site) == ["story1"], "the page listens to its article")


async def test_eight_tabs_take_one_connection(site: Site, browser: Browser) -> None:
    """Six are all that a browser has for one host over HTTP/1.1: a ninth page loads, and each tab is told."""
    async with a_page(browser) as page:
        pages = await tabs(site, page, EIGHT)
        for article_id in EIGHT:
            await site.take(a_story_of(article_id, 2))
        for tab in pages:
            await expect(tab.get_by_role("status")).to_have_text("Update: Two more are free.")
            await offers(tab)
        ninth = await page.context.new_page()
        await ninth.goto(f"{site.url}/")
        await expect(ninth.get_by_role("link", name="About story8")).to_be_visible()
        assert listened_to(site) == [WHOLE_SITE]


async def test_a_tab_hears_only_of_its_own_article(site: Site, browser: Browser) -> None:
    async with a_page(browser) as page:
        first, second = await tabs(site, page, EIGHT[:2])
        await site.take(a_story_of("story1", 2))
        await site.take(a_withdrawn(a_story_of("story2"), 2))
        await offers(first)
        await expect(second.get_by_role("status")).to_have_text(
            "Taken down: This article is no longer public."
        )
        await expect(second).to_have_title("About story2 | The Test")


async def test_when_the_tab_that_listens_closes_another_goes_on(site: Site, browser: Browser) -> None:
    """What is told in between is not missed, and those who are left still share one stream."""

    async def late(route: Route) -> None:
        for article_id in EIGHT[1:4]:
            await site.take(a_story_of(article_id, 2))
        await route.continue_()

    async with a_page(browser) as page:
        closing, *others = await tabs(site, page, EIGHT[:4])
        await site.take(a_story_of("story1", 2))
        await offers(closing)
        await page.context.route("**/live?*", late)
        await closing.close()
        for tab in others:
            await expect(tab.get_by_role("status")).to_have_text("Update: Two more are free.")
        await until(lambda: listened_to(site) == [WHOLE_SITE], "one tab listens for all")


async def test_a_tab_that_joins_does_not_miss_what_came_before(site: Site, browser: Browser) -> None:
    """Its article moves on while its script is on the way."""

    async def late(route: Route) -> None:
        await site.take(a_story_of("story3", 2))
        await route.continue_()

    async with a_page(browser) as page:
        await tabs(site, page, EIGHT[:2])
        await site.take(a_story_of("story3"))
        third = await page.context.new_page()
        await third.route("**/*.js", late)
        await third.goto(site.url + str(a_story_of("story3").path))
        await offers(third)


async def test_a_tab_that_goes_elsewhere_hands_over(site: Site, browser: Browser) -> None:
    async with a_page(browser) as page:
        leaving, staying = await tabs(site, page, EIGHT[:2])
        await leaving.goto(f"{site.url}/")
        await site.take(a_story_of("story2", 2))
        await offers(staying)
        await until(lambda: listened_to(site) == [WHOLE_SITE], "one tab listens for all")


async def test_a_tab_that_was_killed_is_replaced(site: Site, browser: Browser) -> None:
    async with a_page(browser) as page:
        killed, staying = await tabs(site, page, EIGHT[:2])
        async with killed.expect_event("crash"):
            with pytest.raises(Error):
                await killed.goto("chrome://crash")
        await site.take(a_story_of("story2", 2))
        await offers(staying)


async def test_a_tab_that_sleeps_with_the_lead_is_replaced(site: Site, browser: Browser) -> None:
    """It does not answer the tab that comes to the front; when it wakes, it follows."""
    async with a_page(browser) as page:
        sleeping, _ = await tabs(site, page, EIGHT[:2])
        session = await page.context.new_cdp_session(sleeping)
        await session.send("Debugger.enable")
        await session.send("Debugger.pause")
        third = await page.context.new_page()
        await site.take(a_story_of("story3"))
        await third.goto(site.url + str(a_story_of("story3").path))
        await until(lambda: listened_to(site) == [WHOLE_SITE] * 2, "the new tab has taken the lead")
        await site.take(a_story_of("story3", 2))
        await offers(third)
        await session.send("Debugger.resume")
        await until(lambda: listened_to(site) == [WHOLE_SITE], "the tab that slept lets go")
        await site.take(a_story_of("story1", 2))
        await offers(sleeping)


async def test_switched_off_in_one_window_it_is_off_in_all(site: Site, browser: Browser) -> None:
    async with a_page(browser) as page:
        first, second = await tabs(site, page, EIGHT[:2])
        await first.get_by_role("switch").click()
        await expect(second.get_by_role("switch")).not_to_be_checked()
        await site.has_readers(0)
        await second.get_by_role("switch").click()
        await expect(first.get_by_role("switch")).to_be_checked()
        await site.take(a_story_of("story1", 2))
        await offers(first)


@pytest.mark.parametrize("lacking", ["navigator.locks", "BroadcastChannel"])
async def test_without_a_way_to_share_each_tab_has_its_stream(
    site: Site, browser: Browser, lacking: str
) -> None:
    owner, _, name = f"window.{lacking}".rpartition(".")
    async with a_page(browser) as page:
        await page.context.add_init_script(
            f"Object.defineProperty({owner}, '{name}', {{ value: undefined }})"
        )
        for article_id, tab in zip(EIGHT[:2], [page, await page.context.new_page()], strict=True):
            await site.take(a_story_of(article_id))
            await tab.goto(site.url + str(a_story_of(article_id).path))
        await until(lambda: sorted(map(str, listened_to(site))) == EIGHT[:2], "two streams")
        await site.take(a_story_of("story1", 2))
        await offers(page)


async def test_a_front_does_not_miss_what_came_before_it_listened(site: Site, browser: Browser) -> None:
    """A story comes out after the page was loaded, while its script is on the way."""

    async def late(route: Route) -> None:
        await site.take(a_story_of("story2"))
        await route.continue_()

    async with a_page(browser) as page:
        await site.take(a_story_of("story1"))
        await page.route("**/*.js", late)
        await page.goto(f"{site.url}/")
        await page.get_by_role("button", name="show").click()
        await expect(page.get_by_role("link", name="About story2")).to_be_visible()


async def test_after_a_restart_of_the_server_a_page_goes_on(site: Site, browser: Browser) -> None:
    """What was told while the server was away, or to others, is offered."""
    async with a_page(browser) as page:
        first, second = await tabs(site, page, EIGHT[:2])
        async with site.away():
            await site.take(a_story_of("story1", 2))
        await offers(first)
        await site.take(a_story_of("story2", 2))
        await offers(second)
        assert listened_to(site) == [WHOLE_SITE]


async def test_after_a_long_sleep_a_page_asks_anew(site: Site, browser: Browser) -> None:
    """The machine was off for an hour; its connection is dead, though nobody said so."""
    async with a_page(browser) as page:
        await page.clock.install()
        await site.take(a_story_of("story1"))
        await page.goto(site.url + str(a_story_of("story1").path))
        await site.has_readers()
        (stream,) = [*site.hub._subscriptions["story1"]]
        site.hub.leave(stream)
        await site.take(a_story_of("story1", 2))
        await page.clock.fast_forward("01:00:00")
        await offers(page)


async def test_after_a_long_sleep_a_tab_that_follows_looks_for_itself(site: Site, browser: Browser) -> None:
    """It cannot know whether all that was passed on has reached it."""
    async with a_page(browser) as page:
        await page.clock.install()
        _, following = await tabs(site, page, EIGHT[:2])
        await page.context.route(LEDGER, lambda route: route.abort())
        async with following.expect_request(following.url):
            await page.clock.fast_forward("01:00:00")


async def test_refused_a_page_asks_the_ledger_until_the_stream_works(site: Site, browser: Browser) -> None:
    """By a conditional request that any cache may answer."""
    async with a_page(browser) as page:
        await page.clock.install()
        await site.take(a_story_of("story1"))
        site.hub.streams = FULL
        async with page.expect_response(LEDGER):
            await page.goto(site.url + str(a_story_of("story1").path))
        async with page.expect_request(LEDGER) as second:
            await page.clock.fast_forward(5_000)
        assert "if-none-match" in await (await second.value).all_headers()
        await site.take(a_story_of("story1", 2))
        await page.clock.fast_forward(10_000)
        await expect(page.get_by_role("status")).to_have_text("Update: Two more are free.")
        site.hub.streams = 0
        await page.clock.fast_forward(20_000)
        await until(lambda: listened_to(site) == ["story1"], "the page listens")
        await site.take(a_story_of("story1", 3))
        await offers(page, 2)


async def test_refused_only_one_tab_asks_for_all(site: Site, browser: Browser) -> None:
    async with a_page(browser) as first:
        await first.clock.install()
        second = await first.context.new_page()
        asked: list[str] = []
        second.on("request", lambda request: asked.append(request.url))
        site.hub.streams = FULL
        for article_id, tab in zip(EIGHT[:2], (first, second), strict=True):
            await site.take(a_story_of(article_id))
            async with first.expect_response(LEDGER):
                await tab.goto(site.url + str(a_story_of(article_id).path))
                await first.clock.fast_forward(10_000)
        await site.take(a_story_of("story2", 2))
        await first.clock.fast_forward(30_000)
        await offers(second)
        assert not [url for url in asked if "/live" in url or "/updates/" in url]


async def test_a_stream_that_says_nothing_is_given_up(site: Site, browser: Browser) -> None:
    """Something on the way holds it back: the page asks otherwise, and tries it again."""
    held = AsyncExitStack()

    async def hold(route: Route) -> None:
        held.push_async_callback(route.abort)

    async with a_page(browser) as page, held:
        await page.clock.install()
        await site.take(a_story_of("story1"))
        await page.route("**/live/**", hold, times=1)
        async with page.expect_request("**/live/**"):
            await page.goto(site.url + str(a_story_of("story1").path))
        async with page.expect_request(LEDGER):
            await page.clock.fast_forward(10_000)
        await page.clock.fast_forward(3_000)
        await site.has_readers()
        await site.take(a_story_of("story1", 2))
        await offers(page)


def a_live_story(count: int) -> tuple[list[EntryUpdate], ArticleUpdate]:
    """With so many posts, the first twenty on a page that stays: the newest of them, and the article."""
    posts = [
        a_post(number, article_id="story", words=f"Number {number}", page=(number + 19) // 20)
        for number in range(1, count + 1)
    ]
    return posts[-1:], a_live(a_story(a_text(slug="story")), posts)


async def open_older_posts(site: Site, page: Page, *, listens: bool = True) -> str:
    """A page of older posts, which listens unless it is switched off; returns the article's address."""
    for count in range(42):
        newest, story = a_live_story(count)
        await site.take(*newest, story)
    if not listens:
        await page.add_init_script("localStorage.setItem('live-updates', 'off')")
    await page.goto(f"{site.url}{story.path}entries/1/")
    if listens:
        await until(lambda: listened_to(site) == ["story"], "the page listens")
    return f"{site.url}{story.path}"


async def test_a_page_of_older_posts_leads_on_to_the_newest(site: Site, browser: Browser) -> None:
    """It stays as it is, but says that there is more."""
    async with a_page(browser) as page:
        article = await open_older_posts(site, page)
        newest, story = a_live_story(42)
        await site.take(*newest, story)
        await expect(page.get_by_role("status")).to_have_text("Live: Number 42")
        await page.get_by_role("button", name="1 entry · to the latest").click()
        await expect(page).to_have_url(f"{article}#latest")
        await expect(page.locator("#entry-e42")).to_be_visible()


async def test_a_page_of_posts_leads_to_the_retraction_of_its_article(site: Site, browser: Browser) -> None:
    """For it is gone itself."""
    async with a_page(browser) as page:
        article = await open_older_posts(site, page)
        await site.take(a_retraction(a_live_story(41)[1], "The story was not true."))
        await expect(page.get_by_role("status")).to_have_text("Retraction: The story was not true.")
        await page.get_by_role("button", name="1 update · to the latest").click()
        await expect(page).to_have_url(f"{article}#latest")
        await expect(page.get_by_role("heading", level=1)).to_have_text("This article has been retracted")


async def test_a_page_of_posts_that_finds_itself_gone_still_hears_why(site: Site, browser: Browser) -> None:
    """For it looks after itself as it begins to listen, and that may be before the notice is there."""
    async with a_page(browser) as page:
        article = await open_older_posts(site, page, listens=False)
        await site.take(a_retraction(a_live_story(41)[1], "The story was not true."), tells=False)
        await page.get_by_role("switch").click()
        await expect(page.get_by_role("status")).to_have_text("Taken down: This article is no longer public.")
        site.tell()
        await expect(page.get_by_role("status")).to_have_text("Retraction: The story was not true.")
        await page.get_by_role("button", name="1 update · to the latest").click()
        await expect(page).to_have_url(f"{article}#latest")


async def test_a_page_that_comes_back_from_the_browsers_memory_goes_on(site: Site, chromium: str) -> None:
    """Not loaded again (it is in the back/forward cache), and told what came meanwhile."""
    async with a_browser(chromium, keeps_pages=True) as browser, a_page(browser) as page:
        await site.take(a_story_of("story1"))
        await page.goto(site.url + str(a_story_of("story1").path))
        await site.has_readers()
        await page.evaluate("window.isTheSame = true")
        await page.goto(f"{site.url}/nowhere/")
        await site.has_readers(0)
        await site.take(a_story_of("story1", 2))
        await page.evaluate("history.back()")
        await offers(page)
        assert await page.evaluate("window.isTheSame")
