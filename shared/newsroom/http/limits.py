"""The bounds that keep one caller from taking the place of all others: by address and by key.

Counted in each process, in memory, by the monotonic clock: a clock that is set back shuts nobody out.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from starlette.types import Scope

from newsroom.doorsettings import DoorSettings
from newsroom.http.problems import Extras, Kind, Refused
from newsroom.telemetry import metrics

_MINUTE = 60.0
_MOST_NAMES = 10_000
_V6_PREFIX = 64


class Rate:
    """At most so many a minute for each name. One that was quiet for a minute may do them all at once.

    Of very many names those are forgotten that were quiet for longest.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = _MINUTE / per_minute
        self._clock = clock
        self._free_at: dict[str, float] = {}
        """By name when all that it did will be forgotten; in the order of their last times."""

    def wait_seconds(self, name: str) -> float:
        """Count one more: 0, or in how many seconds the next may come, where it is one too many."""
        now = self._clock()
        free_at = max(now, self._free_at.pop(name, now)) + self._interval
        is_too_many = free_at - now > _MINUTE * (1 + 1e-9)
        self._free_at[name] = free_at - self._interval if is_too_many else free_at
        if len(self._free_at) > _MOST_NAMES:
            del self._free_at[next(iter(self._free_at))]
        return free_at - now - _MINUTE if is_too_many else 0.0


class Places:
    """At most so many at once for each name."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._taken = Counter[str]()

    def take(self, name: str) -> bool:
        """Whether there was one left; then it is taken until `leave`."""
        if self._taken[name] >= self._each:
            return False
        self._taken[name] += 1
        return True

    def leave(self, name: str) -> None:
        self._taken[name] -= 1
        if self._taken[name] <= 0:
            del self._taken[name]


class Limits:
    """Those of one process, at `app.state.limits`."""

    def __init__(self, settings: DoorSettings) -> None:
        self.failed_logins = Rate(settings.failed_logins_per_minute)
        self.key_requests = Rate(settings.key_requests_per_minute)


@lru_cache(maxsize=4096)
def counted_as(host: str) -> str:
    """The name under which an address is counted: of IPv6 its /64, for who has one address there has them
    all.
    """
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host[:80]
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((address, _V6_PREFIX), strict=False))


def client_of(scope: Scope) -> str:
    """The caller's address as it is counted: the one that a trusted proxy tells, else the other end's."""
    client = scope.get("client")
    return counted_as(client[0]) if client else "unknown"


def too_many(limit: str, detail: str, wait_seconds: float) -> Refused:
    """The answer to what is one too many, and when to come again; counted under the limit's name."""
    metrics.requests_limited.labels(limit=limit).inc()
    return Refused(
        Kind.TOO_MANY, detail, Extras(headers={"Retry-After": str(max(1, math.ceil(wait_seconds)))})
    )
