"""A page that is open in Chromium while its article moves on: told, offered, put in, and the place kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.async_api import Browser, Page, expect

from newsroom.times import now
from newsroom.updates import ArticleUpdate, ChangeKind, EntryUpdate
from tests.open_site import OpenSite as Site
from tests.open_site import a_page
from tests.page_parts import a_retraction, a_story, a_text, a_told
from tests.render_parts import a_live, a_post, a_withdrawn, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PARAGRAPHS = [f'Paragraph {n} has <a href="https://x.test/{n}">link {n}</a> and words.' for n in range(1, 31)]
UPDATED = a_told(2, ChangeKind.UPDATED, "Two more are free.")
CORRECTED = a_told(3, ChangeKind.CORRECTION, "It was seven people, not eight.")
AGAIN = a_told(4, ChangeKind.UPDATED, "All are free.")


def body(paragraphs: list[str]) -> str:
    return "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)


def the_story(revision: int = 1, **changes: object) -> ArticleUpdate:
    """The story so far, up to a revision: each puts a paragraph above the others and one in their midst."""
    news = [f"News of revision {number}, long enough for a line." for number in range(revision, 1, -1)]
    text = a_text(body=body([*news, *PARAGRAPHS[:5], *news, *PARAGRAPHS[5:]]), slug="story", **changes)
    return a_story(text, *(UPDATED, CORRECTED, AGAIN)[: revision - 1])


async def opened(site: Site, page: Page, update: ArticleUpdate, path: str | None = None) -> None:
    """Publish the story, open its page and wait until it listens."""
    await site.take(update)
    await page.goto(site.url + (path or str(update.path)))
    await site.has_readers()


async def stop_the_clock(page: Page) -> None:
    """From now on time goes by in the page only as the test says."""
    begun = now()
    await page.clock.install(time=begun)
    await page.clock.pause_at(begun + timedelta(hours=1))


async def top_of(page: Page, words: str) -> float:
    box = await page.locator(".body p", has_text=words).bounding_box()
    assert box is not None
    return box["y"]


async def shifts(page: Page) -> float:
    """The sum of layout shifts so far, as Web Vitals counts them: none that a click made."""
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")
    return float(await page.evaluate("window.shifts"))


async def test_an_update_is_told_and_offered_and_changes_nothing_by_itself(
    site: Site, browser: Browser
) -> None:
    async with a_page(browser) as page:
        await opened(site, page, the_story())
        await site.take(the_story(2))
        await expect(page.get_by_role("status")).to_have_text("Update: Two more are free.")
        await expect(page.get_by_role("button", name="1 update · show")).to_be_visible()
        await expect(page).to_have_title("(1) Hostages freed in Astana | The Test")
        assert await page.get_by_text("News of revision 2").count() == 0
        assert await page.evaluate("scrollY") == 0
        assert await shifts(page) < 0.01


async def test_what_is_shown_keeps_the_readers_place_and_focus(site: Site, browser: Browser) -> None:
    """Two paragraphs and a notice come in above; no line on the screen moves."""
    async with a_page(browser) as page:
        await opened(site, page, the_story())
        link = page.get_by_role("link", name="link 20", exact=True)
        await link.focus()
        in_view = [f"link {number} " for number in range(16, 25)]
        before = [await top_of(page, words) for words in in_view]
        assert await page.evaluate("scrollY") > 0
        await site.take(the_story(2))
        await page.get_by_role("button", name="1 update · show").click()
        await expect(page.locator(".body p", has_text="News of revision 2")).to_have_count(2)
        after = [await top_of(page, words) for words in in_view]
        assert after == pytest.approx(before, abs=1)
        await expect(link).to_be_focused()
        await expect(page.locator("[data-offer]")).to_be_hidden()
        await expect(page).to_have_title("Hostages freed in Astana | The Test")
        await expect(page.locator("body")).to_have_attribute("data-revision", "2")
        assert await shifts(page) < 0.01


async def test_an_edited_paragraph_keeps_the_focus_in_it(site: Site, browser: Browser) -> None:
    """Though another one came in right before it."""
    async with a_page(browser) as page:
        await opened(site, page, the_story())
        link = page.get_by_role("link", name="link 20", exact=True)
        await link.focus()
        edited = [
            *PARAGRAPHS[:19],
            "Quite another paragraph.",
            PARAGRAPHS[19] + " And more.",
            *PARAGRAPHS[20:],
        ]
        await site.take(a_story(a_text(body=body(edited), slug="story"), UPDATED))
        await page.get_by_role("button", name="1 update · show").click()
        await expect(page.get_by_text("and words. And more.")).to_have_class("fresh")
        await expect(link).to_be_focused()


async def test_by_keyboard_the_focus_goes_back_to_where_it_was(site: Site, browser: Browser) -> None:
    async with a_page(browser) as page:
        await opened(site, page, the_story())
        link = page.get_by_role("link", name="link 20", exact=True)
        await link.focus()
        await site.take(the_story(2))
        button = page.get_by_role("button", name="1 update · show")
        await expect(button).to_be_visible()
        await button.focus()
        await page.keyboard.press("Enter")
        await expect(link).to_be_focused()


async def test_what_was_shown_is_what_a_reload_gives(site: Site, browser: Browser) -> None:
    """Whatever changed: headline, paragraphs, notices, tags, sources."""
    async with a_page(browser) as page:
        await opened(site, page, the_story())
        await site.take(the_story(4, headline="Another headline", tags=("Almaty",), sources=(), deck=""))
        await page.get_by_role("button", name="show").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Another headline")
        shown = await main_of(page)
        await page.reload()
        assert shown == await main_of(page)


async def main_of(page: Page) -> str:
    """The markup of the page's parts, without what the script adds to it."""
    parts = "[...document.querySelectorAll('main [data-part]')].map((part) => part.outerHTML).join('')"
    html = str(await page.evaluate(parts))
    return html.replace(' class="fresh"', "").replace(' fresh"', '"')


