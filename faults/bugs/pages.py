"""Bugs of render."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from faults.bugs.planting import instead

CONSUMER = "services.render.consumer"
FOLDER = "services.render.site:SiteFolder"
_HALF_SECONDS, _LATE_SECONDS = 0.08, 0.4


def tell_before_the_page_stands() -> None:
    """Editors and readers are told when the read model has the revision; the page follows."""

    def wrap(_: Any) -> Any:
        async def render(self: Any, arrival: Any, pages: Any, taken: Any) -> None:
            drawn = await self._drawing.article(arrival.update, pages | await self._behind(arrival))
            state = await self._record(arrival)
            with self._folder.unverified.touching(state.article_id) as touch:
                await self._tell(state, arrival, {"render_taken": taken}, asyncio.Event())
                await asyncio.sleep(_LATE_SECONDS)
                await self._write(state, drawn, touch)

        return render

    instead(f"{CONSUMER}:UpdateRenderer._render", wrap)


def write_in_place() -> None:
    """A file is written where it is read."""

    def wrap(_: Any) -> Any:
        def rename(_self: Any, temporary: Path, place: Path) -> None:
            content = temporary.read_bytes()
            temporary.unlink()
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("wb") as file:
                file.write(content[: len(content) // 2])
                file.flush()
                time.sleep(_HALF_SECONDS)
                file.write(content[len(content) // 2 :])

        return rename

    instead(f"{FOLDER}._rename", wrap)


def keep_stale_siblings() -> None:
    """A compressed file that is there is left as it is."""

    def wrap_put(_: Any) -> Any:
        return lambda self, temporary, place, _touch=None: self._rename(temporary, place)

    def wrap_ready(sound: Any) -> Any:
        def make_one_ready(self: Any, ready: Any, content: bytes, version: Any) -> None:
            sound(self, ready, content, version)
            for suffix in list(ready.siblings):
                if (self.root / f"{ready.path.strip('/')}{suffix}").exists():
                    ready.siblings.pop(suffix).unlink()

        return make_one_ready

    instead(f"{FOLDER}._put", wrap_put)
    instead(f"{FOLDER}._make_one_ready", wrap_ready)


def write_older_revisions() -> None:
    """An update that comes late takes the place of a newer one."""

    def wrap(sound: Any) -> Any:
        def moved_on(former: Any, arrival: Any, view: Any) -> Any:
            before = min(former.revision, arrival.update.revision - 1)
            return sound(former.model_copy(update={"revision": before}), arrival, view)

        return moved_on

    instead(f"{CONSUMER}:moved_on", wrap)
    instead(f"{CONSUMER}:standing_update", lambda _: lambda _former, arrival: arrival.update)


def drop_notices_at_reconnects() -> None:
    """A stream goes on from now, whatever the reader had before."""
    instead("services.render.live:Hub._resume", lambda _: lambda *_: None)


def keep_the_withdrawn_listed() -> None:
    """What is withdrawn stays on the home page."""

    def wrap(sound: Any) -> Any:
        from newsroom.addresses import HOME
        from newsroom.updates import Status

        def moved_on(former: Any, arrival: Any, view: Any) -> Any:
            state = sound(former, arrival, view)
            if state is None or former.card is None or state.update.status is not Status.WITHDRAWN:
                return state
            leaving = tuple(path for path in state.leaving if path != HOME)
            return state.model_copy(update={"card": former.card, "listings": (HOME,), "leaving": leaving})

        return moved_on

    instead(f"{CONSUMER}:moved_on", wrap)


def mark_listings_once() -> None:
    """The listings are written when an article enters them, and not when it moves in them or leaves."""

    def wrap(sound: Any) -> Any:
        async def to_mark(self: Any, state: Any) -> list[str]:
            return list(await sound(self, state)) if state.revision == 1 else []

        return to_mark

    instead(f"{CONSUMER}:UpdateRenderer._to_mark", wrap)
