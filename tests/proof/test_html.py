"""Every page, style sheet and picture of a whole site, as the Nu HTML checker reads them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from newsroom.bodies import BLOCKS, INLINE
from services.render.looks.look import TEMPLATES
from tests.node_tools import nu_messages
from tests.whole_site import SHOWN, a_whole_site
from tests.whole_story import EVERY_ELEMENT

CHECKED = {".html", ".css", ".svg"}


def put(folder: Path, files: dict[str, bytes]) -> None:
    """Each file under a name of its own, for the checker goes by suffixes."""
    for path, content in files.items():
        if Path(path).suffix in CHECKED:
            there = folder / path.strip("/").replace("/index.html", ".html").replace("/", "~")
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(content)


@pytest.mark.usefixtures("checkers")
async def test_no_page_in_any_language_draws_a_message(tmp_path: Path) -> None:
    """Errors, warnings and remarks alike, of HTML, CSS and SVG."""
    async with a_whole_site() as site:
        put(tmp_path / "en", site.files() | await site.every_page())
    for language in ("kk", "ru", "ar"):
        async with a_whole_site(language) as site:
            put(tmp_path / language, await site.shown_pages())
    async with a_whole_site(is_empty=True) as site:
        put(tmp_path / "empty", site.files() | await site.every_page())
    assert nu_messages(tmp_path) == []


@pytest.mark.usefixtures("checkers")
def test_a_page_that_is_wrong_is_found(tmp_path: Path) -> None:
    """So that the test above can fail: in a page, in a style sheet, and by a warning alone."""
    page = (
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>x</title></head><body>{}</body></html>"
    )
    (tmp_path / "error.html").write_text(page.format("<p><img src=x></p>"))
    (tmp_path / "warning.html").write_text(page.format("<section><p>No heading.</p></section>"))
    (tmp_path / "style.css").write_text("p { colour: red }")
    found = {message.partition(":")[0] for message in nu_messages(tmp_path)}
    assert found == {"error.html", "warning.html", "style.css"}


async def test_every_template_is_among_the_pages_that_are_checked() -> None:
    """A new kind of page comes into the whole site with its template."""
    templates = {file.name: file.read_text() for file in TEMPLATES.glob("*.html")}
    ways = r"(?:{% (?:include|import|extends) |piece\()\"(.+?)\""
    pieces = set(re.findall(ways, "".join(templates.values())))
    pages = templates.keys() - pieces
    assert len(pages) > 10
    async with a_whole_site() as site:
        every = await site.every_page()
        drawn = {site.pages.template_of.get(page) for page in every.values()}
        named = {site.pages.template_of.get(every[shown.file]) for shown in SHOWN}
    assert pages - drawn == set()
    assert pages - named == set()


def test_every_element_that_a_body_may_have_is_in_the_story() -> None:
    assert (BLOCKS | INLINE) - set(re.findall(r"<([a-z0-9]+)", EVERY_ELEMENT)) == set()
