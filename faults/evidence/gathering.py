"""What stands when all is calm, for the checker: from the log as it is, the files, and the store's API.

What it is made of is read by `log`, `files` and `store`.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from faults.evidence.files import look_at
from faults.evidence.log import read_log
from faults.evidence.store import Store
from faults.history import Ended, Evidence, History, Revised

if TYPE_CHECKING:
    from faults.stage.arena import Arena


async def gather(arena: Arena, history: History, *, is_thorough: bool = False) -> Evidence:
    """All of it; `is_thorough`: also what a rebuild and then a replay of the log make, with which the
    newsroom is another one afterwards.

    Raises: TimeoutError, OSError, KafkaError, httpx.HTTPError.
    """
    seen = await asyncio.to_thread(look_at, arena.pages / "public")
    evidence = await read_log(arena.bootstrap)
    told = {ended.event_id for ended in history.of(Ended) if ended.event_id}
    asked = told | {filed.event_id for filed in evidence.filed if filed.event_id}
    async with Store(arena.url("store"), arena.key) as store:
        evidence = replace(
            evidence,
            revised=await store.revisions(),
            statuses=await store.statuses(asked),
            files=seen.files,
            tokens_in_files=seen.tokens,
            stale_siblings=seen.stale_siblings,
        )
    return await _made_again(arena, evidence) if is_thorough else evidence


async def _made_again(arena: Arena, evidence: Evidence) -> Evidence:
    rebuilt = await arena.rebuild()
    replayed = await arena.replay()
    return replace(evidence, rebuilt=rebuilt, replayed=replayed, revised_after_replay=await _revisions(arena))


async def _revisions(arena: Arena) -> tuple[Revised, ...]:
    async with Store(arena.url("store"), arena.key) as store:
        return await store.revisions()
