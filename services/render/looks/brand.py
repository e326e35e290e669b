"""What a site is known by: wordmark, icon and card, drawn from its name or taken from its own folder.

Between the site's settings and the assets. The drawing itself is done by `emblems` in a short process of its
own, for the libraries that draw take more memory than all of render's own code.
"""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from pydantic import Base64Bytes, BaseModel, ConfigDict

from newsroom.errors import Misconfigured
from services.render.looks.colours import Palette
from services.render.looks.sitefile import Site

FOLDER = "brand"
CARD_WIDTH, CARD_HEIGHT = 1200, 630
_PATIENCE_SECONDS = 60
_VIEW_BOX = re.compile(rb"""<svg\b[^>]*\bviewBox=["']\s*\S+\s+\S+\s+([\d.]+)\s+([\d.]+)\s*["']""")
_NAMED = re.compile(rb"""<svg\b[^>]*\bid=["']wordmark["']""")
_PNG = struct.Struct(">8s4x4sII")


class _Drawing(BaseModel):
    model_config = ConfigDict(frozen=True)


class Order(_Drawing):
    """What is to be drawn. `names`: those that the site has in all its languages, for wordmarks."""

    name: str
    names: tuple[str, ...]
    tagline: str
    light: Palette
    dark: Palette


class Wordmark(_Drawing):
    """A name as a drawing in the colour of the text around it; width and height give its proportions."""

    svg: Base64Bytes
    width: float
    height: float


class Brand(_Drawing):
    """The drawings of a site.

    `wordmarks`: by name; one that is very long, or has letters that the typeface lacks, is set as plain text.
    `icons`: square bitmaps by the length of their sides. `card`: the picture beside a link to a page.
    """

    wordmarks: dict[str, Wordmark]
    icon: Base64Bytes
    icons: dict[int, Base64Bytes]
    card: Base64Bytes


def load_brand(site: Site, folder: Path | None = None) -> Brand:
    """The drawings of a site; a file in `brand/` of the site's own folder stands in place of its drawing.

    Raises: Misconfigured, saying which file cannot be used and why.
    """
    order = order_of(site)
    brand = _made(order)
    own: dict[str, object] = {}
    if (wordmark := _own(folder, "wordmark.svg")) is not None:
        own["wordmarks"] = dict.fromkeys(order.names, _checked_wordmark(wordmark))
    if (icon := _own(folder, "favicon.svg")) is not None:
        own["icon"] = _checked_icon(icon)
    if (card := _own(folder, "card.png")) is not None:
        own["card"] = _checked_card(card)
    return brand.model_copy(update=own)


def order_of(site: Site) -> Order:
    """What has to be drawn for a site."""
    site = site.in_language(site.language)
    names = (site.name, *(site.in_language(language).name for language in site.translations))
    return Order(
        name=site.name,
        names=tuple(dict.fromkeys(names)),
        tagline=site.tagline,
        light=site.colours.light,
        dark=site.colours.dark,
    )


@lru_cache(maxsize=16)
def _made(order: Order) -> Brand:
    """The drawings of an order; equal orders are drawn once."""
    try:
        drawn = subprocess.run(
            [sys.executable, "-m", "services.render.looks.emblems"],
            input=order.model_dump_json().encode(),
            stdout=subprocess.PIPE,
            timeout=_PATIENCE_SECONDS,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Misconfigured(f"wordmark, icon and card of the site cannot be drawn: {error}") from error
    return Brand.model_validate_json(drawn.stdout)


def _own(folder: Path | None, name: str) -> bytes | None:
    """A file of the newsroom's own, where there is one."""
    if folder is None:
        return None
    try:
        return (folder / FOLDER / name).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Misconfigured(f"brand file {name} cannot be read: {error}") from error


def _checked_wordmark(svg: bytes) -> Wordmark:
    box = _VIEW_BOX.search(svg)
    if box is None or not _NAMED.search(svg):
        raise Misconfigured(
            'brand file wordmark.svg cannot be used: its <svg> needs id="wordmark" and a viewBox'
        )
    return Wordmark.model_construct(svg=svg, width=float(box[1]), height=float(box[2]))


def _checked_icon(svg: bytes) -> bytes:
    if not _VIEW_BOX.search(svg):
        raise Misconfigured("brand file favicon.svg cannot be used: its <svg> needs a viewBox")
    return svg


def _checked_card(png: bytes) -> bytes:
    size = (CARD_WIDTH, CARD_HEIGHT)
    try:
        mark, kind, *found = _PNG.unpack_from(png)
    except struct.error:
        mark, kind, found = b"", b"", []
    if (mark, kind) != (b"\x89PNG\r\n\x1a\n", b"IHDR") or tuple(found) != size:
        raise Misconfigured(
            f"brand file card.png cannot be used: it has to be a PNG of {size[0]} by {size[1]}"
        )
    return png
