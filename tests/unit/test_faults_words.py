"""The words of the experiment's editors, and how their tokens are found again."""

from __future__ import annotations

import json
from random import Random

import pytest

from faults.load.words import Words, find
from newsroom.addresses import slugify
from services.ingest.requests import NewArticle, NewEntry


def some_words(seed: int = 1) -> Words:
    return Words(Random(seed))


def test_a_token_is_found_wherever_its_article_tells_it() -> None:
    words = some_words()
    token = words.token()
    article = words.article(7, token, has_slug=True)

    assert find(article["headline"]) == find(article["deck"]) == find(article["body"]) == (token,)


@pytest.mark.parametrize(
    "form", ["<p>{}</p>", "<title>A {} b</title>", '{{"text": "A {} b"}}', "a {}, b", "({})"]
)
def test_a_token_is_found_in_every_form_that_a_text_takes(form: str) -> None:
    assert find(form.format("zq0123456789")) == ("zq0123456789",)


@pytest.mark.parametrize(
    "text", ["evt_zq0123456789abcdefghijkl", "azq0123456789", "zq012345678", "ZQ0123456789"]
)
def test_part_of_another_word_is_no_token(text: str) -> None:
    assert find(text) == ()


def test_each_token_is_told_once_in_the_order_of_the_alphabet() -> None:
    assert find("zqbbbbbbbbbb zqaaaaaaaaaa zqbbbbbbbbbb") == ("zqaaaaaaaaaa", "zqbbbbbbbbbb")


def test_no_address_is_made_of_a_token() -> None:
    """A slug stays when the text that it was made of is gone."""
    words = some_words()
    for number in range(50):
        token = words.token()
        article = words.article(number, token, has_slug=number % 2 == 0)
        assert not find(article.get("slug") or slugify(article["headline"]))


def test_the_door_takes_what_they_write() -> None:
    words = some_words()
    for number in range(50):
        token = words.token()
        NewArticle.model_validate_json(json.dumps(words.article(number, token, has_slug=True)))
        NewEntry.model_validate_json(json.dumps(words.entry(number, token)))


def test_the_same_seed_writes_the_same_words() -> None:
    one, other = some_words(5), some_words(5)

    assert [one.token(), one.note("zq")] == [other.token(), other.note("zq")]
