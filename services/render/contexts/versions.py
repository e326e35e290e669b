"""What the page of two revisions side by side may use: made on request, from the store's comparison."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from newsroom.articles import ArticleText
from newsroom.bodies import clean_marked
from newsroom.differences import Difference, FieldDifference, Segment, Side
from newsroom.updates import ChangeKind
from services.render.contexts.frame import Head, Words, main_page, section_crumb, words_in
from services.render.contexts.graph import Crumb
from services.render.contexts.tables import reachable
from services.render.looks.sitefile import Site
from services.render.words.dates import When
from services.render.words.wording import ADDED, REMOVED, Label, Wording, message

_FIELD_NAMES = {
    "section": message("Section"),
    "tags": message("Tags"),
    "authors": message("Authors"),
    "language": message("Language"),
}
"""Other fields of the text that readers see."""
_BEGINS = {"ins": ADDED, "del": REMOVED}


@dataclass(frozen=True)
class Version:
    """One of the two revisions."""

    revision: int
    label: Label
    when: When
    note: Words


@dataclass(frozen=True)
class OtherField:
    """A field that is no running text, as it was and as it is."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class VersionsPage:
    """The newer text with what came and went. `count` is in words, of headline, deck and body."""

    head: Head
    path: str
    crumbs: tuple[Crumb, ...]
    older: Version
    newer: Version
    headline: tuple[Segment, ...]
    deck: tuple[Segment, ...]
    body: Markup
    others: tuple[OtherField, ...]
    added: int
    removed: int
    words: Words


def versions_page(path: str, difference: Difference, site: Site, wording: Wording) -> VersionsPage:
    """The page of a comparison asked for with its whole text. Raises: ValueError where that is missing."""
    text = difference.article
    if text is None:
        raise ValueError(f"the comparison of article {difference.article_id} came without its text")
    fields = {each.field: each for each in difference.fields}
    running = [fields[name] for name in ("headline", "deck", "body") if name in fields]
    history = f"{path}history/"
    here = f"{history}{difference.older.revision}-{difference.newer.revision}/"
    crumbs = (
        main_page(wording),
        section_crumb(text.section, site),
        Crumb(text.headline, path),
        Crumb(wording.text("History"), history),
        Crumb(wording.text("What changed"), here),
    )
    return VersionsPage(
        head=Head(
            title=wording.text("What changed: %(headline)s", headline=text.headline),
            description=wording.text(
                "The words that were added and removed between two versions of this article."
            ),
            canonical=site.absolute(history),
            is_indexed=False,
        ),
        path=path,
        crumbs=crumbs,
        older=_version(difference.older, text, wording),
        newer=_version(difference.newer, text, wording),
        headline=_segments(fields.get("headline")),
        deck=_segments(fields.get("deck")),
        body=_body(fields.get("body"), wording),
        others=tuple(_other(each, wording) for each in difference.fields if each.field in _FIELD_NAMES),
        added=sum(each.added for each in running),
        removed=sum(each.removed for each in running),
        words=words_in(text.headline, text.language),
    )


def _version(side: Side, text: ArticleText, wording: Wording) -> Version:
    kind = ChangeKind(side.kind)
    zone = text.dateline.timezone if text.dateline else "UTC"
    note = (
        words_in(side.note, text.language)
        if side.note
        else words_in(wording.untold_note(kind), wording.language)
    )
    return Version(side.revision, wording.change_label(kind), wording.when(side.time, zone), note)


def _segments(difference: FieldDifference | None) -> tuple[Segment, ...]:
    return difference.segments or () if difference else ()


def _body(difference: FieldDifference | None, wording: Wording) -> Markup:
    """The marked body, cleaned again, each mark told in a word for those who do not see it."""
    html = reachable(clean_marked(difference.html or "")) if difference else ""
    for mark, word in _BEGINS.items():
        html = html.replace(f"<{mark}>", f'<{mark}><span class="unseen">{wording.text(word)} </span>')
    return Markup(html)  # noqa: S704  (it was cleaned just now)


def _other(difference: FieldDifference, wording: Wording) -> OtherField:
    before, after = _told(difference.before), _told(difference.after)
    if difference.field == "language":
        before, after = wording.language_name(before), wording.language_name(after)
    return OtherField(wording.text(_FIELD_NAMES[difference.field]), before, after)


def _told(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")
