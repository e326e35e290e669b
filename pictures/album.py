"""Which pictures there are: what each shows, and on which screen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from desk.parts.home import SOURCE

FOLDER = SOURCE / "docs" / "pictures"
Scheme = Literal["light", "dark"]


@dataclass(frozen=True)
class Screen:
    """Where a page is looked at: its size in CSS pixels, and whether the reader likes it light or dark."""

    width: int
    height: int
    scheme: Scheme = "light"


WIDE = Screen(1280, 860)
WIDE_DARK = Screen(1280, 860, "dark")
PHONE = Screen(390, 780)
PHONE_DARK = Screen(390, 780, "dark")


@dataclass(frozen=True)
class Picture:
    """One picture, by the name of its file."""

    name: str
    screen: Screen

    @property
    def file(self) -> Path:
        return FOLDER / f"{self.name}.png"


FRONT = Picture("front", WIDE)
FRONT_PHONE = Picture("front-phone", PHONE)
LIVE = Picture("live", WIDE)
LIVE_PHONE = Picture("live-phone", PHONE_DARK)
OFFER = Picture("offer", WIDE)
ARTICLE_PHONE = Picture("article-phone", PHONE_DARK)
CHANGES = Picture("changes", WIDE)
CORRECTIONS = Picture("corrections", WIDE_DARK)
KAZAKH_PHONE = Picture("kazakh-phone", PHONE)
ARABIC = Picture("arabic", WIDE)

ALBUM = (
    FRONT,
    FRONT_PHONE,
    LIVE,
    LIVE_PHONE,
    OFFER,
    ARTICLE_PHONE,
    CHANGES,
    CORRECTIONS,
    KAZAKH_PHONE,
    ARABIC,
)
