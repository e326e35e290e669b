"""API keys from their topic into memory: every service reads `newsroom.keys` whole and follows it."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from newsroom.errors import BadRecord
from newsroom.kafka.reader import Reader, TopicReader
from newsroom.keys import KeyRing, decode_key
from newsroom.records import Record
from newsroom.servers import Bootstrap
from newsroom.topics import KEYS

MakeReader = Callable[[Callable[[Record], None]], Reader]
log = structlog.get_logger(__name__)


class KeyFeed:
    """Keeps `ring` as the topic says.

    Put the ring in `app.state.keys`, run `run` as a task, be ready once caught up.
    """

    def __init__(
        self, bootstrap: Bootstrap, client_id: str, *, make_reader: MakeReader | None = None
    ) -> None:
        """`make_reader` is for tests: it gets the callback and returns the reader that feeds it."""
        self.ring = KeyRing()
        if make_reader is None:
            self._reader: Reader = TopicReader(bootstrap, KEYS, self._take, client_id=f"{client_id}-keys")
        else:
            self._reader = make_reader(self._take)

    @property
    def is_caught_up(self) -> bool:
        """True once every key that stood at the start has been read."""
        return self._reader.is_caught_up

    async def run(self) -> None:
        """Follow the topic until `stop`, through outages."""
        await self._reader.run()

    async def stop(self) -> None:
        await self._reader.stop()

    async def catch_up(self, timeout_seconds: float) -> bool:
        """Wait until everything written up to now has been read; False when that was not done in time."""
        return await self._reader.catch_up(timeout_seconds)

    def _take(self, record: Record) -> None:
        try:
            self.ring.put(decode_key(record))
        except BadRecord as error:
            log.warning("key_record_skipped", offset=record.offset, reason=str(error))
