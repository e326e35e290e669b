"""Texts of every known way in, through every field of an article, in a real browser: no script of theirs
runs, and no request of theirs leaves.

The page's Content-Security-Policy is taken away for it, so that nothing but our own escaping and cleaning
stands between the text and the script; in the last test it is back, and has nothing to refuse.
"""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, Page, Request, Route, expect

from newsroom.articles import Dateline, Source
from newsroom.bodies import clean
from newsroom.updates import ArticleUpdate, ChangeKind, EntryUpdate
from tests.hostile import HANDLERS, PIECES, REQUESTS, TEMPLATES, VECTORS
from tests.open_site import PATIENCE_MS, OpenSite
from tests.page_parts import a_retraction, a_story, a_text, a_told
from tests.render_parts import a_live, a_post

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

TOGETHER = 8
"""So many texts in one article: all of them, and no page for each."""
COMPOSITIONS = 2_000
WATCH = """
    window.heard = [];
    window.ran = () => window.heard.push("a script ran");
    window.alert = window.prompt = window.confirm = window.ran;
    document.addEventListener("securitypolicyviolation", (event) =>
    window.heard.push(event.violatedDirective));
"""
HANDLERS_LEFT = """
    [...document.querySelectorAll("*")].flatMap((element) => [...element.attributes]
        .filter(({name, value}) => name.startsWith("on")
            || (element.localName !== "meta" && /^\\s*(javascript|vbscript|data):/i.test(value)))
        .map(({name, value}) => `${element.localName} ${name}=${value}`))
"""
TRY_ALL = """
    (bodies) => {
        const hall = document.createElement("div");
        document.body.append(hall);
        for (const body of bodies) {
            hall.innerHTML = body;
            const parsed = new DOMParser().parseFromString(`<div class="body">${body}</div>`, "text/html");
            hall.replaceChildren(...document.importNode(parsed.body, true).childNodes);
        }
    }
"""


@dataclass
class Watched:
    """A page with what it asked of others."""

    page: Page
    asked: list[str] = field(default_factory=list)

    async def assert_harmless(self, where: str) -> None:
        heard = await self.page.evaluate("window.heard")
        assert heard == [], f"{where}: {heard}"
        assert await self.page.evaluate(HANDLERS_LEFT) == [], where
        assert self.asked == [], where


@asynccontextmanager
async def a_watched_page(
    site: OpenSite, browser: Browser, *, keeps_policy: bool = False
) -> AsyncIterator[Watched]:
    """Whatever the page asks of another host is written down and not answered."""
    context = await browser.new_context(bypass_csp=not keeps_policy)
    context.set_default_timeout(PATIENCE_MS)
    watched = Watched(await context.new_page())

    def is_elsewhere(url: str) -> bool:
        return not url.startswith((site.url, "data:", "about:"))

    async def refuse(route: Route, request: Request) -> None:
        if is_elsewhere(request.url):
            watched.asked.append(request.url)
            await route.abort()
        else:
            await route.continue_()

    await context.add_init_script(WATCH)
    await context.route("**/*", refuse)
    try:
        yield watched
    finally:
        await context.close()


def a_hostile_story(number: int, texts: tuple[str, ...], *changes: object) -> ArticleUpdate:
    """The same texts in each field that an editor may fill."""
    lines = tuple(" ".join(text.split()) for text in texts)
    together = " ".join(lines)
    told = [a_told(2, ChangeKind.UPDATED, together), a_told(3, ChangeKind.CORRECTION, together)]
    text = a_text(
        headline=f"Number {number} {together}"[:300],
        deck=together[:1000],
        body="".join(f"<p>Words {text} words.</p>{text}" for text in texts),
        section=f"s{number} {lines[0]}"[:60],
        tags=tuple(f"t{number} {text}"[:60] for text in lines),
        authors=(f"a{number} {lines[-1]}"[:100],),
        dateline=Dateline(place=lines[0][:100], timezone="Asia/Almaty"),
        sources=tuple(Source(name=text[:200], url="https://x.test/?a='1&b=2") for text in lines),
        slug=f"story-{number}",
    )
    return a_story(text, *told, article_id=f"hostile-{number}")


def hostile_stories() -> list[ArticleUpdate]:
    return [
        a_hostile_story(number, VECTORS[first : first + TOGETHER])
        for number, first in enumerate(range(0, len(VECTORS), TOGETHER))
    ]


def addresses(story: ArticleUpdate) -> tuple[str, ...]:
    return (str(story.path), f"{story.path}history/", f"{story.path}excerpt.html")


async def test_no_text_of_an_article_runs_or_asks_anything(site: OpenSite, browser: Browser) -> None:
    stories = hostile_stories()
    await site.take(*stories)
    async with a_watched_page(site, browser) as watched:
        for path in [
            *(path for story in stories for path in addresses(story)),
            "/",
            "/updates/",
            "/corrections/",
        ]:
            answer = await watched.page.goto(site.url + path)
            assert answer is not None
            assert answer.status == 200, path
            await watched.assert_harmless(path)