async def test_a_page_speaks_the_language_of_its_article(site: Site, browser: Browser) -> None:
    """Also what the script says, with the form of a word that the number wants."""
    async with a_page(browser) as page:
        await opened(site, page, the_story(language="ru"))
        await site.take(the_story(2, language="ru"))
        await expect(page.get_by_role("button", name="1 обновление · показать")).to_be_visible()
        await site.take(the_story(3, language="ru"))
        await expect(page.get_by_role("button", name="2 обновления · показать")).to_be_visible()
        await expect(page.get_by_role("status")).to_have_text(
            "2 обновления. Исправление: It was seven people, not eight."
        )


async def test_a_correction_does_not_wait_as_updates_do(site: Site, browser: Browser) -> None:
    """For twenty seconds after an announcement another update is only counted; a correction is told."""
    async with a_page(browser) as page:
        await stop_the_clock(page)
        await opened(site, page, the_story())
        await site.take(the_story(2))
        region = page.get_by_role("status")
        await expect(region).to_have_text("Update: Two more are free.")
        await site.take(the_story(3))
        await expect(region).to_have_text("2 updates. Correction: It was seven people, not eight.")
        await expect(page.get_by_role("button", name="2 updates · show")).to_be_visible()
        await site.take(the_story(4))
        await expect(page).to_have_title("(3) Hostages freed in Astana | The Test")
        await page.clock.run_for(15_000)
        await expect(page.get_by_role("button", name="3 updates · show")).to_be_visible()
        await expect(region).to_have_text("2 updates. Correction: It was seven people, not eight.")


async def test_after_a_correction_an_update_waits_its_turn(site: Site, browser: Browser) -> None:
    """It is counted after five seconds at most, and read out when the reader had twenty to listen."""
    async with a_page(browser) as page:
        await stop_the_clock(page)
        await opened(site, page, the_story(2))
        region = page.get_by_role("status")
        await site.take(the_story(3))
        await expect(region).to_have_text("Correction: It was seven people, not eight.")
        await site.take(the_story(4))
        await expect(page).to_have_title("(2) Hostages freed in Astana | The Test")
        await page.clock.run_for(5_000)
        await expect(page.get_by_role("button", name="2 updates · show")).to_be_visible()
        await expect(region).to_have_text("Correction: It was seven people, not eight.")
        await page.clock.run_for(15_000)
        await expect(region).to_have_text("2 updates. Correction: It was seven people, not eight.")


async def test_switched_off_it_stays_off_until_it_is_switched_on(site: Site, browser: Browser) -> None:
    async with a_page(browser) as page:
        await opened(site, page, the_story())
        switch = page.get_by_role("switch")
        await expect(switch).to_be_checked()
        await switch.click()
        await site.has_readers(0)
        await page.reload()
        await expect(switch).not_to_be_checked()
        await site.take(the_story(2))
        await page.reload()
        assert site.listening == 0
        await site.take(the_story(3))
        await switch.click()
        await expect(page.get_by_role("button", name="1 update · show")).to_be_visible()


