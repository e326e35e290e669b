"""Bugs of the store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from faults.bugs.planting import instead


def lose_the_duplicate_check() -> None:
    """An event that was decided is folded again, and its decision written over the former."""

    def wrap_fold(sound: Any) -> Any:
        def fold(loaded: Any, batch: Any, taken: Any) -> Any:
            return sound(replace(loaded, decided={}, parked=frozenset(loaded.decided)), batch, taken)

        return fold

    def wrap_insertion(_: Any) -> Any:
        from newsroom import mongo
        from services.store.documents import from_decision

        def insertion(decision: Any, _is_instead: bool) -> Any:
            return mongo.ReplaceOne({"_id": decision.event_id}, from_decision(decision), upsert=True)

        return insertion

    instead("services.store.consumer:fold", wrap_fold)
    instead("services.store.folding:is_in", lambda _: lambda _article, _record: False)
    instead("services.store.revisions:_insertion", wrap_insertion)


def swap_a_batch() -> None:
    """What came together is filed from the last to the first."""

    def wrap(sound: Any) -> Any:
        return lambda loaded, batch, taken: sound(loaded, batch[::-1], taken)

    instead("services.store.consumer:fold", wrap)


def skip_a_number() -> None:
    """A correction takes two revisions."""

    def wrap(sound: Any) -> Any:
        def apply(article: Any, event: Any, at: Any, entry: Any = None) -> Any:
            is_correction = article is not None and event.kind.value == "corrected"
            ahead = (
                article.model_copy(update={"revision": article.revision + 1}) if is_correction else article
            )
            return sound(ahead, event, at, entry)

        return apply

    instead("services.store.folding:apply", wrap)


def ignore_if_match() -> None:
    """Whoever writes last wins."""
    instead("services.store.filing:_mismatch", lambda _: lambda *_: None)


def go_by_the_clock() -> None:
    """A revision's time is when it was filed."""

    def wrap(_: Any) -> Any:
        from newsroom import times

        return lambda _time: times.now()

    instead("services.store.filing:to_moment", wrap)


def skip_embargoes() -> None:
    """Only the schedule holds a text back."""

    def wrap(sound: Any) -> Any:
        return lambda article: sound(article.model_copy(update={"embargo_until": None}))

    instead("services.store.effects:release_due", wrap)


def show_drafts() -> None:
    """Who comes without a key sees as much as a reporter."""

    def wrap(sound: Any) -> Any:
        from services.store.views import Sight

        return lambda key: Sight.DRAFTS if key is None else sound(key)

    instead("services.store.api:sight_of", wrap)


def leave_rejections_untold() -> None:
    """The outcome of what was rejected goes nowhere."""

    def wrap(sound: Any) -> Any:
        async def report(self: Any, decisions: Any) -> None:
            await sound(self, [each for each in decisions if each.rejection is None])

        return report

    instead("services.store.consumer:Filer._report", wrap)
