"""What others may take of an article: its excerpt, never without the link to the original.

Made of the article's card and of what the ledgers tell of it, so that no more of a body than the excerpt is
ever at hand. Pure functions: the same quote as text, as HTML, as data, and as oEmbed answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup
from pydantic import Field

from newsroom.addresses import HOME, REUSE, author_path
from newsroom.articles import Contract
from newsroom.excerpts import SHARE_PERCENT
from newsroom.notices import NoticeKind
from newsroom.times import Moment
from services.render.cards import Card, LedgerEntry
from services.render.looks.sitefile import Site
from services.render.words.wording import RETRACTED_TITLE, Wording, direction

WIDTH = 600
NARROWEST = 200
_LINE_HEIGHT, _LETTER_WIDTH, _FRAME_HEIGHT = 28, 9, 120
CACHE_SECONDS = 300
"""How long who embeds a quote may keep it: no longer, for it may be corrected or retracted."""


class State(Contract):
    """What a reader of the quote should know: the latest correction, or the retraction."""

    kind: NoticeKind
    label: str = Field(description="The kind in the article's language")
    note: str = Field(description="What was wrong and what is right")
    time: Moment


@dataclass(frozen=True)
class Quote:
    """A quote of an article. `text` and `html` are ready to be copied, each with the link."""

    headline: str
    excerpt: str
    url: str
    site_name: str
    language: str
    state: State | None = None

    @property
    def text(self) -> str:
        """Plain text."""
        parts = (self.excerpt, self._told, f"{self.headline} ({self.site_name})\n{self.url}")
        return "\n\n".join(part for part in parts if part)

    @property
    def html(self) -> str:
        """A `<blockquote>` that asks nothing of the page it is put into."""
        return str(self.markup)

    @property
    def markup(self) -> Markup:
        """The same, for a page of ours."""
        excerpt = Markup("  <p>{}</p>\n").format(self.excerpt) if self.excerpt else Markup("")
        told = Markup("  <p>{}</p>\n").format(self._told) if self._told else Markup("")
        frame = Markup(
            '<blockquote cite="{url}" lang="{language}"{dir}>\n{excerpt}{told}'
            '  <footer><a href="{url}">{headline}</a>, {site_name}</footer>\n</blockquote>'
        )
        return frame.format(
            url=self.url,
            language=self.language,
            dir=Markup(' dir="rtl"') if direction(self.language) == "rtl" else "",
            excerpt=excerpt,
            told=told,
            headline=self.headline,
            site_name=self.site_name,
        )

    @property
    def _told(self) -> str:
        return f"{self.state.label}: {self.state.note}" if self.state else ""


class Terms(Contract):
    """The condition on which the excerpt may be used."""

    link: str = Field(description="This link to the original is the condition of any use")
    most_percent: int = Field(description="How much of an article may be used without written permission")
    policy: str = Field(description="The rule in words, and whom to ask for more")


class Excerpt(Contract):
    """An article's excerpt with all that a quote of it needs."""

    url: str
    headline: str
    excerpt: str = Field(description="Its leading sentences within the reuse rule; empty after a retraction")
    language: str
    published: Moment
    updated: Moment
    revision: int
    authors: tuple[str, ...]
    publisher: str
    copyright: str
    state: State | None = Field(description="Its latest correction, or its retraction")
    text: str = Field(description="Ready to be copied, with the link")
    html: str = Field(description="The same as HTML")
    terms: Terms


class OEmbed(Contract):
    """The answer of oEmbed 1.0, of type `rich`."""

    type: str = "rich"
    version: str = "1.0"
    title: str
    author_name: str
    author_url: str
    provider_name: str
    provider_url: str
    cache_age: int = CACHE_SECONDS
    html: str = Field(description="The quote with its link: no script, nothing that is loaded")
    width: int
    height: int = Field(description="What the quote takes in common type, in CSS pixels")


def quote_of(card: Card, ledger: Iterable[LedgerEntry], site: Site, wording: Wording) -> Quote:
    """The quote of an article. `site` and `wording` in the article's language."""
    return Quote(
        headline=wording.text(RETRACTED_TITLE) if card.retracted else card.headline,
        excerpt=card.excerpt,
        url=site.absolute(card.path),
        site_name=site.name,
        language=wording.language if card.retracted else card.language,
        state=_state(ledger, wording),
    )


def excerpt_data(card: Card, quote: Quote, site: Site) -> Excerpt:
    """The quote for programs."""
    return Excerpt(
        url=quote.url,
        headline=quote.headline,
        excerpt=quote.excerpt,
        language=quote.language,
        published=card.published_at,
        updated=card.updated_at,
        revision=card.revision,
        authors=card.authors,
        publisher=site.publisher.name,
        copyright=f"© {card.published_at.year} {site.publisher.name}",
        state=quote.state,
        text=quote.text,
        html=quote.html,
        terms=Terms(link=quote.url, most_percent=SHARE_PERCENT, policy=site.absolute(REUSE)),
    )


def oembed(card: Card, quote: Quote, site: Site, max_width: int, max_height: int) -> OEmbed:
    """The quote for who was given no more than the page's address. It fits into `max_width` CSS pixels."""
    width = min(WIDTH, max(NARROWEST, max_width))
    lines = len(quote.text) * _LETTER_WIDTH // width + 1
    author = card.authors[0] if len(card.authors) == 1 else None
    return OEmbed(
        title=quote.headline,
        author_name=", ".join(card.authors) or site.publisher.name,
        author_url=site.absolute(author_path(author) if author else HOME),
        provider_name=site.name,
        provider_url=site.absolute(HOME),
        html=quote.html,
        width=width,
        height=min(max_height, _FRAME_HEIGHT + lines * _LINE_HEIGHT),
    )


def _state(ledger: Iterable[LedgerEntry], wording: Wording) -> State | None:
    corrections = [entry for entry in ledger if entry.is_correction]
    if not corrections:
        return None
    latest = max(corrections, key=lambda entry: (entry.time, entry.revision))
    label = wording.notice_label(latest.kind).text
    return State(kind=latest.kind, label=label, note=latest.note or "", time=latest.time)
