"""What search engines, other sites and machines find in a page's head."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from newsroom.bodies import paragraphs
from newsroom.updates import ArticleUpdate, ChangeKind
from services.render.cards import card_of
from services.render.listingkinds import Listing
from services.render.looks.sitefile import Machines
from services.render.pages import Pages
from services.render.posts import Posts
from tests.page_parts import BODY, Element, a_retraction, a_story, a_text, a_told, read_page
from tests.render_parts import SITE_URL, a_live, a_post, a_site

PAGES = Pages(a_site("Kazakhstan"))


def head_of(story: ArticleUpdate, posts: Posts | None = None, below: str = "") -> Element:
    files = PAGES.article(story, posts) if posts else PAGES.article(story)
    return read_page(files[f"{story.path}{below}index.html"]).one("head")


def robots_of(head: Element) -> list[str]:
    return head.one("meta", name="robots")["content"].split(", ")


def test_search_engines_may_show_as_much_of_a_text_as_anybody_may_quote() -> None:
    share = len(" ".join(paragraphs(BODY))) * 3 // 10
    assert robots_of(head_of(a_story())) == ["max-image-preview:large", f"max-snippet:{share}"]
    assert robots_of(head_of(a_story(a_text(body="<p>So.</p>"))))[1] == "max-snippet:0"


def test_of_a_live_page_its_posts_count_too_each_once() -> None:
    posts = tuple(a_post(number, article_id="story") for number in (2, 1))
    live = a_live(a_story(a_text(body="")), posts, pinned="e1")
    texts = [post.entry.text.body for post in posts if post.entry]
    share = len(" ".join(part for text in texts for part in paragraphs(text))) * 3 // 10
    head = head_of(live, Posts(latest=posts, pinned=posts[1], pages={1: posts}))
    assert robots_of(head)[1] == f"max-snippet:{share}"
    below = head_of(live, Posts(latest=posts, pages={1: posts}, key_events=posts), below="entries/1/")
    assert robots_of(below)[1] == f"max-snippet:{share}"


def test_pages_without_a_text_of_an_article_are_not_limited() -> None:
    card = card_of(a_story())
    assert card is not None
    home = read_page(PAGES.listing(Listing("/", (card,)))["/index.html"]).one("head")
    for head in (home, head_of(a_retraction(a_story(), "It was not so."))):
        assert robots_of(head) == ["max-image-preview:large"]


def test_a_link_to_a_page_is_shown_with_the_site_s_card() -> None:
    head = head_of(a_story())
    image = head.one("meta", property="og:image")["content"]
    assert image.startswith(f"{SITE_URL}/assets/card.")
    assert image.removeprefix(SITE_URL) in PAGES.assets()
    assert head.one("meta", property="og:image:width")["content"] == "1200"
    assert head.one("meta", property="og:image:height")["content"] == "630"
    assert head.one("meta", name="twitter:card")["content"] == "summary_large_image"


def test_the_card_of_an_article_is_found_from_its_page() -> None:
    """Also of a retracted one, for whoever embedded it."""
    story = a_story(a_text(slug="it-s-so"))
    for page in (story, a_retraction(story, "It was not so.")):
        link = head_of(page).one("link", type="application/json+oembed")["href"]
        asked = urlsplit(link)
        assert link.startswith(f"{SITE_URL}/oembed?")
        assert parse_qs(asked.query) == {"url": [f"{SITE_URL}{story.path}"], "format": ["json"]}
    assert not head_of(story, below="history/").all("link", type="application/json+oembed")


def test_a_translation_leads_to_its_original() -> None:
    """For machines by language, for readers by a line."""
    story = a_story(a_text(language="kk", translation_of="first"))
    page = read_page(PAGES.article(story)[f"{story.path}index.html"])
    alternates = {
        link["hreflang"]: link["href"] for link in page.all("link") if "hreflang" in link.attributes
    }
    assert alternates == {"kk": f"{SITE_URL}{story.path}", "x-default": f"{SITE_URL}/articles/first/"}
    assert page.one("p", class_="translation").one("a")["href"] == "/articles/first/"


def test_an_article_that_translates_none_names_no_other_language() -> None:
    story = a_story()
    page = read_page(PAGES.article(story)[f"{story.path}index.html"])
    assert not [link for link in page.all("link") if "hreflang" in link.attributes]
    assert not page.all("p", class_="translation")


def test_every_page_tells_machines_the_terms() -> None:
    head = head_of(a_story(None, a_told(2, ChangeKind.UPDATED, "More.")))
    assert head.one("meta", name="tdm-reservation")["content"] == "1"
    assert head.one("meta", name="tdm-policy")["content"] == f"{SITE_URL}/reuse/"
    assert head.one("link", rel="license")["href"] == f"{SITE_URL}/license.xml"
    allowed = a_site().model_copy(update={"machines": Machines(text_and_data_mining="allowed")})
    open_head = read_page(Pages(allowed).listing(Listing("/"))["/index.html"]).one("head")
    assert open_head.one("meta", name="tdm-reservation")["content"] == "0"
    assert not open_head.all("meta", name="tdm-policy")
