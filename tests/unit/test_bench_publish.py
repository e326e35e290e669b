"""What is made of publications and walks over the floor, of live entries, and of a newsroom at rest."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
from httpx_sse import EventSource

from bench import live, publish, rest
from bench.articles import an_article, an_update
from bench.costs import MEGABYTE, Cost, costs
from bench.floor import page_of
from bench.listener import Listener
from bench.live import LivePair, an_entry
from bench.publish import Turn, steps
from bench.quantiles import counted, curve, quantiles
from bench.table import Chapter, Row
from faults.stage.environment import SITE_FILE
from newsroom.articles import EntryText
from services.render.looks.look import load_look
from services.render.looks.sitefile import load_site
from services.render.pages import Pages


def a_turn(answered_ms: float = 20, floor_ms: float = 10, **moments_ms: float) -> Turn:
    """Its notice comes 5 ms after the answer; the other one's page takes 10 ms longer."""
    return Turn(
        answered=answered_ms / 1000,
        noticed=(answered_ms + 5) / 1000,
        fetched=(answered_ms + 10) / 1000,
        moments={name: at / 1000 for name, at in moments_ms.items()},
        floor={"log": floor_ms / 2000, "disk": floor_ms / 2000},
    )


def row(chapter: Chapter, what: str, unit: str) -> Row:
    (found,) = (each for each in chapter.rows if what in each.what and each.unit.startswith(unit))
    return found


def a_watch(each_mb: int = 10, cores: float = 0.001, **others: Cost) -> dict[str, Cost]:
    names = ("ingest", "store", "render", "kafka", "mongod")
    return {name: Cost(each_mb * MEGABYTE, cores) for name in names} | others


def test_quantiles_are_values_that_were_measured() -> None:
    found = quantiles([number / 1000 for number in range(1, 201)])
    assert (found.p50, found.p99) == pytest.approx((100, 198))


def test_one_value_is_every_quantile() -> None:
    assert quantiles([0.5]).p99 == pytest.approx(500)
    assert {y for _, y in curve([0.5])} == {500}


def test_a_curve_ends_with_the_highest_value() -> None:
    points = curve([number / 1000 for number in range(1, 201)])
    assert [x for x, _ in points] == list(range(1, 101))
    assert [points[49][1], points[-1][1]] == pytest.approx([100, 200])


@pytest.mark.parametrize(
    ("rounds", "told"),
    [([[1, 2], [3, 4]], "2 rounds of 2 turns"), ([[1, 2], [3], [4]], "3 rounds of 1 to 2 turns")],
)
def test_rounds_are_counted_as_they_were(rounds: Sequence[Sequence[int]], told: str) -> None:
    assert counted(rounds, "turns") == told


def test_each_round_gives_a_ratio_of_its_own() -> None:
    found = publish.chapter([[a_turn(20, 10)], [a_turn(30, 10)], [a_turn(60, 20)]])
    answer = row(found, "to its answer, p50", "x floor")
    assert answer.values == pytest.approx([2, 3, 3])
    assert answer.value == pytest.approx(3)
    assert row(found, "the floor, p50", "ms").values == pytest.approx([10, 10, 20])


def test_p99_is_of_the_turns_of_all_rounds_and_keeps_its_goal() -> None:
    """A few slow turns of one round are not its p99: of a hundred turns, one may be slower."""
    slow = [a_turn(90, 10)] + [a_turn(20, 10)] * 59
    found = publish.chapter([slow, [a_turn(20, 10)] * 60, [a_turn(20, 10)] * 60])
    ratio = row(found, "to its answer, p99", "x floor")
    assert list(ratio.values) == pytest.approx([2])
    assert ratio.goal is not None
    assert ratio.goal.bound == 4
    assert list(row(found, "to its answer, p99", "ms").values) == pytest.approx([20])


@pytest.mark.parametrize(("turns", "named"), [(33, "slowest of 99"), (34, "p99")])
def test_fewer_than_a_hundred_turns_have_no_p99(turns: int, named: str) -> None:
    found = publish.chapter([[a_turn(20, 10)] * turns] * 3)
    assert row(found, f"to its answer, {named}", "x floor").value == pytest.approx(2)


def test_page_and_notice_have_their_own_times() -> None:
    found = publish.chapter([[a_turn(20, 10)]])
    assert row(found, "page fetched, by polling, slowest of 1", "x floor").value == pytest.approx(3)
    assert row(found, "notice at an open reader, p50", "x floor").value == pytest.approx(2.5)
    assert row(found, "notice at an open reader, p50", "ms").value == pytest.approx(25)


