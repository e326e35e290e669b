"""What the site's file may say, in which words it is told, and how a mistake in it is answered."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from newsroom.errors import Misconfigured
from services.render.looks.colours import Colours, DarkPalette, LightPalette, contrast
from services.render.looks.sitefile import Site, Translation, load_site
from tests.render_parts import SITE_URL, a_site

SAMPLE = Path(__file__).parents[2] / "site.toml"


def in_three_languages() -> Site:
    """Written in English, in Kazakh but for the policies, in Russian only by its name."""
    return Site.model_validate(
        {
            **a_site("Kazakhstan", "World").model_dump(),
            "tagline": "As it stands",
            "translations": {
                "kk": {
                    "name": "Сынақ",
                    "tagline": "Қалай болса, солай",
                    "sections": {"Kazakhstan": "Қазақстан"},
                    "policies": {"reuse": "30 % артық емес."},
                },
                "ru": {"name": "Проба"},
            },
        }
    )


def told(text: str, folder: Path) -> str:
    """The message that a file is refused with, in one line."""
    file = folder / "site.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Misconfigured) as refused:
        load_site(file, SITE_URL)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def with_line(pattern: str, line: str) -> str:
    """The sample file with another line in place of the one that begins so."""
    changed = re.sub(rf"(?m)^{pattern}.*$", line, SAMPLE.read_text(encoding="utf-8"), count=1)
    assert line in changed
    return changed


def test_the_sample_site_is_whole_in_every_language_of_the_interface() -> None:
    site = load_site(SAMPLE, SITE_URL)
    for language in ("kk", "ru", "ar"):
        words = site.translations[language]
        assert words.name
        assert words.tagline
        assert set(words.sections) == set(site.sections)
        assert all(words.policies.model_dump().values())


def test_a_language_changes_the_words_and_no_address() -> None:
    site = in_three_languages()
    kazakh = site.in_language("kk")
    assert (kazakh.language, kazakh.name, kazakh.tagline) == ("kk", "Сынақ", "Қалай болса, солай")
    assert kazakh.policies.reuse == "30 % артық емес."
    assert kazakh.sections == site.sections
    assert kazakh.feed_authority == site.feed_authority


def test_what_is_not_translated_stays_in_the_language_of_the_site() -> None:
    site = in_three_languages()
    assert site.in_language("ru").tagline == "As it stands"
    assert site.in_language("kk").policies.corrections == site.policies.corrections


def test_a_variety_of_a_language_has_its_words_and_an_unknown_one_those_of_the_site() -> None:
    site = in_three_languages()
    assert site.in_language("kk-Cyrl").name == "Сынақ"
    assert site.in_language("ja") == site


def test_one_language_leads_to_another_without_a_word_of_the_first() -> None:
    site = in_three_languages()
    assert site.in_language("kk").in_language("ru") == site.in_language("ru")
    assert site.in_language("kk").in_language("en") == site


def test_a_section_is_called_as_its_language_has_it() -> None:
    kazakh = in_three_languages().in_language("kk")
    assert kazakh.section_title("/kazakhstan/") == "Қазақстан"
    assert kazakh.section_title("/world/") == "World"
    assert kazakh.section_title("/weather/", "Weather") == "Weather"
    assert kazakh.section_name("/kazakhstan/") == "Kazakhstan"


def test_a_translation_of_a_section_that_there_is_not_is_told(tmp_path: Path) -> None:
    message = told(with_line(r'"Kazakhstan" = ', '"Kasakhstan" = "Қазақстан"'), tmp_path)
    assert "translations.kk.sections names Kasakhstan" in message


@pytest.mark.parametrize(
    ("pattern", "line", "said"),
    [
        ("name =", 'nane = "x"', "nane"),
        ("text_and_data_mining =", 'text_and_data_mining = "maybe"', "machines.text_and_data_mining"),
        ("timezone =", 'timezone = "Asia/Astana2"', "timezone"),
        ("name =", "name = ", "cannot be read"),
        ("name =", "name = " + "[" * 3000, "cannot be read"),
    ],
)
def test_a_mistake_is_told_with_its_place(pattern: str, line: str, said: str, tmp_path: Path) -> None:
    assert said in told(with_line(pattern, line), tmp_path)


def test_a_colour_that_text_cannot_be_read_in_is_refused_with_its_contrast(tmp_path: Path) -> None:
    text = SAMPLE.read_text(encoding="utf-8") + '\n[colours.light]\naccent = "#ffcc00"\n'
    message = told(text, tmp_path)
    assert "colours.light" in message
    assert "accent #ffcc00 on ground #fdfcf9 has 1.5:1" in message


def test_a_dark_ground_is_measured_with_the_colours_that_stay(tmp_path: Path) -> None:
    """Whoever changes the ground alone hears which texts can no longer be read on it."""
    text = SAMPLE.read_text(encoding="utf-8") + '\n[colours.dark]\nground = "#ffffff"\n'
    assert "text #e9e5dc on ground #ffffff" in told(text, tmp_path)


@pytest.mark.parametrize("colour", ["red", "#fff", "#12345g", "#1234567", "url(x)"])
def test_only_six_hexadecimal_digits_are_a_colour(colour: str) -> None:
    with pytest.raises(ValidationError):
        LightPalette(line=colour)


@pytest.mark.parametrize(
    ("one", "other", "reached"),
    [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#ffffff", "#ffffff", 1.0)],
)
def test_contrast_is_measured_as_wcag_does(one: str, other: str, reached: float) -> None:
    assert contrast(one, other) == pytest.approx(reached, abs=0.01)
    assert contrast(other, one) == contrast(one, other)


@pytest.mark.parametrize("palette", [LightPalette, DarkPalette])
def test_the_default_colours_can_be_read(palette: Any) -> None:
    assert palette(**palette().model_dump()) == palette()


def test_chosen_colours_stand_in_the_style_sheet_beside_the_defaults() -> None:
    colours = Colours(light=LightPalette(accent="#7A0C0C"))
    light, dark = colours.style_sheet().split("@media")
    assert "--accent: #7a0c0c;" in light
    assert f"--ground: {LightPalette().ground};" in light
    assert f"--ground: {DarkPalette().ground};" in dark


def test_a_translation_may_be_empty() -> None:
    site = a_site().model_copy(update={"translations": {"kk": Translation()}})
    assert site.in_language("kk").name == site.name
