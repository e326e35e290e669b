"""The public site as a pure function: an article or a listing in, the bytes of its files out.

Stands between the read model and the pages folder. Templates and assets are read once, at construction; after
that nothing is read, and equal input gives equal bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

import newsroom.bodies
import newsroom.excerpts
import newsroom.sentences
from newsroom.addresses import CORRECTIONS_LEDGER, FEEDS, HOME, SITE_FEED, UPDATES_LEDGER, section_path
from newsroom.differences import Difference
from newsroom.updates import ArticleUpdate, Status
from services.render import (
    articlepages,
    cards,
    contexts,
    feeds,
    fixedpages,
    fronts,
    graph,
    liveblog,
    listingkinds,
    livepages,
    previews,
    sitemaps,
    versions,
    words,
)
from services.render import posts as postings
from services.render.assets import load_assets
from services.render.contexts import Link
from services.render.listingkinds import Listing, standing_paths
from services.render.posts import NO_POSTS, Posts
from services.render.previews import Head, Revision
from services.render.sitefile import Site

TEMPLATES = Path(__file__).parent / "templates"
ErrorStatus = Literal[401, 403, 404, 410, 503]
_DRAWING_MODULES = (
    articlepages,
    cards,
    contexts,
    feeds,
    fixedpages,
    fronts,
    graph,
    listingkinds,
    liveblog,
    livepages,
    postings,
    sitemaps,
    words,
    newsroom.bodies,
    newsroom.excerpts,
    newsroom.sentences,
)
_DRAWING_LIBRARIES = ("jinja2", "nh3")


class Pages:
    """Draws every file of one site. `fingerprint` changes with whatever could change a page's bytes."""

    def __init__(self, site: Site, templates: Path | None = None) -> None:
        folder = templates or TEMPLATES
        self._site = site
        self._standing = frozenset(standing_paths(site))
        self._assets = load_assets()
        self._templates = self._compile(folder)
        self.fingerprint = _fingerprint(site, folder, self._assets.files)

    def assets(self) -> Mapping[str, bytes]:
        """Every asset by its address, which names its content's hash: what stands there never changes."""
        return self._assets.files

    def article(self, update: ArticleUpdate, posts: Posts = NO_POSTS) -> Mapping[str, bytes]:
        """The files of an article by path: the pages of its posts, its page and its history.

        In this order nothing leads where nothing stands yet. Empty where it is not public.
        """
        public, path = update.public, update.path
        if public is None or path is None or update.status not in (Status.PUBLIC, Status.RETRACTED):
            return {}
        if public.text is None or update.status is Status.RETRACTED:
            page = self._draw("retracted.html", articlepages.retracted_page(update, public, self._site))
        else:
            context = articlepages.article_page(update, public, public.text, self._site, posts)
            page = self._draw("article.html", context)
        history = self._draw("history.html", articlepages.history_page(update, public, self._site))
        below = livepages.pages_below(update, posts, self._site)
        return {
            **{f"{each.path}index.html": self._draw("posts.html", each) for each in below},
            f"{path}index.html": page,
            f"{path}history/index.html": history,
        }

    def listing(self, listing: Listing) -> Mapping[str, bytes]:
        """The files of a listing by path. Empty where it has no entries and does not stand from the start.

        One that only retracted articles are left in has feeds and no page.
        """
        is_standing = listing.path in self._standing
        if listing.is_empty and not is_standing:
            return {}
        if listing.kind.is_sitemap:
            return {listing.path: sitemaps.sitemap(listing, self._site)}
        files = {}
        if is_standing or listing.entries or any(not card.retracted for card in listing.cards):
            files[f"{listing.path}index.html"] = self._listing_page(listing)
        if listing.kind.is_front:
            files[listing.path + FEEDS[0]] = self._draw("feed.atom", feeds.feed_of(listing, self._site))
        return files

    def _listing_page(self, listing: Listing) -> bytes:
        if listing.kind.is_ledger:
            return self._draw("ledger.html", fronts.ledger_page(listing, self._site))
        return self._draw("listing.html", fronts.listing_page(listing, self._site))

    def versions(self, path: str, difference: Difference) -> bytes:
        """The page of two revisions side by side, of the article at that path. Never written to a file."""
        return self._draw("versions.html", versions.versions_page(path, difference, self._site))

    def preview(self, head: Head, revision: Revision | None) -> bytes | None:
        """The newest text, or a revision's, as its page would look. None where there is none to show."""
        page = previews.preview_page(head, revision, self._site)
        return self._draw("preview.html", page) if page else None

    def error(self, status: ErrorStatus) -> bytes:
        """A whole page that says, in the site's look, why nothing stands here."""
        return self._draw("error.html", fixedpages.error_page(status))

    def robots(self) -> bytes:
        """The `robots.txt` of the site."""
        return self._draw("robots.txt", None)

    def _compile(self, folder: Path) -> Mapping[str, Template]:
        """Every template, compiled, with what all of them may use."""
        environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
        )
        environment.globals.update(
            site=self._site,
            site_direction=words.direction(self._site.language),
            assets=self._assets,
            sections=tuple(Link(section, section_path(section)) for section in self._site.sections),
            home=HOME,
            feed=SITE_FEED,
            ledgers=(Link("Updates", UPDATES_LEDGER), Link("Corrections", CORRECTIONS_LEDGER)),
            breaking=words.BREAKING,
            live=words.LIVE,
            added_word=words.ADDED,
            removed_word=words.REMOVED,
        )
        return {name: environment.get_template(name) for name in sorted(environment.list_templates())}

    def _draw(self, template: str, page: object) -> bytes:
        return self._templates[template].render(page=page).encode()


def _fingerprint(site: Site, templates: Path, assets: Mapping[str, bytes]) -> str:
    """SHA-256 (hex) over all that pages are made of but articles: settings, templates, assets, code."""
    digest = hashlib.sha256()
    for part in _parts(site, templates, assets):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _parts(site: Site, templates: Path, assets: Mapping[str, bytes]) -> Iterator[bytes]:
    yield site.model_dump_json().encode()
    for file in sorted(file for file in templates.rglob("*") if file.is_file()):
        yield file.relative_to(templates).as_posix().encode()
        yield file.read_bytes()
    yield from (address.encode() for address in sorted(assets))
    for module in _DRAWING_MODULES:
        yield Path(module.__file__ or "").read_bytes()
    yield from (f"{library} {version(library)}".encode() for library in _DRAWING_LIBRARIES)
