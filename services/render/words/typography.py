"""What an article's words look like on a page: the quotation marks of their language, and spaces at which no
line is broken. Between the contract's texts and the contexts of the pages.

Each change puts one character in the place of one; letters, digits and all other marks stay as the editor
wrote them. Setting twice is setting once. Feeds, excerpts and comparisons keep the text as it was sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from html import escape

from markupsafe import Markup

from newsroom.bodies import BLOCKS, clean
from services.render.contexts.tables import reachable
from services.render.words.quotation import MARKS, OPAQUE, quotation
from services.render.words.spacing import kept_together

HELD = "\u00a0"

_TYPED_MARKS = "\"'"
_BREAKING = " \t\n\r"
_SPACES: Mapping[int, str] = {ord(space): " " for space in f"\t\n\r{HELD}\u202f"}
_ADDRESS = re.compile(
    r"""(?<!\w)(?:https?://|www\.)(?:[^\s"'<>]|["'](?=[\w&=]))+"""
    r"""|(?<![\w.+'-])\w[\w.+'-]*@[\w-]+(?:\.[\w-]+)+"""
)
_TAG = re.compile(r'<(/?)([a-z0-9]+)((?:[^>"]|"[^"]*")*)>')
_LANG = re.compile(r'\slang="([^"]*)"')
_UNTOUCHED = frozenset({"code", "kbd", "pre", "samp"})
_VOID = frozenset({"br", "hr"})


def set_line(text: str, language: str) -> str:
    """A line of plain text, set in its language (BCP 47); as it is where we know no rules for that."""
    primary = _primary(language)
    marks = MARKS.get(primary)
    if marks is None:
        return text
    plain = _plain(text, primary)
    characters = list(text)
    for at, mark in quotation(text, plain, marks).items():
        if characters[at] in _TYPED_MARKS:
            characters[at] = mark
    for at in kept_together(plain, primary):
        if characters[at] in _BREAKING:
            characters[at] = HELD
    return "".join(characters)


def set_markup(body: str, language: str) -> Markup:
    """An article's or a post's body as a page shows it: cleaned once more, and set."""
    return Markup(reachable(set_body(clean(body), language)))  # noqa: S704  (the one place where markup is trusted)


def set_body(html: str, language: str) -> str:
    """A body that was cleaned, set block by block; what an element says is in another language in that one.

    Code, addresses and attributes stay as they are.
    """
    setting = _Setting(language)
    end = 0
    for tag in _TAG.finditer(html):
        setting.text(html[end : tag.start()])
        setting.tag(tag)
        end = tag.end()
    setting.text(html[end:])
    return setting.done()


def _primary(language: str) -> str:
    return language.partition("-")[0].lower()


@cache
def _curved(primary: str) -> re.Pattern[str]:
    """What is not as it would have been typed, but for the space itself."""
    return re.compile("[" + re.escape("".join(map(chr, _straight(primary)))) + "]")


@cache
def _straight(primary: str) -> Mapping[int, str]:
    return {**_SPACES, **MARKS[primary].straightened()}


def _plain(text: str, primary: str) -> str:
    """The text as it would have been typed, character for character; addresses are no words of it."""
    straight = _straight(primary)
    typed = _curved(primary).sub(lambda found: straight[ord(found[0])], text)
    if "@" in typed or "://" in typed or "www." in typed:
        return _ADDRESS.sub(lambda found: OPAQUE * len(found[0]), typed)
    return typed


@dataclass
class _Run:
    """What is read in one go: the text of a block, past the inline elements in it.

    `places`: which piece of the body each text is; None of what only stands for something.
    """

    language: str
    texts: list[str] = field(default_factory=list)
    places: list[int | None] = field(default_factory=list)

    def add(self, text: str, place: int | None = None) -> None:
        self.texts.append(text)
        self.places.append(place)

    def finish(self, pieces: list[str]) -> None:
        """Puts what was read into its places, set; then it is empty."""
        if not self.texts:
            return
        done = set_line("".join(self.texts), self.language)
        end = 0
        for text, place in zip(self.texts, self.places, strict=True):
            begin, end = end, end + len(text)
            if place is not None:
                pieces[place] = escape(done[begin:end], quote=False)
        self.texts.clear()
        self.places.clear()


@dataclass(frozen=True)
class _Open:
    """An element that is open."""

    has_run: bool
    is_untouched: bool


class _Setting:
    """One walk through a body. Elements are closed in order: the body was cleaned."""

    def __init__(self, language: str) -> None:
        self._pieces: list[str] = []
        self._runs = [_Run(language)]
        self._open: list[_Open] = []
        self._untouched = 0

    def text(self, html: str) -> None:
        if not html:
            return
        self._pieces.append(html)
        if self._untouched:
            self._runs[-1].add(OPAQUE)
        else:
            self._runs[-1].add(_unescape(html), len(self._pieces) - 1)

    def tag(self, found: re.Match[str]) -> None:
        self._pieces.append(found[0])
        name = found[2]
        if name in _VOID:
            self._runs[-1].add(" ")
        elif found[1]:
            self._close()
        else:
            self._begin(name, found[3])

    def done(self) -> str:
        for run in self._runs:
            run.finish(self._pieces)
        return "".join(self._pieces)

    def _begin(self, name: str, attributes: str) -> None:
        said = _LANG.search(attributes)
        language = said[1] if said else self._runs[-1].language
        is_foreign = _primary(language) != _primary(self._runs[-1].language)
        if name in BLOCKS:
            self._runs[-1].finish(self._pieces)
        elif is_foreign:
            self._runs[-1].add(OPAQUE)
        has_run, is_untouched = name in BLOCKS or is_foreign, name in _UNTOUCHED
        if has_run:
            self._runs.append(_Run(language))
        self._untouched += is_untouched
        self._open.append(_Open(has_run, is_untouched))

    def _close(self) -> None:
        closed = self._open.pop()
        self._untouched -= closed.is_untouched
        if closed.has_run:
            self._runs.pop().finish(self._pieces)


def _unescape(html: str) -> str:
    """The text of what the cleaner wrote, which escapes four characters."""
    text = html.replace("&nbsp;", HELD).replace("&lt;", "<").replace("&gt;", ">")
    return text.replace("&amp;", "&")
