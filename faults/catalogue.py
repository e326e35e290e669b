"""Every fault by name, in the order in which the table tells them."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

from faults.fault import Fault
from faults.kinds import (
    clock,
    deskwork,
    disk,
    documents,
    drawing,
    log,
    network,
    poison,
    processes,
    proofs,
    readers,
    rebalancing,
    records,
)

if TYPE_CHECKING:
    from faults.stage.arena import Arena

_QUIET_SECONDS = 4.0


class Unknown(Exception):
    """There is no fault of that name. Says which there are."""


async def _nothing(_arena: Arena, _dice: Random) -> None:
    await asyncio.sleep(_QUIET_SECONDS)


NOTHING = Fault("nothing", "Nothing is broken. What is found then is wrong in the experiment.", _nothing)
HIDDEN = (NOTHING, *proofs.FAULTS)
"""Not of the table; they are there by their names alone."""

ALL: tuple[Fault, ...] = (
    *processes.FAULTS,
    *rebalancing.FAULTS,
    *log.FAULTS,
    *documents.FAULTS,
    *network.FAULTS,
    *clock.FAULTS,
    *records.FAULTS,
    *poison.FAULTS,
    *drawing.FAULTS,
    *disk.FAULTS,
    *readers.FAULTS,
    *deskwork.FAULTS,
)


def named(name: str) -> Fault:
    """Raises: Unknown."""
    for fault in (*HIDDEN, *ALL):
        if fault.name == name:
            return fault
    raise Unknown(f"there is no fault {name!r}, but {', '.join(fault.name for fault in ALL)}")
