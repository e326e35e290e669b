"""The whole newsroom with a reader's browser on it: posted over HTTP, told and shown on the open page."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.open_site import a_browser, a_page
from tests.stack import Stack, an_article, without_id

pytestmark = [pytest.mark.real, pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PARAGRAPHS = [f'<p>Paragraph {n} with <a href="https://x.test/{n}">link {n}</a>.</p>' for n in range(1, 41)]


async def update(stack: Stack, article_id: str, note: str, *news: str) -> None:
    """Post an update that puts paragraphs above and into the text."""
    paragraphs = [f"<p>{words}</p>" for words in news]
    text = "".join([*paragraphs, *PARAGRAPHS[:20], *paragraphs, *PARAGRAPHS[20:]])
    article = without_id(an_article(article_id, body=text))
    response = await stack.send("POST", f"/articles/{article_id}/updates", {"note": note, "article": article})
    assert response.status_code == 200, response.text


async def test_a_reader_sees_an_update_arrive_and_keeps_the_place(stack: Stack, chromium: str) -> None:
    """From the POST to the open page: told, offered, shown without moving the line that is read."""
    answer = await stack.publish("open", body="".join(PARAGRAPHS))
    async with a_browser(chromium) as browser, a_page(browser) as page:
        async with page.expect_response(lambda response: "/live/open?" in response.url):
            await page.goto(answer["url"])
        link = page.get_by_role("link", name="link 30", exact=True)
        await link.focus()
        line = page.locator(".body p", has_text="Paragraph 29 ")
        before = await line.bounding_box()
        await update(stack, "open", "Two more are free.", "News that nobody had read before.")
        await expect(page.get_by_role("status")).to_have_text("Update: Two more are free.")
        await page.get_by_role("button", name="1 update · show").click()
        await expect(page.locator(".body p", has_text="News that nobody")).to_have_count(2)
        after = await line.bounding_box()
        assert before is not None
        assert after is not None
        assert abs(after["y"] - before["y"]) <= 1
        await expect(link).to_be_focused()
        assert await page.evaluate("window.shifts") < 0.01


async def test_without_script_the_page_has_everything_after_a_reload(stack: Stack, chromium: str) -> None:
    answer = await stack.publish("plain", body="".join(PARAGRAPHS))
    async with a_browser(chromium) as browser, a_page(browser, script=False) as page:
        await page.goto(answer["url"])
        await update(stack, "plain", "All are free.", "News for everybody.")
        await page.reload()
        await expect(page.locator(".notices", has_text="All are free.")).to_be_visible()
        await expect(page.locator(".body p", has_text="News for everybody.")).to_have_count(2)
