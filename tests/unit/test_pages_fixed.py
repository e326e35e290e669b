"""What stands whatever is published: the rules of the house, those of reuse, the site on a first screen."""

from __future__ import annotations

import json

import pytest

from services.render.looks.sitefile import (
    Machines,
    Policies,
    Publisher,
    Site,
    TranslatedPolicies,
    Translation,
)
from services.render.pages import Pages
from tests.page_parts import Element, graph_of, read_page
from tests.render_parts import a_site


def a_house(**policies: str) -> Site:
    """A site that tells more of itself than it has to."""
    return a_site().model_copy(
        update={
            "publisher": Publisher(name="The Test Press", contact="desk@site.test", about="We test."),
            "policies": Policies(corrections="We correct.", no_byline="By us.", reuse="30 %.", **policies),
        }
    )


def fixed_page(site: Site, path: str) -> Element:
    return read_page(Pages(site).fixed()[f"{path}index.html"])


def manifest_of(site: Site) -> dict[str, object]:
    manifest = json.loads(Pages(site).fixed()["/site.webmanifest"])
    assert isinstance(manifest, dict)
    return manifest


def test_each_rule_of_the_house_has_a_place_of_its_own() -> None:
    page = fixed_page(a_house(ethics="Two sources.", ownership="Ours.", feedback="Write."), "/about/")
    for place, words in (
        ("policy-corrections", "We correct."),
        ("policy-bylines", "By us."),
        ("policy-ethics", "Two sources."),
        ("policy-ownership", "Ours."),
        ("policy-feedback", "Write."),
    ):
        assert words in page.one("section", id=place).text
    assert "We test." in page.one("p", class_="deck").text
    assert page.all("a", href="mailto:desk@site.test")


@pytest.mark.parametrize(("path", "kind"), [("/about/", "AboutPage"), ("/reuse/", "WebPage")])
def test_a_page_of_rules_is_told_to_machines_as_what_it_is(path: str, kind: str) -> None:
    assert graph_of(fixed_page(a_house(), path))[kind]["url"] == a_site().absolute(path)


def test_machines_are_led_to_the_rules_that_there_are() -> None:
    """Every address of a rule in the graph is a place on the page."""
    site = a_house(ethics="Two sources.")
    page = fixed_page(site, "/about/")
    publisher = graph_of(page)["NewsMediaOrganization"]
    led_to = {str(value) for value in publisher.values() if "/about/#" in str(value)}
    places = {section.attributes.get("id") for section in page.all("section")}
    assert led_to
    assert {address.partition("#")[2] for address in led_to} <= places


def test_a_rule_that_the_house_does_not_tell_is_not_there() -> None:
    assert not fixed_page(a_house(), "/about/").all("section", id="policy-ethics")


def test_the_page_of_reuse_tells_the_rule_the_way_and_whom_to_ask() -> None:
    page = fixed_page(a_house(), "/reuse/")
    assert "30 %." in page.one("p", class_="deck").text
    assert len(page.one("ol", class_="steps").all("li")) == 3
    assert page.all("a", href="mailto:rights@site.test")


@pytest.mark.parametrize(
    ("machines", "use", "told"),
    [
        (Machines(), "ai-training", "Not allowed"),
        (Machines(ai_training="allowed"), "ai-training", "Allowed"),
        (Machines(), "text-and-data-mining", "All rights reserved"),
        (Machines(text_and_data_mining="allowed"), "text-and-data-mining", "Allowed"),
        (Machines(search="prohibited"), "search", "Not allowed"),
        (Machines(ai_input="allowed"), "ai-input", "Allowed"),
    ],
)
def test_people_read_the_terms_that_machines_get(machines: Machines, use: str, told: str) -> None:
    page = fixed_page(a_house().model_copy(update={"machines": machines}), "/reuse/")
    assert page.one("div", id=use).one("dd").text == told


@pytest.mark.parametrize("path", ["/about/", "/reuse/"])
def test_every_page_leads_to_both(path: str) -> None:
    page = fixed_page(a_house(), path)
    footer = page.one("footer", class_="imprint")
    assert {"/about/", "/reuse/"} <= {link["href"] for link in footer.all("a")}


def test_the_pages_speak_the_words_of_the_sites_language() -> None:
    words = Translation(name="Сынақ", policies=TranslatedPolicies(reuse="30 % артық емес."))
    site = a_house().model_copy(update={"language": "kk", "translations": {"kk": words}})
    page = fixed_page(site, "/reuse/")
    assert page["lang"] == "kk"
    assert "30 % артық емес." in page.one("p", class_="deck").text
    assert page.one("p", class_="wordmark").text.strip() == "Сынақ"


def test_the_manifest_names_the_site_in_its_colours_and_icons_that_stand() -> None:
    site = a_house()
    manifest = manifest_of(site)
    assert (manifest["name"], manifest["lang"], manifest["dir"]) == ("The Test", "en", "ltr")
    assert manifest["theme_color"] == site.colours.light.ground
    icons = manifest["icons"]
    assert isinstance(icons, list)
    assert {icon["src"] for icon in icons} <= set(Pages(site).fixed())
    assert {"any", "192x192", "512x512"} <= {icon["sizes"] for icon in icons}


def test_a_site_that_is_written_from_the_right_says_so_in_its_manifest() -> None:
    manifest = manifest_of(a_house().model_copy(update={"language": "ar"}))
    assert manifest["dir"] == "rtl"


def test_fixed_files_are_the_same_each_time() -> None:
    assert Pages(a_house()).fixed() == Pages(a_house()).fixed()


def test_the_page_for_when_nothing_answers_stands_ready_for_the_edge() -> None:
    pages = Pages(a_house())
    assert pages.fixed()["/unavailable.html"] == pages.error(503)
    assert b'<meta name="robots" content="noindex">' in pages.error(503)
