"""The benchmark's growth: a past that is cast, what was written, and what the rounds tell."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import bson
import pytest

from bench.articles import ZONE, a_request
from bench.growth import Cost, Plan, Round, chapter
from bench.moulds import Identity, Mould
from bench.past import MODELS, PER_DAY, TODAY, a_model
from bench.written import Written, on_site
from newsroom.events import Event, EventKind, Published
from newsroom.ids import ARTICLE_ID, is_event_id
from newsroom.mongo import Document
from newsroom.outcomes import Rendering
from services.ingest.requests import NewArticle
from services.render.listingkinds import MONTH_LIMIT
from services.store.announcing import update_of
from services.store.decisions import Loaded
from services.store.documents import from_decision, from_head
from services.store.folding import fold
from tests.render_parts import a_state
from tests.store_parts import a_delivery

ONE, OTHER = (Identity.thrown(Random(dice), TODAY - timedelta(days=dice), ZONE) for dice in (1, 3000))


def documents(number: int, of: Identity) -> list[Document]:
    """What store and render make of an article that was published then."""
    event = Event(
        id=of.event_id,
        kind=EventKind.PUBLISHED,
        article_id=of.article_id,
        time=of.time,
        data=Published(article=a_model(number, of), create=True),
        actor="bench",
        request_hash="0" * 64,
    )
    folded = fold(Loaded({}, {}, {}), [a_delivery(event, 7, 3)], of.time)
    article = folded.articles[of.article_id]
    rendering = Rendering(article_id=article.id, revision=1, path=article.path, times={"rendered": of.time})
    return [
        from_decision(folded.fresh[event.id]),
        from_head(article),
        a_state(update_of(article, (event.id,))).model_dump(mode="json"),
        rendering.model_dump(mode="json"),
    ]


@pytest.mark.parametrize("number", range(3))
def test_what_is_cast_is_what_the_services_would_have_written(number: int) -> None:
    for model, expected in zip(documents(number, ONE), documents(number, OTHER), strict=True):
        cast = Mould(bson.encode(model), ONE).cast(OTHER.words())
        assert bson.decode(cast) == expected != model


def test_ids_are_those_of_the_newsroom() -> None:
    assert ARTICLE_ID.fullmatch(ONE.article_id)
    assert is_event_id(ONE.event_id)
    assert ONE.article_id != OTHER.article_id


def test_the_door_takes_each_model() -> None:
    for number in range(MODELS):
        sent = NewArticle.model_validate(a_request(ONE.article_id, a_model(number, ONE)))
        assert sent.published_at == ONE.time


def test_a_thousand_articles_fill_each_listing_of_what_is_measured() -> None:
    """So that only what lies behind them differs from a thousand on. All of them are of one month."""
    own = {number for number in range(MODELS) if a_model(number, ONE).section == "Kazakhstan"}
    assert 1_000 * len(own) / MODELS > MONTH_LIMIT
    today, oldest = (
        moment.astimezone(ZoneInfo(ZONE)) for moment in (TODAY, TODAY - timedelta(days=1_000 / PER_DAY))
    )
    assert (oldest.year, oldest.month) == (today.year, today.month)


def test_of_the_site_what_was_written_since_counts_and_sitemaps_apart(tmp_path: Path) -> None:
    for name, size, second in (
        ("index.html", 5, 20),
        ("kazakhstan/index.html.br", 3, 20),
        ("kazakhstan/old/index.html", 100, 9),
        ("sitemap.xml", 7, 20),
        ("sitemaps/2024-06.xml", 4, 20),
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * size)
        os.utime(file, (second, second))
    assert on_site(tmp_path, 10 * 10**9) == Written(pages=8, sitemaps=11)


def a_cost(times: float = 1) -> Cost:
    return Cost(0.02 * times, 0.3 * times, Written(1_000, 2_000, 3_000, 4_000 * times, 500), 0.1)


def a_chapter(*times: float) -> tuple[dict[str, list[float]], dict[str, bool | None]]:
    """Values and goals of the rows, of rounds with 10 articles and then with 100."""
    rounds = [Round(10, a_cost(), a_cost()), *(Round(100, a_cost(), a_cost(each)) for each in times)]
    rows = chapter(rounds, Plan((10, 100), len(times), 1)).rows
    return {row.what: list(row.values) for row in rows}, {row.what: row.is_met for row in rows}


def test_each_round_gives_the_ratio_of_the_large_newsroom_to_the_small() -> None:
    values, _ = a_chapter(1, 1.5, 2)
    assert values["POST to rendered, 100 articles"] == pytest.approx([1, 1.5, 2])
    assert values["POST to rendered, 100 articles, p50"] == pytest.approx([20, 30, 40])
    assert values["bytes written, 100 articles"] == pytest.approx(
        [10_000 / 1024, 12_000 / 1024, 14_000 / 1024]
    )


def test_a_publication_may_take_a_fifth_more_and_the_fewest_articles_have_no_goal() -> None:
    assert a_chapter(1.19)[1]["POST to every listing, 100 articles"] is True
    assert a_chapter(1.21)[1]["POST to every listing, 100 articles"] is False
    assert a_chapter(1.21)[1]["POST to every listing, 10 articles"] is None


def test_bytes_are_told_by_kind_and_sitemaps_are_not_in_their_sum() -> None:
    assert a_cost().written.total == 10_000
    found = chapter([Round(10, a_cost(), a_cost(2))], Plan((10,), 1, 1))
    assert [line.split()[-2:] for line in found.details[1:]] == [["7.8", "0.5"], ["3.9", "0.5"]]
    assert [list(series.points) for series in found.plots[0].series[:2]] == [[(10, 2)], [(10, 2)]]
