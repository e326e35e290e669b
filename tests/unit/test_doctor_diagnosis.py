"""What the doctor makes of what services say of themselves: one trouble for each thing that can be wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from desk.asking import Reach, Seen
from desk.diagnosis import Around, diagnose
from desk.findings import Finding, State
from desk.numbers import Number
from desk.troubles import Trouble
from tests.unit.seen_services import a_number, seen, without

MB = 1024 * 1024
EVERY_PARTITION = (
    a_number("consumer_partitions", 12, consumer="store"),
    a_number("consumer_partitions", 12, consumer="store-outcomes"),
    a_number("consumer_partitions", 3, consumer="store-dead-letters"),
)


def troubles(found: Sequence[Finding]) -> dict[str, Trouble]:
    """What is wrong, by the check that found it."""
    assert all(finding.advice for finding in found if finding.state is not State.OK)
    return {finding.check: finding.trouble for finding in found if finding.trouble is not None}


def diagnosed(*services: Seen, around: Around | None = None) -> dict[str, Trouble]:
    return troubles(diagnose(services, around or Around()))


def test_nothing_is_wrong_with_services_that_are_well() -> None:
    found = diagnose([seen("ingest"), seen("store", *EVERY_PARTITION), seen("render")], Around())
    assert [(finding.check, finding.state) for finding in found] == [
        ("ingest", State.OK),
        ("store", State.OK),
        ("render", State.OK),
    ]
    assert found[1].found == "ready at http://store.example, started 5 min ago"


@pytest.mark.parametrize(
    ("reach", "trouble"),
    [
        (Reach.REFUSED, Trouble.SERVICE_AWAY),
        (Reach.EMPTY, Trouble.SERVICE_AWAY),
        (Reach.FULL, Trouble.STREAMS_FULL),
        (Reach.SILENT, Trouble.SERVICE_FROZEN),
    ],
)
def test_a_service_that_does_not_answer_is_told_from_one_that_is_frozen(
    reach: Reach, trouble: Trouble
) -> None:
    assert diagnosed(seen("store", reach=reach)) == {"store": trouble}


def test_a_process_that_is_known_to_be_stopped_is_named_with_the_way_out() -> None:
    [finding] = diagnose([seen("store", reach=Reach.SILENT)], Around(frozen={"store": 4711}))
    assert finding.trouble is Trouble.SERVICE_FROZEN
    assert "kill -CONT 4711" in finding.advice


@pytest.mark.parametrize(
    ("server", "trouble"), [("kafka", Trouble.KAFKA_AWAY), ("mongodb", Trouble.MONGODB_AWAY)]
)
def test_services_that_all_wait_for_a_server_wait_for_the_server(server: str, trouble: Trouble) -> None:
    waiting = [seen(service, ready=without(service, server)) for service in ("store", "render")]
    assert diagnosed(*waiting, around=Around(answering={server: False})) == {
        "store": trouble,
        "render": trouble,
    }
    assert diagnosed(*waiting) == {"store": trouble, "render": trouble}


@pytest.mark.parametrize("server", ["kafka", "mongodb"])
def test_a_service_that_alone_does_not_reach_a_server_is_cut_off(server: str) -> None:
    """By what the doctor reaches itself, and by what another service reaches."""
    cut = seen("store", ready=without("store", server))
    assert diagnosed(cut, around=Around(answering={server: True})) == {"store": Trouble.SERVICE_CUT_OFF}
    assert diagnosed(cut, seen("render")) == {"store": Trouble.SERVICE_CUT_OFF}


def test_a_consumer_that_waits_for_what_answers_here_is_cut_off_too() -> None:
    """The group's requests may be held up while questions for metadata pass."""
    paused = a_number("paused", 1, consumer="render-updates", dependency="kafka")
    assert diagnosed(seen("render", paused)) == {"render/render-updates": Trouble.SERVICE_CUT_OFF}
    over = a_number("paused", 0, consumer="render-updates", dependency="kafka")
    assert diagnosed(seen("render", over)) == {}


def test_a_new_service_that_reads_the_log_is_starting() -> None:
    found = diagnosed(seen("store", ready=without("store", "history")), seen("render", is_stopping=True))
    assert found == {"store": Trouble.STARTING, "render": Trouble.STARTING}


