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

from jinja2 import FileSystemLoader, Template

import newsroom.bodies
import newsroom.excerpts
import newsroom.sentences
from newsroom.addresses import HOME, SITE_FEED
from newsroom.differences import Difference
from newsroom.updates import ArticleUpdate, Status
from services.render import (
    articlepages,
    cards,
    catalogues,
    contexts,
    dates,
    feeds,
    fixedpages,
    fronts,
    graph,
    liveblog,
    livepages,
    previews,
    scriptwords,
    versions,
    voices,
    wording,
)
from services.render import posts as postings
from services.render.assets import load_assets
from services.render.cards import Listing, ListingKind, standing_paths
from services.render.posts import NO_POSTS, Posts
from services.render.previews import Head, Revision
from services.render.sitefile import Site
from services.render.voices import Voice, template_environment, voice_of

TEMPLATES = Path(__file__).parent / "templates"
ErrorStatus = Literal[401, 403, 404, 410, 503]
_DRAWING_MODULES = (
    articlepages,
    cards,
    catalogues,
    contexts,
    dates,
    feeds,
    fixedpages,
    fronts,
    graph,
    liveblog,
    livepages,
    postings,
    scriptwords,
    voices,
    wording,
    newsroom.bodies,
    newsroom.excerpts,
    newsroom.sentences,
)
_DRAWING_LIBRARIES = ("babel", "jinja2", "nh3")


class Pages:
    """Draws every file of one site. `fingerprint` changes with whatever could change a page's bytes."""

    def __init__(self, site: Site, templates: Path | None = None) -> None:
        folder = templates or TEMPLATES
        self._site = site
        self._voice = voice_of(site, site.language)
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
        voice = voice_of(self._site, public.language)
        site, wording = voice.site, voice.wording
        if public.text is None or update.status is Status.RETRACTED:
            retracted = articlepages.retracted_page(update, public, site, wording)
            page = self._draw("retracted.html", retracted, voice)
        else:
            context = articlepages.article_page(update, public, public.text, site, wording, posts)
            page = self._draw("article.html", context, voice)
        history = self._draw("history.html", articlepages.history_page(update, public, site, wording), voice)
        below = livepages.pages_below(update, posts, site, wording)
        return {
            **{f"{each.path}index.html": self._draw("posts.html", each, voice) for each in below},
            f"{path}index.html": page,
            f"{path}history/index.html": history,
        }

    def listing(self, listing: Listing) -> Mapping[str, bytes]:
        """The file of a listing by path. Empty where it has no entries and does not stand from the start."""
        site, wording = self._voice.site, self._voice.wording
        if listing.is_empty and listing.path not in self._standing:
            return {}
        if listing.kind is ListingKind.FEED:
            return {listing.path: self._draw("feed.atom", feeds.feed_of(listing, site, wording))}
        if listing.kind.is_ledger:
            page = self._draw("ledger.html", fronts.ledger_page(listing, site, wording))
        else:
            page = self._draw("listing.html", fronts.listing_page(listing, site, wording))
        return {f"{listing.path}index.html": page}

    def versions(self, path: str, difference: Difference) -> bytes:
        """The page of two revisions side by side, of the article at that path. Never written to a file."""
        text = difference.article
        voice = voice_of(self._site, text.language) if text else self._voice
        page = versions.versions_page(path, difference, voice.site, voice.wording)
        return self._draw("versions.html", page, voice)

    def preview(self, head: Head, revision: Revision | None) -> bytes | None:
        """The newest text, or a revision's, as its page would look. None where there is none to show."""
        text = revision.article if revision else head.article
        voice = voice_of(self._site, text.language) if text else self._voice
        page = previews.preview_page(head, revision, voice.site, voice.wording)
        return self._draw("preview.html", page, voice) if page else None

    def error(self, status: ErrorStatus) -> bytes:
        """A whole page that says, in the site's look, why nothing stands here."""
        return self._draw("error.html", fixedpages.error_page(status, self._voice.wording))

    def robots(self) -> bytes:
        """The `robots.txt` of the site."""
        return self._draw("robots.txt", None)

    def _compile(self, folder: Path) -> Mapping[str, Template]:
        """Every template, compiled, with what all of them may use."""
        environment = template_environment(FileSystemLoader(folder))
        environment.globals.update(assets=self._assets, home=HOME, feed=SITE_FEED)
        return {name: environment.get_template(name) for name in sorted(environment.list_templates())}

    def _draw(self, template: str, page: object, voice: Voice | None = None) -> bytes:
        """A template filled in, in the site's own language where no other is given."""
        vocabulary = (voice or self._voice).vocabulary()
        return self._templates[template].render(vocabulary, page=page).encode()


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
    yield from (file.read_bytes() for file in catalogues.files())
    for module in _DRAWING_MODULES:
        yield Path(module.__file__ or "").read_bytes()
    yield from (f"{library} {version(library)}".encode() for library in _DRAWING_LIBRARIES)
