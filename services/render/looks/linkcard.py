"""Draws the card that others show beside a link to a page: the name as over a front page, and the tagline.

Part of the process that draws (`emblems`).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

from PIL import Image, ImageDraw, ImageFont

from services.render.looks.brand import CARD_HEIGHT, CARD_WIDTH, Order
from services.render.looks.lettering import BOLD, MEDIUM, TRACKING, Typeface, typeface_of

_MARGIN = 100
_ROOM = CARD_WIDTH - 2 * _MARGIN
_LARGEST_NAME, _GOOD_NAME, _LARGEST_TAGLINE = 132, 96, 44
"""Sizes in pixels: a name that would be smaller than the good one is broken, into three lines at most."""
_NAME_AT, _RULES_AT, _TAGLINE_AT = 330, 402, 492
_MOST_LINES = 3
_HEIGHT, _ASCENT, _LEADING = 270, 0.77, 1.05
"""What there is for the name, in pixels; how high letters stand and lines follow, in ems."""
_RULE, _BAND = 3, 24


def link_card(order: Order) -> Image.Image:
    """The card; of a name with letters that the typeface lacks, a rising sun stands over the rules."""
    image = Image.new("RGB", (CARD_WIDTH, CARD_HEIGHT), order.light.ground)
    draws = ImageDraw.Draw(image)
    draws.rectangle((0, 0, CARD_WIDTH, _BAND - 1), fill=order.light.accent)
    if typeface_of(BOLD).can_set(order.name):
        _name(draws, order)
    else:
        box = (CARD_WIDTH / 2 - 140, _RULES_AT - 140, CARD_WIDTH / 2 + 140, _RULES_AT + 140)
        draws.pieslice(box, 180, 360, fill=order.light.accent)
    for top in (_RULES_AT, _RULES_AT + 3 * _RULE):
        draws.rectangle((_MARGIN, top, CARD_WIDTH - _MARGIN - 1, top + _RULE - 1), fill=order.light.text)
    if typeface_of(MEDIUM).can_set(order.tagline):
        size = min(_LARGEST_TAGLINE, _fitting(typeface_of(MEDIUM), [order.tagline]))
        _line(draws, order.tagline, typeface_of(MEDIUM), size, _TAGLINE_AT, order.light.muted)
    return image


def _name(draws: ImageDraw.ImageDraw, order: Order) -> None:
    """The name, on as few lines as let it be of a good size."""
    typeface = typeface_of(BOLD)
    lines, size = [order.name], 0.0
    for count in range(1, _MOST_LINES + 1):
        if size < _GOOD_NAME:
            lines = max(_breaks(order.name, count), key=lambda broken: _fitting(typeface, broken))
            size = _fitting(typeface, lines)
    size = min(_LARGEST_NAME, size, _HEIGHT / (_ASCENT + _LEADING * (len(lines) - 1)))
    for place, line in enumerate(reversed(lines)):
        _line(draws, line, typeface, size, _NAME_AT - place * size * _LEADING, order.light.text)


def _breaks(name: str, count: int) -> Iterator[list[str]]:
    """Every way to break a name into so many lines; as it is where it has too few words."""
    words = name.split()
    for places in combinations(range(1, len(words)), min(count, len(words)) - 1):
        edges = (0, *places, len(words))
        yield [" ".join(words[begin:end]) for begin, end in pairwise(edges)]


def _fitting(typeface: Typeface, lines: list[str]) -> float:
    """The size at which the widest of the lines fills the room between the margins."""
    widest = max(typeface.box(line, TRACKING).width for line in lines)
    return _ROOM * typeface.units / max(1, widest)


def _line(
    draws: ImageDraw.ImageDraw, text: str, typeface: Typeface, size: float, baseline: float, colour: str
) -> None:
    """A line in the middle of the card."""
    box, scale = typeface.box(text, TRACKING), size / typeface.units
    left = (CARD_WIDTH - box.width * scale) / 2 - box.left * scale
    font = font_of(typeface, size)
    for letter, at in typeface.places(text, TRACKING):
        draws.text((left + at * scale, baseline), letter, fill=colour, font=font, anchor="ls")


def font_of(typeface: Typeface, size: float) -> ImageFont.FreeTypeFont:
    """The same typeface for bitmaps; `size` in pixels."""
    return ImageFont.truetype(typeface.file, size, layout_engine=ImageFont.Layout.BASIC)
