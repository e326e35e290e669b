"""What the benchmark makes of its measurements."""

from __future__ import annotations

import json
import os

import pytest

from bench.articles import a_request, an_article, an_update
from bench.idle import Cost, idle_costs
from bench.live import LivePair, an_entry
from bench.report import Pair, as_json, as_text, quantiles, report, steps
from newsroom.articles import ArticleText, EntryText
from services.ingest.requests import NewArticle

MB = 1024 * 1024


def a_pair(page_ms: float = 30, floor_ms: float = 10, **moments_ms: float) -> Pair:
    return Pair(
        page_seconds=page_ms / 1000,
        moments={name: at / 1000 for name, at in moments_ms.items()},
        floor={"log": floor_ms / 2000, "disk": floor_ms / 2000},
    )


def costs(each_mb: int = 10, cores: float = 0.001) -> dict[str, Cost]:
    names = ("ingest", "store", "render", "kafka", "mongod")
    return {name: Cost(each_mb * MB, cores) for name in names}


def goals(*pairs: Pair, idle: dict[str, Cost]) -> dict[str, bool]:
    return {goal.what: goal.is_met for goal in report(pairs, idle).goals()}


def test_quantiles_are_values_that_were_measured() -> None:
    found = quantiles([number / 1000 for number in range(1, 201)])
    assert (found.p50, found.p99) == pytest.approx((100, 198))


def test_one_value_is_every_quantile() -> None:
    assert quantiles([0.5]).p99 == pytest.approx(500)


def test_the_floor_is_the_sum_of_its_steps() -> None:
    found = report([a_pair(floor_ms=10)], {})
    assert found.floor.p50 == pytest.approx(10)
    assert found.ratio.p50 == pytest.approx(3)


def test_steps_are_told_in_the_order_in_which_they_happened() -> None:
    pairs = [a_pair(stored=9, accepted=2, fetched=20), a_pair(stored=11, accepted=4, fetched=30)]
    found = steps(pairs)
    assert [step.name for step in found] == ["accepted", "stored", "fetched"]
    assert [step.since_post for step in found] == pytest.approx([2, 9, 20])
    assert [step.took for step in found] == pytest.approx([2, 7, 11])


def test_a_step_that_some_publications_lack_is_left_out() -> None:
    assert [step.name for step in steps([a_pair(stored=9, odd=1), a_pair(stored=9)])] == ["stored"]


def test_goals_are_met_up_to_their_bounds() -> None:
    assert all(goals(a_pair(page_ms=29), idle=costs()).values())


@pytest.mark.parametrize(
    ("pair", "idle", "missed"),
    [
        (a_pair(page_ms=31), costs(), "page p50"),
        (a_pair(), costs(each_mb=84), "the three services"),
        (a_pair(), {**costs(), "kafka": Cost(1000 * MB, 0)}, "1024 MB"),
        (a_pair(), costs(cores=0.011), "5% of a core"),
    ],
)
def test_a_goal_that_is_missed_is_told(pair: Pair, idle: dict[str, Cost], missed: str) -> None:
    assert [missed in what for what, is_met in goals(pair, idle=idle).items() if not is_met] == [True]
    assert "MISSED" in as_text(report([pair], idle))


def test_without_a_rest_nothing_is_said_of_it() -> None:
    found = report([a_pair()], {})
    assert len(found.goals()) == 1
    assert "At rest" not in as_text(found)


@pytest.mark.parametrize(("further_ms", "is_met"), [(39, True), (41, False)])
def test_a_live_entry_may_take_twice_the_time_of_the_first(further_ms: float, is_met: bool) -> None:
    live = [LivePair(first_seconds=0.02, further_seconds=further_ms / 1000)]
    found = report([a_pair()], {}, live)
    assert found.goals()[-1].is_met is is_met
    assert f"{further_ms / 20:.2f} x" in as_text(found)
    assert as_json(found)["live_ratio"]["p50"] == pytest.approx(further_ms / 20)


def test_an_entry_is_one_that_a_live_article_takes() -> None:
    assert EntryText.model_validate(an_entry("1")).headline == "Post 1"


def test_the_report_is_json() -> None:
    found = json.loads(json.dumps(as_json(report([a_pair(stored=9)], costs()))))
    assert found["page"]["p50"] == pytest.approx(30)
    assert found["ratio"]["p50"] == pytest.approx(3)
    assert found["steps"][0]["name"] == "stored"
    assert found["memory_mb"] == 50


def test_this_process_costs_something() -> None:
    found = idle_costs({"this": os.getpid()}, 0.01)
    assert found["this"].memory_bytes > MB
    assert found["this"].cores >= 0


def test_the_door_takes_the_article_and_floor_and_newsroom_write_the_same() -> None:
    article = an_article("1")
    sent = NewArticle.model_validate(a_request("bench-1", article))
    assert sent.id == "bench-1"
    assert ArticleText.model_validate(sent.model_dump(exclude_unset=True)) == article
    update = an_update("bench-1", article)
    assert update.public is not None
    assert update.public.text == article
