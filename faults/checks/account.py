"""What became of each operation: the history joined with what stands when all is calm."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any

from faults.history import Calm, Ended, Evidence, Filed, History, Injected, Invoked, Read, Revised

TEXTS = frozenset(
    {"published", "updated", "corrected", "correction", "clarification", "editors_note", "amended"}
)
"""Kinds that send a whole text to the public; a correction is named in histories by its own kind."""
NOTELESS = frozenset({"published", "amended"})
"""Of these, those without a note: their words are gone from the public once a later text is there."""
ENTRIES = frozenset({"entry_added", "entry_changed"})
ENDINGS = frozenset({"withdrawn", "retracted"})
BY_TIME = frozenset({"released", "breaking_ended"})
HELD = frozenset({"scheduled", "embargoed"})
EVENTS, UPDATES = "newsroom.events", "newsroom.updates"
HEALING_SECONDS = 60.0


@dataclass(frozen=True)
class Operation:
    """One thing an editor wanted, whatever the number of attempts; `places`: its records on the log, in
    their order."""

    invoked: tuple[Invoked, ...]
    ended: tuple[Ended, ...]
    event_ids: frozenset[str]
    places: tuple[Filed, ...]
    revision: int | None
    status: Mapping[str, Any]
    """As `GET /events/{id}` tells it; empty where it was not asked or is not known."""

    @property
    def first(self) -> Invoked:
        return self.invoked[0]

    @property
    def name(self) -> str:
        return f"{self.first.operation} ({self.first.kind} of {self.article_id}, {self.first.token})"

    @property
    def kind(self) -> str:
        return self.first.kind

    @property
    def article_id(self) -> str:
        return self.first.article_id

    @property
    def acknowledged(self) -> Ended | None:
        """The first answer with a promise."""
        return next((ended for ended in self.ended if ended.result == "ok"), None)

    @property
    def is_refused(self) -> bool:
        """Each attempt was told that nothing was done."""
        return len(self.ended) >= len(self.invoked) and all(ended.result == "fail" for ended in self.ended)

    @property
    def is_filed(self) -> bool:
        """Whether it is on the log."""
        return bool(self.places)

    @property
    def state(self) -> str | None:
        return self.status.get("state")


class Account:
    """Everything that the checks ask more than once. `is_clock_true` and `calm_seconds` as in
    `faults.checks.checker.check`.
    """

    def __init__(
        self, history: History, evidence: Evidence, *, is_clock_true: bool, calm_seconds: float
    ) -> None:
        self.history, self.evidence = history, evidence
        self.is_clock_true, self.calm_seconds = is_clock_true, calm_seconds
        self.filed_by_event = _grouped((each for each in evidence.filed if each.event_id), "event_id")
        self.revised_by_article: Mapping[str, tuple[Revised, ...]] = {
            article_id: tuple(sorted(group, key=lambda each: each.revision))
            for article_id, group in _grouped(evidence.revised, "article_id").items()
        }
        self.lettered = {(each.of_topic, each.of_partition, each.of_offset) for each in evidence.letters}
        self.operations = _operations(history, evidence, self.filed_by_event)
        self.by_token = {operation.first.token: operation for operation in self.operations}
        self.by_article = _grouped(self.operations, "article_id")

    @cached_property
    def calm_at(self) -> float | None:
        """Since when everything is at rest; None: it never was."""
        return next((calm.at for calm in self.history.of(Calm)), None)

    @cached_property
    def reads(self) -> tuple[Read, ...]:
        """What readers got whole, in the order in which they asked."""
        return tuple(sorted(self.history.of(Read), key=lambda read: read.begun))

    @cached_property
    def faults(self) -> tuple[tuple[float, float], ...]:
        """When faults were on, each with the time that the newsroom may take to heal."""
        begun, spans = None, []
        for injected in self.history.of(Injected):
            if injected.step == "begins":
                begun = injected.at
            elif injected.step == "ends" and begun is not None:
                spans.append((begun, injected.at + HEALING_SECONDS))
                begun = None
        return (*spans, *([(begun, inf)] if begun is not None else []))

    def revised(self, article_id: str) -> tuple[Revised, ...]:
        """The article's revisions in their order."""
        return self.revised_by_article.get(article_id, ())

    def has_lettered_page(self, article_id: str) -> bool:
        """Whether a page of it could not be drawn, so that a former one may stand until somebody retries."""
        return any(
            (UPDATES, each.partition, each.offset) in self.lettered
            for each in self.evidence.updated
            if each.article_id == article_id
        )

    def taken_down_at(self, article_id: str) -> int:
        """The last revision that took all of the article's text from the public, 0 if none did."""
        return max((each.revision for each in self.revised(article_id) if each.kind in ENDINGS), default=0)


def _operations(
    history: History, evidence: Evidence, filed: Mapping[str, tuple[Filed, ...]]
) -> tuple[Operation, ...]:
    ended = _grouped(history.of(Ended), "operation")
    by_token: dict[str, set[str]] = defaultdict(set)
    for each in evidence.filed:
        for token in each.tokens:
            if each.event_id:
                by_token[token].add(each.event_id)
    revisions = {each.event_id: each.revision for each in evidence.revised}
    return tuple(
        _operation(group, ended.get(name, ()), by_token, filed, revisions, evidence)
        for name, group in _grouped(history.of(Invoked), "operation").items()
    )


def _operation(
    invoked: tuple[Invoked, ...],
    ended: tuple[Ended, ...],
    by_token: Mapping[str, set[str]],
    filed: Mapping[str, tuple[Filed, ...]],
    revisions: Mapping[str, int],
    evidence: Evidence,
) -> Operation:
    told = {each.event_id for each in ended if each.event_id}
    event_ids = frozenset(told | by_token.get(invoked[0].token, set()))
    places = [place for event_id in event_ids for place in filed.get(event_id, ())]
    return Operation(
        invoked=tuple(sorted(invoked, key=lambda each: each.attempt)),
        ended=tuple(sorted(ended, key=lambda each: each.at)),
        event_ids=event_ids,
        places=tuple(sorted(places, key=lambda place: (place.partition, place.offset))),
        revision=next((revisions[event_id] for event_id in event_ids if event_id in revisions), None),
        status=next((evidence.statuses[each] for each in event_ids if each in evidence.statuses), {}),
    )


def _grouped(items: Iterable[Any], by: str) -> dict[str, tuple[Any, ...]]:
    groups: dict[str, list[Any]] = defaultdict(list)
    for item in items:
        groups[getattr(item, by)].append(item)
    return {name: tuple(group) for name, group in groups.items()}
