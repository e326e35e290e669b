"""Style sheet, script and drawings: served for ever, each under an address that names its content's hash."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.render.looks.brand import CARD_HEIGHT, CARD_WIDTH, Brand
from services.render.looks.colours import Colours

STATIC = Path(__file__).parents[1] / "static"
HASH_CHARACTERS = 16
TOUCH_ICON = 180
_IMPORT = re.compile(r'^import \{ (?P<names>[\w, ]+) \} from "\./(?P<module>[a-z]+\.js)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:async )?(?:function|const|class) (\w+)", re.MULTILINE)
_EXPORT_WORD = re.compile(r"^export ", re.MULTILINE)
_SILENT = re.compile(r"^\s*//.*\n|(?<=[;{}]) // .*$|^[ \t]+|^\n", re.MULTILINE)


@dataclass(frozen=True)
class Picture:
    """A drawing by its address, with what it measures."""

    address: str
    width: float
    height: float


@dataclass(frozen=True)
class Assets:
    """What a page links to. `files` are the contents by address.

    `wordmarks`: by the name that each writes; `icons`: bitmaps by their size; `card`: what others show beside
    a link to a page.
    """

    css: str
    js: str
    icon: str
    icons: Mapping[int, str]
    wordmarks: Mapping[str, Picture]
    card: Picture
    files: Mapping[str, bytes]

    @property
    def touch_icon(self) -> str:
        """The bitmap that a telephone puts on its first screen."""
        return self.icons[TOUCH_ICON]


def load_assets(brand: Brand, colours: Colours, folder: Path = STATIC) -> Assets:
    """Read the assets and name each by its content; the site's colours stand first in the style sheet."""
    files: dict[str, bytes] = {}
    style = colours.style_sheet().encode() + (folder / "site.css").read_bytes()
    return Assets(
        css=_named("site.css", style, files),
        js=_named("site.js", _script(folder).encode(), files),
        icon=_named("favicon.svg", brand.icon, files),
        icons={
            size: _named(f"icon-{size}.png", content, files) for size, content in sorted(brand.icons.items())
        },
        wordmarks={
            name: Picture(_named("wordmark.svg", drawn.svg, files), drawn.width, drawn.height)
            for name, drawn in sorted(brand.wordmarks.items())
        },
        card=Picture(_named("card.png", brand.card, files), CARD_WIDTH, CARD_HEIGHT),
        files=files,
    )


def _script(folder: Path) -> str:
    """The script as browsers get it: one request, no comments, no indentation."""
    return _SILENT.sub("", _joined(folder, "site.js"))


def _joined(folder: Path, name: str) -> str:
    """A script with the modules that it imports put in their places; each keeps its names to itself."""

    def put_in(line: re.Match[str]) -> str:
        text = _joined(folder, line["module"])
        exported = ", ".join(_EXPORT.findall(text))
        inner = f"{_EXPORT_WORD.sub('', text)}return {{ {exported} }};"
        return f"const {{ {line['names']} }} = (() => {{\n{inner}\n}})();"

    return _IMPORT.sub(put_in, (folder / name).read_text(encoding="utf-8"))


def _named(name: str, content: bytes, files: dict[str, bytes]) -> str:
    """Put an asset among the files; returns its address."""
    stem, _, suffix = name.rpartition(".")
    mark = hashlib.sha256(content).hexdigest()[:HASH_CHARACTERS]
    address = f"/assets/{stem}.{mark}.{suffix}"
    files[address] = content
    return address
