"""An article's HTML: cleaned by one rule at the door and again before it is rendered, and read as plain text.

Cleaning is `nh3` (the Rust library ammonia): an allow list, so whatever is not named here is gone.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from html.parser import HTMLParser
from math import ceil

import nh3

BLOCKS = frozenset(
    {"p", "h2", "h3", "blockquote", "ul", "ol", "li", "figure", "figcaption", "pre", "table", "caption",
     "thead", "tbody", "tfoot", "tr", "th", "td", "hr", "br", "dl", "dt", "dd"}
)  # fmt: skip
INLINE = frozenset(
    {"a", "em", "strong", "b", "i", "cite", "q", "abbr", "code", "kbd", "samp", "sub", "sup", "s", "small",
     "time", "span", "bdi"}
)  # fmt: skip
WORDS_PER_MINUTE = 200

CHANGES = frozenset({"ins", "del"})
"""Only where two revisions are shown in one; an article's own body never has them."""


_SOURCES = re.compile(r"\s*https?://", re.IGNORECASE)


def _kept(_element: str, attribute: str, value: str) -> str | None:
    """The library looks at the scheme of links only; a quotation names its source by one, too."""
    return value if attribute != "cite" or _SOURCES.match(value) else None


def _cleaner(tags: frozenset[str]) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=set(tags),
        clean_content_tags={"script", "style"},
        attributes={
            "*": {"lang", "dir"},
            "a": {"href", "title"},
            "abbr": {"title"},
            "blockquote": {"cite"},
            "q": {"cite"},
            "ol": {"start"},
            "td": {"colspan", "rowspan"},
            "th": {"colspan", "rowspan", "scope"},
            "time": {"datetime"},
        },
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener noreferrer",
        strip_comments=True,
        attribute_filter=_kept,
    )


_of_bodies = _cleaner(BLOCKS | INLINE)
_of_comparisons = _cleaner(BLOCKS | INLINE | CHANGES)


def clean(html: str) -> str:
    """The body with everything taken out that is not on the allow list, in Unicode NFC. Idempotent."""
    return _of_bodies.clean(unicodedata.normalize("NFC", html)).strip()


def clean_marked(html: str) -> str:
    """The same for two bodies shown in one: what came and went may be marked with `<ins>` and `<del>`."""
    return _of_comparisons.clean(unicodedata.normalize("NFC", html)).strip()


class _TextReader(HTMLParser):
    """Collects the text of each block; a block's start and end both end the paragraph before them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.paragraphs: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in BLOCKS:
            self.end_paragraph()

    def handle_endtag(self, tag: str) -> None:
        if tag in BLOCKS:
            self.end_paragraph()

    def handle_data(self, data: str) -> None:
        self._open.append(data)

    def end_paragraph(self) -> None:
        text = collapse("".join(self._open))
        self._open.clear()
        if text:
            self.paragraphs.append(text)


def collapse(text: str) -> str:
    """NFC, every run of white space one space, none at the ends."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip()


@lru_cache(maxsize=4)
def paragraphs(body: str) -> tuple[str, ...]:
    """The plain text of each block of the body, in order, white space collapsed; empty ones are left out.

    The last few are remembered, for whoever draws an article asks again and again; few, for bodies are large.
    """
    reader = _TextReader()
    reader.feed(body)
    reader.close()
    reader.end_paragraph()
    return tuple(reader.paragraphs)


def minutes_to_read(body: str) -> int:
    """Whole minutes at 200 words a minute, at least one."""
    words = sum(len(paragraph.split()) for paragraph in paragraphs(body))
    return max(1, ceil(words / WORDS_PER_MINUTE))
