"""How heavy HTML is to read, told before it is read.

A browser's parser, which cleaning is built on, looks through all open elements at each tag, opens formatting
that was left open again in every paragraph, and looks through the text so far at each bare ampersand: a small
body of the wrong kind would keep a processor busy for minutes. All of it is counted here in one pass, never
too low.
"""

from __future__ import annotations

import re

MAX_DEPTH = 256
MAX_LOAD = 500_000
MAX_BARE_AMPERSANDS = 10_000

_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_ENDS_BY_ITSELF = frozenset({"p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "caption"})
"""Elements whose end tag may be left out: they cannot stand inside each other without something between."""
_SWALLOWS_TAGS = frozenset(
    {"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"}
)
_TAG = re.compile(r"<(?:(?P<end>/)?(?P<name>[A-Za-z][^\s/>]*)|(?P<other>[!?]))(?P<rest>[^>]*)>?")
_PLAIN_ATTRIBUTES = re.compile(
    r"""(?:\s++[^\s"'<>=/]++(?:\s*+=\s*+(?:"[^"<>]*+"|'[^'<>]*+'|[^\s"'<>=`]++))?+)*+\s*+/?"""
)
_BARE_AMPERSAND = re.compile(r"&(?!(?:[A-Za-z][A-Za-z0-9]{1,30}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});)")


def complaint(html: str) -> str | None:
    """What makes the HTML too heavy, in words for its author; None where nothing does."""
    if sum(1 for _ in _BARE_AMPERSAND.finditer(html)) > MAX_BARE_AMPERSANDS:
        return f"has more than {MAX_BARE_AMPERSANDS} bare ampersands: write them as &amp;"
    depth, load = _measure(html)
    if depth > MAX_DEPTH:
        return f"nests elements deeper than {MAX_DEPTH}, or leaves so many open: close them"
    if load > MAX_LOAD:
        return "has too many elements inside too many others: write it flatter, or in several articles"
    return None


def _measure(html: str) -> tuple[int, int]:
    """The most elements open at once, and the number of open elements at each start tag, added up.

    An end tag counts only where it closes the innermost element. What could hide end tags from the parser (a
    comment, a quoted value, a script) counts as open to the end.
    """
    open_names: list[str] = []
    hiding = deepest = load = 0
    for tag in _TAG.finditer(html):
        is_end, named, rest = tag.group("end", "name", "rest")
        name = (named or "").lower()
        if is_end:
            if open_names and open_names[-1] == name and not rest.strip():
                open_names.pop()
            continue
        if _may_hide(name, rest):
            hiding += 1
        elif name and name not in _VOID and name not in _ENDS_BY_ITSELF:
            open_names.append(name)
        deepest = max(deepest, len(open_names) + hiding)
        load += len(open_names) + hiding
        if deepest > MAX_DEPTH:
            break
    return deepest, load


def _may_hide(name: str, rest: str) -> bool:
    if not name:
        return not (rest.startswith("--") and rest.endswith("--"))
    return name in _SWALLOWS_TAGS or not _PLAIN_ATTRIBUTES.fullmatch(rest)
