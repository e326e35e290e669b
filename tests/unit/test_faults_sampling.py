"""Whose commits are looked at, and from which topics."""

from __future__ import annotations

import pytest

from faults.evidence.sampling import groups_of_services


def test_of_a_services_groups_only_the_one_that_moves_articles_is_sampled() -> None:
    """The others read what no promise hangs on, and their commits would hide an early one."""
    groups = [
        "store-0a1b", "store-outcomes-0a1b", "store-dead-letters-0a1b", "render-2c3d", "render-listings-2c3d"
    ]  # fmt: skip
    for names in (groups, groups[::-1]):
        assert groups_of_services(names) == {"store": "store-0a1b", "render": "render-2c3d"}


def test_nothing_is_sampled_before_both_are_there() -> None:
    with pytest.raises(TimeoutError, match="store"):
        groups_of_services(["store-0a1b", "render-listings-2c3d"])
