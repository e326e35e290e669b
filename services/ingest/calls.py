"""The calls that become events: which body each takes, what event it is, and the role that it needs.

One table, read by the routes and by the documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from newsroom.articles import Contract, EntryId
from newsroom.errors import FieldError, Invalid
from newsroom.events import (
    Amended,
    Corrected,
    Drafted,
    EntryAdded,
    EntryChanged,
    Event,
    EventData,
    EventKind,
    Published,
    Retracted,
    Updated,
    Withdrawn,
)
from newsroom.http.problems import pointer
from newsroom.keys import Role
from services.ingest.requests import (
    Amendment,
    Correction,
    NewArticle,
    NewEntry,
    Retraction,
    SentArticle,
    SentDraft,
    SentEntry,
    Update,
    Withdrawal,
)

BodyT = TypeVar("BodyT", bound=Contract)
Examples = dict[str, tuple[str, Any]]

NEEDED_ROLE: Mapping[EventKind, Role] = {
    EventKind.DRAFTED: Role.REPORTER,
    EventKind.PUBLISHED: Role.EDITOR,
    EventKind.UPDATED: Role.EDITOR,
    EventKind.AMENDED: Role.EDITOR,
    EventKind.CORRECTED: Role.PUBLISHER,
    EventKind.RETRACTED: Role.PUBLISHER,
    EventKind.WITHDRAWN: Role.PUBLISHER,
    EventKind.ENTRY_ADDED: Role.EDITOR,
    EventKind.ENTRY_CHANGED: Role.EDITOR,
}

STORY: dict[str, Any] = {
    "headline": "Siege at a bank in Astana ends",
    "deck": "All hostages are free; police hold one man.",
    "body": "<p>The siege ended without casualties, the ministry said.</p>",
    "section": "Kazakhstan",
    "tags": ["Astana", "Police"],
    "authors": ["A. Reporter"],
    "dateline": {"place": "Astana, Kazakhstan", "timezone": "Asia/Almaty"},
    "language": "en",
}


@dataclass(frozen=True)
class Call(Generic[BodyT]):
    """One call on an article that stands. `data` makes the event's data of the body that was sent."""

    method: str
    path: str
    kind: EventKind
    body: type[BodyT]
    data: Callable[[BodyT], EventData]
    summary: str
    told: str
    examples: Examples

    @property
    def name(self) -> str:
        """The operation's name in the documentation."""
        return self.path.rpartition("/")[2]


def created(body: NewArticle) -> tuple[EventKind, EventData]:
    """The event that begins an article: published, or with `draft` only saved."""
    if body.draft:
        return EventKind.DRAFTED, Drafted(article=body.text(), create=True)
    return EventKind.PUBLISHED, Published(article=body.text(), dues=body.dues(), create=True)


def refuse_translation_of_itself(event: Event) -> None:
    """Raises: Invalid where an article says that it translates itself."""
    data = event.data
    if not isinstance(data, Published | Drafted | Updated | Corrected | Amended):
        return
    if data.article.translation_of == event.article_id:
        parts = () if isinstance(data, Published | Drafted) else ("article",)
        told = "is the article's own id: name the article that it translates, or leave it out"
        error = FieldError(pointer(*parts, "translation_of"), told)
        raise Invalid("One field cannot be accepted.", (error,))


def added(body: NewEntry, entry_id: EntryId) -> EntryAdded:
    """A new post; `entry_id` is its own or the one made for it."""
    return EntryAdded(entry_id=entry_id, entry=body.text())


def changed(body: SentEntry, entry_id: EntryId) -> EntryChanged:
    """A post as it reads now."""
    return EntryChanged(entry_id=entry_id, entry=body.text())


CREATE_EXAMPLES: Examples = {
    "published": ("Publish it", {"id": "bank-siege", **STORY, "breaking": True}),
    "live": ("Open a live article", {"id": "bank-siege-live", **STORY, "live": True}),
    "translation": (
        "Publish a translation",
        {
            "id": "bank-siege-kk",
            **STORY,
            "headline": "Астанадағы банктегі оқиға аяқталды",
            "deck": "Кепілде болғандардың бәрі аман; бір адам ұсталды.",
            "body": "<p>Министрліктің айтуынша, ешкім зардап шекпеген.</p>",
            "language": "kk",
            "translation_of": "bank-siege",
        },
    ),
    "draft": ("Save it as a draft", {"headline": "Bank siege", "section": "Kazakhstan", "draft": True}),
}

