"""No template holds a word for readers that the catalogues do not know."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import FileSystemLoader, nodes

from services.render.looks.look import TEMPLATES
from services.render.words.voices import template_environment

ENVIRONMENT = template_environment(FileSystemLoader(TEMPLATES))
ATTRIBUTES = re.compile(r"""[\w-]+="[^"]*"|\bdata-[\w-]+""")
"""What a block puts into a tag that another template opens."""
FORMATS = re.compile(r"\b(?:HTML|JSON|RSS|Atom|oEmbed)\b")
"""Names that are the same in every language."""
READ_OUT = frozenset(
    {"alt", "aria-description", "aria-label", "aria-roledescription", "placeholder", "title"}
)


class Words(HTMLParser):
    """Collects what a reader sees or hears of a piece of HTML, as far as it has letters."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in READ_OUT:
                self.handle_data(value or "")

    def handle_data(self, data: str) -> None:
        words = FORMATS.sub("", ATTRIBUTES.sub("", data)).strip()
        if any(character.isalpha() for character in words):
            self.found.append(words)


def words_in(source: str) -> list[str]:
    """The words that stand in a template itself: what it is given or translates is left out."""
    data = [node.data for node in ENVIRONMENT.parse(source).find_all(nodes.TemplateData)]
    reader = Words()
    reader.feed("".join(data))
    reader.close()
    return reader.found


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda template: template.name)
def test_every_word_of_a_template_is_translated(template: Path) -> None:
    assert words_in(template.read_text(encoding="utf-8")) == []


def test_a_word_that_is_not_translated_is_found() -> None:
    source = '<p title="{{ _("A") }}">{% trans %}B{% endtrans %} C</p><img alt="D"><!-- E -->'
    assert words_in(source) == ["C", "D"]
