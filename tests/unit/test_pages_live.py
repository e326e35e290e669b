"""A live article's page and the pages of its posts: what stands where, what it weighs, what leads on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise

import brotli  # type: ignore[import-untyped]
import pytest

from newsroom.articles import EntryText
from newsroom.updates import ArticleUpdate, Change, ChangeKind, EntryUpdate, LiveState, PublicEntry
from services.render.cards import card_of, ledger_of
from services.render.listingkinds import Listing
from services.render.pages import Pages
from services.render.posts import KEY_LIMIT, LEDGER_POSTS, Posts, latest_pages
from tests.page_parts import (
    FIRST_PUBLISHED,
    Element,
    a_retraction,
    a_story,
    a_text,
    a_told,
    later,
    read_page,
)
from tests.render_parts import a_site

PAGES = Pages(a_site())
PER_PAGE = 20
MOST_BYTES = 20_000


def a_post(number: int, text: EntryText | None = None, *, changed: int | None = None) -> EntryUpdate:
    """An entry; `changed`: how many minutes after the first publication."""
    written = text or EntryText(
        headline=f"Entry {number}", body=f"<p>Words of number {number}. And some more. And more of it.</p>"
    )
    shown = PublicEntry(
        text=written, added_at=later(number), changed_at=later(changed) if changed is not None else None
    )
    return EntryUpdate(
        article_id="story",
        entry_id=f"e{number}",
        number=number,
        page=(number - 1) // PER_PAGE + 1,
        revision=number + 1,
        as_of=number + 1,
        entry=shown,
    )


def a_live_story(
    count: int, *, closed: bool = False, pinned: str | None = None, **text: object
) -> ArticleUpdate:
    """A live story with so many posts behind it."""
    story = a_story(a_text(live=not closed, **text))
    assert story.public is not None
    live = LiveState(
        entries=count,
        pages=(count + PER_PAGE - 1) // PER_PAGE,
        pinned=pinned,
        entry_revision=count + 1,
        entry_at=later(count),
        closed_at=later(count + 1) if closed else None,
    )
    public = story.public.model_copy(update={"live": live, "revision": count + 1})
    return story.model_copy(update={"public": public, "revision": count + 1})


def files_of(update: ArticleUpdate, posts: Sequence[EntryUpdate]) -> Mapping[str, bytes]:
    """Every file of the story, with all its posts."""
    newest = sorted(posts, key=lambda post: -post.number)
    assert update.public is not None
    assert update.public.live is not None
    pinned = update.public.live.pinned
    given = Posts(
        latest=tuple(post for post in newest if post.page in latest_pages(update)),
        pinned=next((post for post in posts if post.entry_id == pinned), None),
        key_events=tuple(post for post in newest if post.entry and post.entry.text.key_event)[:KEY_LIMIT],
        pages={
            number: tuple(post for post in newest if post.page == number)
            for number in range(1, update.public.live.pages + 1)
        },
    )
    return PAGES.article(update, given)


def page_of(update: ArticleUpdate, posts: Sequence[EntryUpdate], below: str = "") -> Element:
    return read_page(files_of(update, posts)[f"{update.path}{below}index.html"])


def news_article(page: Element) -> dict[str, object]:
    """The first node of the page's JSON-LD."""
    script = page.one("script", type="application/ld+json")
    node: dict[str, object] = json.loads("".join(str(child) for child in script.children))["@graph"][0]
    return node


def test_an_open_live_page_says_so_and_when_it_was_last_updated() -> None:
    """A label, the time of the newest post with a way to it, the switch, and what is pinned on top."""
    posts = [a_post(number) for number in range(1, 4)]
    page = page_of(a_live_story(3, pinned="e1"), posts)
    assert page.one("p", class_="kicker").text.startswith("Live ")
    updated = page.one("p", class_="updated")
    assert updated.one("time")["datetime"] == "2023-06-20T10:43:00+06:00"
    assert updated.one("a")["href"] == "#latest"
    assert page.one("button", role="switch")
    assert page.one("h2", id="latest").text == "Latest updates"
    assert page.one("div", class_="pinned").one("h3").text == "Entry 1"
    assert [post["id"] for post in page.all("li", class_="post")] == ["entry-e3", "entry-e2"]


