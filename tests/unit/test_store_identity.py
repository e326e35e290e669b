"""Which database belongs to which log."""

from __future__ import annotations

import pytest

from newsroom.errors import Misconfigured
from services.store.identity import Identity, check, new_identity


def test_a_new_database_knows_the_end_of_each_partition_and_crosses_the_empty_ones() -> None:
    identity = new_identity("log", {0: 5, 1: 0})
    assert identity.horizon == {0: 5, 1: 0}
    assert identity.crossed == {1}
    assert not identity.is_replayed
    assert identity.database_id != new_identity("log", {}).database_id


def test_a_partition_is_due_once_its_history_is_filed() -> None:
    identity = new_identity("log", {0: 5, 1: 3, 2: 0}).model_copy(update={"folded": {0: 5, 1: 2}})
    assert identity.due() == {0}


def refused(identity: Identity, newest: dict[int, int], ends: dict[int, int], cluster_id: str = "log") -> str:
    with pytest.raises(Misconfigured) as refusal:
        check(identity, cluster_id=cluster_id, newest=newest, ends=ends, name="newsroom_store")
    message = str(refusal.value)
    assert "\n" not in message
    assert "NEWSROOM_STORE_DATABASE" in message
    return message


def test_another_log_is_refused() -> None:
    message = refused(new_identity("log", {0: 0}), {}, {0: 9}, cluster_id="other")
    assert "log" in message
    assert "other" in message


@pytest.mark.parametrize("end", [0, 7])
def test_a_log_that_ends_before_a_head_is_refused(end: int) -> None:
    assert "offset 7" in refused(new_identity("log", {0: 0}), {0: 7}, {0: end})


def test_a_log_that_ends_before_the_history_did_is_refused() -> None:
    """Else the replay would wait for ever."""
    assert "offset 4" in refused(new_identity("log", {0: 5}), {}, {0: 3})


def test_a_log_without_the_partition_is_refused() -> None:
    assert "partition 11" in refused(new_identity("log", {}), {11: 0}, {0: 9})


def test_the_own_log_is_accepted_as_it_grows() -> None:
    check(new_identity("log", {0: 5}), cluster_id="log", newest={0: 7}, ends={0: 8, 1: 0}, name="x")
