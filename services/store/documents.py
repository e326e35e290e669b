"""Decisions, entries and heads as the documents that MongoDB keeps, and back. Pure.

No document says an article's text twice. What an earlier version wrote is read as what it meant.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from newsroom import mongo
from newsroom.addresses import slugify
from newsroom.articles import ArticleText
from newsroom.events import EventKind
from newsroom.outcomes import EventState
from newsroom.times import rfc3339
from newsroom.updates import Change, Status
from services.store.articles import Article, Entry, due_events, has_page, release_due, waits_for
from services.store.decisions import Decision

DECISIONS = "decisions"
ENTRIES = "entries"
HEADS = "heads"
_SAME_TEXT = "same"


def from_decision(decision: Decision) -> mongo.Document:
    """The document of a decision, by its event's id."""
    document = decision.model_dump(mode="json", exclude_none=True, exclude={"article"})
    document["_id"] = document.pop("event_id")
    if decision.article is not None:
        document["article"] = _fold_text(decision.article, without={"changes"})
    return document


def to_decision(document: Mapping[str, object]) -> Decision:
    """A decision from its document."""
    fields = dict(document)
    fields["event_id"] = fields.pop("_id")
    article = fields.get("article")
    if isinstance(article, dict):
        fields["article"] = _unfold_text(article)
    decision = Decision.model_validate(fields)
    return decision if "renders" in fields else _of_former_form(decision, fields.get("change"))


def _of_former_form(decision: Decision, change: object) -> Decision:
    """A decision of before texts were withheld: each public revision added one change, and showed."""
    if decision.state is not EventState.STORED:
        return decision
    article, shows = decision.article, decision.kind is not EventKind.DRAFTED
    added = (Change.model_validate(change),) if change else ()
    return decision.model_copy(
        update={
            "added": added,
            "corrects": added[0].kind if added and added[0].kind.is_correction else None,
            "renders": shows,
            "path": article.path if article and shows and has_page(article) else None,
        }
    )


def from_head(article: Article) -> mongo.Document:
    """The document of a head, with what lists and the scheduler find it by."""
    document = _fold_text(article)
    document["_id"] = document.pop("id")
    if article.status is Status.PUBLIC and article.public is not None and article.public.text is not None:
        document["listed"] = {
            "section": slugify(article.public.section),
            "tags": sorted({slugify(tag) for tag in article.public.text.tags}),
        }
    return {**document, **_due_fields(article)}


def _due_fields(article: Article) -> mongo.Document:
    """What falls due of it (`due_at`, `due`), and what the newest text sent waits for (`waiting`)."""
    fields: mongo.Document = {}
    if dues := due_events(article):
        fields["due_at"] = rfc3339(dues[0].due.at)
        fields["due"] = [{"kind": each.kind.value, **each.due.model_dump(mode="json")} for each in dues]
    release, what = release_due(article), waits_for(article)
    if release is not None and what is not None:
        fields["waiting"] = {"for": what, "until": rfc3339(release.at)}
    return fields


def to_head(document: Mapping[str, object]) -> Article:
    """An article from its head's document."""
    fields = _unfold_text(dict(document))
    fields["id"] = fields.pop("_id")
    return Article.model_validate(fields)


def from_entry(entry: Entry) -> mongo.Document:
    """The document of an entry, by its key."""
    return {"_id": entry.key, **entry.model_dump(mode="json", exclude_none=True)}


def to_entry(document: Mapping[str, object]) -> Entry:
    """An entry from its document."""
    return Entry.model_validate(document)


def _fold_text(article: Article, without: Collection[str] = ()) -> mongo.Document:
    """The article as a document that says a text once; `without` some of its fields."""
    holders = (("public", article.public), ("withheld", article.withheld))
    same = [place for place, holder in holders if holder is not None and holder.text == article.text]
    texts: dict[str, bool | dict[str, bool]] = {place: {"text": True} for place in same}
    left_out = texts | dict.fromkeys(without, True)
    document = article.model_dump(mode="json", exclude_none=True, exclude=left_out)
    for place in same:
        document[place]["text"] = _SAME_TEXT
    return document


def _unfold_text(document: mongo.Document) -> mongo.Document:
    """The same with each text in its place, and one that was said once read once."""
    text = ArticleText.model_validate(document["text"])
    unfolded = {**document, "text": text}
    for place in ("public", "withheld"):
        holder = document.get(place)
        if isinstance(holder, dict) and holder.get("text") == _SAME_TEXT:
            unfolded[place] = {**holder, "text": text}
    return unfolded
