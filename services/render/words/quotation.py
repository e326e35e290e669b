"""Straight quotation marks and apostrophes as each language writes them. Pure, one character for one.

What a mark is follows from the characters around it and from the quotations that are open, not from whether
it is straight: so what was set already reads the same, and is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

OPAQUE = "\ufffc"
"""Stands for what is not looked into: to the marks beside it, it is a word."""
APOSTROPHE = "’"

_MARK = re.compile("[\"']")
_BEGINS_WORD = re.compile(rf"\S{{0,8}}?[\w{OPAQUE}]")
_ENDS_WORD = re.compile(rf"[\"']{{0,8}}+(?![\w{OPAQUE}(\[{{])")
_SHORTENED = re.compile(r"\d\ds?(?!\w)|(?:n'|tis|twas|em|til|cause|bout)(?!\w)", re.IGNORECASE)
_CLOSING_SINGLE = re.compile(rf"(?<=[^\s(\[{{])'(?![\w{OPAQUE}])")
_BESIDE = frozenset("([{«„‚“‘/-–—")
_MOST_PREFIXES = 3


@dataclass(frozen=True)
class Marks:
    """How a language quotes. `inner`: a quotation within another.

    `has_singles`: straight single marks quote, too. `prefixes`: letters that are written together with the
    word after them, so that a quotation may begin behind them.
    """

    outer: str
    inner: str
    has_singles: bool = False
    prefixes: str = ""

    def straightened(self) -> Mapping[int, str]:
        """For `str.translate`: the language's own marks as they would have been typed."""
        singles = "".join(mark for mark in self.inner if mark in "‘’‚") + APOSTROPHE
        doubles = "".join(mark for mark in self.outer + self.inner if mark not in singles)
        return {ord(mark): '"' for mark in doubles} | {ord(mark): "'" for mark in singles}


_CURLY = Marks("“”", "‘’", has_singles=True)
_POINTED = Marks("«»", "„“")
MARKS: Mapping[str, Marks] = {
    "en": _CURLY,
    "tr": _CURLY,
    "ru": _POINTED,
    "kk": _POINTED,
    "ky": _POINTED,
    "be": _POINTED,
    "de": Marks("„“", "‚‘"),
    "es": Marks("«»", "“”"),
    "it": Marks("«»", "“”"),
    "uk": Marks("«»", "“”"),
    "ar": Marks("«»", "“”", prefixes="وفبكلـ"),
}
"""By primary language. Other languages keep their marks as they were typed."""


class _Left(Enum):
    """What stands before a mark."""

    SPACE = auto()
    OPENING = auto()
    WORD = auto()
    UNKNOWN = auto()  # a mark that could be neither


def quotation(typed: str, plain: str, marks: Marks) -> dict[int, str]:
    """What the mark at each position is to be; none of those that could be anything (inches, say).

    `plain` is the text with all marks straight and no space but U+0020, character for character.
    """
    return _Walk(typed, plain, marks).through() if _MARK.search(plain) else {}


class _Walk:
    """One walk through a paragraph. `_within`: of each quotation that is open, whether it is an inner one."""

    def __init__(self, typed: str, plain: str, marks: Marks) -> None:
        self._typed, self._plain, self._marks = typed, plain, marks
        self._within: list[bool] = []
        self._outer = 0
        self._found: dict[int, str] = {}
        self._left_of_next: dict[int, _Left] = {}
        self._last_closing = max((each.start() for each in _CLOSING_SINGLE.finditer(plain)), default=-1)

    def through(self) -> dict[int, str]:
        for match in _MARK.finditer(self._plain):
            at = match.start()
            left = self._left(at)
            beside = self._double(at, left) if match[0] == '"' else self._single(at, left)
            self._left_of_next[at] = beside
        return self._found

    def _left(self, at: int) -> _Left:
        if at == 0 or self._plain[at - 1] == " ":
            return _Left.SPACE
        if at - 1 in self._left_of_next:
            return self._left_of_next[at - 1]
        if self._plain[at - 1] in _BESIDE or self._follows_prefix(at):
            return _Left.OPENING
        return _Left.WORD

    def _follows_prefix(self, at: int) -> bool:
        begin = at
        while begin > max(0, at - _MOST_PREFIXES) and self._plain[begin - 1] in self._marks.prefixes:
            begin -= 1
        return begin < at and (begin == 0 or self._plain[begin - 1] == " ")

    def _double(self, at: int, left: _Left) -> _Left:
        """Decides on a double mark; what it is to a mark right behind it."""
        if left in (_Left.SPACE, _Left.OPENING) and _BEGINS_WORD.match(self._plain, at + 1):
            self._begin(at)
            return _Left.OPENING
        is_end = _ENDS_WORD.match(self._plain, at + 1) is not None
        may_end = left is _Left.WORD and (self._within or not self._plain[at - 1].isdigit())
        if is_end and (may_end or (left is _Left.OPENING and self._within)):
            self._end(at)
            return _Left.WORD
        return _Left.UNKNOWN

    def _begin(self, at: int) -> None:
        typed, outer, inner = self._typed[at], self._marks.outer, self._marks.inner
        is_inner = self._outer > 0 if typed == '"' else typed not in outer
        self._found[at] = (inner if is_inner else outer)[0]
        self._within.append(is_inner)
        self._outer += not is_inner

    def _end(self, at: int) -> None:
        """A straight mark ends the newest quotation; one that its writer chose, the newest of its kind."""
        if self._typed[at] == '"':
            is_inner = self._pop() if self._within else False
            self._found[at] = (self._marks.inner if is_inner else self._marks.outer)[1]
        elif self._typed[at] in self._marks.outer:
            while self._within and self._pop():
                pass
        elif self._within and self._within[-1]:
            self._pop()

    def _pop(self) -> bool:
        is_inner = self._within.pop()
        self._outer -= not is_inner
        return is_inner

    def _single(self, at: int, left: _Left) -> _Left:
        """The same for a single one, which may be an apostrophe."""
        before, after = self._plain[at - 1 : at], self._plain[at + 1 : at + 2]
        if left is _Left.WORD and before.isalnum() and after.isalnum():
            if not (before.isdigit() and after.isdigit()):
                self._found[at] = APOSTROPHE
            return _Left.WORD
        if not self._marks.has_singles:
            return _Left.UNKNOWN
        if left in (_Left.SPACE, _Left.OPENING) and _BEGINS_WORD.match(self._plain, at + 1):
            is_short = _SHORTENED.match(self._plain, at + 1) or at >= self._last_closing
            self._found[at] = APOSTROPHE if is_short else "‘"
            return _Left.OPENING
        if left is _Left.WORD or (left is _Left.OPENING and _ENDS_WORD.match(self._plain, at + 1)):
            self._found[at] = APOSTROPHE
            return _Left.WORD
        return _Left.UNKNOWN
