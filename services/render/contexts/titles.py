"""What listings are called, for their pages, their feeds and search engines.

The name of a section, tag or author is the newest entry's way of writing it; addresses hold only its slug.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from newsroom.addresses import HOME, author_path, tag_path
from services.render.contexts.frame import Head, feed_links
from services.render.contexts.graph import Crumb, front_graph, listing_graph
from services.render.listingkinds import Listing, ListingKind, listing_kind, month_in
from services.render.looks.sitefile import Site
from services.render.words.wording import Wording, message

_LEDGERS = {
    ListingKind.UPDATES: (
        message("Updates"),
        message("Everything that was published or changed, newest first, and what changed."),
    ),
    ListingKind.CORRECTIONS: (
        message("Corrections"),
        message(
            "What we got wrong and put right: corrections, clarifications, editor’s notes and retractions."
        ),
    ),
}


def title_of(listing: Listing, site: Site, wording: Wording) -> str:
    """What the listing is called on its own page."""
    if listing.kind.is_ledger:
        return wording.text(_LEDGERS[listing.kind][0])
    if listing.kind is ListingKind.DAY:
        return wording.day(listing.path.strip("/"))
    name = front_name(listing, site)
    if listing.kind is not ListingKind.MONTH:
        return name
    month = wording.month(month_in(listing.path))
    return month if listing.front == HOME else f"{name}: {month}"


def whole_title(listing: Listing, site: Site, wording: Wording) -> str:
    """The same where the site does not stand around it: `Corrections | The Daily`."""
    title = title_of(listing, site, wording)
    return title if listing.kind is ListingKind.HOME else f"{title} | {site.name}"


def head_of(listing: Listing, crumbs: Sequence[Crumb], site: Site, wording: Wording) -> Head:
    """What stands in the `<head>` of its page."""
    is_home = listing.kind is ListingKind.HOME
    has_feeds = listing.kind.has_feeds
    return Head(
        title=title_of(listing, site, wording),
        description=description_of(listing, site, wording),
        canonical=site.absolute(listing.path),
        graph=front_graph(site) if is_home else listing_graph(site, listing.path, crumbs),
        feeds=feed_links(listing.path, whole_title(listing, site, wording)) if has_feeds else (),
    )


def description_of(listing: Listing, site: Site, wording: Wording) -> str:
    """One sentence on what stands in it."""
    if listing.kind is ListingKind.HOME:
        return site.tagline
    if listing.kind.is_ledger:
        return wording.text(_LEDGERS[listing.kind][1])
    text, names = wording.text, {"title": title_of(listing, site, wording), "site": site.name}
    match listing.kind:
        case ListingKind.TAG:
            return text("Everything on %(title)s from %(site)s.", **names)
        case ListingKind.AUTHOR:
            return text("Articles by %(title)s in %(site)s.", **names)
        case ListingKind.DAY:
            return text("What %(site)s published on %(title)s.", **names)
        case ListingKind.MONTH:
            return text("What %(site)s published in %(title)s.", **names)
        case _:
            return text("%(title)s: the latest from %(site)s.", **names)


def front_name(listing: Listing, site: Site) -> str:
    """The name of a front, and of the one that an archive is of."""
    path, kind = listing.front, listing_kind(listing.front)
    newest = next((card for card in listing.cards if not card.retracted), None)
    match kind:
        case ListingKind.HOME:
            return site.name
        case ListingKind.TAG:
            return _written(newest.tags if newest else (), path, tag_path)
        case ListingKind.AUTHOR:
            return _written(newest.authors if newest else (), path, author_path)
        case _:
            return site.section_title(path, newest.section if newest else _slug(path))


def _written(names: Iterable[str], path: str, path_of: Callable[[str], str]) -> str:
    """The name that leads to the path, as it was written; the path's last part where none does."""
    return next((name for name in names if path_of(name) == path), _slug(path))


def _slug(path: str) -> str:
    return path.strip("/").rpartition("/")[2]
