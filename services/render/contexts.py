"""What the page templates may use: one frozen context per kind of page, made from an article or a listing.

Between the read model and the templates: everything is decided here, the templates only set it. An article's
context is a function of that article and the site, so nothing on its page moves when another article does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from newsroom.addresses import (
    CORRECTIONS_LEDGER,
    HOME,
    UPDATES_LEDGER,
    author_path,
    day_path,
    publication_day,
    section_path,
    tag_path,
)
from newsroom.articles import ArticleText, Source
from newsroom.bodies import clean, minutes_to_read
from newsroom.excerpts import excerpt
from newsroom.notices import NoticeKind
from newsroom.updates import ArticleUpdate, Change, ChangeKind, PublicArticle
from services.render import words
from services.render.cards import OLDER_LIMIT, Card, LedgerEntry, Listing, ListingKind
from services.render.graph import Correction, Crumb, article_graph, front_graph, listing_graph
from services.render.liveblog import LiveBlock, coverage, live_block
from services.render.posts import NO_POSTS, Posts
from services.render.sitefile import Site
from services.render.words import Label, When, when

UPDATES_BESIDE_TEXT = 4
MAIN_PAGE = Crumb("Main page", HOME)


@dataclass(frozen=True)
class Head:
    """What stands in `<head>`. `canonical` and `graph` are None on pages that are no resource (errors).

    `is_indexed`: whether search engines may list the page; one without `canonical` they may not.
    """

    title: str
    description: str = ""
    canonical: str | None = None
    is_indexed: bool = True
    kind: str = "website"
    graph: Markup | None = None
    published: str | None = None
    modified: str | None = None
    section: str | None = None
    tags: tuple[str, ...] = ()
    previous: str | None = None
    following: str | None = None


@dataclass(frozen=True)
class Link:
    """A name that leads somewhere on the site."""

    name: str
    path: str


@dataclass(frozen=True)
class Words:
    """Text in an article's own language, which may not be the site's."""

    text: str
    language: str
    direction: str


@dataclass(frozen=True)
class Told:
    """One public revision as notices and the history tell it.

    `since`: the public revision before it with another text, None of the first and of one without a text.
    """

    revision: int
    label: Label
    when: When
    note: str
    since: int | None = None


@dataclass(frozen=True)
class Reuse:
    """What the reuse box offers to copy: plain text and HTML, each with the link that is its condition."""

    text: str
    html: str


@dataclass(frozen=True)
class ArticlePage:
    """An article's page. Every list is newest first; `updates` stand above the text, the earlier below."""

    head: Head
    article_id: str
    revision: int
    path: str
    crumbs: tuple[Crumb, ...]
    section: Link
    headline: Words
    deck: str
    body: Markup
    place: str | None
    published: When
    updated: When | None
    authors: tuple[Link, ...]
    minutes: int
    is_breaking: bool
    corrections: tuple[Told, ...]
    updates: tuple[Told, ...]
    earlier_updates: tuple[Told, ...]
    tags: tuple[Link, ...]
    sources: tuple[Source, ...]
    reuse: Reuse
    copyright_notice: str
    live: LiveBlock | None = None


@dataclass(frozen=True)
class RetractedPage:
    """What is left of a retracted article: that it was retracted, when, and why."""

    head: Head
    article_id: str
    revision: int
    path: str
    crumbs: tuple[Crumb, ...]
    retraction: Told
    note: Words


@dataclass(frozen=True)
class HistoryPage:
    """Every public revision of an article, newest first, without texts."""

    head: Head
    article_id: str
    revision: int
    path: str
    crumbs: tuple[Crumb, ...]
    headline: Words
    changes: tuple[Told, ...]
    language: str
    direction: str


@dataclass(frozen=True)
class Item:
    """An article on a front: `when` is its publication or its latest bump, whichever orders the list."""

    article_id: str
    revision: int
    path: str
    headline: Words
    deck: str
    excerpt: str
    section: Link
    place: str | None
    when: When
    label: Label | None
    note: str | None
    is_breaking: bool
    is_live: bool


@dataclass(frozen=True)
class Day:
    """The items of one day of a list."""

    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class ListingPage:
    """A front or an archive. `breaking` is the strip above the lead, None where the lead itself is it."""

    head: Head
    kind: ListingKind
    path: str
    title: str
    crumbs: tuple[Crumb, ...]
    breaking: Item | None
    lead: Item | None
    days: tuple[Day, ...]
    archives: tuple[Link, ...]
    zone: str


