"""The site as it speaks one language: the publisher's words and the interface's together.

A page of one article speaks the article's language where there is a catalogue, everything else the site's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import CodeType

from jinja2 import BaseLoader, BytecodeCache, Environment, StrictUndefined
from jinja2.bccache import Bucket

from newsroom.addresses import CORRECTIONS_LEDGER, HOME, UPDATES_LEDGER
from services.render.contexts.frame import Link, feed_links, section_link
from services.render.looks.sitefile import Site
from services.render.words.scriptwords import script_words
from services.render.words.wording import ADDED, BREAKING, LIVE, REMOVED, Wording, direction, wording_of


@dataclass(frozen=True, eq=False)
class Voice:
    """One language of a site. `site.language` is not the wording's where the site has no words in it.

    Compared by identity, so that what was drawn in it can be kept by it.
    """

    site: Site
    wording: Wording

    @cached_property
    def vocabulary(self) -> Mapping[str, object]:
        """What every template may use that depends on the language."""
        text = self.wording.text
        return {
            "ui": self.wording,
            "gettext": self.wording.markup,
            "ngettext": self.wording.markup_plural,
            "site": self.site,
            "site_direction": direction(self.site.language),
            "sections": tuple(section_link(section, self.site) for section in self.site.sections),
            "ledgers": (
                Link(text("Updates"), UPDATES_LEDGER),
                Link(text("Corrections"), CORRECTIONS_LEDGER),
            ),
            "site_feeds": feed_links(HOME, self.site.name),
            "breaking": self.wording.label(BREAKING),
            "live": self.wording.label(LIVE),
            "added_word": text(ADDED),
            "removed_word": text(REMOVED),
            "script_words": script_words(self.wording),
        }


def voice_of(site: Site, language: str) -> Voice:
    """How the site speaks a language, or its own where the interface has no words in that one."""
    wording = wording_of(language, fallback=site.language)
    return Voice(site.in_language(wording.language), wording)


def template_environment(loader: BaseLoader) -> Environment:
    """Where templates are compiled, once for all languages; `speaking` has them drawn in one."""
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        bytecode_cache=_Compiled(),
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.extend(newstyle_gettext=True)  # before the extension, which would extend it with False
    environment.add_extension("jinja2.ext.i18n")
    return environment


def speaking(environment: Environment, voice: Voice) -> Environment:
    """The same templates in one language: its words are global, so that macros are made once, not with each
    page.
    """
    spoken = environment.overlay()
    spoken.globals = {**environment.globals, **voice.vocabulary}
    return spoken


class _Compiled(BytecodeCache):
    """Keeps in memory what templates were compiled to."""

    def __init__(self) -> None:
        self._code: dict[str, CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get(bucket.key)

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._code[bucket.key] = bucket.code
