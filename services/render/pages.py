"""The public site as a pure function: an article or a listing in, the bytes of its files out.

Stands between the read model and the pages folder. All is drawn in one look, which is read as a whole, at
construction or when the site becomes another; equal input gives equal bytes as long as it stands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Literal, get_args

import newsroom.bodies
import newsroom.excerpts
import newsroom.sentences
from newsroom.addresses import ABOUT, REUSE
from newsroom.differences import Difference
from newsroom.updates import ArticleUpdate, Status
from services.render import cards, listingkinds
from services.render import posts as postings
from services.render.cards import Card, LedgerEntry
from services.render.contexts import (
    archivepages,
    articlepages,
    feeds,
    fixedpages,
    fronts,
    graph,
    jsonfeed,
    ledgers,
    liveblog,
    livepages,
    previews,
    quotes,
    sitemaps,
    tables,
    terms,
    titles,
    versions,
)
from services.render.contexts import frame as contexts
from services.render.contexts.previews import Head, Revision
from services.render.contexts.terms import term_files, terms_of
from services.render.listingkinds import Listing
from services.render.looks import colours, look
from services.render.looks.look import MANIFEST, Look, load_look
from services.render.looks.sitefile import Site
from services.render.posts import NO_POSTS, Posts
from services.render.words import (
    catalogues,
    dates,
    quotation,
    scriptwords,
    spacing,
    typography,
    voices,
    wording,
)
from services.render.words.voices import Voice

UNAVAILABLE = "/unavailable.html"
"""What the edge server shows while no instance of a service answers it."""
ErrorStatus = Literal[401, 403, 404, 410, 503]
ERRORS: tuple[ErrorStatus, ...] = get_args(ErrorStatus)
_DRAWING_MODULES = (
    archivepages,
    articlepages,
    cards,
    catalogues,
    colours,
    contexts,
    dates,
    feeds,
    fixedpages,
    fronts,
    graph,
    jsonfeed,
    ledgers,
    listingkinds,
    liveblog,
    livepages,
    look,
    postings,
    quotation,
    quotes,
    scriptwords,
    sitemaps,
    spacing,
    tables,
    terms,
    titles,
    typography,
    voices,
    wording,
    newsroom.bodies,
    newsroom.excerpts,
    newsroom.sentences,
)
_DRAWING_LIBRARIES = ("babel", "jinja2", "nh3")


class Pages:
    """Draws every file of one site. `fingerprint` changes with whatever could change a page's bytes."""

    def __init__(self, site: Site, folder: Path | None = None) -> None:
        """`folder`: the newsroom's own templates and drawings, where it has some. Raises: Misconfigured."""
        self.become(load_look(site, folder))

    @classmethod
    def in_look(cls, look: Look) -> Pages:
        """Pages in a look that is loaded already."""
        pages = cls.__new__(cls)
        pages.become(look)
        return pages

    def become(self, look: Look) -> None:
        """Draw in another look from now on. What was drawn before stays as it is."""
        self._look = look
        self._errors: dict[ErrorStatus, bytes] = {}
        self.site = look.site
        self.fingerprint = fingerprint_of(look)

    def assets(self) -> Mapping[str, bytes]:
        """Every asset by its address, which names its content's hash: what stands there never changes."""
        return self._look.assets.files

    def fixed(self) -> Mapping[str, bytes]:
        """Every file by path that no article and no listing makes; the assets, which they lead to, first."""
        look = self._look
        return {
            **look.assets.files,
            **term_files(terms_of(look.site), look.draw),
            MANIFEST: fixedpages.manifest(look.site, look.voice.wording, look.assets),
            UNAVAILABLE: self.error(503),
            f"{ABOUT}index.html": look.draw(
                "about.html", fixedpages.about_page(look.site, look.voice.wording)
            ),
            f"{REUSE}index.html": look.draw(
                "reuse.html", fixedpages.reuse_page(look.site, look.voice.wording)
            ),
        }

    def article(self, update: ArticleUpdate, posts: Posts = NO_POSTS) -> Mapping[str, bytes]:
        """The files of an article by path: the pages of its posts, its page and its history.

        In this order nothing leads where nothing stands yet. Empty where it is not public.
        """
        public, path = update.public, update.path
        if public is None or path is None or update.status not in (Status.PUBLIC, Status.RETRACTED):
            return {}
        look = self._look
        voice = look.voice_in(public.language)
        site, wording = voice.site, voice.wording
        if public.text is None or update.status is Status.RETRACTED:
            retracted = articlepages.retracted_page(update, public, site, wording)
            page = look.draw("retracted.html", retracted, voice)
        else:
            context = articlepages.article_page(update, public, public.text, site, wording, posts)
            page = look.draw("article.html", context, voice)
        history = look.draw("history.html", articlepages.history_page(update, public, site, wording), voice)
        below = livepages.pages_below(update, posts, site, wording)
        return {
            **{f"{each.path}index.html": look.draw("posts.html", each, voice) for each in below},
            f"{path}index.html": page,
            f"{path}history/index.html": history,
        }

    def listing(self, listing: Listing) -> Mapping[str, bytes]:
        """The files of a listing by path. Empty where it has no entries and does not stand from the start.

        One that only retracted articles are left in has feeds and no page.
        """
        look = self._look
        is_standing = listing.path in look.standing
        if listing.is_empty and not is_standing:
            return {}
        if listing.kind.is_sitemap:
            return {listing.path: sitemaps.sitemap(listing, look.voice.site)}
        files = {}
        if is_standing or not listing.is_for_feeds_alone:
            files[f"{listing.path}index.html"] = _listing_page(listing, look)
        if listing.kind.has_feeds:
            files |= _feeds(listing, look)
        return files

    def excerpt(self, card: Card, ledger: Iterable[LedgerEntry]) -> bytes:
        """What others may use of an article, as data."""
        quote, voice = self._quote(card, ledger)
        return quotes.excerpt_data(card, quote, voice.site).model_dump_json().encode()

    def excerpt_page(self, card: Card, ledger: Iterable[LedgerEntry]) -> bytes:
        """The same as a page."""
        quote, voice = self._quote(card, ledger)
        return self._look.draw("excerpt.html", quote, voice)

    def oembed(self, card: Card, ledger: Iterable[LedgerEntry], max_width: int, max_height: int) -> bytes:
        """The same as oEmbed answers, for that much room in CSS pixels."""
        quote, voice = self._quote(card, ledger)
        return quotes.oembed(card, quote, voice.site, max_width, max_height).model_dump_json().encode()

    def news_sitemap(self, cards: Iterable[Card]) -> bytes:
        """The sitemap of what was published lately."""
        return sitemaps.news_sitemap(cards, self._look.site)

    def versions(self, path: str, difference: Difference) -> bytes:
        """The page of two revisions side by side, of the article at that path. Never written to a file."""
        look, text = self._look, difference.article
        voice = look.voice_in(text.language) if text else look.voice
        page = versions.versions_page(path, difference, voice.site, voice.wording)
        return look.draw("versions.html", page, voice)

    def preview(self, head: Head, revision: Revision | None) -> bytes | None:
        """The newest text, or a revision's, as its page would look. None where there is none to show."""
        look = self._look
        text = revision.article if revision else head.article
        voice = look.voice_in(text.language) if text else look.voice
        page = previews.preview_page(head, revision, voice.site, voice.wording)
        return look.draw("preview.html", page, voice) if page else None

    def error(self, status: ErrorStatus) -> bytes:
        """A whole page that says, in the site's look, why nothing stands here; drawn once."""
        look, errors = self._look, self._errors
        if status not in errors:
            errors[status] = look.draw("error.html", fixedpages.error_page(status, look.voice.wording))
        return errors[status]

    def _quote(self, card: Card, ledger: Iterable[LedgerEntry]) -> tuple[quotes.Quote, Voice]:
        voice = self._look.voice_in(card.language)
        return quotes.quote_of(card, ledger, voice.site, voice.wording), voice


