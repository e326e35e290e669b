"""The reuse rule as a function: at most 30 % of an article's body may be quoted, so that is all that any
output but the page holds.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import takewhile

from newsroom.bodies import paragraphs
from newsroom.sentences import sentence_ends

SHARE_PERCENT = 30

_SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Letters of scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, Japanese and Chinese."""
_LONGEST_AVERAGE_WORD = 20
_SHORT = 20_000
"""Characters of a body of which many may be remembered."""
_MANY, _FEW = 100, 4
_BEFORE_A_CUT = " ,;:،؛、，；：–—-([{«“„‘‚\"'「『（"


def excerpt(body: str) -> str:
    """The leading whole sentences of a body that stay within 30 % of its characters and of its words.

    Plain text, NFC, white space collapsed. Where the first sentence alone is longer, it is cut at a word and
    ends in "…"; a body too short for even one word gives "". One excerpt per revision: there is no offset or
    length to ask for. The last ones are remembered: page and card ask one after the other, in a rebuild
    after those of a whole batch.
    """
    return _made_of_short(body) if len(body) <= _SHORT else _made_of_long(body)


def _made(body: str) -> str:
    blocks = paragraphs(body)
    text = " ".join(blocks)
    max_characters = len(text) * SHARE_PERCENT // 100
    is_spaced = _is_spaced(text)
    max_words = _count_words(text, is_spaced=is_spaced) * SHARE_PERCENT // 100
    ends = list(takewhile(lambda end: end <= max_characters, _ends(blocks)))
    fitting = bisect_right(ends, max_words, key=lambda end: _count_words(text[:end], is_spaced=is_spaced))
    if fitting:
        return text[: ends[fitting - 1]]
    return _cut(text, max_characters - 1, max_words, is_spaced=is_spaced)


_made_of_short, _made_of_long = lru_cache(_MANY)(_made), lru_cache(_FEW)(_made)


def quotable_characters(body: str) -> int:
    """How many characters of a body others may quote: what search engines are told."""
    return len(" ".join(paragraphs(body))) * SHARE_PERCENT // 100


def _ends(blocks: Iterable[str]) -> Iterator[int]:
    """Where the sentences of all blocks end, with a space between these."""
    begin = 0
    for block in blocks:
        yield from (begin + end for end in sentence_ends(block))
        begin += len(block) + 1


def _is_spaced(text: str) -> bool:
    """Whether spaces part the words of a text: not so in one of long runs, mostly of such letters."""
    tokens = text.split()
    letters = sum(map(len, tokens))
    return letters <= _LONGEST_AVERAGE_WORD * len(tokens) or 2 * len(_SPACELESS.findall(text)) <= letters


def _count_words(text: str, *, is_spaced: bool) -> int:
    """Where no space parts them, each letter of such a script is a word, as search engines count them."""
    tokens = text.split()
    if is_spaced:
        return len(tokens)
    return sum(max(1, len(_SPACELESS.findall(token))) for token in tokens)


def _cut(text: str, most_characters: int, max_words: int, *, is_spaced: bool) -> str:
    """As much of the beginning as fits with the "…" behind it, whole words or else whole letters."""
    end = max(0, most_characters)
    if is_spaced:
        end = _end_of_words(text, end, max_words)
    else:
        end = min(end, max_words)
        while end > 0 and unicodedata.category(text[end])[0] in "MP":
            end -= 1
    kept = text[:end].rstrip(_BEFORE_A_CUT)
    return f"{kept}…" if kept else ""


def _end_of_words(text: str, most_characters: int, max_words: int) -> int:
    """Where the last of so many words ends within so many characters."""
    end = 0
    for word in text.split()[:max_words]:
        longer = end + len(word) + (1 if end else 0)
        if longer > most_characters:
            break
        end = longer
    return end
