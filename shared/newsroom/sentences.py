"""Where sentences end in plain text, in any of the scripts that articles are written in.

In doubt a sentence goes on: an excerpt that is a little shorter is right, one that ends in "Mr." is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_CLOSING = "\"'»”’›)\\]」』）】〉》"
_MARKS = ".!?…؟۔։።।॥"
_SPACED_END = re.compile(rf"(?<![{_MARKS}])[{_MARKS}]++[{_CLOSING}]*+(?=\s|$)")
_UNSPACED_END = re.compile(rf"[。！？｡]+[{_CLOSING}]*")
_WORD_BEFORE = re.compile(r"[^\s\"'«»“”„‘’‚()\[\]…/]+$")
_FARTHEST = 40
"""How far around a mark is looked: no abbreviation is longer, and long paragraphs are read in one go."""
_FIRST_LETTER = re.compile(rf"[\W_]{{0,{_FARTHEST}}}+(\w)")
_INITIALS = re.compile(r"(?:[^\W\d_]\.-?)*[^\W\d_]")
_SHORT_NUMBER = re.compile(r"\d{1,2}|[IVXLC]{1,4}")

_TITLES = frozenset(
    {
        "Mr", "Mrs", "Ms", "Dr", "Prof", "Sr", "Jr", "St", "Gen", "Col", "Lt", "Sgt", "Capt", "Maj", "Adm",
        "Rev", "Hon", "Gov", "Sen", "Rep", "Pres", "Fig", "No", "Nos", "Vol", "Dept", "Inc", "Ltd", "Co",
        "Corp", "Bros", "Mt", "Ft", "Mme", "Mlle", "Jan", "Feb", "Mar", "Apr", "Jun", "Jul", "Aug", "Sep",
        "Sept", "Oct", "Nov", "Dec", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"
    }
)  # fmt: skip
"""Shortened only where they begin with a capital: one may sit in the sun."""
_ABBREVIATIONS = frozenset(
    {
        "pp", "fig", "vs", "approx", "al", "ca", "cf", "eds", "viz", "bzw", "bspw", "evtl", "ggf", "inkl",
        "usw", "vgl", "гг", "вв", "тт", "др", "пр", "ул", "им", "обл", "респ", "пос", "руб", "коп", "тыс",
        "стр", "см", "ст", "пп", "проф", "акад", "доц", "гр", "англ", "рус", "каз", "яз", "ред", "изд", "пер",
        "просп", "корп", "кв", "экз", "жж", "ауд", "көш", "даң"
    }
)  # fmt: skip
"""Words that a dot shortens, in lower case; one letter with a dot is an initial in any script."""


def sentence_ends(paragraph: str) -> Iterator[int]:
    """Where the whole sentences of a paragraph end, in order, each behind its closing quotation marks.

    The paragraph's own end counts only where a mark stands there: a heading or a list's first words announce
    what follows them.
    """
    ends = {match.end() for match in _UNSPACED_END.finditer(paragraph)}
    for match in _SPACED_END.finditer(paragraph):
        if match.end() == len(paragraph) or _ends_there(paragraph, match):
            ends.add(match.end())
    yield from sorted(ends)


def _ends_there(paragraph: str, match: re.Match[str]) -> bool:
    """Whether the next sentence begins behind a mark: with no small letter, nor after an abbreviation."""
    following = _FIRST_LETTER.match(paragraph, match.end())
    if following is not None and following[1].islower():
        return False
    if not match[0].startswith(".") or match[0].startswith(".."):
        return True
    before = _WORD_BEFORE.search(paragraph, max(0, match.start() - _FARTHEST), match.start())
    return before is None or not _is_shortened(before[0])


def _is_shortened(word: str) -> bool:
    return (
        word in _TITLES
        or word.lower() in _ABBREVIATIONS
        or _INITIALS.fullmatch(word) is not None
        or _SHORT_NUMBER.fullmatch(word) is not None
    )