def test_a_consumer_that_does_not_get_on_is_told() -> None:
    assert diagnosed(seen("store", live={"events": False})) == {"store/alive": Trouble.CONSUMER_STUCK}


@pytest.mark.parametrize(
    ("number", "found"),
    [
        (a_number("dead_letters_waiting", 2), {"store/dead-letters": Trouble.DEAD_LETTERS}),
        (a_number("dead_letters_waiting", 0), {}),
        (a_number("bad_records_in_row", 30, consumer="store"), {"store/bad-records": Trouble.BAD_RECORDS}),
        (a_number("bad_records_in_row", 1, consumer="store"), {}),
        (a_number("consumer_lag_records", 5000, consumer="store"), {"store/lag": Trouble.FALLING_BEHIND}),
        (a_number("consumer_lag_records", 50, consumer="store"), {}),
        (a_number("uncommitted_seconds", 9, consumer="store"), {"store/store": Trouble.SERVICE_CUT_OFF}),
        (a_number("uncommitted_seconds", 1, consumer="store"), {}),
        (a_number("bugs_total", 1, where="http"), {"store/bugs": Trouble.BUGS}),
        (a_number("bugs_total", 0, where="http"), {}),
        (a_number("folder_writable", 1, folder="pages"), {}),
        (a_number("folder_free_bytes", 900 * MB, folder="pages"), {}),
        (a_number("folder_free_bytes", 0, folder="pages"), {"store/pages": Trouble.DISK_FULL}),
    ],
)
def test_numbers_worth_a_look_are_told_and_others_are_not(number: Number, found: dict[str, Trouble]) -> None:
    assert diagnosed(seen("store", number)) == found


def test_pages_that_cannot_be_written_are_told_from_a_full_disk() -> None:
    paused = a_number("paused", 1, consumer="render-updates", dependency="pages folder")
    room = a_number("folder_free_bytes", 900 * MB, folder="pages")
    may = a_number("folder_writable", 1, folder="pages")
    may_not = a_number("folder_writable", 0, folder="pages")
    assert diagnosed(seen("render", paused, room, may)) == {"render/render-updates": Trouble.DISK_FULL}
    assert diagnosed(seen("render", paused, room, may_not)) == {
        "render/render-updates": Trouble.READ_ONLY,
        "render/pages": Trouble.READ_ONLY,
    }


@pytest.mark.parametrize(
    ("ahead", "state"),
    [(1.0, None), (-1.0, None), (30.0, State.WARN), (-30.0, State.WARN), (7200.0, State.FAIL)],
)
def test_a_clock_that_is_wrong_is_told_with_its_direction(ahead: float, state: State | None) -> None:
    found = [each for each in diagnose([seen("store", ahead_seconds=ahead)], Around()) if each.trouble]
    assert [each.state for each in found] == ([state] if state else [])
    if found:
        assert found[0].trouble is Trouble.CLOCK_OFF
        assert ("ahead of" if ahead > 0 else "behind") in found[0].found


def test_a_live_stream_that_is_nearly_full_is_told() -> None:
    places = a_number("stream_places", 5000)
    assert diagnosed(seen("render", places, a_number("open_streams", 4600))) == {
        "render/streams": Trouble.STREAMS_FULL
    }
    assert diagnosed(seen("render", places, a_number("open_streams", 400))) == {}


def test_partitions_of_several_instances_are_counted_together() -> None:
    halves = [
        seen("store", a_number("consumer_partitions", 6, consumer="store"), name=f"store-{number}")
        for number in (1, 2)
    ]
    assert diagnosed(*halves) == {}
    assert diagnosed(halves[0]) == {"partitions/store": Trouble.PARTITIONS_UNREAD}


def test_partitions_are_not_counted_behind_an_edge_without_the_log_or_at_a_start() -> None:
    """There one of several instances was asked; here nobody can read yet, or any more."""
    lacking = seen("store", a_number("consumer_partitions", 0, consumer="store"))
    assert diagnosed(lacking, around=Around(is_whole=False)) == {}
    assert diagnosed(lacking, around=Around(answering={"kafka": False})) == {}
    assert diagnosed(replace(lacking, age_seconds=5.0)) == {}
    assert diagnosed(lacking) == {"partitions/store": Trouble.PARTITIONS_UNREAD}
