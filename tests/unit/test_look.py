"""Templates of a newsroom's own: one by one, on top of ours, and tried before they are worn."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from markupsafe import Markup

from newsroom.errors import Misconfigured
from services.render.looks.look import TEMPLATES, Look, load_look
from services.render.pages import Pages, fingerprint_of
from services.render.rehearsal import rehearse
from tests.page_parts import a_story, parts_of
from tests.render_parts import a_site


def own(folder: Path, name: str, source: str) -> Path:
    """A site folder with a template in it."""
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "templates" / name).write_text(source, encoding="utf-8")
    return folder


def drawn_with(folder: Path) -> str:
    """The page of a story."""
    story = a_story()
    return Pages(a_site(), folder).article(story)[f"{story.path}index.html"].decode()


def broken(source: str, folder: Path) -> str:
    """What is said of a look with such a template of articles."""
    with pytest.raises(Misconfigured) as refused:
        rehearse(load_look(a_site(), own(folder, "article.html", source)))
    return str(refused.value)


def test_a_template_of_ones_own_stands_in_place_of_ours(tmp_path: Path) -> None:
    page = drawn_with(own(tmp_path, "article.html", "<h1>{{ page.headline.text }}</h1>"))
    assert page == "<h1>Hostages freed in Astana</h1>"


def test_the_others_stay_ours(tmp_path: Path) -> None:
    pages = Pages(a_site(), own(tmp_path, "article.html", "mine"))
    assert pages.error(404) == Pages(a_site()).error(404)


def test_a_part_that_many_templates_use_changes_in_all_of_them(tmp_path: Path) -> None:
    folder = own(tmp_path, "ask.html", "Ask the desk.")
    assert "Ask the desk." in drawn_with(folder)
    assert b"Ask the desk." in Pages(a_site(), folder).fixed()["/reuse/index.html"]


def test_a_template_of_ones_own_may_stand_on_the_one_that_it_replaces(tmp_path: Path) -> None:
    """So that one block is changed, and the rest follows ours in later versions."""
    source = '{% extends "newsroom/article.html" %}{% block main %}<p>Mine.</p>{{ super() }}{% endblock %}'
    page = drawn_with(own(tmp_path, "article.html", source))
    assert page.index("<p>Mine.</p>") < page.index("<h1")


def test_a_folder_that_is_not_there_changes_nothing(tmp_path: Path) -> None:
    plain = fingerprint_of(load_look(a_site()))
    assert fingerprint_of(load_look(a_site(), tmp_path / "none")) == plain
    assert fingerprint_of(load_look(a_site(), own(tmp_path, "ask.html", "Ask."))) != plain


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("<p>\n{% if %}</p>", "article.html, line 2"),
        ('{% extends "nothing.html" %}', "nothing.html"),
        ("<p>\n\n{{ page.nothing }}</p>", "article.html, line 3"),
        ("{{ nothing }}", "'nothing' is undefined"),
        ("{{ 1 // 0 }}", "article.html, line 1"),
        ("{% include 'article.html' %}", "article.html, line 1"),
        ("{% for a in [1] %}" * 25 + "{% endfor %}" * 25, "nested"),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "recursion"),
    ],
)
def test_a_template_that_cannot_be_used_is_named_with_its_line(
    source: str, said: str, tmp_path: Path
) -> None:
    assert said in broken(source, tmp_path)


@pytest.mark.parametrize("name", [".article.html.swp", ".DS_Store", "article.html~"])
def test_what_an_editor_keeps_beside_a_template_is_none(name: str, tmp_path: Path) -> None:
    """The site is to change while the template is still open."""
    folder = own(tmp_path, "article.html", "mine")
    plain = fingerprint_of(load_look(a_site(), folder))
    (folder / "templates" / name).write_bytes(b"\xff\x00{% if %}")
    assert fingerprint_of(load_look(a_site(), folder)) == plain


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "article.html").write_bytes(b"\xff\xfe")
    with pytest.raises(Misconfigured, match=r"template .* cannot be used"):
        load_look(a_site(), tmp_path)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was there a moment ago, or is somebody else's."""
    folder = own(tmp_path, "article.html", "mine")
    read = Path.read_bytes

    def refused(path: Path) -> bytes:
        if path.name == "article.html" and path.is_relative_to(folder):
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(Misconfigured, match=r"template cannot be read.*article\.html"):
        load_look(a_site(), folder)


def test_a_rehearsal_tries_every_template_that_makes_files() -> None:
    """All but the page of two revisions, which is made on request."""
    tried = set[str]()

    @dataclasses.dataclass(frozen=True)
    class Noting(Look):
        def draw(self, template: str, *given: object, **named: object) -> bytes:
            tried.add(template)
            return super().draw(template, *given, **named)  # type: ignore[arg-type]

        def _piece(self, template: str, *given: object, **named: object) -> Markup:
            tried.add(template)
            return super()._piece(template, *given, **named)  # type: ignore[arg-type]

    rehearse(Noting(**parts_of(load_look(a_site()))))
    every = {file.name for file in TEMPLATES.iterdir()}
    parts = {"base.html", "macros.html", "kicker.html", "ask.html", "meta.html", "live.html"}
    assert every - parts - tried == {"versions.html"}