async def test_a_hidden_page_buffers_and_counts_in_its_title(site: Site, browser: Browser) -> None:
    async with a_page(browser) as page:
        await opened(site, page, the_story())
        await set_hidden(page, True)
        await site.take(the_story(2))
        await site.take(the_story(3))
        await expect(page).to_have_title("(2) Hostages freed in Astana | The Test")
        await expect(page.locator("[data-offer]")).to_be_hidden()
        await expect(page.get_by_role("status")).to_have_text("")
        await set_hidden(page, False)
        await expect(page.get_by_role("button", name="2 updates · show")).to_be_visible()


async def set_hidden(page: Page, hidden: bool) -> None:
    await page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


async def test_a_withdrawn_article_says_so_and_then_is_gone(site: Site, browser: Browser) -> None:
    async with a_page(browser) as page:
        await opened(site, page, the_story())
        await site.take(a_withdrawn(the_story(), 2))
        await expect(page.get_by_role("status")).to_have_text("Taken down: This article is no longer public.")
        await page.get_by_role("button", name="Reload").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("This article has been taken down")
        await site.has_readers(0)


async def test_a_retraction_takes_the_text_away(site: Site, browser: Browser) -> None:
    async with a_page(browser) as page:
        await opened(site, page, the_story())
        await page.get_by_role("link", name="link 20", exact=True).focus()
        await site.take(a_retraction(the_story(), "The story was not true."))
        await expect(page.get_by_role("status")).to_have_text("Retraction: The story was not true.")
        await page.get_by_role("button", name="1 update · show").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("This article has been retracted")
        assert await page.get_by_text("Paragraph 1 has").count() == 0
        await expect(page.locator("main")).to_be_focused()


async def test_an_article_that_moved_takes_its_open_page_along(site: Site, browser: Browser) -> None:
    async with a_page(browser) as page:
        story = the_story()
        await opened(site, page, story)
        moved = the_story(2, section="World").model_copy(update={"former_paths": (str(story.path),)})
        await site.take(moved)
        await page.get_by_role("button", name="1 update · show").click()
        await expect(page).to_have_url(site.url + str(moved.path))


async def test_a_front_offers_what_is_new_in_it(site: Site, browser: Browser) -> None:
    async with a_page(browser) as page:
        await opened(site, page, the_story(), "/")
        other = a_story(a_text(headline="Another story", slug="other"), article_id="other")
        await site.take(other)
        await page.get_by_role("button", name="1 new · show").click()
        await expect(page.locator("main").get_by_role("link", name="Another story")).to_be_visible()
        assert await shifts(page) < 0.01


async def test_a_front_says_nothing_of_what_is_not_in_it(site: Site, browser: Browser) -> None:
    async with a_page(browser) as page:
        looks: list[str] = []
        page.on("requestfinished", lambda request: looks.append(request.resource_type))
        await opened(site, page, the_story(), "/corrections/")
        await until(lambda: looks.count("fetch") == 1, "the page has looked whether it missed something")
        await site.take(the_story(2))
        await until(lambda: looks.count("fetch") == 4, "the page has looked three times")
        await expect(page.locator("[data-offer]")).to_be_hidden()
        await expect(page).to_have_title("Corrections | The Test")


async def test_refused_by_a_full_server_it_comes_back(site: Site, browser: Browser) -> None:
    """The browser itself gives up after an answer that is no stream."""
    async with a_page(browser) as page:
        story = the_story()
        await site.take(story)
        site.hub.streams = 5_000
        async with page.expect_response(lambda answer: "/live/" in answer.url and answer.status == 503):
            await page.goto(site.url + str(story.path))
        site.hub.streams = 0
        await site.take(the_story(2))
        await expect(page.get_by_role("button", name="1 update · show")).to_be_visible()


async def test_without_script_a_reload_has_everything(site: Site, browser: Browser) -> None:
    async with a_page(browser, script=False) as page:
        story = the_story()
        await site.take(story)
        await page.goto(site.url + str(story.path))
        await site.take(the_story(3))
        await page.reload()
        for words in ("News of revision 3", "Two more are free.", "It was seven people, not eight."):
            await expect(page.get_by_text(words).first).to_be_visible()
        await expect(page.get_by_role("switch")).to_be_hidden()
        await expect(page.locator("[data-offer]")).to_be_hidden()


