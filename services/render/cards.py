"""What crosses articles: cards for fronts, feeds and sitemaps, entries for the ledgers, and where an article
is listed.

Sits between `newsroom.updates` and the read model: an update becomes a card, ledger entries and a set of
listing paths; the listings are later made from what the read model holds of all articles. Pure functions, no
clock. Of an article that is not public there is nothing, of a retracted one no word of its text.
"""

from __future__ import annotations

from collections.abc import Iterable

from newsroom.addresses import (
    CORRECTIONS_LEDGER,
    HOME,
    SITEMAP_INDEX,
    TRANSLATIONS_SITEMAP,
    UPDATES_LEDGER,
    author_path,
    day_path,
    month_of,
    month_path,
    publication_day,
    section_path,
    sitemap_path,
    tag_path,
)
from newsroom.articles import ArticleId, ArticleText, Contract
from newsroom.excerpts import excerpt
from newsroom.notices import NoticeKind, notice_kind
from newsroom.times import Moment
from newsroom.updates import ArticleUpdate, Change, ChangeKind, EntryUpdate, PublicArticle, Status
from services.render.posts import note_of, permalink, told_at, told_posts

LONG = 2_048
"""Characters. What is made of a longer excerpt is not kept in memory."""


class Card(Contract):
    """An article as fronts and feeds show it: never more of the body than the excerpt.

    `revision` is the newest that readers were told of, `label` the latest such change (None: the publication
    alone), `note` its sentence.
    `live`: posts may still be added. `translation_of`: the article of which this one is the translation. A
    retracted article's card has neither headline nor text; it stays for the feeds.
    """

    article_id: ArticleId
    revision: int
    path: str
    headline: str = ""
    deck: str = ""
    excerpt: str = ""
    section: str = ""
    tags: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    language: str
    dateline_place: str | None = None
    timezone: str
    published_at: Moment
    updated_at: Moment
    bumped_at: Moment
    label: ChangeKind | None = None
    note: str | None = None
    breaking: bool = False
    live: bool = False
    retracted: bool = False
    translation_of: ArticleId | None = None

    @property
    def is_long(self) -> bool:
        """Whether its excerpt has very many words."""
        return len(self.excerpt) > LONG

    @property
    def day(self) -> str:
        """The day of first publication in the dateline's zone, as paths write it: `2023/06/20`."""
        return publication_day(self.published_at, self.timezone)

    @property
    def month(self) -> str:
        """The month of that day: `2023/06`."""
        return month_of(self.day)


class LedgerEntry(Contract):
    """One notice as the ledgers show it: no `headline` after a retraction, no `note` for a publication.

    Of a live entry `path` leads to it.
    """

    article_id: ArticleId
    revision: int
    kind: NoticeKind
    note: str | None = None
    time: Moment
    path: str
    headline: str = ""
    language: str
    timezone: str

    @property
    def is_long(self) -> bool:
        """Never: the door bounds a note."""
        return False

    @property
    def is_correction(self) -> bool:
        """Whether it belongs into the ledger of corrections too."""
        return self.kind in _CORRECTIONS

    @property
    def ledgers(self) -> tuple[str, ...]:
        """The paths of the ledgers that it stands in."""
        return (UPDATES_LEDGER, CORRECTIONS_LEDGER) if self.is_correction else (UPDATES_LEDGER,)


_CORRECTIONS = frozenset(
    {NoticeKind.CORRECTION, NoticeKind.CLARIFICATION, NoticeKind.EDITORS_NOTE, NoticeKind.RETRACTION}
)


def card_of(update: ArticleUpdate) -> Card | None:
    """The article's card, or None where the public may not see it."""
    public = _public(update)
    if public is None or update.path is None:
        return None
    label = _latest_told(public)
    return Card(
        article_id=update.article_id,
        revision=_told_up_to(public),
        path=update.path,
        language=public.language,
        dateline_place=public.dateline_place,
        timezone=public.timezone,
        published_at=public.published_at,
        updated_at=public.updated_at,
        bumped_at=public.bumped_at,
        label=label.kind if label else None,
        note=label.note if label else None,
        live=public.live is not None and public.live.closed_at is None,
        **_words_of(public.text),
    )


def _words_of(text: ArticleText | None) -> dict[str, object]:
    """The fields of a card that hold words of the article: none of them after a retraction."""
    if text is None:
        return {"retracted": True}
    return {
        "headline": text.headline,
        "deck": text.deck,
        "excerpt": excerpt(text.body),
        "section": text.section,
        "tags": text.tags,
        "authors": text.authors,
        "breaking": text.breaking,
        "translation_of": text.translation_of,
    }


def ledger_of(update: ArticleUpdate, posts: Iterable[EntryUpdate] = ()) -> tuple[LedgerEntry, ...]:
    """Every notice of the article's public history, oldest first, then of its posts; nothing where the
    public may not see it.
    """
    public = _public(update)
    if public is None or update.path is None:
        return ()
    line = LedgerEntry(
        article_id=update.article_id,
        revision=0,
        kind=NoticeKind.PUBLISHED,
        time=public.published_at,
        path=update.path,
        headline=public.text.headline if public.text else "",
        language=public.language,
        timezone=public.timezone,
    )
    changes = tuple(
        line.model_copy(
            update={"revision": change.revision, "kind": kind, "note": change.note, "time": change.time}
        )
        for change in public.changes
        if (kind := notice_kind(change)) is not None
    )
    return changes + tuple(
        line.model_copy(
            update={
                "revision": post.revision,
                "kind": NoticeKind.LIVE_ENTRY,
                "note": note_of(entry),
                "time": told_at(entry),
                "path": permalink(update.path, post),
            }
        )
        for post, entry in told_posts(update, posts, 0)
    )


def listings_of(update: ArticleUpdate) -> frozenset[str]:
    """The path of every listing the article stands in.

    After a retraction it leaves the archives; fronts keep it for their feeds, the sitemap for its page.
    """
    card = card_of(update)
    public = _public(update)
    if public is None or card is None:
        return frozenset()
    fronts = _fronts(public)
    ledgers = {ledger for entry in ledger_of(update) for ledger in entry.ledgers}
    archives = (
        set()
        if card.retracted
        else {day_path(card.day), *(month_path(card.month, front) for front in fronts)}
    )
    maps = {SITEMAP_INDEX, sitemap_path(card.month)}
    if card.translation_of:
        maps.add(TRANSLATIONS_SITEMAP)
    return frozenset({*fronts, *archives, *ledgers, *maps})


def _fronts(public: PublicArticle) -> frozenset[str]:
    """Home, the section, and the tags and authors: of a retracted article those it was filed under."""
    text = public.text
    filed = (
        public.filed_under
        if text is None
        else (*(tag_path(tag) for tag in text.tags), *(author_path(author) for author in text.authors))
    )
    return frozenset({HOME, section_path(public.section), *filed})


def _public(update: ArticleUpdate) -> PublicArticle | None:
    return update.public if update.status in (Status.PUBLIC, Status.RETRACTED) else None


def _told_up_to(public: PublicArticle) -> int:
    """The newest revision that readers were told of: an amendment is none, so that it moves no listing."""
    told = [change.revision for change in public.changes if change.kind.is_told]
    return max([*told, public.live.entry_revision if public.live else 0])


def _latest_told(public: PublicArticle) -> Change | None:
    """The newest change that readers were told of after the publication itself."""
    told = (change for change in reversed(public.changes) if change.kind.is_told)
    latest = next(told, None)
    return latest if latest is not None and latest.kind is not ChangeKind.PUBLISHED else None
