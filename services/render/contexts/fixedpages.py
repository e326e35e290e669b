"""What pages may use that are of no article and no listing: what the house says of itself and its terms, and
why nothing stands at an address.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from newsroom.addresses import ABOUT, HOME, REUSE
from services.render.contexts.frame import Head, main_page
from services.render.contexts.graph import Crumb, listing_graph
from services.render.looks.assets import Assets
from services.render.looks.sitefile import Site
from services.render.words.wording import Wording, message


@dataclass(frozen=True)
class Rule:
    """One rule of the house, or one use and whether it is allowed. `id`: its place on the page."""

    id: str
    title: str
    text: str


@dataclass(frozen=True)
class RulesPage:
    """What the house says of itself, or of the use of its texts."""

    head: Head
    crumbs: tuple[Crumb, ...]
    title: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class ErrorPage:
    """Why nothing stands here."""

    head: Head
    status: int
    title: str
    text: str


_RULES = (
    ("corrections", message("Corrections")),
    ("ethics", message("Ethics")),
    ("no_byline", message("Bylines")),
    ("ownership", message("Ownership")),
    ("feedback", message("Feedback")),
)
_USES = (
    ("search", message("Search engines")),
    ("text_and_data_mining", message("Text and data mining")),
    ("ai_training", message("Training of AI models")),
    ("ai_input", message("Answers made by AI")),
)
_PERMISSIONS = {
    "allowed": message("Allowed"),
    "prohibited": message("Not allowed"),
    "reserved": message("All rights reserved"),
}
_ERRORS = {
    401: (
        message("A preview needs a key"),
        message("Load the page again and give your API key as the password; the name does not matter."),
    ),
    403: (
        message("This key may not see previews"),
        message("They are for reporters and up. Ask a publisher for a key with that role."),
    ),
    404: (
        message("There is no page here"),
        message(
            "The address may be mistyped, or it never was one of ours. Nothing that we published has been "
            "moved without leaving a way to its new place."
        ),
    ),
    410: (
        message("This article has been taken down"),
        message("It is not public at the moment. Should it come back, it will be at this same address."),
    ),
    503: (
        message("We will be right back"),
        message("The site cannot answer just now. Nothing is lost; please load the page again in a moment."),
    ),
}


def error_page(status: int, wording: Wording) -> ErrorPage:
    """The page for a status that stands for no page."""
    title, text = (wording.text(each) for each in _ERRORS[status])
    return ErrorPage(Head(title), status, title, text)


def about_page(site: Site, wording: Wording) -> RulesPage:
    """Who makes the site, and by which rules."""
    told = ((name, wording.text(title), getattr(site.policies, name)) for name, title in _RULES)
    rules = tuple(Rule(f"policy-{_place(name)}", title, text) for name, title, text in told if text)
    title = wording.text("About us")
    return _rules_page(ABOUT, title, site.publisher.about or site.tagline, rules, site, wording)


def reuse_page(site: Site, wording: Wording) -> RulesPage:
    """How much of a text may be used and how, and who gives permission for more."""
    uses = ((name, wording.text(title), getattr(site.machines, name)) for name, title in _USES)
    rules = tuple(
        Rule(_place(name), title, wording.text(_PERMISSIONS[permission])) for name, title, permission in uses
    )
    return _rules_page(REUSE, wording.text("Reuse"), site.policies.reuse, rules, site, wording)


def _rules_page(
    path: str, title: str, description: str, rules: tuple[Rule, ...], site: Site, wording: Wording
) -> RulesPage:
    crumbs = (main_page(wording), Crumb(title, path))
    graph = listing_graph(site, path, crumbs, kind="AboutPage" if path == ABOUT else "WebPage")
    return RulesPage(Head(title, description, site.absolute(path), graph=graph), crumbs, title, rules)


def _place(name: str) -> str:
    return "bylines" if name == "no_byline" else name.replace("_", "-")


def manifest(site: Site, wording: Wording, assets: Assets) -> bytes:
    """The site as a telephone keeps it on its first screen (W3C Web Application Manifest)."""
    bitmaps = [
        {"src": address, "sizes": f"{size}x{size}", "type": "image/png"}
        for size, address in assets.icons.items()
    ]
    told = {
        "name": site.name,
        "short_name": site.name,
        "description": site.tagline,
        "lang": site.language,
        "dir": wording.direction,
        "id": HOME,
        "start_url": HOME,
        "scope": HOME,
        "display": "minimal-ui",
        "background_color": site.colours.light.ground,
        "theme_color": site.colours.light.ground,
        "icons": [{"src": assets.icon, "sizes": "any", "type": "image/svg+xml"}, *bitmaps],
    }
    return json.dumps(told, ensure_ascii=False, indent=1).encode()
