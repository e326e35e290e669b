"""Keeps the catalogues in step with the words that templates and code hold: `make messages`.

Beside the data's way, for who works on the newsroom: it collects every message, puts the new ones into each
catalogue, without a translation, and takes out those that are said no more.
"""

from __future__ import annotations

from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from services.render.words.catalogues import ENGLISH, LANGUAGES, catalogue_file

_SOURCES = Path(__file__).parents[1]
_METHODS = [("templates/**", "jinja2"), ("**.py", "python")]
_OPTIONS = {"templates/**": {"trimmed": "true", "silent": "false"}}
_KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "ngettext": (1, 2),
    "text": None,
    "plural": (1, 2),
    "message": None,
    "Label": None,
    "gettext": None,
}
"""Which calls hold a message, and at which places where it is not the first alone."""
_WIDTH = 100


def collected() -> Catalog:
    """Every message of the templates and the code, each with the files that say it."""
    catalog = Catalog(project="newsroom", charset="utf-8")
    found = extract_from_dir(_SOURCES, _METHODS, _OPTIONS, _KEYWORDS, comment_tags=("For translators:",))
    for file, line, message, comments, context in found:
        catalog.add(message, None, [(file, line)], auto_comments=comments, context=context)
    return catalog


def read(language: str) -> Catalog:
    """A language's catalogue as its file has it; empty where there is none yet."""
    path = catalogue_file(language)
    if not path.exists():
        return Catalog(locale=language, project="newsroom", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def write(catalog: Catalog, language: str) -> None:
    """Puts a catalogue into its file, in one order, so that only what changed differs."""
    path = catalogue_file(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, width=_WIDTH, sort_output=True, include_lineno=False)


def missing(catalog: Catalog) -> list[Message]:
    """What has no translation, or not all of its plural forms."""
    return [message for message in catalog if message.id and not _is_translated(message)]


def main() -> None:
    """Updates every catalogue and tells how much of it is to be translated."""
    template = collected()
    for language in LANGUAGES:
        if language != ENGLISH:
            catalog = read(language)
            catalog.update(template, no_fuzzy_matching=True, update_creation_date=False)
            catalog.obsolete.clear()
            write(catalog, language)
            print(f"{language}: {len(catalog)} messages, {len(missing(catalog))} to translate")


def translations(message: Message) -> tuple[str, ...]:
    """The one text that stands for a message, or its plural forms."""
    text = message.string
    return tuple(text) if isinstance(text, tuple | list) else (text or "",)


def _is_translated(message: Message) -> bool:
    return all(translations(message)) and not message.fuzzy


if __name__ == "__main__":
    main()
