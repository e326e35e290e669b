"""What the script says: every name it asks for, and every form that a number can ask for."""

from __future__ import annotations

import json
import re

import pytest

from newsroom.notices import NoticeKind
from services.render.looks.assets import STATIC
from services.render.words.scriptwords import script_words
from services.render.words.wording import wording_of

LANGUAGES = ("en", "kk", "ru", "ar")


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_form_of_a_number_has_its_text(language: str) -> None:
    """As the browser will ask for them: by CLDR's rules for the language of the page.

    The number itself stands in it where it is large (Arabic has words for one and two).
    """
    wording = wording_of(language)
    words = json.loads(script_words(wording))
    for name in ("updates", "entries", "stories"):
        forms = [words[name][wording.locale.plural_form(n)] for n in range(1_000)]
        assert all(forms), name
        assert all("{n}" in form for form in forms[3:]), name


def test_every_kind_of_notice_has_its_name() -> None:
    kinds = json.loads(script_words(wording_of("en")))["kinds"]
    assert kinds.keys() == {kind.value for kind in NoticeKind}
    assert all(kinds.values())


def test_the_script_asks_for_the_words_that_there_are() -> None:
    """No more and no less, by name."""
    script = (STATIC / "site.js").read_text()
    asked = set(re.findall(r"\bwords\.([a-z]+)", script)) | set(re.findall(r'plural\("([a-z]+)"', script))
    asked |= set(re.findall(r'"(entries|updates|stories)"', script))
    assert asked == json.loads(script_words(wording_of("en"))).keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_script_fills_in_stands_in_its_place(language: str) -> None:
    words = json.loads(script_words(wording_of(language)))
    for name, value in (("show", "what"), ("newest", "what"), ("told", "label"), ("told", "note")):
        assert f"{{{value}}}" in words[name]
