"""Cleaning and reading an article's HTML."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsroom import bodies

_PIECES = st.sampled_from(
    [
        "<p>", "</p>", "<script>", "</script>", "<b onclick=x>", "</b>", "<a href='javascript:alert(1)'>",
        "</a>", "<img src=x onerror=y>", "<!--", "-->", "&", "&amp;", "&lt;script&gt;", "<", ">", '"', "'",
        "text", " ", "\n", "<svg><style>", "<math><mi>", "</style>", "<template>", "é", "<table><td>",
        "<blockquote cite=https://example.org/>",
    ]
)  # fmt: skip


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


@given(st.lists(_PIECES, max_size=20).map("".join))
def test_cleaning_leaves_only_allowed_tags_and_is_idempotent(html: str) -> None:
    """Whatever comes in, what goes out is on the list and stays as it is when cleaned again."""
    cleaned = bodies.clean(html)
    tags = _Tags()
    tags.feed(cleaned)
    assert all(tag in bodies.BLOCKS | bodies.INLINE for tag, _ in tags.seen)
    assert not any(name.startswith("on") for _, attributes in tags.seen for name in attributes)
    assert not any((attributes.get("href") or "").startswith("javascript") for _, attributes in tags.seen)
    assert bodies.clean(cleaned) == cleaned


def test_images_and_scripts_are_cleaned_away_with_what_they_carry() -> None:
    assert bodies.clean("<p>a<img src=x>b<script>steal()</script></p><!-- secret -->") == "<p>ab</p>"


@pytest.mark.parametrize(
    "source", ["javascript:ran()", "JaVaScript:ran()", "data:text/html,x", "//x.test", "x"]
)
def test_a_quotation_names_its_source_by_a_web_address_or_not_at_all(source: str) -> None:
    assert (
        bodies.clean(f'<blockquote cite="{source}"><p>Said.</p></blockquote>')
        == "<blockquote><p>Said.</p></blockquote>"
    )
    assert bodies.clean(f'<p><q cite="{source}">Said.</q></p>') == "<p><q>Said.</q></p>"


def test_a_quotation_keeps_its_attribution() -> None:
    html = '<blockquote cite="https://example.org/q"><p>Words.</p><cite>A spokesperson</cite></blockquote>'
    assert bodies.clean(html) == html


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>One <em>two</em></p><p>three</p>", ["One two", "three"]),
        ("<ul><li>a<li>b</ul>", ["a", "b"]),
        ("no block at all", ["no block at all"]),
        ("<p>line<br>break</p>", ["line", "break"]),
        ("<p>A &amp; B</p>", ["A & B"]),
        ("", []),
    ],
)
def test_paragraphs_are_the_plain_text_of_blocks(html: str, expected: list[str]) -> None:
    assert list(bodies.paragraphs(html)) == expected


@pytest.mark.parametrize(("words", "minutes"), [(0, 1), (1, 1), (200, 1), (201, 2), (1000, 5)])
def test_minutes_to_read_are_whole_and_at_least_one(words: int, minutes: int) -> None:
    assert bodies.minutes_to_read("<p>" + "word " * words + "</p>") == minutes