ENTRY: dict[str, Any] = {
    "headline": "Police enter the bank",
    "body": "<p>Two officers went in through the side door.</p>",
    "key_event": True,
    "author": "A. Reporter",
}
NEW_ENTRY_EXAMPLES: Examples = {"entry": ("A key event", {"id": "0930-police", **ENTRY})}
CHANGED_ENTRY_EXAMPLES: Examples = {
    "entry": ("The whole entry", {**ENTRY, "headline": "Police are in the bank", "pinned": True})
}

_PUBLICATION = Call(
    method="POST",
    path="/articles/{article_id}/publication",
    kind=EventKind.PUBLISHED,
    body=SentArticle,
    data=lambda body: Published(article=body.text(), dues=body.dues()),
    summary="Publish a draft, or a withdrawn article again",
    told="For an article that is not public now. One that is public already is refused: update or amend it. "
    "With `publish_at` or `embargo_until` it is withheld until then.",
    examples={"publication": ("The whole article", STORY)},
)
_DRAFT = Call(
    method="PUT",
    path="/articles/{article_id}/draft",
    kind=EventKind.DRAFTED,
    body=SentDraft,
    data=lambda body: Drafted(article=body.text()),
    summary="Save a draft",
    told="Nothing of it is public. An article that is public stays as it is, and so do schedule and embargo: "
    "no due time can be sent, not even null.",
    examples={"draft": ("Not finished yet", {"headline": "Bank siege", "section": "Kazakhstan"})},
)
_UPDATE = Call(
    method="POST",
    path="/articles/{article_id}/updates",
    kind=EventKind.UPDATED,
    body=Update,
    data=lambda body: Updated(note=body.note, article=body.article.text(), dues=body.article.dues()),
    summary="Tell new facts",
    told="The whole article as it reads now, with a note to readers that says what is new.",
    examples={"update": ("New facts", {"note": "The siege has ended.", "article": STORY})},
)
_CORRECTION = Call(
    method="POST",
    path="/articles/{article_id}/corrections",
    kind=EventKind.CORRECTED,
    body=Correction,
    data=lambda body: Corrected(
        kind=body.kind, note=body.note, article=body.article.text(), dues=body.article.dues()
    ),
    summary="Correct an error",
    told="The note tells readers what was wrong and what is right. The article stays in its place, labelled.",
    examples={
        "correction": (
            "A factual error",
            {
                "kind": "correction",
                "note": "An earlier version misstated the number of hostages: there were two.",
                "article": STORY,
            },
        )
    },
)
_AMENDMENT = Call(
    method="POST",
    path="/articles/{article_id}/amendments",
    kind=EventKind.AMENDED,
    body=Amendment,
    data=lambda body: Amended(article=body.article.text(), dues=body.article.dues()),
    summary="Mend a typo",
    told="Readers are told nothing; it shows in the history only.",
    examples={"amendment": ("A typo", {"article": STORY})},
)
_RETRACTION = Call(
    method="POST",
    path="/articles/{article_id}/retraction",
    kind=EventKind.RETRACTED,
    body=Retraction,
    data=lambda body: Retracted(note=body.note),
    summary="Retract, for good",
    told="The page stays at its address with the note in place of the text. Nothing can follow.",
    examples={"retraction": ("Unfounded", {"note": "The report was unfounded."})},
)
_WITHDRAWAL = Call(
    method="POST",
    path="/articles/{article_id}/withdrawal",
    kind=EventKind.WITHDRAWN,
    body=Withdrawal,
    data=lambda body: Withdrawn(note=body.note),
    summary="Take down",
    told="The page answers 410 until the article is published again. A publication that is still to come is "
    "cancelled. The note stays private.",
    examples={"withdrawal": ("For a while", {"note": "Legal review until Monday."})},
)
CHANGES: tuple[Call[Any], ...] = (
    _PUBLICATION, _DRAFT, _UPDATE, _CORRECTION, _AMENDMENT, _RETRACTION, _WITHDRAWAL,
)  # fmt: skip
