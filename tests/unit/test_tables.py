"""Tables that scroll: whoever has only the keys reaches them, on an article's page and in a comparison."""

from __future__ import annotations

import pytest

from services.render.contexts.tables import reachable
from services.render.words.typography import set_markup

TABLE = "<table><tbody><tr><td>1</td></tr></tbody></table>"


@pytest.mark.parametrize("opening", ["<table", '<table lang="kk"'])
def test_every_table_can_have_the_focus(opening: str) -> None:
    body = f"<p>Before.</p>{TABLE.replace('<table', opening)}<p>Between.</p>{TABLE}"
    assert set_markup(body, "en").count("<table tabindex=") == 2
    assert reachable(body).replace(' tabindex="0"', "") == body


def test_words_about_a_table_stay_words() -> None:
    body = "<p>Write &lt;table&gt; and then rows.</p>"
    assert set_markup(body, "en") == body