@dataclass(frozen=True)
class Entry:
    """A line of a ledger. `change`: where the change stands in the history, None of a live entry."""

    article_id: str
    revision: int
    path: str
    headline: Words
    label: Label
    when: When
    note: Words | None
    change: str | None


@dataclass(frozen=True)
class EntryDay:
    """The lines of one day of a ledger."""

    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class LedgerPage:
    """A ledger of notices."""

    head: Head
    kind: ListingKind
    path: str
    title: str
    intro: str
    crumbs: tuple[Crumb, ...]
    days: tuple[EntryDay, ...]
    zone: str


@dataclass(frozen=True)
class ErrorPage:
    """Why nothing stands here."""

    head: Head
    status: int
    title: str
    text: str


def article_page(
    update: ArticleUpdate, public: PublicArticle, text: ArticleText, site: Site, posts: Posts = NO_POSTS
) -> ArticlePage:
    """The page of a public article. `update.path` must be set."""
    path = update.path or ""
    section = Link(text.section, section_path(text.section))
    crumbs = (MAIN_PAGE, Crumb(section.name, section.path), Crumb(text.headline, path))
    told = _told(public)
    corrections = tuple(one for change, one in told if change.kind.is_correction)
    updates = tuple(one for change, one in told if change.kind is ChangeKind.UPDATED)
    extract = excerpt(text.body)
    published = when(public.published_at, public.timezone)
    updated = when(public.updated_at, public.timezone)
    description = text.deck or words.shorten(extract)
    head = Head(
        title=text.headline,
        description=description,
        canonical=site.absolute(path),
        kind="article",
        published=published.machine,
        modified=updated.machine,
        section=text.section,
        tags=text.tags,
        graph=article_graph(
            site,
            path=path,
            public=public,
            headline=text.headline,
            description=description,
            authors=text.authors,
            tags=text.tags,
            times=(published.machine, updated.machine),
            crumbs=crumbs,
            corrections=tuple(Correction(one.label.text, one.note, one.when.machine) for one in corrections),
            live=coverage(path, public, posts),
        ),
    )
    return ArticlePage(
        head=head,
        article_id=update.article_id,
        revision=public.revision,
        path=path,
        crumbs=crumbs,
        section=section,
        headline=_words(text.headline, public.language),
        deck=text.deck,
        body=Markup(clean(text.body)),  # noqa: S704  (the one place where markup is trusted: it was cleaned just now)
        place=public.dateline_place,
        published=published,
        updated=updated if public.updated_at != public.published_at else None,
        authors=tuple(Link(author, author_path(author)) for author in text.authors),
        minutes=minutes_to_read(text.body),
        is_breaking=text.breaking,
        corrections=corrections,
        updates=updates[:UPDATES_BESIDE_TEXT],
        earlier_updates=updates[UPDATES_BESIDE_TEXT:],
        tags=tuple(Link(tag, tag_path(tag)) for tag in text.tags),
        sources=text.sources,
        reuse=_reuse(text.headline, extract, site.absolute(path), site.name),
        copyright_notice=f"© {public.published_at.year} {site.publisher.name}",
        live=live_block(path, public, posts),
    )


def retracted_page(update: ArticleUpdate, public: PublicArticle, site: Site) -> RetractedPage:
    """The page of a retracted article: made from the retraction alone."""
    path = update.path or ""
    retraction = _told_one(public.changes[-1], public)
    crumbs = (MAIN_PAGE, Crumb(words.RETRACTED_ITEM, path))
    times = (when(public.published_at, public.timezone).machine, retraction.when.machine)
    graph = article_graph(
        site,
        path=path,
        public=public,
        headline=words.RETRACTED_TITLE,
        description=retraction.note,
        authors=(),
        tags=(),
        times=times,
        crumbs=crumbs,
        corrections=(Correction(retraction.label.text, retraction.note, retraction.when.machine),),
    )
    head = Head(
        title=words.RETRACTED_TITLE,
        description=retraction.note,
        canonical=site.absolute(path),
        kind="article",
        published=times[0],
        modified=times[1],
        graph=graph,
    )
    note = _words(retraction.note, public.language)
    return RetractedPage(head, update.article_id, public.revision, path, crumbs, retraction, note)