@pytest.mark.parametrize(
    ("answered_ms", "missed"),
    [
        (9.9, []),
        (10.1, ["page fetched, by polling, p50"]),
        (20.1, ["its answer, p50", "page fetched, by polling, p50", "notice at an open reader, p50"]),
        (30.1, ["its answer, p50", "by polling, p50", "by polling, slowest of 1", "open reader, p50"]),
        (
            40.1,
            [
                "its answer, p50",
                "its answer, slowest of 1",
                "by polling, p50",
                "by polling, slowest of 1",
                "reader, p50",
            ],
        ),
    ],
)
def test_goals_are_met_up_to_their_bounds(answered_ms: float, missed: list[str]) -> None:
    rows = publish.chapter([[a_turn(answered_ms, 10)]]).rows
    found = [each.what for each in rows if each.is_met is False]
    assert len(found) == len(missed)
    assert all(what.endswith(end) for what, end in zip(found, missed, strict=True))


def test_ratios_come_first_in_every_chapter() -> None:
    for found in (
        publish.chapter([[a_turn()]]),
        live.chapter(1_000, [[LivePair(0.02, 0.03)]]),
        rest.chapter([a_watch()]),
    ):
        ratios = [each.is_ratio for each in found.rows]
        assert ratios == sorted(ratios, reverse=True)


def test_steps_are_told_in_the_order_in_which_they_happened() -> None:
    turns = [a_turn(stored=9, accepted=2, fetched=20), a_turn(stored=11, accepted=4, fetched=30)]
    found = steps([turn.moments for turn in turns])
    assert [name for name, _, _ in found] == ["accepted", "stored", "fetched"]
    assert [since for _, since, _ in found] == pytest.approx([2, 9, 20])
    assert [took for _, _, took in found] == pytest.approx([2, 7, 11])


def test_a_step_that_some_publications_lack_is_left_out() -> None:
    assert [name for name, _, _ in steps([{"stored": 9, "odd": 1}, {"stored": 9}])] == ["stored"]


def test_the_details_tell_the_way_and_the_floor() -> None:
    told = "\n".join(publish.chapter([[a_turn(stored=9)]]).details)
    assert "stored" in told
    assert "disk" in told


def test_the_floor_draws_the_articles_page_alone_and_as_render_draws_it() -> None:
    look, update = (
        load_look(load_site(SITE_FILE, "http://127.0.0.1:8000")),
        an_update("a1", an_article("a1")),
    )
    page, _ = Pages.in_look(look).article(update).values()
    assert page_of(update, look) == page


async def test_a_reader_hears_a_notice_that_came_before_it_was_waited_for() -> None:
    async def stream() -> AsyncIterator[bytes]:
        yield b"event: pulse\ndata: {}\n\n"
        yield b'event: notice\ndata: {"article_id": "a1"}\n\n'
        yield b'event: notice\ndata: {"article_id": "a1"}\n\n'

    listener, is_open = Listener(), asyncio.Event()
    response = httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=stream())
    await listener.listen(EventSource(response), is_open)
    assert is_open.is_set()
    first = await listener.notice("a1")
    assert first == await listener.notice("a1") > 0


@pytest.mark.parametrize(("further_ms", "is_met"), [(39, True), (41, False)])
def test_a_live_entry_may_take_twice_the_time_of_the_first(further_ms: float, is_met: bool) -> None:
    found = live.chapter(1_000, [[LivePair(first_seconds=0.02, further_seconds=further_ms / 1000)]])
    ratio = row(found, "behind 1,000 others, p50", "x first")
    assert ratio.is_met is is_met
    assert ratio.value == pytest.approx(further_ms / 20)
    assert row(found, "the first entry, p50", "ms").value == pytest.approx(20)


def test_an_entry_is_one_that_a_live_article_takes() -> None:
    assert EntryText.model_validate(an_entry("1")).headline == "Post 1"


@pytest.mark.parametrize(
    ("watch", "missed"),
    [
        (a_watch(), []),
        (a_watch(each_mb=84), ["memory of the three services"]),
        (a_watch(kafka=Cost(1000 * MEGABYTE, 0)), ["memory of all processes"]),
        (a_watch(cores=0.011), ["processor time of all processes"]),
    ],
)
def test_a_rest_that_costs_too_much_is_told(watch: dict[str, Cost], missed: list[str]) -> None:
    found = rest.chapter([watch, watch])
    assert [each.what for each in found.rows if each.is_met is False] == missed
    assert len(found.details) == 1 + len(watch)


def test_this_process_costs_something() -> None:
    found = costs({"this": os.getpid()}, 0.01)
    assert found["this"].memory_bytes > MEGABYTE
    assert found["this"].cores >= 0