def fingerprint_of(look: Look) -> str:
    """SHA-256 (hex) over all that pages are made of but articles: settings, templates, assets, code."""
    digest = hashlib.sha256()
    for part in (*look.parts(), *_code()):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _code() -> Iterator[bytes]:
    yield from (file.read_bytes() for file in catalogues.files())
    for module in _DRAWING_MODULES:
        yield Path(module.__file__ or "").read_bytes()
    yield from (f"{library} {version(library)}".encode() for library in _DRAWING_LIBRARIES)


def _feeds(listing: Listing, look: Look) -> Mapping[str, bytes]:
    site = look.voice.site
    feed = feeds.feed_of(listing, site, look.voice.wording)
    return {
        f"{listing.path}{feeds.ATOM}": look.draw(feeds.ATOM, feed),
        f"{listing.path}{feeds.RSS}": look.draw(feeds.RSS, feed),
        f"{listing.path}{feeds.JSON}": jsonfeed.json_feed(feed, site, look.assets.touch_icon),
    }


def _listing_page(listing: Listing, look: Look) -> bytes:
    site, wording = look.voice.site, look.voice.wording
    if listing.kind.is_ledger:
        return look.draw("ledger.html", ledgers.ledger_page(listing, site, wording))
    if listing.kind.is_archive:
        return look.draw("archive.html", archivepages.archive_page(listing, site, wording))
    return look.draw("listing.html", fronts.front_page(listing, site, wording))