def history_page(update: ArticleUpdate, public: PublicArticle, site: Site) -> HistoryPage:
    """The history of a public or retracted article."""
    path = update.path or ""
    headline = public.text.headline if public.text else words.RETRACTED_ITEM
    here = f"{path}history/"
    section = (Crumb(public.text.section, section_path(public.text.section)),) if public.text else ()
    crumbs = (MAIN_PAGE, *section, Crumb(headline, path), Crumb("History", here))
    return HistoryPage(
        head=Head(
            title=f"History: {headline}",
            description="Every version of this article that was public: when it changed, how, and why.",
            canonical=site.absolute(here),
            graph=listing_graph(site, here, crumbs),
        ),
        article_id=update.article_id,
        revision=public.changes[-1].revision,
        path=path,
        crumbs=crumbs,
        headline=_words(headline, public.language if public.text else site.language),
        changes=tuple(_told_one(change, public) for change in reversed(public.changes)),
        language=public.language,
        direction=words.direction(public.language),
    )


def listing_page(listing: Listing, site: Site) -> ListingPage:
    """A front or an archive from its cards."""
    cards = [card for card in listing.cards if not card.retracted]
    strip = (
        next((card for card in cards if card.breaking), None) if listing.kind is ListingKind.HOME else None
    )
    lead = cards[0] if cards else None
    title = _title(listing, cards, site)
    crumbs = () if listing.kind is ListingKind.HOME else (MAIN_PAGE, Crumb(title, listing.path))
    return ListingPage(
        head=_listing_head(listing, title, crumbs, site),
        kind=listing.kind,
        path=listing.path,
        title=title,
        crumbs=crumbs,
        breaking=_item(strip, listing.kind, site) if strip and strip is not lead else None,
        lead=_item(lead, listing.kind, site) if lead else None,
        days=_days(cards[1:], listing.kind, site),
        archives=_archives(listing, cards),
        zone=site.timezone,
    )


def ledger_page(listing: Listing, site: Site) -> LedgerPage:
    """A ledger of notices from its entries."""
    title, intro = _LEDGERS[listing.path]
    crumbs = (MAIN_PAGE, Crumb(title, listing.path))
    entries = [_entry(entry, site) for entry in listing.entries]
    return LedgerPage(
        head=Head(title, intro, site.absolute(listing.path), graph=listing_graph(site, listing.path, crumbs)),
        kind=listing.kind,
        path=listing.path,
        title=title,
        intro=intro,
        crumbs=crumbs,
        days=tuple(
            EntryDay(day, tuple(lines)) for day, lines in groupby(entries, lambda entry: entry.when.day)
        ),
        zone=site.timezone,
    )


_LEDGERS = {
    UPDATES_LEDGER: ("Updates", "Everything that was published or changed, newest first, and what changed."),
    CORRECTIONS_LEDGER: (
        "Corrections",
        "What we got wrong and put right: corrections, clarifications, editor’s notes and retractions.",
    ),
}
_ERRORS = {
    401: (
        "A preview needs a key",
        "Load the page again and give your API key as the password; the name does not matter.",
    ),
    403: (
        "This key may not see previews",
        "They are for reporters and up. Ask a publisher for a key with that role.",
    ),
    404: (
        "There is no page here",
        "The address may be mistyped, or it never was one of ours. Nothing that we published has been moved "
        "without leaving a way to its new place.",
    ),
    410: (
        "This article has been taken down",
        "It is not public at the moment. Should it come back, it will be at this same address.",
    ),
    503: (
        "We will be right back",
        "The site cannot answer just now. Nothing is lost; please load the page again in a moment.",
    ),
}


def error_page(status: int) -> ErrorPage:
    """The page for a status that stands for no page."""
    title, text = _ERRORS[status]
    return ErrorPage(Head(title), status, title, text)


def _words(text: str, language: str) -> Words:
    return Words(text, language, words.direction(language))


def _told(public: PublicArticle) -> list[tuple[Change, Told]]:
    """What readers were told after publication, newest first."""
    return [(change, _told_one(change, public)) for change in reversed(public.changes) if change.kind.is_told]


def _told_one(change: Change, public: PublicArticle) -> Told:
    note = change.note or words.UNTOLD_NOTES.get(change.kind, "")
    label = words.BREAKING if change.breaking else words.CHANGE_LABELS[change.kind]
    return Told(change.revision, label, when(change.time, public.timezone), note, _since(change, public))


