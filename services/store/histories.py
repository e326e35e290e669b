"""An article's history as a caller may see it: the rules of `services.store.views`, by revision. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pydantic import ConfigDict, Field

from newsroom.articles import ArticleText, Contract
from newsroom.events import EventKind
from newsroom.excerpts import excerpt
from newsroom.times import Moment
from newsroom.updates import Change, ChangeKind, Status
from services.store import examples
from services.store.articles import Article, has_page
from services.store.decisions import Decision
from services.store.views import ShownEntry, ShownText, Sight, shown_entry, shown_text

_ENTRY_KINDS = (EventKind.ENTRY_ADDED, EventKind.ENTRY_CHANGED)
_DUE_KINDS = (EventKind.RELEASED, EventKind.BREAKING_ENDED)


class RevisionView(Contract):
    """One revision in an article's history."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.REVISION]})

    revision: int
    kind: str = Field(description="What the editor declared; a correction by its own kind")
    time: Moment
    note: str | None = None
    breaking: bool = False
    changed: tuple[str, ...] = Field(
        default=(),
        description="Fields that differ from what the public saw before; of a draft, from the text before",
    )
    is_public: bool = True
    actor: str | None = Field(
        default=None, description="Name of the key it was sent with (`reporter` and up)"
    )
    event_id: str | None = Field(default=None, description="(`reporter` and up)")
    entry_id: str | None = Field(
        default=None, description="The entry that was added or changed, in a live article"
    )
    article: ShownText | None = Field(default=None, description="The text; only of a single revision")
    entry: ShownEntry | None = Field(default=None, description="The entry; only of a single revision")
    excerpt: str | None = None
    url: str | None = Field(
        default=None, description="The article's page, absolute, which a quote leads to; of a single revision"
    )


class History(Contract):
    """An article's revisions, oldest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.HISTORY]})

    article_id: str
    revisions: tuple[RevisionView, ...]


def shown_history(article: Article, decisions: Sequence[Decision], sight: Sight) -> list[RevisionView]:
    """The history as the caller may see it. `decisions` are all of the article's revisions, oldest first."""
    if sight is Sight.DRAFTS:
        told = _by_revision(change for decision in decisions for change in decision.added)
        return [_for_the_desk(decision, told) for decision in decisions]
    by_revision = {decision.revision: decision for decision in decisions}
    public = [
        _for_the_public(change, _changed(article, change, by_revision.get(change.text_at)))
        for change in article.changes
    ]
    entries = [_of_entry(decision) for decision in decisions if _is_public_entry(article, decision)]
    return sorted([*public, *entries], key=lambda view: view.revision)


def text_revision(article: Article, number: int, sight: Sight) -> int:
    """The revision whose decision has the text that the caller is to see as revision `number`."""
    change = _change(article, number)
    return change.text_at if change is not None and sight is not Sight.DRAFTS else number


def shown_revision(article: Article, number: int, decision: Decision, sight: Sight) -> RevisionView | None:
    """Revision `number` with its text or its entry; None where the caller may not see it.

    `decision` is the one that `text_revision` names, with the article after it.
    """
    change = _change(article, number)
    if sight is Sight.DRAFTS:
        told = _by_revision((*article.changes, *decision.added))
        view = _for_the_desk(decision, told)
    elif change is not None:
        view = _for_the_public(change, _changed(article, change, decision))
    elif _is_public_entry(article, decision):
        view = _of_entry(decision)
    else:
        return None
    if article.status is Status.RETRACTED:
        return view
    with_body = sight is not Sight.PUBLIC_EXCERPTS
    if decision.entry is not None:
        entry = decision.entry.text
        shown = {"entry": shown_entry(entry, with_body=with_body), "excerpt": excerpt(entry.body)}
        return view.model_copy(update=shown)
    text = desk_text(decision) if sight is Sight.DRAFTS else public_text(decision)
    return view.model_copy(
        update={
            "article": shown_text(text, with_body=with_body),
            "excerpt": excerpt(text.body) if text else None,
        }
    )


def public_text(decision: Decision) -> ArticleText | None:
    """What the public saw once the decision stood: never the newest text, which may be a draft over it."""
    face = decision.article.public if decision.article else None
    return face.text if face else None


def desk_text(decision: Decision) -> ArticleText | None:
    """The text that came with the revision; with one that time brought, the text that it showed."""
    if decision.kind in _DUE_KINDS:
        return public_text(decision)
    return decision.article.text if decision.article else None


def _change(article: Article, number: int) -> Change | None:
    """What the public is told of that revision now."""
    if not has_page(article):
        return None
    return next((change for change in article.changes if change.revision == number), None)


def _changed(article: Article, change: Change, decision: Decision | None) -> tuple[str, ...]:
    """The fields that the public saw change. Of changes that were released together, the first has them all.

    What a publication differs in from a text that was withdrawn before is not for the public.
    """
    if decision is None or change.kind is ChangeKind.PUBLISHED:
        return ()
    together = [each.revision for each in article.changes if each.text_at == change.text_at]
    return decision.changed if change.revision == together[0] else ()


def _is_public_entry(article: Article, decision: Decision) -> bool:
    """Whether it is a post that the public saw come, since the article was published last."""
    if decision.kind not in _ENTRY_KINDS or article.status is not Status.PUBLIC or not article.changes:
        return False
    return decision.renders and (decision.revision or 0) > article.changes[0].revision


def _for_the_public(change: Change, changed: tuple[str, ...]) -> RevisionView:
    return RevisionView(
        revision=change.revision,
        kind=change.kind.value,
        time=change.time,
        note=change.note,
        breaking=change.breaking,
        changed=changed,
    )


def _of_entry(decision: Decision) -> RevisionView:
    if decision.revision is None or decision.kind is None or decision.revised_at is None:
        raise ValueError(f"decision {decision.event_id} made no revision")
    return RevisionView(
        revision=decision.revision,
        kind=decision.kind.value,
        time=decision.revised_at,
        is_public=decision.renders,
        entry_id=decision.entry.id if decision.entry else None,
    )


def _by_revision(changes: Iterable[Change]) -> dict[int, Change]:
    return {change.revision: change for change in changes}


def _for_the_desk(decision: Decision, told: Mapping[int, Change]) -> RevisionView:
    """With who wrote it. `told`: what the public was told of the article's revisions, ever."""
    if decision.revision is None or decision.kind is None or decision.revised_at is None:
        raise ValueError(f"decision {decision.event_id} made no revision")
    change = told.get(decision.revision)
    return RevisionView(
        revision=decision.revision,
        kind=(decision.corrects or decision.kind).value,
        time=decision.revised_at,
        note=decision.note,
        breaking=change.breaking if change else False,
        changed=decision.changed,
        is_public=change is not None or (decision.kind in _ENTRY_KINDS and decision.renders),
        actor=decision.actor or None,
        event_id=decision.event_id,
        entry_id=decision.entry.id if decision.entry else None,
    )
