"""The interface's catalogues: nothing untranslated, nothing stale, nothing that would break a page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from babel import Locale
from babel.messages.catalog import Catalog, Message

from services.render.words.catalogues import ENGLISH, LANGUAGES, catalogue
from services.render.words.messages import collected, missing, read, translations

TRANSLATED = [language for language in LANGUAGES if language != ENGLISH]
WHOLE_NUMBERS = range(2_000)
_PLACEHOLDER = re.compile(r"%\(\w+\)s|%%|%")
_MARKUP = re.compile(r"<[^>]*>|&\w+;")


def identities(catalog: Catalog) -> set[object]:
    return {message.id for message in catalog if message.id}


def pairs(message: Message) -> Iterator[tuple[str, str]]:
    """Each translation with the English form that it stands for."""
    english = message.id if isinstance(message.id, str) else message.id[1]
    yield from ((english, translation) for translation in translations(message) if english)


def numbers_of(language: str, form: int) -> list[int]:
    """The whole numbers that take a plural form, as gettext's rule in the catalogue chooses it."""
    spoken = catalogue(language)
    plural = spoken.plural  # type: ignore[attr-defined]  # gettext keeps the compiled rule there
    return [number for number in WHOLE_NUMBERS if plural(number) == form]


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_is_translated(language: str) -> None:
    assert [message.id for message in missing(read(language))] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_catalogue_has_the_messages_that_are_said_and_no_others(language: str) -> None:
    """Where this fails, `make messages` brings the catalogues up to date."""
    catalog = read(language)
    assert identities(catalog) == identities(collected())
    assert not catalog.obsolete


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_take_the_same_values(language: str) -> None:
    """A plural form for one number alone may say it in a word."""
    for message in read(language):
        for form, (english, translation) in enumerate(pairs(message)):
            left_out = Counter(_PLACEHOLDER.findall(english))
            left_out.subtract(_PLACEHOLDER.findall(translation))
            different = {each for each, count in left_out.items() if count}
            if message.pluralizable and len(numbers_of(language, form)) == 1:
                different -= {"%(num)s", "%(count)s"}
            assert not different, f"{translation!r} has not the values of {english!r}"


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_hold_the_same_markup(language: str) -> None:
    for message in read(language):
        for english, translation in pairs(message):
            found = sorted(_MARKUP.findall(translation))
            assert found == sorted(_MARKUP.findall(english)), translation


@pytest.mark.parametrize("language", TRANSLATED)
def test_plural_forms_follow_cldr(language: str) -> None:
    """Each form that gettext chooses is one category of CLDR, so that the page's script chooses alike."""
    category = Locale.parse(language).plural_form
    forms = [numbers_of(language, form) for form in range(read(language).num_plurals)]
    assert sum(map(len, forms)) == len(WHOLE_NUMBERS)
    assert [len({category(number) for number in numbers}) for numbers in forms] == [1] * len(forms)
    assert len({category(numbers[0]) for numbers in forms}) == len(forms)


@pytest.mark.parametrize("language", TRANSLATED)
def test_babel_has_nothing_to_complain_of(language: str) -> None:
    assert [(message.id, errors) for message, errors in read(language).check()] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_plural_has_all_its_forms(language: str) -> None:
    catalog = read(language)
    plurals = [message for message in catalog if message.pluralizable]
    assert plurals
    assert {len(translations(message)) for message in plurals} == {catalog.num_plurals}


def test_an_untranslated_a_fuzzy_and_a_half_plural_message_are_missing() -> None:
    catalog = Catalog(locale="ru")
    catalog.add("whole", "целое")
    catalog.add("empty", "")
    catalog.add("guessed", "угадано", flags={"fuzzy"})
    catalog.add(("one", "many"), ("один", "", "много"))
    assert [message.id for message in missing(catalog)] == ["empty", "guessed", ("one", "many")]


def test_words_of_templates_and_of_code_are_collected() -> None:
    sources = {place.partition("/")[0] for message in collected() for place, _ in message.locations}
    assert {"templates", "words", "contexts"} <= sources
