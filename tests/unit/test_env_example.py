"""`.env.example` tells all that an operator of the containers may set, in the words of the settings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from pydantic.fields import FieldInfo

from newsroom.settings import CommonSettings
from services.ingest.settings import IngestSettings
from services.render.settings import RenderSettings
from services.store.settings import StoreSettings

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "NEWSROOM_"
SETTINGS: dict[str, type[CommonSettings]] = {
    "ingest": IngestSettings,
    "store": StoreSettings,
    "render": RenderSettings,
}


class Line(NamedTuple):
    """A variable of the file: the comment right above it, and its value (None where it is commented out)."""

    told: str
    value: str | None


def variables() -> dict[str, Line]:
    found: dict[str, Line] = {}
    told: list[str] = []
    for line in (ROOT / ".env.example").read_text().splitlines():
        variable = re.fullmatch(r"(#?)([A-Z_]+)=(.*)", line)
        if variable:
            off, name, value = variable.groups()
            assert name not in found, f"{name} stands twice"
            found[name] = Line("\n".join(told), None if off else value)
            told = []
        elif line.startswith("# "):
            told.append(line.removeprefix("# "))
        else:
            told = []
    return found


def substitutions() -> dict[str, str]:
    """The variables that the compose file asks for, with its default for each."""
    text = (ROOT / "docker-compose.yml").read_text()
    defaults = re.findall(r"\$\{([A-Z_]+):[-?]([^${}]*)\}", text)
    names = set(re.findall(r"\$\{([A-Z_]+)", text))
    return {name: dict(defaults).get(name, "") for name in names}


def fields() -> dict[str, FieldInfo]:
    """Every setting by its name in the environment; of shared ones, the first service's."""
    return {
        PREFIX + name.upper(): field
        for settings in reversed(SETTINGS.values())
        for name, field in settings.model_fields.items()
    }


def test_the_file_has_exactly_what_the_compose_file_asks_for() -> None:
    assert set(variables()) == set(substitutions())


def test_every_name_is_a_setting_of_a_service() -> None:
    assert set(variables()) <= set(fields())


@pytest.mark.parametrize("name", sorted(variables()))
def test_a_setting_is_told_in_the_words_of_its_class(name: str) -> None:
    description = fields()[name].description
    assert description
    assert variables()[name].told.startswith(description)


@pytest.mark.parametrize("name", sorted(variables()))
def test_a_value_is_what_holds_without_it(name: str) -> None:
    line = variables()[name]
    if line.value is None or name == "NEWSROOM_PUBLISHER_KEY":
        assert "default" in line.told
        return
    assert line.value == (substitutions()[name] or str(fields()[name].default))


@pytest.mark.parametrize("service", sorted(SETTINGS))
def test_the_values_are_accepted_by_the_settings(service: str) -> None:
    settings = SETTINGS[service]
    values = {name: line.value for name, line in variables().items() if line.value is not None}
    values["NEWSROOM_PUBLISHER_KEY"] = "nrk_0123456789abcdef"
    own = {name.removeprefix(PREFIX).lower(): value for name, value in values.items()}
    settings.model_validate({name: value for name, value in own.items() if name in settings.model_fields})


def test_the_key_is_empty_so_that_nobody_runs_with_a_known_one() -> None:
    assert variables()["NEWSROOM_PUBLISHER_KEY"].value == ""


def test_the_file_says_how_to_make_the_key() -> None:
    text = (ROOT / ".env.example").read_text()
    assert "openssl rand -hex 24" in text
    assert ".env.example > .env" in text
