"""What machines read in a page's head: JSON-LD in the vocabulary of schema.org. Never an article's body."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from newsroom.addresses import CORRECTIONS_LEDGER, HOME, author_path
from newsroom.updates import PublicArticle
from services.render.sitefile import Site

_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
Node = Mapping[str, object]


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
    return Markup(text.translate(_ESCAPES))  # noqa: S704  (no character of markup is left in it)


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
) -> Markup:
    """`NewsArticle`, `BreadcrumbList` and `NewsMediaOrganization`. `times`: published, modified.

    With `live` a `LiveBlogPosting` too, beside `NewsArticle`, which alone may have a dateline.
    """
    url = site.absolute(path)
    article: dict[str, object] = {
        "@type": "NewsArticle",
        "@id": f"{url}#article",
        "url": url,
        "mainEntityOfPage": url,
        "headline": headline,
        "datePublished": times[0],
        "dateModified": times[1],
        "inLanguage": public.language,
        "isAccessibleForFree": True,
        "version": public.revision,
        "publisher": {"@id": _publisher_id(site)},
        "author": _authors(authors, site),
        "copyrightHolder": {"@id": _publisher_id(site)},
        "copyrightNotice": f"© {public.published_at.year} {site.publisher.name}",
        "copyrightYear": public.published_at.year,
        "usageInfo": _usage_info(site),
        "acquireLicensePage": site.licence.url or _usage_info(site),
        "breadcrumb": {"@id": f"{url}#breadcrumb"},
    }
    if description:
        article["description"] = description
    if public.text is None:
        article["creativeWorkStatus"] = "Retracted"
    else:
        article["articleSection"] = public.text.section
    if tags:
        article["keywords"] = list(tags)
    if public.dateline_place:
        article["dateline"] = public.dateline_place
    if corrections:
        article["correction"] = [
            {"@type": "CorrectionComment", "name": one.kind, "text": one.note, "datePublished": one.time}
            for one in corrections
        ]
    if live is not None:
        article |= _coverage(live, site)
    return _graph(article, _breadcrumb(site, url, crumbs), _publisher(site))


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


def listing_graph(site: Site, path: str, crumbs: Sequence[Crumb]) -> Markup:
    """`BreadcrumbList` and the publisher."""
    return _graph(_breadcrumb(site, site.absolute(path), crumbs), _publisher(site))


def front_graph(site: Site) -> Markup:
    """`WebSite` and the publisher."""
    website: dict[str, object] = {
        "@type": "WebSite",
        "@id": f"{site.url}/#website",
        "url": site.absolute(HOME),
        "name": site.name,
        "inLanguage": site.language,
        "publisher": {"@id": _publisher_id(site)},
    }
    if site.tagline:
        website["description"] = site.tagline
    return _graph(website, _publisher(site))


def _graph(*nodes: Node) -> Markup:
    return script_json({"@context": "https://schema.org", "@graph": list(nodes)})


def _breadcrumb(site: Site, url: str, crumbs: Sequence[Crumb]) -> Node:
    return {
        "@type": "BreadcrumbList",
        "@id": f"{url}#breadcrumb",
        "itemListElement": [
            {"@type": "ListItem", "position": position, "name": crumb.name, "item": site.absolute(crumb.path)}
            for position, crumb in enumerate(crumbs, start=1)
        ],
    }


def _publisher(site: Site) -> Node:
    publisher: dict[str, object] = {
        "@type": "NewsMediaOrganization",
        "@id": _publisher_id(site),
        "name": site.publisher.name,
        "url": site.publisher.url or site.absolute(HOME),
        "email": site.publisher.contact,
        "correctionsPolicy": site.absolute(f"{CORRECTIONS_LEDGER}#policy-corrections"),
        "noBylinesPolicy": site.absolute(f"{HOME}#policy-bylines"),
    }
    if site.publisher.about:
        publisher["description"] = site.publisher.about
    return publisher


def _authors(authors: Sequence[str], site: Site) -> object:
    """Each author with the page of what they wrote; the publisher where no name is given."""
    if not authors:
        return {"@id": _publisher_id(site)}
    return [{"@type": "Person", "name": name, "url": site.absolute(author_path(name))} for name in authors]


def _publisher_id(site: Site) -> str:
    return f"{site.url}/#publisher"


def _usage_info(site: Site) -> str:
    return site.absolute(f"{HOME}#policy-reuse")
