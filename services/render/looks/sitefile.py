"""The site as its publisher describes it: `site.toml`, on whose words all pages rely.

Read at start, and again whenever it changes. `Site.in_language` gives the same site with the words of another
language; what addresses are made of never changes with it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from newsroom.addresses import is_reserved_section, section_path, slugify
from newsroom.articles import Language, Line, Name, OptionalLine, WebAddress, Zone
from newsroom.errors import Misconfigured
from services.render.looks.colours import Colours


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
    """The rules of the house, one short paragraph each, as readers get them; some a house may leave out."""

    corrections: Line
    no_byline: Line
    reuse: Line
    ethics: OptionalLine = ""
    ownership: OptionalLine = ""
    feedback: OptionalLine = ""


class TranslatedPolicies(_SitePart):
    """The same rules in another language; what is left out stays in the site's."""

    corrections: OptionalLine = ""
    no_byline: OptionalLine = ""
    reuse: OptionalLine = ""
    ethics: OptionalLine = ""
    ownership: OptionalLine = ""
    feedback: OptionalLine = ""


class Translation(_SitePart):
    """The site's words in another language; what is left out stays in the site's.

    `sections`: by the name in the site's own list, which addresses are made of.
    """

    name: OptionalLine = ""
    tagline: OptionalLine = ""
    about: OptionalLine = ""
    sections: Mapping[str, Line] = Field(default_factory=dict)
    policies: TranslatedPolicies = TranslatedPolicies()


Permission = Literal["allowed", "prohibited"]


class Machines(_SitePart):
    """What machines may do with the texts; each place that tells them is made from this.

    `licence_in_robots`: whether `robots.txt` leads to the licence, as RSL has it. Some checkers of that file
    know no `License` line yet and call it a mistake; the licence is found from every page as well.
    """

    text_and_data_mining: Literal["reserved", "allowed"] = "reserved"
    ai_training: Permission = "prohibited"
    ai_input: Permission = "prohibited"
    search: Permission = "allowed"
    licence_in_robots: bool = True


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
    machines: Machines = Machines()
    colours: Colours = Field(default_factory=Colours)
    translations: Mapping[Language, Translation] = Field(default_factory=dict)
    _as_read: Site | None = PrivateAttr(default=None)

    def __hash__(self) -> int:
        """By little of it, for it is asked often: sites that differ are told apart when compared."""
        return hash((self.url, self.language))

    @model_validator(mode="after")
    def _sections_differ(self) -> Self:
        slugs = [slugify(section) for section in self.sections]
        if len(set(slugs)) != len(slugs):
            raise ValueError("two sections share one address: give each a name of its own")
        return self

    @model_validator(mode="after")
    def _translated_sections_exist(self) -> Self:
        for language, words in self.translations.items():
            if unknown := sorted(set(words.sections) - set(self.sections)):
                raise ValueError(
                    f"translations.{language}.sections names {', '.join(unknown)}, which `sections` does not"
                )
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

    def in_language(self, language: str) -> Site:
        """The same site in the words of that language, as far as its file has them; its addresses stay."""
        source = self._as_read or self
        words = source._words(language)
        if words is None:
            return source
        site = source.model_copy(
            update={
                "language": language,
                "name": words.name or source.name,
                "tagline": words.tagline or source.tagline,
                "publisher": _translated(source.publisher, {"about": words.about}),
                "policies": _translated(source.policies, words.policies.model_dump()),
            }
        )
        site._as_read = source
        return site

    def section_title(self, path: str, otherwise: str = "") -> str:
        """How the configured section at a listing's path is called in this site's language.

        `otherwise`: what to say where it is none of those.
        """
        name = self.section_name(path)
        words = self._words(self.language)
        return (words.sections.get(name, name) if words else name) if name is not None else otherwise

    def section_name(self, path: str) -> str | None:
        """The name of the configured section at a listing's path, as the file writes it, or None."""
        return next((section for section in self.sections if section_path(section) == path), None)

    def _words(self, language: str) -> Translation | None:
        """The words of a language, else of the one that it is a variety of (`kk` for `kk-Cyrl`)."""
        return self.translations.get(language) or self.translations.get(language.partition("-")[0])


_Part = TypeVar("_Part", bound=BaseModel)


def _translated(part: _Part, words: Mapping[str, str]) -> _Part:
    return part.model_copy(update={name: text for name, text in words.items() if text})


def load_site(path: Path, url: str) -> Site:
    """The site described in a file, at its public address. Raises: Misconfigured, saying what to mend."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Misconfigured(f"site file {path} is missing: point NEWSROOM_SITE_FILE at one") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise Misconfigured(f"site file {path} cannot be read: {error}") from error
    try:
        return Site.model_validate({**table, "url": url.rstrip("/")})
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']) or 'the whole'}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise Misconfigured(f"site file {path} cannot be used: {problems}") from error
