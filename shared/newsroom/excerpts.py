"""The reuse rule as a function: at most 30 % of an article's body may be quoted, so that is all that any
output but the page holds.
"""

from __future__ import annotations

import re

from newsroom.bodies import paragraphs

SHARE_PERCENT = 30

_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'»”’)\]]*\s+")


def excerpt(body: str) -> str:
    """The leading whole sentences of a body that stay within 30 % of its characters and of its words.

    Plain text, NFC, white space collapsed. Where the first sentence alone is longer, it is cut at a word and
    ends in "…"; a body too short for even one word gives "". One excerpt per revision: there is no offset or
    length to ask for.
    """
    text = " ".join(paragraphs(body))
    max_characters = len(text) * SHARE_PERCENT // 100
    max_words = len(text.split()) * SHARE_PERCENT // 100
    kept = ""
    for sentence_end in [match.end() for match in _SENTENCE_END.finditer(text)]:
        candidate = text[:sentence_end].rstrip()
        if len(candidate) > max_characters or len(candidate.split()) > max_words:
            break
        kept = candidate
    return kept or _cut_at_word(text, max_characters, max_words)


def _cut_at_word(text: str, max_characters: int, max_words: int) -> str:
    """As many leading words as fit with the "…" that follows them."""
    kept = ""
    for word in text.split()[:max_words]:
        longer = f"{kept} {word}".strip()
        if len(longer) + 1 > max_characters:
            break
        kept = longer
    return f"{kept}…" if kept else ""
