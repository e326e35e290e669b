"""Markdown as the desk writes it, made into the HTML of an article. Ingest cleans it like any other body."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

_ATTRIBUTION = re.compile(r"^(?:—|–|--)[ \t]*(\S.*)$")
_LINK = re.compile(r"\]\((https?://[^\s()]+)\)")


def to_html(markdown: str) -> str:
    """CommonMark with tables and strikethrough as HTML.

    A block quotation whose last line begins with a dash becomes a figure, that line its caption (HTML wants
    the attribution outside the quotation); a web address linked there becomes the quotation's source.
    """
    return str(_markdown.render(markdown)).strip()


def _attribute_quotations(state: StateCore) -> None:
    """A rule between blocks and inlines: turns an attributed block quotation into a figure with a caption."""
    tokens: list[Token] = []
    openings: list[int] = []
    for token in state.tokens:
        tokens.append(token)
        if token.type == "blockquote_open":
            openings.append(len(tokens) - 1)
        elif token.type == "blockquote_close":
            _attribute(tokens, openings.pop())
    state.tokens = tokens


def _attribute(tokens: list[Token], opening: int) -> None:
    """Rewrites the quotation that ends the tokens, if its last paragraph ends in a line of attribution."""
    if len(tokens) - opening < 5 or tokens[-2].type != "paragraph_close":
        return
    inline = tokens[-3]
    quoted, _, last = inline.content.rpartition("\n")
    found = _ATTRIBUTION.match(last.strip())
    if found is None or (not quoted and len(tokens) - opening == 5):
        return
    inline.content = quoted.rstrip()
    if not quoted:
        del tokens[-4:-1]
    source = _LINK.search(found[1])
    if source:
        tokens[opening].attrSet("cite", source[1])
    tokens.insert(opening, Token("figure_open", "figure", 1, block=True))
    caption = Token("inline", "", 0, content=found[1], children=[], block=True)
    tokens += [
        Token("figcaption_open", "figcaption", 1, block=True),
        caption,
        Token("figcaption_close", "figcaption", -1, block=True),
        Token("figure_close", "figure", -1, block=True),
    ]


def _markdown_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    parser.core.ruler.after("block", "attribution", _attribute_quotations)
    return parser


_markdown = _markdown_parser()
