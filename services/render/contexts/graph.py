"""What machines read in a page's head: JSON-LD in the vocabulary of schema.org. Never an article's body."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from newsroom.addresses import ABOUT, HOME, REUSE, article_by_id, author_path, section_path
from newsroom.articles import ArticleText
from newsroom.updates import PublicArticle
from services.render.looks.sitefile import Site

_ESCAPES = {character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
Node = Mapping[str, object]
Graph = Sequence[Node]


@dataclass(frozen=True)
class Crumb:
    """One step of the way from the main page to this one."""

    name: str
    path: str


@dataclass(frozen=True)
class Correction:
    """A correction as a comment on the article. `time` is RFC 3339."""

    kind: str
    note: str
    time: str


@dataclass(frozen=True)
class LivePost:
    """A post of a live article: its headline or the beginning of its text, never the whole."""

    headline: str
    time: str
    path: str


@dataclass(frozen=True)
class Coverage:
    """A live article's beginning, end (None while it goes on) and newest posts. Times are RFC 3339."""

    start: str
    end: str | None
    posts: Sequence[LivePost]


def script_json(data: Node) -> Markup:
    """JSON that may stand in a `<script>`: nothing in it can end the element or, in old engines, a line."""
    text = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    for character, escaped in _ESCAPES.items():
        text = text.replace(character, escaped)
    return Markup(text)  # noqa: S704  (no character of markup is left in it)


def article_graph(
    site: Site,
    *,
    path: str,
    public: PublicArticle,
    headline: str,
    description: str,
    authors: Sequence[str],
    tags: Sequence[str],
    times: tuple[str, str],
    crumbs: Sequence[Crumb],
    corrections: Sequence[Correction],
    live: Coverage | None = None,
) -> Graph:
    """`NewsArticle` on its `WebPage`, `BreadcrumbList` and `NewsMediaOrganization`.

    `times`: published, modified. With `live` a `LiveBlogPosting` too, beside `NewsArticle`, which alone may
    have a dateline.
    """
    url = site.absolute(path)
    article: dict[str, object] = {
        "@type": "NewsArticle",
        "@id": f"{url}#article",
        "url": url,
        "mainEntityOfPage": {"@id": url},
        "headline": headline,
        "datePublished": times[0],
        "dateModified": times[1],
        "author": _authors(authors, site),
        "image": {"@id": _card_id(site)},
        **_of_the_house(site, public),
    }
    if description:
        article["description"] = description
    if tags:
        article["keywords"] = list(tags)
    if public.dateline_place and public.text is not None:
        article["dateline"] = public.dateline_place
    if corrections:
        article["correction"] = [
            {"@type": "CorrectionComment", "name": one.kind, "text": one.note, "datePublished": one.time}
            for one in corrections
        ]
    article |= {"creativeWorkStatus": "Retracted"} if public.text is None else _of_the_text(public.text, site)
    if live is not None:
        article |= _coverage(live, site)
    page = _page(site, "WebPage", path, headline, public.language)
    return (article, page, _breadcrumb(site, url, crumbs), _website(site), _publisher(site))


def _of_the_house(site: Site, public: PublicArticle) -> dict[str, object]:
    """Whose the article is, and on which terms it may be used."""
    return {
        "inLanguage": public.language,
        "isAccessibleForFree": True,
        "isPartOf": {"@id": _website_id(site)},
        "version": public.revision,
        "publisher": {"@id": _publisher_id(site)},
        "copyrightHolder": {"@id": _publisher_id(site)},
        "copyrightNotice": f"© {public.published_at.year} {site.publisher.name}",
        "copyrightYear": public.published_at.year,
        "usageInfo": site.absolute(REUSE),
        "acquireLicensePage": site.licence.url or site.absolute(REUSE),
    }


def _of_the_text(text: ArticleText, site: Site) -> dict[str, object]:
    """What is said of the text, not one word of it."""
    section = site.section_title(section_path(text.section), text.section)
    fields: dict[str, object] = {"articleSection": section}
    if text.sources:
        fields["citation"] = [
            {"@type": "CreativeWork", "name": source.name, **({"url": source.url} if source.url else {})}
            for source in text.sources
        ]
    if text.translation_of is not None:
        original = site.absolute(article_by_id(text.translation_of))
        fields["translationOfWork"] = {"@type": "NewsArticle", "url": original}
    return fields


