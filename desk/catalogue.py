"""What stands behind the AsyncAPI document: every kind of record on every topic, and who moves it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

from newsroom import keys, listings, notices, outcomes, topics, updates
from newsroom.events import DATA_MODELS, SCHEDULER_SOURCE, SOURCE, EventKind


@dataclass(frozen=True)
class MessageDoc:
    """One kind of record. `name` is its name in the document, `key` says what the record's key is, `subject`
    what it is about where that is something else.
    """

    name: str
    topic: str
    event_type: str
    model: type[BaseModel]
    key: str
    summary: str
    source: str
    extensions: Mapping[str, str] = field(default_factory=dict)
    subject: str = ""


_EVENT_EXTENSIONS = {
    "ce_actor": "Name of the API key that sent it, or `scheduler`",
    "ce_requesthash": "SHA-256 (hex) of the event's kind and the request's body",
    "ce_ifmatch": "Revision that If-Match named; absent: unconditional",
}
_EVENT_SUMMARIES = {
    EventKind.PUBLISHED: "First publication, or again after a withdrawal",
    EventKind.UPDATED: "New facts in a developing story",
    EventKind.CORRECTED: "A factual error mended",
    EventKind.AMENDED: "A typo or a matter of style; readers are told nothing",
    EventKind.RETRACTED: "Text taken back, for good",
    EventKind.WITHDRAWN: "Taken down; may come back",
    EventKind.DRAFTED: "Saved, not public",
    EventKind.ENTRY_ADDED: "A new post in a live article",
    EventKind.ENTRY_CHANGED: "A post in a live article as it reads now",
    EventKind.RELEASED: "A schedule or an embargo fell due: what was withheld is public now",
    EventKind.BREAKING_ENDED: "`breaking_until` fell due: the flag is gone",
}


def _event_messages() -> Iterable[MessageDoc]:
    for kind in EventKind:
        yield MessageDoc(
            f"article{''.join(word.capitalize() for word in kind.value.split('_'))}",
            topics.EVENTS,
            kind.type,
            DATA_MODELS[kind],
            "article id",
            _EVENT_SUMMARIES[kind],
            SCHEDULER_SOURCE if kind.is_due_event else SOURCE,
            _EVENT_EXTENSIONS,
        )


_HASTE = {
    "ce_haste": "`at-once`: words were taken from it; `at-leisure`: made again; absent: something is new"
}
_AGAIN = {"ce_again": "`1` in a re-announcement (a rebuild): it brings no notices"}


MESSAGES = (
    *_event_messages(),
    MessageDoc(
        "articleAnnounced",
        topics.UPDATES,
        updates.TYPE,
        updates.ArticleUpdate,
        "article id",
        "The public face of an article after a revision; of one that is not public, only why",
        updates.SOURCE,
        _AGAIN,
    ),
    MessageDoc(
        "entryAnnounced",
        topics.UPDATES,
        updates.ENTRY_TYPE,
        updates.EntryUpdate,
        "article id / entry id, in the article's partition",
        "One entry of a live article; its article's own record follows",
        updates.SOURCE,
        _AGAIN,
        subject="article id",
    ),
    MessageDoc(
        "listingMarked",
        topics.LISTINGS,
        listings.TYPE,
        listings.ListingMark,
        "path of the listing",
        "Write this listing anew, from the current state",
        listings.SOURCE,
        _HASTE,
    ),
    MessageDoc(
        "noticeTold",
        topics.NOTICES,
        notices.TYPE,
        notices.Notice,
        "article id",
        "What readers are told; the record's offset is its place in the live stream",
        notices.SOURCE,
    ),
    MessageDoc(
        "eventOutcome",
        topics.OUTCOMES,
        outcomes.EVENT_TYPE,
        outcomes.EventOutcome,
        "article id",
        "What the store did with an event: stored, rejected or dead-lettered",
        "/newsroom/store",
    ),
    MessageDoc(
        "articleRendered",
        topics.OUTCOMES,
        outcomes.RENDERING_TYPE,
        outcomes.Rendering,
        "article id",
        "What the public sees stands at this revision",
        "/newsroom/render",
    ),
    MessageDoc(
        "keyChanged", topics.KEYS, keys.TYPE, keys.ApiKey, "key name", "An API key as it stands", keys.SOURCE
    ),
)

CHANNELS = {
    topics.EVENTS: ("events", "What editors and the clock did: the source of truth, kept for ever"),
    topics.UPDATES: ("updates", "The public article after each revision, with its public history"),
    topics.LISTINGS: ("listings", "Listings to write anew, each by the owner of its key"),
    topics.NOTICES: ("notices", "What readers are told, in one order for the whole site"),
    topics.OUTCOMES: ("outcomes", "What became of each event; carries no articles"),
    topics.DEAD_LETTERS: (
        "deadLetters",
        "Records that could not be processed, as they were, and what was done with them",
    ),
    topics.KEYS: ("keys", "API keys: names, roles and digests, never a secret"),
}
SERVICES = {
    "ingest": ({topics.EVENTS, topics.KEYS}, {topics.OUTCOMES, topics.KEYS}),
    "store": (
        {topics.EVENTS, topics.UPDATES, topics.OUTCOMES, topics.DEAD_LETTERS},
        {topics.EVENTS, topics.OUTCOMES, topics.DEAD_LETTERS, topics.KEYS},
    ),
    "render": (
        {topics.LISTINGS, topics.NOTICES, topics.OUTCOMES, topics.DEAD_LETTERS},
        {topics.UPDATES, topics.LISTINGS, topics.NOTICES, topics.KEYS},
    ),
}
"""What each service writes, and what it reads."""
