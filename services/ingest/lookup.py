"""The status of an event: what was read lately or what the store says, whichever has come further."""

from __future__ import annotations

import httpx
import structlog
from pydantic import ValidationError

from newsroom.errors import Away
from newsroom.kafka.reader import Reader
from newsroom.outcomes import EventState, EventStatus
from newsroom.telemetry import current_traceparent, metrics
from services.ingest.statuses import Statuses, further

CATCH_UP_SECONDS = 1.0
STORE_SECONDS = 2.0
log = structlog.get_logger(__name__)


class Lookup:
    """Answers for any event of any instance, and goes back on no answer while the store can be asked."""

    def __init__(self, statuses: Statuses, outcomes: Reader, store: httpx.AsyncClient) -> None:
        self._statuses = statuses
        self._outcomes = outcomes
        self._store = store

    async def status(self, event_id: str, authorization: str) -> EventStatus:
        """Where the event stands; an id that nobody knows yet is *accepted*.

        First the log is read as far as it goes now, so that this answer is no older than any other
        instance's. Only a last state needs no store: an outcome that is told again may outlive in memory the
        rendering that followed it. Raises: Away when the store alone could tell and does not answer.
        """
        await self.catch_up()
        own = self._statuses.standing(event_id)
        if own is not None and own.is_final:
            return own.status
        accepted = EventStatus(event_id=event_id, state=EventState.ACCEPTED)
        try:
            told = await self._ask_store(event_id, authorization)
        except Away:
            if own is None:
                raise
            return own.status
        return further(own.status if own else accepted, told or accepted)

    async def catch_up(self) -> bool:
        """Know all that became of events up to now; False when that was not read in time."""
        return await self._outcomes.catch_up(CATCH_UP_SECONDS)

    async def _ask_store(self, event_id: str, authorization: str) -> EventStatus | None:
        """What the store says; None where it has not heard of the event. Raises: Away."""
        headers = {"Authorization": authorization, "traceparent": current_traceparent() or ""}
        try:
            answer = await self._store.get(f"/events/{event_id}", headers=headers, timeout=STORE_SECONDS)
            if answer.status_code == httpx.codes.NOT_FOUND:
                return None
            answer.raise_for_status()
            return EventStatus.model_validate_json(answer.content)
        except (httpx.HTTPError, ValidationError) as error:
            metrics.outages.labels(dependency="store").inc()
            log.warning("store_away", reason=type(error).__name__)
            raise Away("store", type(error).__name__) from error
