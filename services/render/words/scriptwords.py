"""What the script of an open page says, in one language: JSON that stands in each page.

The script puts the values in; which form a number takes it asks the browser, by CLDR's categories.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from markupsafe import Markup

from services.render.contexts.graph import script_json
from services.render.words.wording import NOTICE_LABELS, Wording

_TELLING_NUMBERS = range(111)
"""Among these are all categories of whole numbers, in every language."""


@cache
def script_words(wording: Wording) -> Markup:
    """By the names that the script knows; `{name}` in a text is for a value."""
    text, plural = wording.text, wording.plural
    kinds = {kind.value: wording.notice_label(kind).text for kind in NOTICE_LABELS}
    words: Mapping[str, str | Mapping[str, str]] = {
        "kinds": kinds | {"withdrawn": text("Taken down")},
        "updates": _forms(wording, lambda n: plural("%(count)s update", "%(count)s updates", n, count="{n}")),
        "entries": _forms(wording, lambda n: plural("%(count)s entry", "%(count)s entries", n, count="{n}")),
        "stories": _forms(wording, lambda n: plural("%(count)s new", "%(count)s new", n, count="{n}")),
        "show": text("%(what)s · show", what="{what}"),
        "newest": text("%(what)s · to the latest", what="{what}"),
        "told": text("%(label)s: %(note)s", label="{label}", note="{note}"),
        "changed": text("This page has changed."),
        "withdrawn": text("This article is no longer public."),
        "reload": text("Reload"),
    }
    return script_json(words)


def _forms(wording: Wording, form: Callable[[int], str]) -> Mapping[str, str]:
    """A text in each form that a number gives it, by the category of CLDR."""
    category = wording.locale.plural_form
    return {category(number): form(number) for number in _TELLING_NUMBERS}
