"""The public site as a pure function: an article or a listing in, the bytes of its files out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from newsroom.updates import ArticleUpdate
from services.render.cards import Listing
from services.render.sitefile import Site

ErrorStatus = Literal[404, 410, 503]


class Pages:
    """Draws every file of one site. Equal input gives equal bytes, whenever and wherever it is drawn."""

    def __init__(self, site: Site, templates: Path | None = None) -> None:
        self._site = site
        self.fingerprint = ""

    def assets(self) -> Mapping[str, bytes]:
        """Every asset by its address, which names its content's hash: what stands there never changes."""
        raise NotImplementedError

    def article(self, update: ArticleUpdate) -> Mapping[str, bytes]:
        """The files of an article by path: its page and its history. Empty where it is not public."""
        raise NotImplementedError

    def listing(self, listing: Listing) -> Mapping[str, bytes]:
        """The file of a listing by path. Empty where it has no entries and does not stand from the start."""
        raise NotImplementedError

    def error(self, status: ErrorStatus) -> bytes:
        """A whole page that says, in the site's look, why nothing stands here."""
        raise NotImplementedError

    def robots(self) -> bytes:
        """The `robots.txt` of the site."""
        raise NotImplementedError