def test_the_newest_posts_stand_on_the_page_and_the_others_on_pages_before() -> None:
    """Those of the last two pages; the link leads to the page before them."""
    story = a_live_story(50)
    page = page_of(story, [a_post(number) for number in range(1, 51)])
    shown = [post["id"] for post in page.all("li", class_="post")]
    assert shown == [f"entry-e{number}" for number in range(50, 20, -1)]
    (older,) = [link for link in page.all("a") if link.text == "Older updates"]
    assert older["href"] == f"{story.path}entries/1/"


def test_each_page_of_posts_knows_its_neighbours_and_stands_for_good() -> None:
    """Also the newest one; a permalink leads to a post on its page."""
    story = a_live_story(50)
    posts = [a_post(number) for number in range(1, 51)]
    middle = page_of(story, posts, "entries/2/")
    assert middle.one("link", rel="canonical")["href"].endswith(f"{story.path}entries/2/")
    assert middle.one("link", rel="prev")["href"] == f"{story.path}entries/1/"
    assert middle.one("link", rel="next")["href"] == f"{story.path}entries/3/"
    newest = page_of(story, posts, "entries/3/")
    assert newest.all("link", rel="next") == []
    post = newest.one("li", id="entry-e50")
    assert post.one("p", class_="what").one("a")["href"] == f"{story.path}entries/3/#entry-e50"
    assert newest.one("h1").one("a")["href"] == story.path


def test_a_page_of_posts_does_not_change_with_what_comes_after_it() -> None:
    """Neither with more posts nor with the article's revision."""
    posts = [a_post(number) for number in range(1, 61)]
    before, after = files_of(a_live_story(45), posts[:45]), files_of(a_live_story(60), posts)
    for number in (1, 2):
        name = f"{a_live_story(45).path}entries/{number}/index.html"
        assert before[name] == after[name]
    history = f"{a_live_story(45).path}history/index.html"
    assert before[history] == after[history]


def test_a_post_has_author_time_headline_body_and_when_it_changed() -> None:
    """Its body is cleaned once more, whatever the log carries."""
    text = EntryText.model_construct(
        headline="Freed <now>", body="<p>Two <script>x</script><em>people</em>.</p>", key_event=True,
        pinned=False, author="Aigerim Bekova",
    )  # fmt: skip
    page = page_of(a_live_story(1), [a_post(1, text, changed=30)])
    post = page.one("li", class_="post")
    assert post.one("h3").text == "Freed <now>"
    assert post.one("div", class_="body").text == "Two people."
    assert "Key event" in post.one("p", class_="what").text
    assert post.one("p", class_="byline").text == "By Aigerim Bekova Changed 20 June, 2023 | 11:10"


def test_key_events_are_links_here_and_on_a_page_of_their_own() -> None:
    """Bounded on both, newest first; without any there is neither."""
    key = [a_post(number, EntryText(headline=f"Key {number}", key_event=True)) for number in range(1, 131)]
    story = a_live_story(130)
    page = page_of(story, key)
    listed = page.one("nav", class_="key-events").all("li")
    assert [line.one("a").text for line in listed] == [f"Key {number}" for number in range(130, 122, -1)]
    alone = page_of(story, key, "entries/key/").one("section", class_="key-events").all("li")
    assert len(alone) == KEY_LIMIT
    assert alone[0].one("a")["href"] == f"{story.path}entries/7/#entry-e130"
    filtered = [link["href"] for link in page.one("p", class_="filter").all("a")]
    assert filtered == [f"{story.path}entries/key/"]
    without = files_of(a_live_story(1), [a_post(1)])
    assert f"{story.path}entries/key/index.html" not in without
    assert read_page(without[f"{story.path}index.html"]).all("nav", class_="key-events") == []


