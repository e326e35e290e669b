"""A look tried before it is worn: every kind of page drawn of a sample, in memory.

A template of the newsroom's own that names something which is not there would fail on every article alike,
and is found here instead. What a template does with one text only is found when that text comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

from newsroom.addresses import article_path, author_path, month_path, section_path, tag_path
from newsroom.articles import ArticleText, Dateline, EntryText, Source
from newsroom.errors import Misconfigured
from newsroom.updates import (
    ArticleUpdate,
    Change,
    ChangeKind,
    EntryUpdate,
    LiveState,
    PublicArticle,
    PublicEntry,
    Status,
)
from services.render.cards import card_of, ledger_of
from services.render.contexts.previews import Head
from services.render.listingkinds import Listing, standing_paths
from services.render.looks.look import Look
from services.render.pages import ERRORS, Pages
from services.render.posts import Posts

_DAY = datetime(2023, 6, 20, 4, 40, tzinfo=UTC)
_ID = "rehearsal"
_SECTION, _TAG, _AUTHOR = "Rehearsal", "Rehearsals", "A. Reporter"


def rehearse(look: Look) -> None:
    """Draw one of everything. Raises: Misconfigured, naming the template and the line."""
    pages = Pages.in_look(look)
    try:
        for update, posts in _articles(look.site.language):
            pages.article(update, posts)
        for listing in _listings(look):
            pages.listing(listing)
        _on_request(pages)
        pages.fixed()
        for status in ERRORS:
            pages.error(status)
    except Exception as error:
        raise Misconfigured(f"{_where(error.__traceback__)} cannot be used: {error}") from error


def _on_request(pages: Pages) -> None:
    text = _text(pages.site.language)
    update = _update(text)
    if (card := card_of(update)) is not None:
        pages.excerpt_page(card, ledger_of(update))
    pages.preview(Head(id=_ID, revision=1, status=Status.UNPUBLISHED, article=text, time=_DAY), None)


def _where(trace: TracebackType | None) -> str:
    """The template and the line where it failed, as far as the trace tells."""
    found = "a template"
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if file.suffix != ".py":
            found = f"template {file.name}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return found


def _articles(language: str) -> Iterator[tuple[ArticleUpdate, Posts]]:
    """An article with every kind of change, a live one with a post, and one that was retracted."""
    text = _text(language)
    yield _update(text), Posts()
    post = _post()
    live = LiveState(entries=1, pages=1, entry_revision=2, entry_at=_DAY, pinned=post.entry_id)
    posts = Posts(latest=(post,), pinned=post, key_events=(post,), pages={1: (post,)})
    yield _update(text.model_copy(update={"live": True}), live), posts
    yield _retracted(language), Posts()


def _listings(look: Look) -> Iterator[Listing]:
    """Every kind of listing, with a lead, an article below it and its notices; those that always stand,
    empty too.
    """
    update = _update(_text(look.site.language))
    card, entries = card_of(update), tuple(ledger_of(update))
    others = (section_path(_SECTION), tag_path(_TAG), author_path(_AUTHOR), month_path("/", "2023/06"))
    for path in (*standing_paths(look.site), *others, "/2023/06/20/"):
        yield Listing(path)
        yield Listing(path, cards=(card, card) if card else (), entries=entries)


def _text(language: str) -> ArticleText:
    return ArticleText(
        headline="A rehearsal",
        deck="Nobody will see it.",
        body="<p>It tries every template.</p><blockquote cite='https://x.test/'><p>Once.</p></blockquote>",
        section=_SECTION,
        tags=(_TAG,),
        authors=(_AUTHOR, "B. Reporter"),
        dateline=Dateline(place="Astana, Kazakhstan", timezone="Asia/Almaty"),
        language=language,
        sources=(Source(name="A source", url="https://x.test/"), Source(name="Another")),
    )


def _changes() -> tuple[Change, ...]:
    kinds = [ChangeKind.PUBLISHED, *(kind for kind in ChangeKind if kind.is_told), ChangeKind.AMENDED]
    return tuple(
        Change(
            revision=number,
            kind=kind,
            time=_DAY + timedelta(minutes=number),
            note="A note." if kind not in (ChangeKind.PUBLISHED, ChangeKind.AMENDED) else None,
        )
        for number, kind in enumerate(kinds, start=1)
        if kind is not ChangeKind.RETRACTED
    )


def _update(text: ArticleText, live: LiveState | None = None) -> ArticleUpdate:
    changes = _changes()
    return ArticleUpdate(
        article_id=_ID,
        revision=changes[-1].revision,
        status=Status.PUBLIC,
        path=article_path(_SECTION, "2023/06/20", "rehearsal", _ID),
        public=PublicArticle(
            revision=changes[-1].revision,
            text=text,
            section=_SECTION,
            language=text.language,
            dateline_place="Astana, Kazakhstan",
            timezone="Asia/Almaty",
            published_at=_DAY,
            updated_at=changes[-1].time,
            bumped_at=changes[-1].time,
            changes=changes,
            live=live,
        ),
    )


def _retracted(language: str) -> ArticleUpdate:
    former = _update(_text(language))
    why = Change(revision=1, kind=ChangeKind.RETRACTED, time=_DAY, note="It was not so.")
    public = former.public and former.public.model_copy(update={"text": None, "changes": (why,)})
    return former.model_copy(update={"status": Status.RETRACTED, "public": public})


def _post() -> EntryUpdate:
    text = EntryText(headline="A post", body="<p>It is short.</p>", author=_AUTHOR, key_event=True)
    return EntryUpdate(
        article_id=_ID,
        entry_id="post",
        number=1,
        page=1,
        revision=2,
        as_of=2,
        entry=PublicEntry(text=text, added_at=_DAY, changed_at=_DAY + timedelta(minutes=1)),
    )