@pytest.mark.parametrize("width", [320, 390, 1280])
async def test_no_page_is_wider_than_the_screen(site: Site, browser: Browser, width: int) -> None:
    wide = a_text(
        headline="Donaudampfschifffahrtsgesellschaftskapitän in Astana",
        body="<table><tr>"
        + "<td>a cell of words</td>" * 12
        + f"</tr></table><pre>{'x' * 300}</pre><p>{'y' * 300}</p>",
        slug="wide",
    )
    story = a_story(wide, UPDATED)
    await site.take(story)
    async with a_page(browser) as page:
        await page.set_viewport_size({"width": width, "height": 700})
        for path in (str(story.path), f"{story.path}history/", "/", "/kazakhstan/", "/updates/", "/nowhere/"):
            await page.goto(site.url + path)
            assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path


async def test_nothing_moves_while_a_page_comes_up(site: Site, browser: Browser) -> None:
    await site.take(the_story(3))
    async with a_page(browser) as page:
        for path in (str(the_story().path), "/"):
            await page.goto(site.url + path)
            await site.has_readers()
            assert await shifts(page) < 0.01, path


def the_live_story(count: int) -> tuple[list[EntryUpdate], ArticleUpdate]:
    """The story gone live, with so many posts: the newest as the store announces it, and the article."""
    posts = [
        a_post(number, article_id="story", words=f"Number {number} is free", page=(number + 19) // 20)
        for number in range(1, count + 1)
    ]
    return posts[-1:], a_live(the_story(), posts)


async def post(site: Site, count: int) -> None:
    """The newest of so many posts comes."""
    newest, article = the_live_story(count)
    await site.take(*newest, article)


async def test_a_post_in_an_open_live_page_is_offered_and_moves_nothing(site: Site, browser: Browser) -> None:
    """It comes in on top of the others, above the reader, who stays where she is."""
    async with a_page(browser) as page:
        for count in range(31):
            await post(site, count)
        await opened(site, page, the_live_story(30)[1])
        reading = page.locator("#entry-e12")
        await reading.scroll_into_view_if_needed()
        before = await reading.bounding_box()
        await post(site, 31)
        await expect(page.get_by_role("status")).to_have_text("Live: Number 31 is free")
        await expect(page.get_by_role("button", name="1 entry · show")).to_be_visible()
        assert await page.locator("#entry-e31").count() == 0
        await post(site, 32)
        await page.get_by_role("button", name="2 entries · show").click()
        await expect(page.locator("ol.posts > li").first).to_have_attribute("id", "entry-e32")
        after = await reading.bounding_box()
        assert before is not None
        assert after is not None
        assert abs(after["y"] - before["y"]) < 2
        assert await page.locator("body").get_attribute("data-revision") == "33"
        assert await shifts(page) < 0.01


async def test_nothing_moves_while_a_page_of_posts_comes_up(site: Site, browser: Browser) -> None:
    for count in (0, 1):
        await post(site, count)
    async with a_page(browser) as page:
        for path in (str(the_story().path), f"{the_story().path}entries/1/"):
            await page.goto(site.url + path)
            await site.has_readers()
            assert await shifts(page) < 0.01, path


async def test_a_permalink_leads_to_its_post_for_good(site: Site, browser: Browser) -> None:
    """On a page that stays when posts come, and leads back to the newest."""
    async with a_page(browser) as page:
        for count in range(42):
            await post(site, count)
        await page.goto(f"{site.url}{the_story().path}entries/1/#entry-e7")
        await expect(page.locator("#entry-e7")).to_be_in_viewport()
        await page.get_by_role("link", name="Newer updates").click()
        await expect(page.locator("#entry-e40")).to_be_attached()
        await page.get_by_role("link", name="Latest updates").click()
        await expect(page.locator("#entry-e41")).to_be_attached()


async def test_each_way_on_from_a_page_of_posts_is_large_enough_to_hit(site: Site, browser: Browser) -> None:
    """24 px, for they stand one below the other (WCAG 2.5.8)."""
    async with a_page(browser) as page:
        for count in range(42):
            await post(site, count)
        await page.goto(f"{site.url}{the_story().path}entries/2/")
        for name in ("Newer updates", "Older updates", "Back to the article", "Latest updates"):
            box = await page.get_by_role("link", name=name, exact=True).bounding_box()
            assert box is not None
            assert box["height"] >= 24, name


async def test_a_paused_live_page_is_left_alone(site: Site, browser: Browser) -> None:
    """Until it is switched on again."""
    async with a_page(browser) as page:
        await post(site, 1)
        await opened(site, page, the_live_story(1)[1])
        await page.get_by_role("switch").click()
        await post(site, 2)
        await expect(page.get_by_role("switch")).to_have_attribute("aria-checked", "false")
        await expect(page.locator("[data-offer]")).to_be_hidden()
        await page.get_by_role("switch").click()
        await expect(page.get_by_role("button", name="1 entry · show")).to_be_visible()
