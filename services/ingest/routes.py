"""The addresses of ingest: each request becomes one event on the log, and an answer.

The order is always the same: the key, the headers, the body, the log. Nothing is done before all of it is
good.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from newsroom.events import EventKind
from newsroom.http.auth import demand, requires
from newsroom.http.bodies import Sent, read
from newsroom.http.direct import DirectRoute
from newsroom.http.docs import request_body
from newsroom.http.problems import Kind, Refused, responses
from newsroom.ids import is_event_id
from newsroom.keys import ApiKey, Role
from newsroom.outcomes import EventStatus
from newsroom.telemetry import metrics
from newsroom.topics import MAX_REQUEST_BYTES
from services.ingest import answers, calls
from services.ingest.answers import Done, Receipt
from services.ingest.calls import Call
from services.ingest.headers import PARAMETERS, Conditions, read_conditions
from services.ingest.intake import Intake, Order, make_entry_id, make_event
from services.ingest.life import Life
from services.ingest.lookup import Lookup
from services.ingest.requests import NewArticle, NewEntry, SentEntry
from services.ingest.statuses import Statuses

ArticlePath = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="The article's id", examples=["bank-siege"])
]
EntryPath = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="The entry's id", examples=["0930-police"])
]
Editor = Annotated[ApiKey, Depends(requires(Role.EDITOR))]
_AT_THE_DOOR = (
    Kind.MALFORMED_REQUEST, Kind.MALFORMED_JSON, Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.REQUEST_TIMEOUT,
    Kind.TOO_LARGE, Kind.UNSUPPORTED_MEDIA_TYPE, Kind.INVALID, Kind.KEY_REUSED, Kind.DEAD_LETTERED,
    Kind.BUSY, Kind.AWAY,
)  # fmt: skip
_OF_A_NEW_ARTICLE = (Kind.ARTICLE_EXISTS, Kind.RETRACTED, Kind.REVISION_MISMATCH)
_OF_A_CHANGE = (
    Kind.UNKNOWN_ARTICLE, Kind.ALREADY_PUBLIC, Kind.NOT_PUBLIC, Kind.RETRACTED, Kind.REVISION_MISMATCH,
)  # fmt: skip
_OF_AN_ENTRY = (Kind.UNKNOWN_ARTICLE, Kind.NOT_PUBLIC, Kind.RETRACTED, Kind.REVISION_MISMATCH)
_OF_A_NEW_ENTRY = (*_OF_AN_ENTRY, Kind.NOT_LIVE, Kind.ENTRY_EXISTS)
_OF_A_CHANGED_ENTRY = (*_OF_AN_ENTRY, Kind.UNKNOWN_ENTRY)


@dataclass(frozen=True)
class Door:
    """What the routes stand on."""

    intake: Intake
    statuses: Statuses
    lookup: Lookup
    life: Life

    async def take(self, order: Order, wait_seconds: int, *, is_new: bool) -> Response:
        """Put the event on the log, and answer: at once, or when it is settled, whatever comes first."""
        event = make_event(order)
        calls.refuse_translation_of_itself(event)
        await self.intake.accept(event)
        if wait_seconds == 0:
            return answers.receipt(event)
        standing = await self.statuses.settled(event.id, event.article_id, wait_seconds)
        metrics.waits.labels(result=standing.status.state.value if standing else "over").inc()
        if standing is None:
            return answers.receipt(event)
        return answers.settled(standing, event, is_new=is_new, waited=wait_seconds)


def article_routes(door: Door) -> APIRouter:
    """Every call that becomes an event."""
    router = APIRouter(route_class=DirectRoute, tags=["articles"])
    _add_create(router, door)
    for call in calls.CHANGES:
        _add_change(router, door, call)
    _add_entries(router, door)
    return router


def _add_create(router: APIRouter, door: Door) -> None:
    @router.post(
        "/articles",
        operation_id="create",
        summary="Publish a new article, or save it as a draft",
        description="Needs the role `editor`; `reporter` for a draft.",
        responses={
            201: _done("The page can be fetched, or the draft is stored"),
            **_answers(_OF_A_NEW_ARTICLE),
        },
        status_code=202,
        response_model=Receipt,
        openapi_extra=request_body(NewArticle, calls.CREATE_EXAMPLES) | PARAMETERS,
    )
    async def create(request: Request, key: Annotated[ApiKey, Depends(requires(Role.REPORTER))]) -> Response:
        conditions = read_conditions(request)
        sent = await read(request, NewArticle, MAX_REQUEST_BYTES)
        kind, data = calls.created(sent.content)
        demand(key, calls.NEEDED_ROLE[kind])
        order = Order(kind, sent.content.id, data, key.name, sent.raw, *_terms(conditions))
        return await door.take(order, conditions.wait_seconds, is_new=True)


def _add_change(router: APIRouter, door: Door, call: Call[Any]) -> None:
    role = calls.NEEDED_ROLE[call.kind]
    admitted = Depends(requires(role))  # no annotation could name it: it differs from call to call

    async def change(request: Request, article_id: ArticlePath, key: ApiKey = admitted) -> Response:
        conditions = read_conditions(request)
        sent: Sent[Any] = await read(request, call.body, MAX_REQUEST_BYTES)
        data = call.data(sent.content)
        order = Order(call.kind, article_id, data, key.name, sent.raw, *_terms(conditions))
        return await door.take(order, conditions.wait_seconds, is_new=False)

    router.add_api_route(
        call.path,
        change,
        methods=[call.method],
        operation_id=call.name,
        summary=call.summary,
        description=f"{call.told} Needs the role `{role.value}`.",
        responses={200: _done("The public sees it, or it is stored"), **_answers(_OF_A_CHANGE)},
        status_code=202,
        response_model=Receipt,
        openapi_extra=request_body(call.body, call.examples) | PARAMETERS,
    )


def _terms(conditions: Conditions) -> tuple[str | None, int | None]:
    return conditions.idempotency_key, conditions.expected_revision


def _done(description: str) -> dict[str, Any]:
    return {"model": Done, "description": f"With `Prefer: wait`: {description[0].lower()}{description[1:]}"}


def _answers(conflicts: tuple[Kind, ...]) -> dict[int | str, dict[str, Any]]:
    taken: dict[int | str, dict[str, Any]] = {202: {"description": "It stands on the log, not decided yet"}}
    return taken | responses(*_AT_THE_DOOR, *conflicts)


def _add_entries(router: APIRouter, door: Door) -> None:
    """Posts in a live article: added by many people at once, each changed on its own."""

    @router.post(
        "/articles/{article_id}/entries",
        operation_id="add_entry",
        summary="Add an entry to a live article",
        description="The article must be public and `live`, with nothing withheld over it. "
        "Needs the role `editor`.",
        responses={201: _done("The entry can be fetched"), **_answers(_OF_A_NEW_ENTRY)},
        status_code=202,
        response_model=Receipt,
        openapi_extra=request_body(NewEntry, calls.NEW_ENTRY_EXAMPLES) | PARAMETERS,
    )
    async def add(request: Request, article_id: ArticlePath, key: Editor) -> Response:
        conditions = read_conditions(request)
        sent = await read(request, NewEntry, MAX_REQUEST_BYTES)
        entry_id = sent.content.id or make_entry_id(key.name, article_id, conditions.idempotency_key)
        data = calls.added(sent.content, entry_id)
        order = Order(EventKind.ENTRY_ADDED, article_id, data, key.name, sent.raw, *_terms(conditions))
        return await door.take(order, conditions.wait_seconds, is_new=True)

    @router.put(
        "/articles/{article_id}/entries/{entry_id}",
        operation_id="change_entry",
        summary="Change an entry",
        description="The whole entry as it reads now, also once the article is closed or withdrawn. "
        "`If-Match` means the entry's own revision. Needs the role `editor`.",
        responses={200: _done("The entry can be fetched"), **_answers(_OF_A_CHANGED_ENTRY)},
        status_code=202,
        response_model=Receipt,
        openapi_extra=request_body(SentEntry, calls.CHANGED_ENTRY_EXAMPLES) | PARAMETERS,
    )
    async def change(request: Request, article_id: ArticlePath, entry_id: EntryPath, key: Editor) -> Response:
        conditions = read_conditions(request)
        sent = await read(request, SentEntry, MAX_REQUEST_BYTES)
        data = calls.changed(sent.content, entry_id)
        order = Order(EventKind.ENTRY_CHANGED, article_id, data, key.name, sent.raw, *_terms(conditions))
        return await door.take(order, conditions.wait_seconds, is_new=False)


def status_routes(door: Door) -> APIRouter:
    """What became of an event."""
    router = APIRouter(route_class=DirectRoute, tags=["events"])

    @router.get(
        "/events/{event_id}",
        operation_id="status",
        summary="What became of an event",
        description="`accepted`, then `stored` and `rendered`, or `rejected` or `dead_lettered`; it "
        "never goes back. An id that nobody has heard of yet is `accepted`. Needs the role `reader`.",
        response_model=EventStatus,
        response_model_exclude_none=True,
        responses=responses(Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.NOT_FOUND, Kind.AWAY),
    )
    async def status(
        request: Request,
        event_id: Annotated[str, Path(description="As the receipt gave it")],
        _: Annotated[ApiKey, Depends(requires(Role.READER))],
    ) -> Response:
        if not is_event_id(event_id):
            raise Refused(
                Kind.NOT_FOUND, "This is no event id of ours: evt_ and 26 characters of a-z and 2-7."
            )
        found = await door.lookup.status(event_id, request.headers["authorization"])
        return answers.json_answer(found, 200)

    return router
