"""How many connections a process may have open, in all and from one address."""

from __future__ import annotations

import contextlib
import resource
from ipaddress import ip_address, ip_network

import structlog

from newsroom.doorsettings import DoorSettings, networks
from newsroom.http.limits import Places, counted_as
from newsroom.telemetry import metrics

OTHER_FILES = 256
"""Left to everything that is no connection of a client: pages, the log, the documents."""
log = structlog.get_logger(__name__)


def most_connections(wanted: int) -> int:
    """As many as the process may have files open for, up to `wanted`; asks the system for all of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + OTHER_FILES
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
            soft = allowed
    possible = wanted if soft == resource.RLIM_INFINITY else min(wanted, max(1, soft - OTHER_FILES))
    if possible < wanted:
        log.warning("fewer_connections", wanted=wanted, possible=possible, open_files=soft)
    return possible


class Connections:
    """Those of one process. The addresses of trusted proxies are not counted, for all come through them."""

    def __init__(self, most: int, settings: DoorSettings) -> None:
        self._most, self._open = most, 0
        self._places = Places(settings.connections_per_address)
        trusted = networks(settings.trusted_proxies) if settings.trusted_proxies is not None else ()
        self._trusted = [ip_network(network) for network in trusted]

    @property
    def is_full(self) -> bool:
        return self._open >= self._most

    def enter(self, host: str) -> bool:
        """Whether there was a place; then it is taken until `leave`."""
        if self.is_full or not (self._is_trusted(host) or self._places.take(counted_as(host))):
            return False
        self._open += 1
        metrics.connections.set(self._open)
        return True

    def leave(self, host: str) -> None:
        self._open -= 1
        metrics.connections.set(self._open)
        if not self._is_trusted(host):
            self._places.leave(counted_as(host))

    def _is_trusted(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._trusted)
