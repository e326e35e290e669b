"""Readers' ways through the site: with the keys alone, without the script, and by what is read aloud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from newsroom.updates import ArticleUpdate, ChangeKind
from tests.open_site import a_page
from tests.page_parts import a_story, a_text, a_told
from tests.whole_site import SHOWN, WholeSite

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PATHS = {shown.name: shown.path for shown in SHOWN}
IN_THE_FRAME = [shown for shown in SHOWN if not shown.name.endswith("excerpt")]
"""Pages of the site itself, with its head and foot; an excerpt stands on other people's."""
MOST_STOPS = 400
_STOP = """() => {
    const element = document.activeElement;
    const [style, box] = [getComputedStyle(element), element.getBoundingClientRect()];
    return {
        name: element.tagName.toLowerCase(),
        text: (element.innerText || element.value || element.ariaLabel || "").trim().slice(0, 60),
        isMarked: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        isSeen: box.width > 0 && box.bottom > 0 && box.top < innerHeight
            && box.right > 0 && box.left < innerWidth,
    };
}"""


async def stops(page: Page) -> list[dict[str, Any]]:
    """Each place where the focus rests on its way from the top of the page to its end."""
    found: list[dict[str, Any]] = []
    while len(found) < MOST_STOPS:
        await page.keyboard.press("Tab")
        stop: dict[str, Any] = await page.evaluate(_STOP)
        if stop["name"] == "body":
            return found
        found.append(stop)
    raise AssertionError(f"the focus comes to no end: {found[-3:]}")


async def tab_to(page: Page, text: str) -> None:
    """On with the keys, until the focus is on what has this text."""
    for _ in range(MOST_STOPS):
        await page.keyboard.press("Tab")
        if text in str((await page.evaluate(_STOP))["text"]):
            return
    raise AssertionError(f"no key leads to {text!r}")


@pytest.mark.parametrize("name", ["home", "article: everything", "article: live", "updates", "comparison"])
async def test_the_focus_goes_through_the_whole_page_and_is_seen_everywhere(
    site: WholeSite, browser: Browser, name: str
) -> None:
    """From the way past the head to the last link, nowhere caught."""
    async with a_page(browser) as page:
        await page.goto(site.url + PATHS[name])
        found = await stops(page)
    assert found[0]["text"] == "Skip to the text"
    assert [stop for stop in found if not (stop["isMarked"] and stop["isSeen"])] == []


async def test_with_the_keys_alone_a_reader_gets_from_the_front_to_the_words_that_changed(
    site: WholeSite, browser: Browser
) -> None:
    async with a_page(browser) as page:
        await page.goto(f"{site.url}/kazakhstan/")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.locator("main")).to_be_focused()
        await tab_to(page, "Seven walk free")
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(site.url + PATHS["article: everything"])
        await tab_to(page, "Reuse this article")
        await page.keyboard.press("Enter")
        await tab_to(page, "The first paragraph")
        await expect(page.get_by_label("Excerpt with link")).to_be_focused()
        await page.goto(site.url + PATHS["article: everything"])
        await tab_to(page, "History of this article")
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(site.url + PATHS["history"])


def the_story(article_id: str, *sentences: str) -> ArticleUpdate:
    """Each sentence after the first came with a correction."""
    body = "".join(f"<p>{sentence}</p>" for sentence in reversed(sentences))
    notes = [
        a_told(number + 2, ChangeKind.CORRECTION, sentence) for number, sentence in enumerate(sentences[1:])
    ]
    return a_story(a_text(body=body, slug=article_id), *notes, article_id=article_id)


async def listening(site: WholeSite, page: Page, story: ArticleUpdate) -> None:
    """Publish it, open its page and wait until that hears what is told."""
    await site.take(story)
    before = site.listening
    await page.goto(f"{site.url}{story.path}")
    await site.has_readers(before + 1)


async def test_with_the_keys_alone_a_reader_takes_what_is_offered_and_stops_it(
    site: WholeSite, browser: Browser
) -> None:
    async with a_page(browser) as page:
        await listening(site, page, the_story("keys", "It was eight."))
        await site.take(the_story("keys", "It was eight.", "It was seven."))
        await expect(page.locator("[data-offer]")).to_be_visible()
        await tab_to(page, "1 update")
        await page.keyboard.press("Enter")
        await expect(page.locator(".body")).to_contain_text("It was seven.")
        await expect(page.locator("body:focus")).to_have_count(0)
        await page.keyboard.press("Home")
        await page.reload()
        await tab_to(page, "Automatic updates")
        await page.keyboard.press("Space")
        await expect(page.get_by_role("switch")).to_have_attribute("aria-checked", "false")


# --- without the script

