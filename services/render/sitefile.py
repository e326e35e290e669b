"""The site as its publisher describes it: `site.toml`, read once at start, on whose words all pages rely."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    StringConstraints,
    ValidationError,
    model_validator,
)

from newsroom.addresses import is_reserved_section, section_path, slugify
from newsroom.articles import Language, Line, Name, OptionalLine, WebAddress, Zone
from newsroom.errors import Misconfigured


def _free_section(section: str) -> str:
    if is_reserved_section(section):
        raise ValueError(f"{section!r} is an address of the site itself or only digits: name it otherwise")
    return section


Section = Annotated[Name, AfterValidator(_free_section)]
Email = Annotated[str, StringConstraints(pattern=r"^[^\s@<>\"]+@[^\s@<>\"]+\.[^\s@<>\"]+$")]


class _SitePart(BaseModel):
    """A table of the file. Frozen; a misspelt name is an error, not ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Publisher(_SitePart):
    """Who publishes the site, for the footer and for machines."""

    name: Line
    contact: Email
    about: OptionalLine = ""
    url: WebAddress | None = None


class Policies(_SitePart):
    """The rules of the house, one short paragraph each, as readers get them."""

    corrections: Line
    no_byline: Line
    reuse: Line


class Licence(_SitePart):
    """Where written permission for a full text is asked for."""

    contact: Email
    url: WebAddress | None = None


class Site(_SitePart):
    """One site. `url`, its public address with no slash at the end, comes from the settings, not the file.

    `since` is a day on which the host's name was already the publisher's: feed ids hold it (RFC 4151).
    """

    url: Annotated[str, StringConstraints(pattern=r"^https?://[^/\s<>\"]+$")]
    name: Line
    tagline: OptionalLine = ""
    language: Language = "en"
    timezone: Zone
    since: date
    sections: tuple[Section, ...]
    publisher: Publisher
    policies: Policies
    licence: Licence

    @model_validator(mode="after")
    def _sections_differ(self) -> Self:
        slugs = [slugify(section) for section in self.sections]
        if len(set(slugs)) != len(slugs):
            raise ValueError("two sections share one address: give each a name of its own")
        return self

    @property
    def host(self) -> str:
        """The host's name alone, which feed ids are made of."""
        return urlsplit(self.url).hostname or ""

    @property
    def feed_authority(self) -> str:
        """How every id in a feed begins: `tag:host,2026-01-01:`."""
        return f"tag:{self.host},{self.since.isoformat()}:"

    def absolute(self, path: str) -> str:
        """A path of the site as a whole address."""
        return self.url + path

    def section_name(self, path: str) -> str | None:
        """The name of the configured section at a listing's path, or None."""
        return next((section for section in self.sections if section_path(section) == path), None)


def load_site(path: Path, url: str) -> Site:
    """The site described in a file, at its public address. Raises: Misconfigured, saying what to mend."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Misconfigured(f"site file {path} is missing: point NEWSROOM_SITE_FILE at one") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"site file {path} cannot be read: {error}") from error
    try:
        return Site.model_validate({**table, "url": url.rstrip("/")})
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']) or 'the whole'}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise Misconfigured(f"site file {path} cannot be used: {problems}") from error