@pytest.mark.parametrize(
    ("minutes", "told"), [(5, "10:45"), (2 * 24 * 60, "22 June, 2023 | 10:40")], ids=["one day", "several"]
)
def test_key_events_of_several_days_say_which(minutes: int, told: str) -> None:
    """A time of day alone would not tell."""
    key = [a_post(number, EntryText(headline=f"Key {number}", key_event=True)) for number in (0, minutes)]
    page = page_of(a_live_story(2), key)
    assert page.one("nav", class_="key-events").all("li")[0].one("time").text == told


def test_a_closed_live_page_says_when_it_ended() -> None:
    """Its posts stay; it is not called live any more, here or on fronts."""
    story = a_live_story(2, closed=True)
    page = page_of(story, [a_post(1), a_post(2)])
    assert page.one("p", class_="updated").text == "Live coverage ended 20 June, 2023 | 10:43 UTC+6"
    assert not page.one("p", class_="kicker").text.startswith("Live")
    assert len(page.all("li", class_="post")) == 2
    assert news_article(page)["coverageEndTime"] == "2023-06-20T10:43:00+06:00"
    card = card_of(story)
    assert card is not None
    assert not card.live


def test_machines_read_a_live_blog_without_its_texts() -> None:
    """Both types, for one has the dateline; of a post its headline, time and address."""
    story = a_live_story(30)
    article = news_article(page_of(story, [a_post(number) for number in range(1, 31)]))
    assert article["@type"] == ["NewsArticle", "LiveBlogPosting"]
    assert article["dateline"] == "Astana, Kazakhstan"
    assert article["coverageStartTime"] == "2023-06-20T10:40:00+06:00"
    assert "coverageEndTime" not in article
    told = article["liveBlogUpdate"]
    assert isinstance(told, list)
    assert len(told) == 10
    assert set(told[0]) == {"@type", "headline", "datePublished", "url"}
    assert told[0]["url"].endswith("entries/2/#entry-e30")


def test_a_live_page_before_its_first_post_stands() -> None:
    """It says that there is nothing yet."""
    page = page_of(a_live_story(0), [])
    assert page.one("p", class_="empty").text == "The first update will appear here."
    assert set(files_of(a_live_story(0), [])) == {
        f"{a_live_story(0).path}index.html",
        f"{a_live_story(0).path}history/index.html",
    }


@pytest.mark.parametrize(("language", "direction"), [("he", "rtl"), ("de", "ltr")])
def test_posts_are_set_in_their_articles_language(language: str, direction: str) -> None:
    """Headline and body tell it where it is not the site's."""
    page = page_of(a_live_story(1, language=language), [a_post(1)])
    post = page.one("li", class_="post")
    for element in (post.one("h3"), post.one("div", class_="body")):
        assert (element["lang"], element["dir"]) == (language, direction)


def test_headings_and_ids_are_sound_on_every_page() -> None:
    """No id twice, though a pinned post stands among the newest; no level is skipped."""
    posts = [
        a_post(number, EntryText(headline=f"E {number}", body="<p>Words.</p>", key_event=number % 3 == 0))
        for number in range(1, 46)
    ]
    story = a_live_story(45, pinned="e44")
    for name, content in files_of(story, posts).items():
        page = read_page(content)
        ids = [element["id"] for element in page.all() if "id" in element.attributes]
        assert len(ids) == len(set(ids)), name
        levels = [int(element.name[1]) for element in page.all() if element.name in ("h1", "h2", "h3", "h4")]
        assert levels[0] == 1, name
        assert all(after - before <= 1 for before, after in pairwise(levels)), name


def _prose(seed: int, words: int) -> str:
    """Words that compress no better than those of a newspaper."""
    state, made = seed * 2654435761 % 2**32, []
    for _ in range(words):
        state = (1664525 * state + 1013904223) % 2**32
        made.append(_VOCABULARY[state >> 8 & 1023])
    return " ".join(made) + "."