WITHOUT_SCRIPT = (
    ("/", "The ice breaks on the Ural", "article: ice"),
    ("/kazakhstan/", "Seven walk free", "article: everything"),
    ("article: everything", "History of this article", "history"),
    ("article: everything", "Astana", "tag"),
    ("article: live", "Older updates", "oldest posts"),
    ("oldest posts", "Newer updates", "posts"),
    ("article: live", "Key events only", "key events"),
    ("key events", "Back to the article", "article: live"),
    ("/", "Corrections", "corrections"),
)


async def test_without_the_script_every_way_is_a_link(site: WholeSite, browser: Browser) -> None:
    """And nothing stands there that only the script could move."""
    async with a_page(browser, script=False) as page:
        for start, link, end in WITHOUT_SCRIPT:
            await page.goto(site.url + PATHS.get(start, start))
            await expect(page.get_by_role("switch")).to_have_count(0)
            await expect(page.get_by_role("button")).to_have_count(0)
            await page.get_by_role("link", name=link).first.click()
            await expect(page).to_have_url(site.url + PATHS[end])


async def test_without_the_script_the_page_tells_all_that_was_told(site: WholeSite, browser: Browser) -> None:
    async with a_page(browser, script=False) as page:
        await page.goto(site.url + PATHS["article: everything"])
        for words in (
            "not eight, as we had it",
            "the one at the station",
            "not to name her",
            "part 7",
            "part 2",
        ):
            await expect(page.get_by_text(words).first).to_be_visible()


# --- by what is read aloud


@dataclass(frozen=True)
class Heard:
    """One node of the tree that programs read aloud."""

    role: str
    name: str
    properties: dict[str, Any]


async def heard(page: Page) -> list[Heard]:
    """What such a program finds on the page, in its order."""
    session = await page.context.new_cdp_session(page)
    try:
        tree = await session.send("Accessibility.getFullAXTree")
    finally:
        await session.detach()
    return [
        Heard(
            role=node["role"]["value"],
            name=node.get("name", {}).get("value", ""),
            properties={each["name"]: each["value"].get("value") for each in node.get("properties", ())},
        )
        for node in tree["nodes"]
        if not node["ignored"]
    ]


def by_role(nodes: list[Heard], *roles: str) -> list[str]:
    return [node.name for node in nodes if node.role in roles]


async def said(page: Page) -> str:
    """What the one region says that is read out by itself."""
    nodes = await heard(page)
    (region,) = [node for node in nodes if node.properties.get("live") not in (None, "off")]
    assert (region.role, region.properties["live"]) == ("status", "polite")
    texts = await page.get_by_role("status").all_inner_texts()
    return " ".join(texts)


async def test_a_notice_is_read_out_once_politely_and_takes_nothing_along(
    site: WholeSite, browser: Browser
) -> None:
    """The region is there from the start; focus and headings stay; the way to the text has a name."""
    async with a_page(browser) as page:
        await listening(site, page, the_story("aloud", "It was eight."))
        assert await said(page) == ""
        before = await heard(page)
        await site.take(the_story("aloud", "It was eight.", "It was seven."))
        await expect(page.get_by_role("status")).not_to_be_empty()
        assert await said(page) == "Correction: It was seven."
        after = await heard(page)
        assert by_role(after, "heading") == by_role(before, "heading")
        assert [node for node in after if node.properties.get("focused") and node.role != "RootWebArea"] == []
        assert "1 update · show" in by_role(after, "button")
        assert "Live updates" in by_role(after, "complementary")
        await page.get_by_role("button", name="1 update · show").click()
        await expect(page.locator(".body")).to_contain_text("It was seven.")
        assert await said(page) == ""
        assert "1 update · show" not in by_role(await heard(page), "button")


@pytest.mark.parametrize("shown", IN_THE_FRAME, ids=lambda shown: shown.name)
async def test_each_page_is_told_by_its_heading_and_its_regions(
    site: WholeSite, browser: Browser, shown: Any
) -> None:
    """One heading of the first rank, one main part, no two regions of one name, no nameless control."""
    async with a_page(browser) as page:
        await page.set_extra_http_headers(dict(shown.headers))
        await page.goto(site.url + shown.path)
        nodes = await heard(page)
    ranks = [node.properties.get("level") for node in nodes if node.role == "heading"]
    assert ranks.count(1) == 1
    assert [len(by_role(nodes, role)) for role in ("main", "banner", "contentinfo", "status")] == [1, 1, 1, 1]
    ways = by_role(nodes, "navigation", "complementary", "region")
    assert "" not in ways
    assert len(set(ways)) == len(ways)
    assert "" not in by_role(nodes, "link", "button", "switch", "textbox", "heading")
