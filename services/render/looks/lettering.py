"""A line of text as outlines: the letters of a bundled typeface, set with its own kerning.

Stands below `emblems`. Noto Serif Display has Latin, Cyrillic and the letters of Kazakh and its neighbours;
it is laid out here, glyph by glyph, so that the same name gives the same drawing on every machine.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fontTools.pens.boundsPen import BoundsPen  # type: ignore[import-untyped]
from fontTools.pens.svgPathPen import SVGPathPen  # type: ignore[import-untyped]
from fontTools.pens.transformPen import TransformPen  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

FONTS = Path(__file__).parent / "fonts"
BOLD = FONTS / "NotoSerifDisplay-Bold.ttf"
MEDIUM = FONTS / "NotoSerifDisplay-Medium.ttf"
TRACKING = -6
"""Between the letters of a name, in units of the font: large letters stand a little closer."""
_EXTENSION_LOOKUP = 9


@dataclass(frozen=True)
class Box:
    """What an outline covers, in units of the font; upwards is positive."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.top - self.bottom


class Typeface:
    """One bundled font file. `units`: how many of its units make one em."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._font: Any = TTFont(io.BytesIO(file.read_bytes()), lazy=True)
        self._glyphs = self._font.getGlyphSet()
        self._names: Mapping[int, str] = self._font.getBestCmap()
        self._kerning = tuple(_kerning(self._font))
        self._space = cache(self._kerned)
        self._outline = cache(self._measured)
        self.units = int(self._font["head"].unitsPerEm)

    def can_set(self, text: str) -> bool:
        """Whether it has every letter of the text, which is not empty."""
        letters = unicodedata.normalize("NFC", text)
        return bool(letters.strip()) and all(ord(letter) in self._names for letter in letters)

    def places(self, text: str, tracking: float = 0) -> Iterator[tuple[str, float]]:
        """Each letter with where it begins, in units of the font. `tracking` is added after each letter."""
        at, former = 0.0, ""
        for letter in unicodedata.normalize("NFC", text):
            name = self._names[ord(letter)]
            at += self._space(former, name)
            yield letter, at
            at += self._glyphs[name].width + tracking
            former = name

    def box(self, text: str, tracking: float = 0) -> Box:
        """What the outlines of the line cover; nothing of a line of spaces."""
        outlines = [(self._outline(letter), at) for letter, at in self.places(text, tracking)]
        inked = [(outline, at) for outline, at in outlines if outline is not None]
        if not inked:
            return Box(0, 0, 0, 0)
        return Box(
            min(outline.left + at for outline, at in inked),
            min(outline.bottom for outline, _ in inked),
            max(outline.right + at for outline, at in inked),
            max(outline.top for outline, _ in inked),
        )

    def path(self, text: str, scale: float, left: float, baseline: float, tracking: float = 0) -> str:
        """The outlines as data of an SVG path; its y runs downwards."""
        pen = SVGPathPen(self._glyphs, ntos=_short)
        for letter, at in self.places(text, tracking):
            self._glyph(letter).draw(TransformPen(pen, (scale, 0, 0, -scale, left + at * scale, baseline)))
        return str(pen.getCommands())

    def _measured(self, letter: str) -> Box | None:
        """What one letter covers where a line begins; None of a space."""
        pen = BoundsPen(self._glyphs)
        self._glyph(letter).draw(pen)
        return Box(*pen.bounds) if pen.bounds else None

    def _kerned(self, former: str, name: str) -> int:
        """What is added between two glyphs; the first table that knows the pair decides."""
        spaces = (space for table in self._kerning if (space := _between(table, former, name)) is not None)
        return next(spaces, 0)

    def _glyph(self, letter: str) -> Any:
        return self._glyphs[self._names[ord(letter)]]


@cache
def typeface_of(file: Path) -> Typeface:
    """A bundled typeface, read once."""
    return Typeface(file)


def _short(number: float) -> str:
    """A tenth of a unit is finer than any screen shows."""
    return f"{round(number, 1) + 0:g}"


def _kerning(font: Any) -> Iterator[Any]:
    """The tables of the font that tell spaces between pairs of glyphs, in their order."""
    table = font["GPOS"].table
    wanted = {
        number
        for record in table.FeatureList.FeatureRecord
        if record.FeatureTag == "kern"
        for number in record.Feature.LookupListIndex
    }
    for number in sorted(wanted):
        for subtable in table.LookupList.Lookup[number].SubTable:
            yield subtable.ExtSubTable if subtable.LookupType == _EXTENSION_LOOKUP else subtable


def _between(table: Any, former: str, name: str) -> int | None:
    """The space that a table tells for a pair, by glyphs (format 1) or by their classes; None: not there."""
    if former not in table.Coverage.glyphs:
        return None
    if table.Format == 1:
        records = table.PairSet[table.Coverage.glyphs.index(former)].PairValueRecord
        return next((_advance(record) for record in records if record.SecondGlyph == name), None)
    row = table.Class1Record[table.ClassDef1.classDefs.get(former, 0)]
    return _advance(row.Class2Record[table.ClassDef2.classDefs.get(name, 0)])


def _advance(record: Any) -> int:
    return int(getattr(record.Value1, "XAdvance", 0) or 0)
