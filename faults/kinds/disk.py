"""The disk under the pages and under the log: full, read-only, with things in it that nobody made."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from random import Random
from urllib.parse import quote

import httpx

from faults.fault import Fault, Plan
from faults.stage.arena import Arena
from faults.stage.patience import until

_PAGES, _LOG = Plan(pages_mib=96), Plan(log_mib=192)
_SECRET = "a secret of the machine"  # noqa: S105  (a text that no reader may see)
_DYING_SECONDS = 3.0
"""What met the full disk a moment ago may end only now."""
_ENCODINGS = ("identity", "gzip", "br")


class Followed(Exception):
    """What lies outside of the pages folder was read or written through a link in it."""


async def _pages_full(arena: Arena, dice: Random) -> None:
    for _ in range(2):
        arena.fill("pages")
        try:
            await asyncio.sleep(dice.uniform(4, 8))
        finally:
            arena.free("pages")
        await asyncio.sleep(1)


async def _log_full(arena: Arena, dice: Random) -> None:
    """Kafka ends itself when it cannot write, and is started again in vain until somebody makes room."""
    kept, arena.keeps_parts = arena.keeps_parts, True
    arena.fill("log")
    try:
        await asyncio.sleep(dice.uniform(5, 10))
    finally:
        arena.free("log")
        await asyncio.sleep(_DYING_SECONDS)
        await arena.kafka.start()
        arena.keeps_parts = kept


async def _pages_read_only(arena: Arena, dice: Random) -> None:
    await asyncio.to_thread(arena.read_only, "pages")
    try:
        await asyncio.sleep(dice.uniform(6, 12))
    finally:
        await asyncio.to_thread(arena.writable, "pages")


async def _links(arena: Arena, dice: Random) -> None:
    """Links and foreign files, also where pages stand; a rebuild then sweeps them away."""
    public, outside = arena.pages / "public", arena.folder / "outside"
    outside.mkdir(exist_ok=True)
    (outside / "secret.html").write_text(_SECRET)
    foreign = _put(public, outside, dice)
    await asyncio.sleep(3)
    await _check_unread(arena, [f"/{path.relative_to(public)}" for path in foreign])
    await _sweep(arena)

    async def are_gone() -> bool:
        return not any(_is_foreign(path, outside) for path in foreign)

    await until(are_gone, "the links and foreign files are gone")
    if sorted(path.name for path in outside.iterdir()) != ["secret.html"]:
        raise Followed(f"written through a link: {sorted(outside.iterdir())}")


def _put(public: Path, outside: Path, dice: Random) -> Sequence[Path]:
    """What is put there; the last ones in place of files and folders that render writes."""
    secret = outside / "secret.html"
    (public / "foreign").mkdir(exist_ok=True)
    (public / "foreign" / "note.html").write_text("nobody made this")
    links = {public / "leak.html": secret, public / "leak": outside, public / "nowhere.html": outside / "no"}
    pages = sorted(path for path in public.rglob("index.html") if path.parent != public)
    page, other = dice.sample(pages, 2)
    links |= {
        page: secret,
        other.with_name("index.html.br"): secret,
        other.with_name("index.html.gz"): secret,
    }
    for link, where in links.items():
        fresh = link.with_name(f"{link.name}-new")
        fresh.symlink_to(where)
        fresh.replace(link)
    return [*links, public / "leak" / "secret.html", public / "foreign" / "note.html"]


def _is_foreign(path: Path, outside: Path) -> bool:
    """Whether what stands there is a link, or lies behind one, or is the foreign file."""
    is_linked = path.is_symlink() or (path.exists() and path.resolve().is_relative_to(outside.resolve()))
    return is_linked or (path.exists() and "foreign" in path.parts)


async def _check_unread(arena: Arena, paths: Sequence[str]) -> None:
    """Raises: Followed."""
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        for path in [*paths, *(path.removesuffix("index.html") for path in paths)]:
            for encoding in _ENCODINGS:
                answer = await client.get(
                    arena.url("render") + quote(path), headers={"Accept-Encoding": encoding}
                )
                if _SECRET in answer.text:
                    raise Followed(f"{path} ({encoding}) shows what lies outside")


async def _sweep(arena: Arena) -> None:
    """As an operator has everything built anew: render stopped, its note deleted, render started."""
    names = [name for name in arena.names("render") if arena.alive(name)]
    for name in names:
        await arena.stop(name)
    (arena.pages / "fingerprint.json").unlink()
    for name in names:
        await arena.spawn("render", name)
    for name in names:
        await arena.ready(name)


FAULTS = (
    Fault(
        "pages-disk-full", "The disk under the pages is full, twice for some seconds.", _pages_full, _PAGES
    ),
    Fault(
        "log-disk-full",
        "The disk under the log is full, until somebody makes room; Kafka is started again as it ends.",
        _log_full,
        _LOG,
    ),
    Fault("pages-read-only", "The pages folder is read-only for a while.", _pages_read_only, _PAGES),
    Fault(
        "symlinks-in-pages",
        "Links and foreign files lie in the pages folder, also in place of pages, until a rebuild.",
        _links,
    ),
)