def _since(change: Change, public: PublicArticle) -> int | None:
    """The revision that readers compare this one with: changes released together came with one text."""
    if change.kind is ChangeKind.RETRACTED:
        return None
    before = [each.revision for each in public.changes if each.text_at < change.text_at]
    return max(before, default=None)


def _reuse(headline: str, extract: str, url: str, site_name: str) -> Reuse:
    quoted = f"{extract}\n\n" if extract else ""
    text = f"{quoted}{headline} ({site_name})\n{url}"
    paragraph = Markup("<p>{}</p>\n  ").format(extract) if extract else Markup("")
    html = Markup(
        '<blockquote cite="{0}">\n  {1}<footer><a href="{0}">{2}</a>, {3}</footer>\n</blockquote>'
    ).format(url, paragraph, headline, site_name)
    return Reuse(text=text, html=str(html))


def _item(card: Card, kind: ListingKind, site: Site) -> Item:
    is_archive = kind is ListingKind.DAY
    return Item(
        article_id=card.article_id,
        revision=card.revision,
        path=card.path,
        headline=_words(card.headline, card.language),
        deck=card.deck,
        excerpt=card.excerpt,
        section=Link(card.section, section_path(card.section)),
        place=card.dateline_place,
        when=when(card.published_at, card.timezone) if is_archive else when(card.bumped_at, site.timezone),
        label=words.CARD_LABELS.get(card.label) if card.label else None,
        note=card.note,
        is_breaking=card.breaking,
        is_live=card.live,
    )


def _days(cards: Sequence[Card], kind: ListingKind, site: Site) -> tuple[Day, ...]:
    items = [_item(card, kind, site) for card in cards]
    return tuple(Day(day, tuple(group)) for day, group in groupby(items, lambda item: item.when.day))


def _archives(listing: Listing, cards: Iterable[Card]) -> tuple[Link, ...]:
    """Links to the archives of the days that the cards were published on, and of the older days."""
    if listing.kind is ListingKind.DAY:
        return ()
    shown = {publication_day(card.published_at, card.timezone) for card in cards}
    days = sorted(shown | set(listing.older), reverse=True)[:OLDER_LIMIT]
    return tuple(Link(words.day_title(day), day_path(day)) for day in days)


def _title(listing: Listing, cards: Sequence[Card], site: Site) -> str:
    """The listing's name as its newest entry writes it."""
    newest = cards[0] if cards else None
    match listing.kind:
        case ListingKind.HOME:
            return site.name
        case ListingKind.DAY:
            return words.day_title(listing.path.strip("/"))
        case ListingKind.TAG:
            return _written(newest.tags if newest else (), listing.path, tag_path)
        case ListingKind.AUTHOR:
            return _written(newest.authors if newest else (), listing.path, author_path)
        case _:
            return (newest.section if newest else None) or site.section_name(listing.path) or ""


def _written(names: Iterable[str], path: str, path_of: Callable[[str], str]) -> str:
    """The name that leads to the path, as it was written; the path's last part where none does."""
    return next((name for name in names if path_of(name) == path), path.strip("/").rpartition("/")[2])


def _listing_head(listing: Listing, title: str, crumbs: tuple[Crumb, ...], site: Site) -> Head:
    canonical = site.absolute(listing.path)
    if listing.kind is ListingKind.HOME:
        return Head(site.name, site.tagline, canonical, graph=front_graph(site))
    descriptions = {
        ListingKind.SECTION: f"{title}: the latest from {site.name}.",
        ListingKind.TAG: f"Everything on {title} from {site.name}.",
        ListingKind.AUTHOR: f"Articles by {title} in {site.name}.",
        ListingKind.DAY: f"What {site.name} published on {title}.",
    }
    return Head(title, descriptions[listing.kind], canonical, graph=listing_graph(site, listing.path, crumbs))


def _entry(entry: LedgerEntry, site: Site) -> Entry:
    is_gone = entry.kind is NoticeKind.RETRACTION
    return Entry(
        article_id=entry.article_id,
        revision=entry.revision,
        path=entry.path,
        headline=_words(words.RETRACTED_ITEM, site.language)
        if is_gone
        else _words(entry.headline, entry.language),
        label=words.NOTICE_LABELS[entry.kind],
        when=when(entry.time, site.timezone),
        note=_words(entry.note, entry.language) if entry.note else None,
        change=None
        if entry.kind is NoticeKind.LIVE_ENTRY
        else f"{entry.path}history/#revision-{entry.revision}",
    )