def _coverage(live: Coverage, site: Site) -> dict[str, object]:
    fields: dict[str, object] = {
        "@type": ["NewsArticle", "LiveBlogPosting"],
        "coverageStartTime": live.start,
        "liveBlogUpdate": [
            {
                "@type": "BlogPosting",
                "headline": post.headline,
                "datePublished": post.time,
                "url": site.absolute(post.path),
            }
            for post in live.posts
        ],
    }
    return fields | ({"coverageEndTime": live.end} if live.end else {})


def listing_graph(site: Site, path: str, crumbs: Sequence[Crumb], kind: str = "CollectionPage") -> Graph:
    """A page of this kind of schema.org's, `BreadcrumbList` and the publisher."""
    url = site.absolute(path)
    page = _page(site, kind, path, crumbs[-1].name if crumbs else site.name, site.language)
    return (page, _breadcrumb(site, url, crumbs), _website(site), _publisher(site))


def front_graph(site: Site) -> Graph:
    """`WebSite` and the publisher."""
    return (_website(site), _publisher(site))


def graph_script(graph: Graph, pictures: Graph) -> Markup:
    """A page's graph as it stands in its `<script>`, with the pictures that its nodes refer to."""
    return script_json({"@context": "https://schema.org", "@graph": [*graph, *pictures]})


def pictures_of(site: Site, card: str, logo: str) -> Graph:
    """What is shown beside a link to any page, and what stands for the publisher; by their addresses."""
    shown = ((_card_id(site), card), (_logo_id(site), logo))
    return [{"@type": "ImageObject", "@id": name, "url": site.absolute(path)} for name, path in shown]


def _breadcrumb(site: Site, url: str, crumbs: Sequence[Crumb]) -> Node:
    return {
        "@type": "BreadcrumbList",
        "@id": f"{url}#breadcrumb",
        "itemListElement": [
            {
                "@type": "ListItem",
                "position": position,
                "name": crumb.name,
                "item": {"@type": "WebPage", "@id": site.absolute(crumb.path)},
            }
            for position, crumb in enumerate(crumbs, start=1)
        ],
    }


def _page(site: Site, kind: str, path: str, name: str, language: str) -> Node:
    url = site.absolute(path)
    return {
        "@type": kind,
        "@id": url,
        "url": url,
        "name": name,
        "inLanguage": language,
        "isPartOf": {"@id": _website_id(site)},
        "breadcrumb": {"@id": f"{url}#breadcrumb"},
    }


def _website(site: Site) -> Node:
    website: dict[str, object] = {
        "@type": "WebSite",
        "@id": _website_id(site),
        "url": site.absolute(HOME),
        "name": site.name,
        "inLanguage": site.language,
        "publisher": {"@id": _publisher_id(site)},
        "usageInfo": site.absolute(REUSE),
    }
    return website | ({"description": site.tagline} if site.tagline else {})


def _publisher(site: Site) -> Node:
    publisher: dict[str, object] = {
        "@type": "NewsMediaOrganization",
        "@id": _publisher_id(site),
        "name": site.publisher.name,
        "url": site.publisher.url or site.absolute(HOME),
        "email": site.publisher.contact,
        "logo": {"@id": _logo_id(site)},
        "publishingPrinciples": site.absolute(ABOUT),
        **{name: site.absolute(f"{ABOUT}#{policy}") for name, policy in _policies(site)},
    }
    if site.publisher.about:
        publisher["description"] = site.publisher.about
    return publisher


def _policies(site: Site) -> Sequence[tuple[str, str]]:
    """schema.org's name of each rule that the house tells, and its place on the page about it."""
    rules = site.policies
    told = (
        ("correctionsPolicy", "policy-corrections", rules.corrections),
        ("noBylinesPolicy", "policy-bylines", rules.no_byline),
        ("ethicsPolicy", "policy-ethics", rules.ethics),
        ("ownershipFundingInfo", "policy-ownership", rules.ownership),
        ("actionableFeedbackPolicy", "policy-feedback", rules.feedback),
    )
    return [(name, place) for name, place, text in told if text]


def _authors(authors: Sequence[str], site: Site) -> object:
    """Each author with the page of what they wrote; the publisher where no name is given."""
    if not authors:
        return {"@id": _publisher_id(site)}
    return [{"@type": "Person", "name": name, "url": site.absolute(author_path(name))} for name in authors]


def _publisher_id(site: Site) -> str:
    return f"{site.url}/#publisher"


def _website_id(site: Site) -> str:
    return f"{site.url}/#website"


def _card_id(site: Site) -> str:
    return f"{site.url}/#card"


def _logo_id(site: Site) -> str:
    return f"{site.url}/#logo"
