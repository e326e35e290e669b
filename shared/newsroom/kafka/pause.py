"""What a consumer tells on `/metrics` while it waits for what is away: for what, how often, how long."""

from __future__ import annotations

import time

from newsroom.telemetry import metrics


class Pause:
    """One wait, with any number of tries in it. Without a failed try it tells nothing."""

    def __init__(self, consumer: str) -> None:
        self._consumer = consumer
        self._dependency = ""
        self._since = time.monotonic()

    def waits_for(self, dependency: str) -> None:
        """A try failed for want of this."""
        metrics.outages.labels(dependency=dependency).inc()
        metrics.retries.labels(consumer=self._consumer).inc()
        self._count()
        self._say(waits=False)
        self._dependency = dependency
        self._say(waits=True)

    def ends(self) -> None:
        """It answered, or nobody waits for it any more."""
        self._count()
        self._say(waits=False)

    def _count(self) -> None:
        """What has passed since the last failed try."""
        now = time.monotonic()
        if self._dependency:
            metrics.paused_seconds.labels(consumer=self._consumer).inc(now - self._since)
        self._since = now

    def _say(self, *, waits: bool) -> None:
        if self._dependency:
            labels = metrics.paused.labels(consumer=self._consumer, dependency=self._dependency)
            labels.set(waits)


class Uncommitted:
    """How long a consumer's commits have failed: its coordinator is away, or it reaches the brokers only in
    part. What is not committed is read again, by whoever has the partitions then.
    """

    def __init__(self, consumer: str) -> None:
        self._told = metrics.uncommitted_seconds.labels(consumer=consumer)
        self._since: float | None = None

    def begins(self) -> None:
        """A commit failed, perhaps not the first."""
        self._since = self._since or time.monotonic()

    def ends(self) -> None:
        """A commit went through, or there is nothing to commit any more."""
        self._since = None

    def tell(self) -> None:
        """Put it on `/metrics`."""
        self._told.set(0.0 if self._since is None else time.monotonic() - self._since)
