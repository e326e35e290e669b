"""Dead letters over HTTP, for publishers only: they may hold what nobody else may see."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import ConfigDict, Field

from newsroom.articles import Contract
from newsroom.errors import Invalid
from newsroom.http.auth import requires
from newsroom.http.problems import Kind, responses
from newsroom.kafka.dead_letters import LETTER_ID
from newsroom.keys import Role
from newsroom.times import Moment, rfc3339
from services.store import examples
from services.store.dead_letters import After, DeadLetter, State
from services.store.letterbox import Letterbox

LetterIdPath = Annotated[str, Path(pattern=LETTER_ID, examples=[examples.LETTER["id"]])]


class LetterView(Contract):
    """A dead letter: where its record stood, and why it was parked."""

    id: str = Field(description="The same whenever this record is parked again")
    state: State
    topic: str
    partition: int
    offset: int
    time: Moment = Field(description="When it was parked last")
    reason: str
    consumer: str = Field(description="Who could not process it")
    article_id: str | None = None
    event_id: str | None = None
    attempts: int = Field(description="How many times it was parked")
    size: int = Field(description="Bytes of the value")
    is_whole: bool = Field(description="False: it was too large to be kept, so it cannot be retried")


class Bytes(Contract):
    """Bytes as they are; as text too where they are UTF-8."""

    base64: str
    text: str | None = None


class LetterHeader(Contract):
    """One header of the record."""

    name: str
    value: Bytes


class WholeLetter(LetterView):
    """A dead letter with everything that its record held."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.LETTER]})

    key: Bytes | None = None
    headers: tuple[LetterHeader, ...]
    value: Bytes | None = None


class LetterList(Contract):
    """A part of the dead letters, newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.LETTERS]})

    dead_letters: tuple[LetterView, ...]
    next: str | None = Field(default=None, description="Send it as `cursor` for the next part")


class LetterQuery(Contract):
    """Which dead letters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: State | None = Field(default=None, description="Only those in this state")
    limit: int = Field(default=50, ge=1, le=100, description="Longest part of the list")
    cursor: str | None = Field(default=None, max_length=100, description="`next` of the part before")


def letter_routes(box: Letterbox) -> APIRouter:
    """`/dead-letters` and what can be done with one."""
    router = APIRouter(tags=["dead letters"], dependencies=[Depends(requires(Role.PUBLISHER))])
    refusals = (Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.INVALID, Kind.AWAY)

    @router.get(
        "/dead-letters",
        summary="Records that could not be processed",
        response_model=LetterList,
        response_model_exclude_none=True,
        responses=responses(*refusals),
    )
    async def letters(query: Annotated[LetterQuery, Query()]) -> LetterList:
        after = _read_cursor(query.cursor) if query.cursor is not None else None
        found = await box.letters.newest(query.limit + 1, query.state, after)
        page = found[: query.limit]
        return LetterList(
            dead_letters=tuple(LetterView.model_validate(_facts(each)) for each in page),
            next=_cursor(page[-1]) if len(found) > len(page) else None,
        )

    @router.get(
        "/dead-letters/{letter_id}",
        summary="One of them, with its original bytes",
        response_model=WholeLetter,
        response_model_exclude_none=True,
        responses=responses(*refusals, Kind.NOT_FOUND),
    )
    async def letter(letter_id: LetterIdPath) -> WholeLetter:
        return whole_letter(await box.find(letter_id))

    @router.post(
        "/dead-letters/{letter_id}/retry",
        summary="Write it again where it stood",
        description="With its key, bytes and headers: an event keeps its id, so it has its effect at most "
        "once. If it fails again it is the same letter, with one attempt more.",
        response_model=LetterView,
        response_model_exclude_none=True,
        responses=responses(*refusals, Kind.NOT_FOUND, Kind.CONFLICT),
    )
    async def retry(letter_id: LetterIdPath) -> LetterView:
        return LetterView.model_validate(_facts(await box.retry(letter_id)))

    @router.delete(
        "/dead-letters/{letter_id}",
        summary="Drop it",
        description="It is still shown, as dropped, as long as the log keeps it.",
        response_model=LetterView,
        response_model_exclude_none=True,
        responses=responses(*refusals, Kind.NOT_FOUND),
    )
    async def drop(letter_id: LetterIdPath) -> LetterView:
        return LetterView.model_validate(_facts(await box.drop(letter_id)))

    return router


def whole_letter(letter: DeadLetter) -> WholeLetter:
    """Everything that a letter holds."""
    record = letter.parked.record
    return WholeLetter(
        **_facts(letter),
        key=_bytes(record.key),
        headers=tuple(LetterHeader(name=name, value=_shown(value)) for name, value in record.headers),
        value=_bytes(record.value),
    )


def _facts(letter: DeadLetter) -> dict[str, Any]:
    record = letter.parked.record
    return {
        "id": letter.id,
        "state": letter.state,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "time": letter.time,
        "reason": letter.parked.reason,
        "consumer": letter.parked.consumer,
        "article_id": letter.article_id,
        "event_id": letter.event_id,
        "attempts": letter.attempts,
        "size": letter.size,
        "is_whole": not letter.parked.is_cut,
    }


def _bytes(raw: bytes | None) -> Bytes | None:
    return None if raw is None else _shown(raw)


def _shown(raw: bytes) -> Bytes:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = None
    return Bytes(base64=base64.b64encode(raw).decode(), text=text)


def _cursor(letter: DeadLetter) -> str:
    return f"{rfc3339(letter.time)}~{letter.id}"


def _read_cursor(cursor: str) -> After:
    """Raises: Invalid."""
    time, is_one, letter_id = cursor.partition("~")
    if not is_one:
        raise Invalid(
            "The cursor is none of this list's: send `next` of an answer as it was, or leave it out."
        )
    return After(time, letter_id)
