"""HTML that would keep a processor busy is refused before it is read; what editors write never is."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsroom.bodies import clean
from services.ingest.weight import MAX_BARE_AMPERSANDS, MAX_DEPTH, complaint

MIB = 1024 * 1024
HANGS_SECONDS = 90
"""Far longer than it takes anywhere: how fast it is, the benchmark tells."""
HEAVY = {
    "open formatting in every paragraph": "<p><b>x",
    "elements in elements": "<div>",
    "quotes in quotes": "<blockquote>" * 300 + "x" + "</blockquote>" * 300,
    "tables in cells": "<table><tr><td>x",
    "end tags hidden in scripts": "<script></b></script><b>x</b>",
    "end tags hidden in attributes": "<b title='</b>'>x",
    "many levels again and again": "<div>" * 200 + "</div>" * 200,
}


def repeated(pattern: str) -> str:
    return (pattern * (MIB // len(pattern) + 1))[:MIB]


@pytest.mark.parametrize("pattern", HEAVY.values(), ids=HEAVY.keys())
def test_heavy_html_is_refused_at_once(pattern: str) -> None:
    begun = time.perf_counter()
    assert complaint(repeated(pattern))
    assert time.perf_counter() - begun < HANGS_SECONDS


def test_bare_ampersands_are_counted() -> None:
    assert complaint("&" * MAX_BARE_AMPERSANDS) is None
    assert "&amp;" in str(complaint("& " * (MAX_BARE_AMPERSANDS + 1)))
    assert complaint("&amp;&#8212;&#x2014;" * MAX_BARE_AMPERSANDS) is None


@pytest.mark.parametrize(
    "html",
    [
        "",
        "<p>Words.</p>" * 20_000,
        "<ul><li>one<li>two</ul>" * 5_000,
        "<p>A <em>little <strong>deep</strong></em>.</p>" * 10_000,
        "<table><tr><td>1</td></tr></table>" * 2_000,
        "<p>line<br>line<hr>line</p>" * 5_000,
        "<!-- a note -->" * 20_000,
        "<p>R&D, Q&A &amp; more</p>" * 1_000,
        "<div>" * MAX_DEPTH + "</div>" * MAX_DEPTH,
        "5 < 6 and 7 > 3 " * 10_000,
    ],
)
def test_what_editors_write_is_never_refused(html: str) -> None:
    assert complaint(html) is None


PIECES = ["<p>", "</p>", "<b>", "</b>", "<i x='", "'>", "<!--", "-->", "<table>", "<td>", "</table>", "<li>"]
PIECES += ["<script>", "</script>", "<a href=x>", "</a>", "&", "&lt", "x", " ", "<svg>", "</svg>", "<br/>"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=12).map("".join))
def test_what_is_not_refused_does_not_hang_the_cleaning(pattern: str) -> None:
    html = repeated(pattern)[: MIB // 4]
    if complaint(html) is None:
        begun = time.process_time()
        clean(html)
        assert time.process_time() - begun < HANGS_SECONDS
