"""The reuse rule: at most 30 % of an article's body, in whole sentences where one fits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from newsroom.bodies import paragraphs
from newsroom.excerpts import excerpt

_SENTENCE = "Ten short words stand in each of these little sentences. "

_words = st.text(alphabet=st.characters(categories=["L", "Nd"]), min_size=1, max_size=12)
_sentences = st.lists(_words, min_size=1, max_size=30).map(lambda words: " ".join(words) + ".")
_bodies = st.lists(_sentences, min_size=1, max_size=12).map(
    lambda all_: "".join(f"<p>{one}</p>" for one in all_)
)


@given(_bodies)
def test_an_excerpt_never_exceeds_thirty_percent_of_characters_and_words(body: str) -> None:
    """Measured on the text as readers see it, NFC, white space collapsed."""
    text, quoted = " ".join(paragraphs(body)), excerpt(body)
    assert len(quoted) <= 0.3 * len(text)
    assert len(quoted.split()) <= 0.3 * len(text.split())
    assert text.startswith(quoted.removesuffix("…"))


def test_whole_sentences_are_kept() -> None:
    assert excerpt(f"<p>{_SENTENCE * 10}</p>") == (_SENTENCE * 3).strip()


def test_a_long_first_sentence_is_cut_at_a_word() -> None:
    quoted = excerpt("<p>" + "word " * 40 + "</p>")
    assert quoted.startswith("word word")
    assert quoted.endswith("word…")


def test_a_body_too_short_gives_nothing() -> None:
    assert excerpt("<p>Short.</p>") == ""
