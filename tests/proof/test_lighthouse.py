"""Lighthouse on a front, an article and a live page: what does not depend on the machine's speed is perfect.

`make lighthouse` measures speed too.
"""

from __future__ import annotations

import asyncio

import pytest

from tests.lighthouse import PERFECT, scores, told
from tests.whole_site import SHOWN, WholeSite

pytestmark = pytest.mark.asyncio(loop_scope="module")

CATEGORIES = ("accessibility", "best-practices", "seo")
PAGES = ("home", "article: everything", "article: live")


@pytest.mark.browser
@pytest.mark.usefixtures("checkers")
async def test_front_article_and_live_page_lose_no_point(site: WholeSite, chromium: str) -> None:
    urls = [site.url + shown.path for shown in SHOWN if shown.name in PAGES]
    assert len(urls) == len(PAGES)
    results = await asyncio.to_thread(scores, chromium, urls, ",".join(CATEGORIES))
    lost = [line for url, each in results.items() for line in told(url, each)]
    got = [(score.category, score.score) for each in results.values() for score in each]
    assert got == [(category, PERFECT) for _ in urls for category in CATEGORIES], "\n".join(lost)