async def test_no_name_of_a_listing_runs_or_asks_anything(site: OpenSite, browser: Browser) -> None:
    """Each text is the name of a tag, and so the title of a page."""
    await site.take(*hostile_stories())
    root = site.render.folder.root
    listings = [f"/{page.relative_to(root).parent}/" for page in root.glob("tags/*/index.html")]
    assert len(listings) > len(VECTORS) / 2
    async with a_watched_page(site, browser) as watched:
        for path in listings:
            await watched.page.goto(site.url + path)
            await watched.assert_harmless(path)


async def test_no_notice_that_arrives_runs_or_asks_anything(site: OpenSite, browser: Browser) -> None:
    """What the page's own script puts in: the offer, the note, and the new text once it is asked for."""
    async with a_watched_page(site, browser) as watched:
        for number, first in enumerate(range(0, len(VECTORS), TOGETHER)):
            story = a_hostile_story(number, VECTORS[first : first + TOGETHER])
            quiet = a_story(a_text(slug=f"story-{number}", section="Kazakhstan"), article_id=story.article_id)
            loud = story.model_copy(update={"path": quiet.path})
            await site.take(quiet)
            await watched.page.goto(site.url + str(quiet.path))
            await site.has_readers()
            await site.take(loud)
            await watched.page.get_by_role("button", name="show").first.click()
            await expect(watched.page.locator("body")).to_have_attribute("data-revision", "3")
            await watched.assert_harmless(f"notices of {number}")
            await watched.page.goto("about:blank")
            await site.has_readers(0)


def hostile_posts(number: int, texts: tuple[str, ...]) -> list[EntryUpdate]:
    return [
        a_post(place, article_id=f"hostile-{number}", words=" ".join(text.split()), revision=3 + place)
        for place, text in enumerate(texts, 1)
    ]


async def test_no_entry_of_a_live_article_runs_or_asks_anything(site: OpenSite, browser: Browser) -> None:
    async with a_watched_page(site, browser) as watched:
        for number, first in enumerate(range(0, len(VECTORS), TOGETHER)):
            texts = VECTORS[first : first + TOGETHER]
            posts = hostile_posts(number, texts)
            story = a_live(a_hostile_story(number, texts), posts)
            await site.take(story, *posts)
            await watched.page.goto(site.url + str(story.path))
            assert await watched.page.locator("article").count() > 0
            await watched.assert_harmless(str(story.path))


async def test_no_retraction_runs_or_asks_anything(site: OpenSite, browser: Browser) -> None:
    stories = hostile_stories()
    await site.take(*stories)
    killed = [a_retraction(story, " ".join(VECTORS)[:2000]) for story in stories]
    await site.take(*killed)
    async with a_watched_page(site, browser) as watched:
        for story in killed:
            await watched.page.goto(site.url + str(story.path))
            await watched.assert_harmless(str(story.path))


async def test_what_is_cleaned_stays_harmless_however_it_was_put_together(
    site: OpenSite, browser: Browser
) -> None:
    """A cleaner and a browser may read the same bytes as different trees; here both read thousands."""
    dice = random.Random(7)
    composed = ["".join(dice.choices(PIECES, k=dice.randint(2, 12))) for _ in range(COMPOSITIONS)]
    bodies = [clean(body) for body in [*composed, *VECTORS]]
    assert sum(bool(body) for body in bodies) > COMPOSITIONS / 2
    async with a_watched_page(site, browser) as watched:
        await watched.page.goto(site.url + "/")
        await watched.page.evaluate(TRY_ALL, bodies)
        await watched.assert_harmless("composed bodies")


async def test_this_test_hears_a_script_and_a_request(site: OpenSite, browser: Browser) -> None:
    """The same texts uncleaned: or the tests above could not fail."""
    async with a_watched_page(site, browser) as watched:
        await watched.page.goto(site.url + "/")
        await watched.page.evaluate(TRY_ALL, [*REQUESTS, *HANDLERS])
        assert "a script ran" in await watched.page.evaluate("window.heard")
        assert await watched.page.evaluate(HANDLERS_LEFT)
        assert any("elsewhere.test" in url for url in watched.asked)


async def test_templates_in_a_text_are_words(site: OpenSite, browser: Browser) -> None:
    story = a_hostile_story(0, TEMPLATES)
    await site.take(story)
    async with a_watched_page(site, browser) as watched:
        await watched.page.goto(site.url + str(story.path))
        shown = await watched.page.locator("h1").inner_text()
        assert "7*7" in shown
        assert "49" not in shown


async def test_the_policy_has_nothing_to_refuse(site: OpenSite, browser: Browser) -> None:
    """With the Content-Security-Policy as served: a violation would mean that markup of theirs got
    through."""
    stories = hostile_stories()
    await site.take(*stories)
    async with a_watched_page(site, browser, keeps_policy=True) as watched:
        for story in stories:
            await watched.page.goto(site.url + str(story.path))
            await watched.assert_harmless(str(story.path))
        data = await watched.page.locator("script[type='application/ld+json']").inner_text()
        assert json.loads(data)["@graph"]
