"""Decisions and heads as documents: what stands in them once, and what comes back out."""

from __future__ import annotations

from services.store.articles import Article
from services.store.decisions import Loaded
from services.store.documents import from_decision, from_head, to_decision, to_head
from services.store.folding import fold
from tests.due_parts import sent
from tests.store_parts import a_delivery, a_text, an_article, an_event, minute


def articles() -> list[Article]:
    """One that shows its newest text, one with a draft over it, one whose text waits."""
    waiting = sent("published", at=minute(0), create=True, embargo_until=minute(60))
    fresh = fold(Loaded({}, {}, {}), [a_delivery(waiting, 0)], minute(0))
    return [an_article("published"), an_article("published", "drafted"), *fresh.articles.values()]


def test_a_head_comes_back_as_it_was() -> None:
    for article in articles():
        assert to_head(from_head(article)) == article


def test_no_document_says_a_text_twice() -> None:
    for article in articles():
        said = str(from_head(article))
        texts = [article.text, *(each.text for each in (article.public, article.withheld) if each)]
        assert [said.count(repr(text.headline)) for text in texts if text] == [1] * len(texts)


def test_a_decision_comes_back_with_its_article_and_without_its_history() -> None:
    published = an_event("published", create=True)
    updated = an_event("updated", text=a_text("Siege over"), at=minute(1))
    batch = [a_delivery(event, offset) for offset, event in enumerate((published, updated))]
    folded = fold(Loaded({}, {}, {}), batch, minute(0))
    for decision in folded.fresh.values():
        document = from_decision(decision)
        assert "changes" not in document["article"]
        assert to_decision(document) == decision


def test_a_text_that_is_said_once_is_read_once() -> None:
    """So that it is cleaned once."""
    read = to_head(from_head(an_article("published")))
    assert read.public is not None
    assert read.public.text is read.text
