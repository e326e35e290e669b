"""Draws what a site is known by: its wordmark, its icon, and the card that others show beside a link to it.

A process of its own (`python -m services.render.looks.emblems`): it reads an order as JSON, answers with the
drawings and ends. Equal orders give equal drawings.
"""

from __future__ import annotations

import io
import sys

from PIL import Image, ImageDraw

from services.render.looks.brand import Brand, Order, Wordmark
from services.render.looks.lettering import BOLD, TRACKING, typeface_of
from services.render.looks.linkcard import font_of, link_card

TOUCH_ICON, SMALL_ICON, LARGE_ICON = 180, 192, 512
_WORDMARK_HEIGHT = 100
_LONGEST = 14
"""Times its height: a longer name would be too small on a narrow screen, and is set as text, which breaks."""
_FINER = 2
"""Icons are drawn so many times larger, then made smaller: smooth edges."""


def draw(order: Order) -> Brand:
    """All drawings of an order."""
    return Brand.model_construct(
        wordmarks={name: drawn for name in order.names if (drawn := _wordmark(name))},
        icon=_icon(order).encode(),
        icons={size: _bitmap_icon(order, size) for size in (TOUCH_ICON, SMALL_ICON, LARGE_ICON)},
        card=_png(link_card(order)),
    )


def _wordmark(name: str) -> Wordmark | None:
    """The name on its line: high enough for the tallest letters of a line, deep enough for the lowest."""
    typeface = typeface_of(BOLD)
    if not typeface.can_set(name):
        return None
    box, line = typeface.box(name, TRACKING), typeface.box("dp")
    top, bottom = max(box.top, line.top), min(box.bottom, line.bottom)
    scale = _WORDMARK_HEIGHT / (top - bottom)
    width = max(1, round(box.width * scale))
    if width > _LONGEST * _WORDMARK_HEIGHT:
        return None
    path = typeface.path(name, scale, -box.left * scale, top * scale, TRACKING)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="wordmark" viewBox="0 0 {width} {_WORDMARK_HEIGHT}">'
        f'<path fill="currentColor" d="{path}"/></svg>'
    )
    return Wordmark.model_construct(svg=svg.encode(), width=width, height=_WORDMARK_HEIGHT)


def _initial(order: Order) -> str | None:
    """The first letter or digit of the name, large; None where the typeface does not have it."""
    first = next((letter.upper()[0] for letter in order.name if letter.isalnum()), "")
    return first if typeface_of(BOLD).can_set(first) else None


def _icon(order: Order) -> str:
    """A tile in the accent's colour that bears the initial, by day and by night."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><style>'
        f".tile{{fill:{order.light.accent}}}.mark{{fill:{order.light.ground}}}"
        "@media(prefers-color-scheme:dark){"
        f".tile{{fill:{order.dark.accent}}}.mark{{fill:{order.dark.ground}}}}}</style>"
        f'<rect class="tile" width="64" height="64" rx="12"/><path class="mark" d="{_mark(order)}"/></svg>'
    )


def _mark(order: Order) -> str:
    """The initial in the middle of 64 by 64; without one, a sun that rises over lines of text."""
    letter = _initial(order)
    if letter is None:
        return "M16 34a16 16 0 0 1 32 0zM10 38h44v4H10zm6 10h32v4H16z"
    typeface = typeface_of(BOLD)
    box = typeface.box(letter)
    scale = min(42 / box.height, 46 / box.width)
    left = 32 - (box.left + box.width / 2) * scale
    return typeface.path(letter, scale, left, 32 + (box.bottom + box.height / 2) * scale)


def _bitmap_icon(order: Order, size: int) -> bytes:
    """The same tile without round corners, which the systems that show it cut themselves."""
    large = size * _FINER
    image = Image.new("RGB", (large, large), order.light.accent)
    draws = ImageDraw.Draw(image)
    if (letter := _initial(order)) is None:
        unit = large / 64
        draws.pieslice((16 * unit, 18 * unit, 48 * unit, 50 * unit), 180, 360, fill=order.light.ground)
        draws.rectangle((10 * unit, 38 * unit, 54 * unit, 42 * unit), fill=order.light.ground)
        draws.rectangle((16 * unit, 48 * unit, 48 * unit, 52 * unit), fill=order.light.ground)
    else:
        typeface = typeface_of(BOLD)
        box = typeface.box(letter)
        em = large * min(0.56 / box.height, 0.66 / box.width) * typeface.units
        units = em / typeface.units
        at = (
            large / 2 - (box.left + box.width / 2) * units,
            large / 2 + (box.bottom + box.height / 2) * units,
        )
        draws.text(at, letter, fill=order.light.ground, font=font_of(typeface, em), anchor="ls")
    return _png(image.resize((size, size), Image.Resampling.LANCZOS))


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.quantize(64, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


def main() -> None:
    """Answer the one order that comes in."""
    order = Order.model_validate_json(sys.stdin.buffer.read())
    sys.stdout.buffer.write(draw(order).model_dump_json().encode())


if __name__ == "__main__":
    main()
