"""Planted bugs still have a place in the code, and say what they are."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest

from faults import catalogue
from faults.bugs import planting
from faults.bugs.planted import BUGS, plant
from faults.kinds import proofs

MAINS = ("services.ingest.__main__", "services.store.__main__", "services.render.__main__")
WHERE = "services.render.live:Hub.take"


@pytest.fixture(autouse=True)
def sound_again() -> Iterator[None]:
    """No other test of this process errs."""
    yield
    planting.take_out()


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_takes_the_place_of_something(name: str) -> None:
    for main in MAINS:
        importlib.import_module(main)
    plant(name)
    assert planting.planted
    for owner, where, sound in planting.planted:
        assert vars(owner)[where] is not sound


def test_a_bug_that_fits_no_more_says_so() -> None:
    with pytest.raises(LookupError, match="nothing at"):
        planting.instead("services.render.live:Hub.gone", lambda sound: sound)


def test_bugs_can_be_taken_out_again() -> None:
    from services.render.live import Hub

    sound = Hub.take
    planting.instead(WHERE, lambda _: None)
    assert vars(Hub)["take"] is None
    planting.take_out()
    assert Hub.take is sound


def test_there_are_at_least_a_dozen_and_each_says_what_it_is() -> None:
    assert len(BUGS) >= 12
    assert all(bug.what and bug.checks <= set(range(1, 8)) for bug in BUGS.values())


def test_each_bug_shows_under_a_fault_that_there_is() -> None:
    names = {fault.name for fault in (catalogue.NOTHING, *proofs.FAULTS)}
    assert {bug.fault for bug in BUGS.values()} <= names


def test_every_check_finds_some_bug() -> None:
    assert set().union(*(bug.checks for bug in BUGS.values())) == set(range(1, 8))
