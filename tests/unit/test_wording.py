"""How the interface speaks: words, times, numbers and lists, language by language."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from markupsafe import Markup

from newsroom.notices import NoticeKind
from newsroom.updates import ChangeKind
from services.render.words import wording
from services.render.words.wording import direction, wording_of

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


@pytest.mark.parametrize(
    ("language", "full", "month"),
    [
        ("en", "20 June, 2023 | 10:40", "June 2023"),
        ("kk", "2023 ж. 20 маусым | 10:40", "2023 ж. маусым"),
        ("ru", "20 июня 2023 г. | 10:40", "июнь 2023 г."),
        ("ar", "20 يونيو 2023 | 10:40", "يونيو 2023"),
    ],
)
def test_dates_are_written_as_the_language_does(language: str, full: str, month: str) -> None:
    spoken = wording_of(language)
    assert plain(spoken.when(MOMENT, "Asia/Almaty").full) == full
    assert plain(spoken.month("2023/06")) == month


@pytest.mark.parametrize(
    ("language", "number", "told"),
    [
        ("en", 1, "1 min read"),
        ("kk", 2, "Оқуға 2 минут"),
        ("ru", 1, "1 минута чтения"),
        ("ru", 3, "3 минуты чтения"),
        ("ru", 11, "11 минут чтения"),
        ("ru", 21, "21 минута чтения"),
        ("ru", 12_345, "12 345 минут чтения"),
        ("ar", 2, "قراءة في دقيقتين"),
        ("ar", 3, "قراءة في 3 دقائق"),
        ("ar", 11, "قراءة في 11 دقيقة"),
    ],
)
def test_a_number_chooses_its_form(language: str, number: int, told: str) -> None:
    spoken = wording_of(language)
    assert plain(spoken.plural("%(num)s min read", "%(num)s min read", number)) == told


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "A, B and C"), ("kk", "A, B, C"), ("ru", "A, B и C"), ("ar", "A وB وC")],
)
def test_names_are_listed_as_the_language_does(language: str, told: str) -> None:
    joints = wording_of(language).joints(3)
    assert "".join(joint + name for joint, name in zip(joints, ["A", "B", "C", ""], strict=True)) == told


@pytest.mark.parametrize(
    ("language", "fallback", "spoken"),
    [
        ("kk", "en", "kk"),
        ("ru-KZ", "en", "ru-KZ"),
        ("en-GB", "kk", "en-GB"),
        ("kk-Cyrl", "en", "kk-Cyrl"),
        ("kk-Arab", "ru", "ru"),
        ("he", "kk", "kk"),
        ("he", "de", "en"),
    ],
)
def test_a_language_without_a_catalogue_falls_back(language: str, fallback: str, spoken: str) -> None:
    assert wording_of(language, fallback).language == spoken


def test_a_variety_of_a_language_has_the_words_of_the_language() -> None:
    assert wording_of("ru-KZ").text("Main page") == wording_of("ru").text("Main page") == "Главная"


def test_values_in_markup_are_escaped_and_messages_are_not() -> None:
    told = ENGLISH.markup("<b>30 %%</b> of %(name)s, %(link)s", name="<i>", link=Markup("<a>it</a>"))
    assert told == "<b>30 %</b> of &lt;i&gt;, <a>it</a>"


@pytest.mark.parametrize(
    ("language", "tag", "name"),
    [("en", "kk", "Kazakh"), ("ru", "kk-Cyrl", "казахский"), ("kk", "AR", "араб тілі"), ("en", "xx", "xx")],
)
def test_languages_are_named_in_words(language: str, tag: str, name: str) -> None:
    assert wording_of(language).language_name(tag) == name


@pytest.mark.parametrize(
    ("language", "tag", "name"),
    [
        ("en", "kk", "Қазақ тілі"),
        ("en", "ru-KZ", "Русский"),
        ("ru", "ar", "العربية"),
        ("en", "en-GB", ""),
        ("en", "xx", "xx"),
    ],
)
def test_a_language_other_than_the_pages_is_named_in_itself(language: str, tag: str, name: str) -> None:
    assert wording_of(language).foreign_name(tag) == name


@pytest.mark.parametrize(
    ("language", "zone", "name"),
    [("en", "Asia/Almaty", "Almaty"), ("ru", "Asia/Almaty", "Алматы"), ("kk", "UTC", "UTC")],
)
def test_zones_are_named_after_their_city(language: str, zone: str, name: str) -> None:
    assert wording_of(language).zone_name(zone) == name


def plain(text: str) -> str:
    """With plain spaces for those that do not break."""
    return text.replace("\u202f", " ").replace("\xa0", " ")
