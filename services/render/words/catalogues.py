"""The interface's words in other languages: one gettext catalogue each, in `locale`, read at its first use.

English is what stands in templates and code, so it has none.
"""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER = Path(__file__).parent / "locale"
ENGLISH = "en"
_SCRIPTS = {ENGLISH: "latn", "kk": "cyrl", "ru": "cyrl", "ar": "arab"}
LANGUAGES = tuple(_SCRIPTS)
"""What the interface can speak."""


def spoken(tag: str) -> str | None:
    """Which of `LANGUAGES` a BCP 47 tag means, or None: of a language written otherwise we have no words."""
    language, *rest = tag.lower().split("-")
    scripts = [part for part in rest if len(part) == 4 and part.isalpha()]
    if language not in _SCRIPTS or any(script != _SCRIPTS[language] for script in scripts):
        return None
    return language


@cache
def catalogue(language: str) -> NullTranslations:
    """The words of one of `LANGUAGES`. What is marked as fuzzy counts as missing."""
    if language == ENGLISH:
        return NullTranslations()
    compiled = BytesIO()
    with catalogue_file(language).open("rb") as file:
        write_mo(compiled, read_po(file, locale=language, abort_invalid=True))
    compiled.seek(0)
    return GNUTranslations(compiled)


def catalogue_file(language: str) -> Path:
    """Where the catalogue of a language stands."""
    return FOLDER / language / "LC_MESSAGES" / "site.po"


def files() -> list[Path]:
    """Every catalogue there is, in one order."""
    return sorted(FOLDER.glob("*/LC_MESSAGES/*.po"))
