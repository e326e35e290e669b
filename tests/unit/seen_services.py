"""Services as the doctor may find them, for tests of what it makes of that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desk.asking import Instance, Reach, Seen
from desk.numbers import Number, Numbers

READY: Mapping[str, Mapping[str, bool]] = {
    "ingest": {"kafka": True, "keys": True},
    "store": {"kafka": True, "mongodb": True, "history": True, "keys": True},
    "render": {"kafka": True, "mongodb": True, "consumers": True, "live": True, "keys": True},
}


def an_instance(service: str = "store", name: str = "") -> Instance:
    """An instance at an address of its own."""
    return Instance(name or service, service, f"http://{name or service}.example")


def a_number(name: str, value: float, **labels: str) -> Number:
    return Number(f"newsroom_{name}", labels, value)


def seen(service: str = "store", *numbers: Number, name: str = "", **changes: Any) -> Seen:
    """A service that is well, but for the changes."""
    well: dict[str, Any] = {
        "reach": Reach.ANSWERS,
        "ready": READY[service],
        "live": {"events": True},
        "numbers": Numbers(numbers),
        "ahead_seconds": 0.01,
        "age_seconds": 300.0,
    }
    return Seen(an_instance(service, name), **(well | changes))


def without(service: str, *checks: str) -> dict[str, bool]:
    """The checks of a service, some of them failing."""
    return {name: name not in checks for name in READY[service]}
