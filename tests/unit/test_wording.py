"""How pages write times and directions."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from newsroom.notices import NoticeKind
from newsroom.updates import ChangeKind
from services.render import wording
from services.render.wording import direction, wording_of

ENGLISH = wording_of("en")
MOMENT = datetime(2023, 6, 20, 4, 40, 59, 999_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "full", "offset", "machine"),
    [
        ("Asia/Almaty", "20 June, 2023 | 10:40", "UTC+6", "2023-06-20T10:40:59+06:00"),
        ("UTC", "20 June, 2023 | 04:40", "UTC", "2023-06-20T04:40:59+00:00"),
        ("America/St_Johns", "20 June, 2023 | 02:10", "UTC−2:30", "2023-06-20T02:10:59-02:30"),
        ("Asia/Kathmandu", "20 June, 2023 | 10:25", "UTC+5:45", "2023-06-20T10:25:59+05:45"),
        ("Pacific/Kiritimati", "20 June, 2023 | 18:40", "UTC+14", "2023-06-20T18:40:59+14:00"),
    ],
)
def test_a_time_is_told_in_its_zone(zone: str, full: str, offset: str, machine: str) -> None:
    told = ENGLISH.when(MOMENT, zone)
    assert (told.full, told.zone, told.machine) == (full, offset, machine)


def test_a_zone_of_odd_seconds_is_told_to_machines_in_utc() -> None:
    """Before 1924 Almaty was 5 hours, 7 minutes and 48 seconds ahead, which RFC 3339 cannot write."""
    told = ENGLISH.when(datetime(1900, 1, 1, 12, tzinfo=UTC), "Asia/Almaty")
    assert told.machine == "1900-01-01T12:00:00+00:00"
    assert told.clock == "17:07"


def test_a_day_of_a_path_is_told_as_people_write_it() -> None:
    assert ENGLISH.day("2023/06/05") == "5 June, 2023"


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "ltr"),
        ("kk-Arab", "rtl"),
        ("kk", "ltr"),
        ("ar-Latn", "ltr"),
        ("UR-pk", "rtl"),
        ("pa-Arab-PK", "rtl"),
    ],
)
def test_direction_follows_the_script_then_the_language(language: str, expected: str) -> None:
    assert direction(language) == expected


def test_every_kind_has_its_words() -> None:
    assert set(wording.CHANGE_LABELS) == set(ChangeKind)
    assert set(wording.NOTICE_LABELS) == set(NoticeKind) - {NoticeKind.WITHDRAWN}
    assert set(wording.CARD_LABELS) == {kind for kind in ChangeKind if kind.is_told} - {ChangeKind.PUBLISHED}
    assert set(wording.UNTOLD_NOTES) == {ChangeKind.PUBLISHED, ChangeKind.AMENDED}