_SYLLABLES = (
    "ka",
    "ro",
    "men",
    "ti",
    "sul",
    "be",
    "ga",
    "lor",
    "shi",
    "un",
    "ver",
    "da",
    "po",
    "nay",
    "el",
    "os",
)
_VOCABULARY = [
    _SYLLABLES[number & 15] + _SYLLABLES[number >> 4 & 15] + _SYLLABLES[number >> 6 & 15]
    for number in range(1024)
]


def test_a_live_page_of_a_thousand_posts_keeps_to_the_weight_of_a_page() -> None:
    """With a text of six hundred words, posts of sixty, and their pages full."""
    body = "".join(f"<p>{_prose(number, 60)}</p>" for number in range(10))
    posts = [
        a_post(
            number,
            EntryText(
                headline=_prose(number, 7), body=f"<p>{_prose(number, 60)}</p>", key_event=number % 9 == 0
            ),
        )
        for number in range(1, 1001)
    ]
    files = files_of(a_live_story(1000, body=body, pinned="e7"), posts)
    weights = {name: len(brotli.compress(content, quality=5)) for name, content in files.items()}
    assert max(weights.values()) <= MOST_BYTES, max(weights.items(), key=lambda each: each[1])
    assert len(files) == 50 + 1 + 2


def test_fronts_label_what_is_live_and_the_ledger_leads_to_posts() -> None:
    """A line of the ledger has no history to lead to, only the post."""
    story = a_live_story(30)
    card = card_of(story)
    assert card is not None
    front = read_page(PAGES.listing(Listing("/", cards=(card,)))["/index.html"])
    assert front.one("article", class_="lead").one("p", class_="kicker").text.startswith("Live")
    posts = [a_post(number) for number in range(30, 30 - LEDGER_POSTS, -1)]
    entries = ledger_of(story, posts)
    ledger = read_page(PAGES.listing(Listing("/updates/", entries=entries[::-1]))["/updates/index.html"])
    newest = ledger.all("article")[0]
    assert newest.one("p", class_="clock").one("span").text == "Live"
    assert newest.one("h3").text == "Hostages freed in Astana"
    assert newest.one("h3").one("a")["href"] == f"{story.path}entries/2/#entry-e30"
    assert "Entry 30" in newest.text
    assert newest.all("p", class_="more") == []


def test_posts_from_before_the_publication_that_stands_are_in_no_ledger() -> None:
    """They came back with their article, in silence."""
    story = a_live_story(3)
    assert story.public is not None
    begun = Change(revision=3, kind=ChangeKind.PUBLISHED, time=FIRST_PUBLISHED)
    again = story.model_copy(update={"public": story.public.model_copy(update={"changes": (begun,)})})
    lines = ledger_of(again, [a_post(1), a_post(2), a_post(3)])
    assert [line.revision for line in lines] == [3, 4]


def test_a_retraction_says_nothing_of_posts() -> None:
    """Whatever the update still carries."""
    retracted = a_retraction(a_live_story(2), "It was not so.")
    given = Posts(latest=(a_post(2), a_post(1)), pages={1: (a_post(2), a_post(1))})
    files = PAGES.article(retracted, given)
    assert len(files) == 2
    assert all(b"Entry" not in content for content in files.values())
    assert ledger_of(retracted, [a_post(1)])[-1].kind == "retraction"


def test_the_history_of_a_live_article_lists_its_texts_alone() -> None:
    """Its revision is that of the last change, so that posts leave the page as it is."""
    updated = a_told(2, ChangeKind.UPDATED, "More is known.")
    story = a_story(a_text(live=True), updated)
    assert story.public is not None
    live = LiveState(entries=1, pages=1, entry_revision=3, entry_at=later(3))
    public = story.public.model_copy(update={"live": live, "revision": 3})
    page = page_of(story.model_copy(update={"public": public}), [a_post(1)], "history/")
    assert page.one("body")["data-revision"] == "2"
    assert len(page.one("ol", class_="revisions").all("li")) == 2
