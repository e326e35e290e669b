"""What the door answers: the receipt of an event at once, or what became of it to those who waited."""

from __future__ import annotations

from fastapi import Response
from pydantic import Field

from newsroom.articles import Contract
from newsroom.events import EntryAdded, EntryChanged, Event
from newsroom.http.problems import Extras, Kind, problem_response
from newsroom.keys import ApiKey, KeyName, Role
from newsroom.outcomes import EventState, RejectionCode
from newsroom.times import Moment
from services.ingest.intake import KEY_REUSED
from services.ingest.statuses import Standing

_REFUSALS: dict[RejectionCode, Kind] = {
    RejectionCode.UNKNOWN_ARTICLE: Kind.UNKNOWN_ARTICLE,
    RejectionCode.ARTICLE_EXISTS: Kind.ARTICLE_EXISTS,
    RejectionCode.ALREADY_PUBLIC: Kind.ALREADY_PUBLIC,
    RejectionCode.NOT_PUBLIC: Kind.NOT_PUBLIC,
    RejectionCode.RETRACTED: Kind.RETRACTED,
    RejectionCode.REVISION_MISMATCH: Kind.REVISION_MISMATCH,
    RejectionCode.INVALID: Kind.INVALID,
    RejectionCode.UNKNOWN_ENTRY: Kind.UNKNOWN_ENTRY,
    RejectionCode.ENTRY_EXISTS: Kind.ENTRY_EXISTS,
    RejectionCode.NOT_LIVE: Kind.NOT_LIVE,
    RejectionCode.OVERTAKEN: Kind.OVERTAKEN,
}
_EVENT = "evt_" + "a2" * 13


class Receipt(Contract):
    """The event stands on the log and will be decided; ask `status_url` what became of it."""

    event_id: str = Field(examples=[_EVENT])
    article_id: str = Field(examples=["bank-siege"])
    entry_id: str | None = Field(default=None, description="The entry, if it is about one")
    status_url: str = Field(description="Where to ask, on this service", examples=[f"/events/{_EVENT}"])


class Done(Contract):
    """What the event came to. `url` only where a page stands."""

    event_id: str = Field(examples=[_EVENT])
    article_id: str = Field(examples=["bank-siege"])
    entry_id: str | None = Field(default=None, description="The entry, if it is about one")
    revision: int = Field(
        description="The article's revision that the event made; of an entry its own too", examples=[1]
    )
    url: str | None = Field(
        default=None,
        description="The public page; absent where none stands",
        examples=["http://127.0.0.1:8000/kazakhstan/2023/06/20/siege-at-a-bank-in-astana-ends-k3v7qa/"],
    )
    state: EventState = Field(
        description="`rendered`: what the public sees is this. `stored`: nothing public follows from it",
        examples=["rendered"],
    )


class KeyEntry(Contract):
    """A key as the operator sees it: never its secret."""

    name: KeyName = Field(examples=["wire-desk"])
    role: Role = Field(examples=["editor"])
    created_at: Moment
    expires_at: Moment | None = None
    revoked_at: Moment | None = None


class MadeKey(KeyEntry):
    """A key just made. Its secret is told this once and kept nowhere."""

    secret: str = Field(examples=["nrk_" + "x" * 43])


class KeyList(Contract):
    """Every key that is or was, by name."""

    keys: tuple[KeyEntry, ...]


def key_entry(key: ApiKey) -> KeyEntry:
    """The key without what must not be told."""
    return KeyEntry(**key.model_dump(exclude={"secret_sha256"}))


def json_answer(content: Contract, status: int, headers: dict[str, str] | None = None) -> Response:
    """An answer without what is not there."""
    body = content.model_dump_json(exclude_none=True)
    return Response(body, status, headers, media_type="application/json")


def receipt(event: Event) -> Response:
    """`202`: accepted, not decided yet."""
    status_url = f"/events/{event.id}"
    content = Receipt(
        event_id=event.id, article_id=event.article_id, entry_id=_entry_id(event), status_url=status_url
    )
    return json_answer(content, 202, {"Location": status_url})


def settled(standing: Standing, event: Event, *, is_new: bool, waited: int) -> Response:
    """What became of an event that nothing further will be told of, to the request that would make it."""
    status, outcome = standing.status, standing.outcome
    if status.request_hash not in (None, event.request_hash):
        return problem_response(Kind.KEY_REUSED, KEY_REUSED, Extras(event_id=status.event_id))
    if outcome is not None and outcome.rejection is not None:
        rejection = outcome.rejection
        extras = Extras(current_revision=rejection.current_revision, event_id=status.event_id)
        return problem_response(_REFUSALS[rejection.code], rejection.detail, extras)
    if status.revision is None or status.article_id is None:
        detail = "It was kept, and an operator has to look at it: ask them with this event_id."
        return problem_response(Kind.DEAD_LETTERED, detail, Extras(event_id=status.event_id))
    content = Done(
        event_id=status.event_id,
        article_id=status.article_id,
        entry_id=_entry_id(event),
        revision=status.revision,
        url=status.url,
        state=status.state,
    )
    headers = {"Preference-Applied": f"wait={waited}"}
    if is_new:
        headers["Location"] = status.url or f"/events/{status.event_id}"
    return json_answer(content, 201 if is_new else 200, headers)


def _entry_id(event: Event) -> str | None:
    return event.data.entry_id if isinstance(event.data, EntryAdded | EntryChanged) else None
