"""What the pages of one article may use: the article itself, what is left of a retracted one, the history.

A function of that article and the site: `contexts` beside this says what all pages have.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from newsroom.addresses import article_by_id, author_path, oembed_path, tag_path
from newsroom.articles import ArticleText, Source
from newsroom.bodies import minutes_to_read
from newsroom.excerpts import excerpt, quotable_characters
from newsroom.updates import ArticleUpdate, Change, ChangeKind, PublicArticle
from services.render.contexts.frame import (
    Alternate,
    Head,
    Link,
    Words,
    main_page,
    section_crumb,
    section_link,
    shorten,
    words_in,
)
from services.render.contexts.graph import Correction, Crumb, article_graph, listing_graph
from services.render.contexts.liveblog import LiveBlock, coverage, live_block
from services.render.contexts.quotes import Quote
from services.render.looks.sitefile import Site
from services.render.posts import NO_POSTS, Posts, post_bodies
from services.render.words.dates import When
from services.render.words.typography import set_line, set_markup
from services.render.words.wording import (
    BREAKING,
    RETRACTED_ITEM,
    RETRACTED_TEXT,
    RETRACTED_TITLE,
    Label,
    Wording,
    direction,
)

UPDATES_BESIDE_TEXT = 2


@dataclass(frozen=True)
class Told:
    """One public revision as notices and the history tell it.

    `since`: the public revision before it with another text, None of the first and of one without a text.
    """

    revision: int
    label: Label
    when: When
    note: Words
    since: int | None = None


@dataclass(frozen=True)
class ArticlePage:
    """An article's page. Every list is newest first; `updates` stand above the text, the earlier below.

    `original`: the path that leads to the article which this one translates.
    """

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
    reuse: Quote
    copyright_notice: str
    live: LiveBlock | None = None
    original: str | None = None


@dataclass(frozen=True)
class RetractedPage:
    """What is left of a retracted article: that it was retracted, when, and why."""

    head: Head
    article_id: str
    revision: int
    path: str
    crumbs: tuple[Crumb, ...]
    retraction: Told


@dataclass(frozen=True)
class HistoryPage:
    """Every public revision of an article, newest first, without texts. `direction`: that of its language.

    `explanation`: what the list shows, for of a retracted article it shows the retraction alone.
    """

    head: Head
    article_id: str
    revision: int
    path: str
    crumbs: tuple[Crumb, ...]
    headline: Words
    explanation: str
    changes: tuple[Told, ...]
    direction: str


def article_page(
    update: ArticleUpdate,
    public: PublicArticle,
    text: ArticleText,
    site: Site,
    wording: Wording,
    posts: Posts = NO_POSTS,
) -> ArticlePage:
    """The page of a public article. `update.path` must be set."""
    path = update.path or ""
    section = section_link(text.section, site)
    crumbs = (main_page(wording), Crumb(section.name, section.path), Crumb(text.headline, path))
    told = _told(public, wording)
    corrections = tuple(one for change, one in told if change.kind.is_correction)
    updates = tuple(one for change, one in told if change.kind is ChangeKind.UPDATED)
    extract = excerpt(text.body)
    published = wording.when(public.published_at, public.timezone)
    updated = wording.when(public.updated_at, public.timezone)
    description = text.deck or shorten(extract) or text.headline
    head = Head(
        title=text.headline,
        description=description,
        canonical=site.absolute(path),
        kind="article",
        published=published.machine,
        modified=updated.machine,
        section=section.name,
        tags=text.tags,
        most_quoted=quotable_characters("".join([text.body, *post_bodies(posts)])),
        oembed=site.absolute(oembed_path(site.absolute(path))),
        alternates=_alternates(text, public.language, site.absolute(path), site),
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
            corrections=tuple(_comment(one) for one in corrections),
            live=coverage(path, public, posts, wording),
        ),
    )
    return ArticlePage(
        head=head,
        article_id=update.article_id,
        revision=public.revision,
        path=path,
        crumbs=crumbs,
        section=section,
        headline=words_in(text.headline, public.language),
        deck=set_line(text.deck, public.language),
        body=set_markup(text.body, public.language),
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
        reuse=Quote(text.headline, extract, site.absolute(path), site.name, public.language),
        copyright_notice=f"© {public.published_at.year} {site.publisher.name}",
        live=live_block(path, public, posts, wording),
        original=article_by_id(text.translation_of) if text.translation_of else None,
    )


def retracted_page(
    update: ArticleUpdate, public: PublicArticle, site: Site, wording: Wording
) -> RetractedPage:
    """The page of a retracted article: made from the retraction alone."""
    path = update.path or ""
    retraction = _told_one(public.changes[-1], public, wording)
    title = wording.text(RETRACTED_TITLE)
    crumbs = (main_page(wording), Crumb(wording.text(RETRACTED_ITEM), path))
    times = (wording.when(public.published_at, public.timezone).machine, retraction.when.machine)
    graph = article_graph(
        site,
        path=path,
        public=public,
        headline=title,
        description=retraction.note.text,
        authors=(),
        tags=(),
        times=times,
        crumbs=crumbs,
        corrections=(_comment(retraction),),
    )
    head = Head(
        title=title,
        description=retraction.note.text,
        canonical=site.absolute(path),
        kind="article",
        published=times[0],
        modified=times[1],
        oembed=site.absolute(oembed_path(site.absolute(path))),
        graph=graph,
    )
    return RetractedPage(head, update.article_id, public.revision, path, crumbs, retraction)


def history_page(update: ArticleUpdate, public: PublicArticle, site: Site, wording: Wording) -> HistoryPage:
    """The history of a public or retracted article."""
    path = update.path or ""
    headline = public.text.headline if public.text else wording.text(RETRACTED_ITEM)
    explanation, description = _explained(public.text is None, wording)
    here = f"{path}history/"
    section = (section_crumb(public.text.section, site),) if public.text else ()
    crumbs = (main_page(wording), *section, Crumb(headline, path), Crumb(wording.text("History"), here))
    return HistoryPage(
        head=Head(
            title=wording.text("History: %(headline)s", headline=headline),
            description=description,
            canonical=site.absolute(here),
            graph=listing_graph(site, here, crumbs),
        ),
        article_id=update.article_id,
        revision=public.changes[-1].revision,
        path=path,
        crumbs=crumbs,
        headline=words_in(headline, public.language if public.text else wording.language),
        explanation=explanation,
        changes=tuple(_told_one(change, public, wording) for change in reversed(public.changes)),
        direction=direction(public.language),
    )


def _explained(retracted: bool, wording: Wording) -> tuple[str, str]:
    """What a history shows, to who reads it and to who only sees its description."""
    if retracted:
        gone = wording.text(RETRACTED_TEXT)
        return gone, gone
    return (
        wording.text("Every version that was public, newest first: when it changed, how, and why."),
        wording.text("Every version of this article that was public: when it changed, how, and why."),
    )


def _told(public: PublicArticle, wording: Wording) -> list[tuple[Change, Told]]:
    """What readers were told after publication, newest first."""
    return [
        (change, _told_one(change, public, wording))
        for change in reversed(public.changes)
        if change.kind.is_told
    ]


def _told_one(change: Change, public: PublicArticle, wording: Wording) -> Told:
    return Told(
        revision=change.revision,
        label=wording.label(BREAKING) if change.breaking else wording.change_label(change.kind),
        when=wording.when(change.time, public.timezone),
        note=words_in(change.note, public.language)
        if change.note
        else words_in(wording.untold_note(change.kind), wording.language),
        since=_since(change, public),
    )


def _comment(told: Told) -> Correction:
    return Correction(told.label.text, told.note.text, told.when.machine)


def _since(change: Change, public: PublicArticle) -> int | None:
    """The revision that readers compare this one with: changes released together came with one text."""
    if change.kind is ChangeKind.RETRACTED:
        return None
    before = [each.revision for each in public.changes if each.text_at < change.text_at]
    return max(before, default=None)


def _alternates(text: ArticleText, language: str, url: str, site: Site) -> tuple[Alternate, ...]:
    """A translation's own language and its original, by an address that never moves; none of any other.

    Which translations an article has stands in the sitemap of translations, for its page is its own alone.
    """
    if text.translation_of is None:
        return ()
    original = site.absolute(article_by_id(text.translation_of))
    return (Alternate(language, url), Alternate("x-default", original))
