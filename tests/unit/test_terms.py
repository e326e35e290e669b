"""On which terms machines may use the site, told alike in every place where they look."""

from __future__ import annotations

import json
import urllib.robotparser
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest

from services.render.looks.sitefile import Licence, Machines
from services.render.pages import Pages
from tests.render_parts import SITE_URL, a_site

RSL = "{https://rslstandard.org/rsl}"


def files_of(**machines: Any) -> dict[str, bytes]:
    site = a_site("Kazakhstan").model_copy(update={"machines": Machines(**machines)})
    return dict(Pages(site).fixed())


def licence_of(files: dict[str, bytes]) -> Element:
    return fromstring(files["/license.xml"])  # noqa: S314  (our own)


def usages(licence: Element, which: str) -> list[str]:
    found = licence.find(f"{RSL}content/{RSL}license/{RSL}{which}[@type='usage']")
    return [] if found is None else (found.text or "").split()


def robots_of(files: dict[str, bytes]) -> urllib.robotparser.RobotFileParser:
    robots = urllib.robotparser.RobotFileParser()
    robots.parse(files["/robots.txt"].decode().splitlines())
    return robots


def test_without_any_setting_search_is_all_that_machines_may_do() -> None:
    files = files_of()
    licence = licence_of(files)
    assert usages(licence, "permits") == ["search"]
    assert usages(licence, "prohibits") == ["ai-train", "ai-input", "ai-index"]
    (reserved,) = json.loads(files["/.well-known/tdmrep.json"])
    assert reserved == {"location": "/", "tdm-reservation": 1, "tdm-policy": f"{SITE_URL}/reuse/"}


def test_what_is_allowed_is_told_everywhere() -> None:
    files = files_of(text_and_data_mining="allowed", ai_training="allowed", ai_input="allowed")
    licence = licence_of(files)
    assert usages(licence, "permits") == ["search", "ai-train", "ai-input", "ai-index"]
    assert usages(licence, "prohibits") == []
    assert json.loads(files["/.well-known/tdmrep.json"]) == [{"location": "/", "tdm-reservation": 0}]


def test_the_licence_says_whose_it_is_and_where_the_terms_stand() -> None:
    site = a_site().model_copy(
        update={"licence": Licence(contact="rights@site.test", url="https://x.test/?a&b")}
    )
    content = licence_of(dict(Pages(site).fixed())).find(f"{RSL}content")
    assert content is not None
    assert content.attrib == {"url": "/"}
    owner = content.find(f"{RSL}copyright")
    assert owner is not None
    assert owner.attrib["contactUrl"] == "https://x.test/?a&b"
    assert content.findtext(f"{RSL}terms") == f"{SITE_URL}/reuse/"


def test_robots_find_the_licence_and_both_sitemaps() -> None:
    lines = files_of()["/robots.txt"].decode().splitlines()
    assert f"License: {SITE_URL}/license.xml" in lines
    assert f"Sitemap: {SITE_URL}/sitemap.xml" in lines
    assert f"Sitemap: {SITE_URL}/news-sitemap.xml" in lines
    told_to_people = files_of(licence_in_robots=False)["/robots.txt"].decode().splitlines()
    assert f"# License: {SITE_URL}/license.xml" in told_to_people
    assert not [line for line in told_to_people if line.startswith("License")]


@pytest.mark.parametrize(
    ("path", "may"),
    [
        ("/", True),
        ("/kazakhstan/2023/06/20/freed-4ceygd/", True),
        ("/live-culture/", True),
        ("/live/story", False),
        ("/preview/story", False),
    ],
)
def test_robots_may_fetch_all_that_readers_read(path: str, may: bool) -> None:
    """Neither streams, which never end, nor previews; but a section that is called alike."""
    assert robots_of(files_of()).can_fetch("Anybot", SITE_URL + path) is may


def test_a_site_that_wants_no_search_engine_says_so() -> None:
    assert not robots_of(files_of(search="prohibited")).can_fetch("Anybot", f"{SITE_URL}/")
