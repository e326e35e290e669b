"""On which terms machines may use the site, in the forms that machines read: made from the site's settings.

The same terms stand in `robots.txt` (RFC 9309), which leads to the licence in RSL 1.0, in `tdmrep.json` (the
TDM Reservation Protocol) and in every page's head. People read them on the page about reuse.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from newsroom.addresses import REUSE
from services.render.looks.sitefile import Machines, Site

ROBOTS = "/robots.txt"
LICENCE = "/license.xml"
TDMREP = "/.well-known/tdmrep.json"


@dataclass(frozen=True)
class Terms:
    """What templates tell machines. `permitted` and `prohibited` are usages as RSL names them."""

    policy: str
    licence: str
    is_reserved: bool
    permitted: tuple[str, ...]
    prohibited: tuple[str, ...]
    may_search: bool


def terms_of(site: Site) -> Terms:
    """The terms of a site."""
    usages = _usages(site.machines)
    return Terms(
        policy=site.absolute(REUSE),
        licence=site.absolute(LICENCE),
        is_reserved=site.machines.text_and_data_mining == "reserved",
        permitted=tuple(usage for usage, is_permitted in usages.items() if is_permitted),
        prohibited=tuple(usage for usage, is_permitted in usages.items() if not is_permitted),
        may_search=site.machines.search == "allowed",
    )


def term_files(terms: Terms, draw: Callable[[str, object], bytes]) -> Mapping[str, bytes]:
    """Every file that tells machines the terms. `draw` fills a template in."""
    return {
        ROBOTS: draw("robots.txt", terms),
        LICENCE: draw("license.xml", terms),
        TDMREP: _tdmrep(terms),
    }


def _tdmrep(terms: Terms) -> bytes:
    """Whether text and data mining is reserved, and where it says how to ask (TDM Reservation Protocol)."""
    whole_site = {
        "location": "/",
        "tdm-reservation": int(terms.is_reserved),
        **({"tdm-policy": terms.policy} if terms.is_reserved else {}),
    }
    return json.dumps([whole_site], indent=1).encode() + b"\n"


def _usages(machines: Machines) -> dict[str, bool]:
    """Each usage of RSL, and whether it is permitted. An index that feeds answers goes with those answers."""
    return {
        "search": machines.search == "allowed",
        "ai-train": machines.ai_training == "allowed",
        "ai-input": machines.ai_input == "allowed",
        "ai-index": machines.ai_input == "allowed",
    }
