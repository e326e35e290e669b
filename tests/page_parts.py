"""How tests read a page, as a tree of elements by a strict parser; and articles to make pages of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

from newsroom.addresses import article_path, publication_day, slugify
from newsroom.articles import ArticleText, Dateline, Source
from newsroom.updates import ArticleUpdate, Change, ChangeKind, PublicArticle, Status
from services.render.looks.look import Look

VOID = frozenset({"meta", "link", "br", "hr", "input", "img"})
FIRST_PUBLISHED = datetime(2023, 6, 20, 4, 40, tzinfo=UTC)
SENTENCES = tuple(f"Sentence number {number} of the body says what happened then." for number in range(1, 21))
BODY = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES)


@dataclass
class Element:
    """One element with its children in order; text stands among them as `str`."""

    name: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    def __getitem__(self, attribute: str) -> str:
        return self.attributes[attribute]

    @property
    def text(self) -> str:
        """All its text, white space collapsed."""
        return " ".join("".join(self._texts()).split())

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()

    def all(self, name: str = "", /, **attributes: str) -> list[Element]:
        """Its descendants in document order, by name and attributes (`class_` is one of its classes)."""
        return [element for element in self._elements() if _is_like(element, name, attributes)]

    def one(self, name: str = "", /, **attributes: str) -> Element:
        found = self.all(name, **attributes)
        assert len(found) == 1, f"{len(found)} elements are like <{name} {attributes}>"
        return found[0]

    def position(self, other: Element) -> int:
        """Where a descendant stands in document order."""
        return next(number for number, element in enumerate(self._elements()) if element is other)

    def _elements(self) -> Iterator[Element]:
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child._elements()

    def _texts(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, Element):
                yield from child._texts()
            else:
                yield child
        if self.name == "br":
            yield " "


def _is_like(element: Element, name: str, attributes: dict[str, str]) -> bool:
    if name and element.name != name:
        return False
    for attribute, value in attributes.items():
        if attribute == "class_":
            if value not in element.classes:
                return False
        elif element.attributes.get(attribute.replace("_", "-")) != value:
            return False
    return True


class _TreeReader(HTMLParser):
    """Builds the tree; an end tag that closes nothing, or the wrong thing, is an error."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("#page", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"<{tag}> has an attribute twice: {attrs}"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].name == tag, f"</{tag}> closes <{self.open[-1].name}>, line {self.getpos()[0]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read_page(page: bytes) -> Element:
    """The page's `<html>` element."""
    reader = _TreeReader()
    reader.feed(page.decode())
    reader.close()
    assert reader.open == [reader.root], f"<{reader.open[-1].name}> is never closed"
    return reader.root.one("html")


def graph_of(page: Element) -> dict[str, dict[str, Any]]:
    """The nodes of the page's JSON-LD by their (first) type."""
    data = json.loads(
        "".join(str(child) for child in page.one("script", type="application/ld+json").children)
    )
    assert data["@context"] == "https://schema.org"
    types = [node["@type"] for node in data["@graph"]]
    names = [each if isinstance(each, str) else each[0] for each in types]
    return dict(zip(names, data["@graph"], strict=True))


def a_text(**changes: Any) -> ArticleText:
    """An article with everything that an editor may give."""
    fields: dict[str, Any] = {
        "headline": "Hostages freed in Astana",
        "deck": "Nobody was hurt.",
        "body": BODY,
        "section": "Kazakhstan",
        "tags": ("Astana", "Police"),
        "authors": ("Aigerim Bekova", "Tomas Lind"),
        "dateline": Dateline(place="Astana, Kazakhstan", timezone="Asia/Almaty"),
        "sources": (
            Source(name="Interior ministry", url="https://gov.example/statement"),
            Source(name="The bank"),
        ),
    }
    return ArticleText.model_validate(fields | changes)


def later(minutes: int) -> datetime:
    return FIRST_PUBLISHED + timedelta(minutes=minutes)


def a_told(revision: int, kind: ChangeKind, note: str | None = None, *, breaking: bool = False) -> Change:
    """A public revision, ten minutes after the one before."""
    return Change(revision=revision, kind=kind, time=later(10 * (revision - 1)), note=note, breaking=breaking)


def parts_of(look: Look) -> dict[str, Any]:
    """What another look is made of, without what this one has drawn."""
    return {part.name: getattr(look, part.name) for part in fields(look)}


def a_story(text: ArticleText | None = None, *changes: Change, article_id: str = "story") -> ArticleUpdate:
    """A public article as announced; without changes it was only published."""
    text = text or a_text()
    history = (a_told(1, ChangeKind.PUBLISHED), *changes)
    told = [change for change in history if change.kind.is_told]
    zone = text.dateline.timezone if text.dateline else "UTC"
    day = publication_day(FIRST_PUBLISHED, zone)
    return ArticleUpdate(
        article_id=article_id,
        revision=history[-1].revision,
        status=Status.PUBLIC,
        path=article_path(text.section, day, text.slug or slugify(text.headline), article_id),
        public=PublicArticle(
            revision=history[-1].revision,
            text=text,
            section=text.section,
            language=text.language,
            dateline_place=text.dateline.place if text.dateline else None,
            timezone=zone,
            published_at=FIRST_PUBLISHED,
            updated_at=told[-1].time,
            bumped_at=told[-1].time,
            changes=history,
        ),
    )


def a_retraction(story: ArticleUpdate, note: str) -> ArticleUpdate:
    """The story after it was retracted: none of its text is left."""
    assert story.public is not None
    retraction = a_told(story.revision + 1, ChangeKind.RETRACTED, note)
    public = story.public.model_copy(
        update={
            "revision": retraction.revision,
            "text": None,
            "updated_at": retraction.time,
            "bumped_at": retraction.time,
            "changes": (retraction,),
        }
    )
    return story.model_copy(
        update={"revision": retraction.revision, "status": Status.RETRACTED, "public": public}
    )
