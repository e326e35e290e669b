"""Slugs and paths: functions of one article."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsroom import addresses


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Gunman takes hostages at a bank", "gunman-takes-hostages-at-a-bank"),
        ("Қазақстан", "qazaqstan"),
        ("Ә Ғ Қ Ң Ө Ұ Ү Һ І", "a-gh-q-ng-o-u-u-h-i"),
        ("Әуежайда ғалымдар жаңа өнім ұсынды", "auezhayda-ghalymdar-zhanga-onim-usyndy"),
        ("Заложники в банке", "zalozhniki-v-banke"),
        ("Подъезд, ёлка, щука", "podezd-elka-shchuka"),
        ("خطة جديدة", "khth-jdydh"),
        ("Don’t panic — it's over!", "dont-panic-its-over"),
        ("../../etc/passwd", "etc-passwd"),
        ("   ", ""),
    ],
)
def test_slugs_are_ascii_words(text: str, slug: str) -> None:
    assert addresses.slugify(text) == slug


@given(st.text(max_size=300))
def test_a_slug_is_safe_in_a_path_and_stays_itself(text: str) -> None:
    slug = addresses.slugify(text)
    assert len(slug) <= addresses.MAX_SLUG
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert addresses.slugify(slug) == slug


def test_the_day_is_the_one_of_the_dateline() -> None:
    """20:30 in London is already tomorrow in Almaty."""
    late = datetime(2023, 6, 20, 20, 30, tzinfo=UTC)
    assert addresses.publication_day(late, "Asia/Almaty") == "2023/06/21"
    assert addresses.publication_day(late, "UTC") == "2023/06/20"


def test_two_articles_with_one_headline_have_two_paths() -> None:
    paths = {addresses.article_path("World", "2023/06/20", "same", article) for article in ("a", "b")}
    assert len(paths) == 2
    assert all(path.startswith("/world/2023/06/20/same-") and path.endswith("/") for path in paths)


@pytest.mark.parametrize("section", ["2023", "Tags", "live", "!!!", "Updates"])
def test_a_section_cannot_hide_a_page_of_the_site(section: str) -> None:
    assert addresses.is_reserved_section(section)


def test_an_ordinary_section_is_free() -> None:
    assert not addresses.is_reserved_section("Қазақстан")


def test_what_is_longer_than_a_name_is_not_kept() -> None:
    """A request may name millions of characters, and is refused: they must not stay."""
    kept = addresses._kept_slug.cache_info().currsize
    for number in range(5):
        assert addresses.slugify(f"{number} " + "long " * 1_000).startswith(f"{number}-long-long")
    assert addresses._kept_slug.cache_info().currsize == kept
    assert addresses.slugify("A name that nobody else has") == "a-name-that-nobody-else-has"
    assert addresses._kept_slug.cache_info().currsize == min(kept + 1, 4096)
