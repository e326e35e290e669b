"""The reuse rule: at most 30 % of an article's body, in whole sentences where one fits."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsroom.bodies import paragraphs
from newsroom.excerpts import excerpt
from newsroom.sentences import sentence_ends

_SENTENCE = "Ten short words stand in each of these little sentences. "
_REST = "<p>" + "What follows is a long remainder of the same body. " * 40 + "</p>"

_words = st.text(alphabet=st.characters(categories=["L", "Nd"]), min_size=1, max_size=12)
_sentences = st.lists(_words, min_size=1, max_size=30).map(lambda words: " ".join(words) + ".")
_bodies = st.lists(_sentences, min_size=1, max_size=12).map(
    lambda all_: "".join(f"<p>{one}</p>" for one in all_)
)
_any_text = st.lists(
    st.text(alphabet=st.sampled_from('aЯқ中文กा́ 0.…!?。」"»—\u00a0\u200d\u00ad'), min_size=1, max_size=80),
    min_size=1,
    max_size=6,
).map(lambda all_: "".join(f"<p>{one}</p>" for one in all_))


@given(_bodies)
def test_an_excerpt_never_exceeds_thirty_percent_of_characters_and_words(body: str) -> None:
    """Measured on the text as readers see it, NFC, white space collapsed."""
    text, quoted = " ".join(paragraphs(body)), excerpt(body)
    assert len(quoted) <= 0.3 * len(text)
    assert len(quoted.split()) <= 0.3 * len(text.split())
    assert text.startswith(quoted.removesuffix("…"))


@given(_any_text)
def test_nor_of_any_text_at_all(body: str) -> None:
    """Where spaces part no words the characters alone can be counted; it is the beginning either way."""
    text, quoted = " ".join(paragraphs(body)), excerpt(body)
    assert len(quoted) <= 0.3 * len(text)
    assert text.startswith((quoted, quoted.removesuffix("…")))
    assert quoted == unicodedata.normalize("NFC", quoted).strip()


def test_whole_sentences_are_kept() -> None:
    for tens in (1, 1_000):
        assert excerpt(f"<p>{_SENTENCE * 10 * tens}</p>") == (_SENTENCE * 3 * tens).strip()


def test_the_rule_holds_to_the_character_and_to_the_word() -> None:
    """Of 100 characters thirty may be quoted and of 100 words thirty, and not one more."""
    thirty, more = "aaaaaaaaa aaaaaaaaa aaaaaaaaa.", "Bbb " * 16 + "Bbbb."
    assert excerpt(f"<p>{thirty} {more}</p>") == thirty
    assert excerpt(f"<p>a{thirty} B{more[2:]}</p>").endswith("…")
    assert excerpt("<p>" + "a " * 29 + "word. " + "Longer " * 69 + "end.</p>").endswith("word.")
    assert excerpt("<p>" + "a " * 30 + "word. " + "Longer " * 68 + "end.</p>").endswith(" a…")


def test_a_long_first_sentence_is_cut_at_a_word() -> None:
    quoted = excerpt("<p>" + "word " * 40 + "</p>")
    assert quoted.startswith("word word")
    assert quoted.endswith("word…")


def test_no_mark_stands_before_the_cut() -> None:
    quoted = excerpt("<p>" + "said, (and) – " * 40 + "</p>")
    assert quoted.removesuffix("…")[-1] not in " ,–("


def test_a_body_too_short_gives_nothing() -> None:
    assert excerpt("<p>Short.</p>") == ""


def test_composed_and_decomposed_letters_are_one_text() -> None:
    body = "<p>" + "Café Zürich naïve. " * 20 + "</p>"
    assert excerpt(unicodedata.normalize("NFD", body)) == excerpt(body)


def test_white_space_counts_once_however_it_is_written() -> None:
    body = f"<p>{_SENTENCE * 10}</p>"
    assert excerpt(body.replace(" ", " \n&nbsp;\t")) == excerpt(body)


def test_a_paragraph_ends_a_sentence_and_a_heading_ends_none() -> None:
    """Or an excerpt would end in a promise: "Freed. What happened next"."""
    assert excerpt(f"<p>All are free.</p>{_REST}").startswith("All are free. What follows")
    body = "<p>All are free.</p><h2>What happened next</h2><p>" + "word " * 45 + "end.</p>"
    assert excerpt(body) == "All are free."


def test_a_list_that_is_only_announced_is_not_quoted() -> None:
    body = "<p>They are safe. Among them were:</p><ul><li>" + "many people of the bank " * 6 + "</li></ul>"
    assert excerpt(body) == "They are safe."


@pytest.mark.parametrize(
    "sentence",
    [
        "Mr. Lind and Dr. Bekova met Gen. Omarov of the U.S. Embassy on Jan. 5 at 10.30 a.m. local time.",
        "He waited... and then he left.",
        "“Stop!” he shouted, and “Why?” she asked.",
        "It grew by 3.5 per cent (see p. 4, fig. 2) in No. 7 of it.",
        "J. R. R. Tolkien and A. S. Byatt were named.",
        "Он сказал: «Стоп!» — и ушёл с ул. Абая, д. 5, в 2023 г. 20 июня.",
        "А. С. Пушкин, т. е. поэт, и др. Авторы получили 5 тыс. Рублей.",
        "Бұл 2023 ж. 20 маусымда Абай көш. Нөмірі бесінші үйде болды.",
        "Am 20. Juni kam er mit ca. 300 Leuten.",
        "Vgl. Band IV. Kapitel neun von ihr.",
    ],
)
def test_no_sentence_ends_at_an_abbreviation_or_within_a_quotation(sentence: str) -> None:
    assert list(sentence_ends(f"{sentence} Then it went on.")) == [len(sentence), len(sentence) + 17]


@pytest.mark.parametrize(
    ("sentence", "following"),
    [
        ("Nobody was hurt.", "They are well."),
        ("Was it so?!", "It was."),
        ("He was silent…", "Then he spoke."),
        ("“It is over.”", "The police left."),
        ("«Все свободны.»", "Он ушёл."),
        ("(So they said.)", "[More.]"),
        ("It was the sun.", "It set."),
        ("It happened in 2023.", "Nobody knew."),
        ("Барлығы аман.", "Ешкім зардап шекпеді."),
        ("هل انتهى الأمر؟", "نعم."),
        ("सब ठीक हैं।", "कोई नहीं।"),
        ("人質は解放された。", "けが人はいない。"),
        ("「終わった。」", "と彼は言った。"),
    ],
)
def test_a_sentence_ends_at_its_mark(sentence: str, following: str) -> None:
    space = "" if sentence.endswith(("。", "」")) else " "
    ends = list(sentence_ends(sentence + space + following))
    assert ends == [len(sentence), len(sentence + space + following)]


def test_whole_sentences_of_a_script_without_spaces() -> None:
    """Each of its letters counts as a word there: with words between spaces nothing could be quoted."""
    assert excerpt("<p>" + "人質は全員解放された。" * 10 + "</p>") == "人質は全員解放された。" * 3
    assert excerpt("<p>" + "ตัวประกันทั้งหมดได้รับการปล่อยตัวแล้วในวันนี้" * 4 + "</p>").endswith("…")


def test_a_cut_without_spaces_parts_no_letter_from_its_mark() -> None:
    for length in range(12, 60):
        quoted = excerpt("<p>" + ("กำลังนี้ที่" * 9)[:length] + "</p>")
        following = ("กำลังนี้ที่" * 9)[len(quoted) - 1]
        assert not quoted or unicodedata.category(following)[0] != "M"


def test_one_paragraph_as_long_as_a_body_may_be_is_quoted_like_a_short_one() -> None:
    """It takes as long as its length, not as its square: readers of the log wait for it."""
    quoted = excerpt("<p>" + "Word one is. " * 80_000 + "</p>")
    assert quoted == " ".join(["Word one is."] * 24_000)
