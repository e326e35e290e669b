"""Check 6: no commit passed unfinished work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from faults.checks.account import ENDINGS, EVENTS, UPDATES, Account
from faults.history import Sampled, Violation

OUTCOMES, LETTERS = "newsroom.outcomes", "newsroom.dead-letters"


class Effect(NamedTuple):
    """Where something that came of a record stands."""

    place: str
    offset: int


class Work(NamedTuple):
    """A record that was to be done, and what may tell that it is: any of these."""

    partition: str
    offset: int
    what: str
    effects: Sequence[Effect]


def behind_the_work(account: Account) -> Iterator[Violation]:
    """Whatever lies before a committed offset has an effect below the ends that were read *after* the commit.

    No false alarm: an effect is on the log before its record is committed, its offset never changes, and
    everything that tells effects is kept for longer than a run.
    """
    for group, works in (("store", _of_store(account)), ("render", _of_render(account))):
        samples = [each for each in account.history.of(Sampled) if each.group == group]
        yield from _passed(group, works, samples)


def _passed(group: str, works: Sequence[Work], samples: Sequence[Sampled]) -> Iterator[Violation]:
    """Each work is judged by the first sample whose commit is past it: later ends only grow."""
    for work in works:
        sample = next((s for s in samples if s.committed.get(work.partition, 0) > work.offset), None)
        if sample is None:
            continue
        if not any(effect.offset < sample.ends.get(effect.place, 0) for effect in work.effects):
            yield Violation(
                6,
                f"{group} had committed {sample.committed[work.partition]} of {work.partition} at "
                f"{sample.at:.3f}, and {work.what} (offset {work.offset}) had no effect yet; later: "
                f"{list(work.effects)[:3]}",
            )


def _of_store(account: Account) -> list[Work]:
    """Each event has an outcome, or its record a dead letter."""
    outcomes: dict[str, list[Effect]] = defaultdict(list)
    for each in account.evidence.outcomes:
        if each.event_id:
            outcomes[each.event_id].append(Effect(f"{OUTCOMES}/{each.partition}", each.offset))
    letters = _letters(account)
    return [
        Work(
            f"{EVENTS}/{each.partition}",
            each.offset,
            f"event {each.event_id}",
            [*outcomes.get(each.event_id or "", ()), *letters(EVENTS, each.partition, each.offset)],
        )
        for each in account.evidence.filed
    ]


def _of_render(account: Account) -> list[Work]:
    """Each update has a rendering of its revision or a later one, or its record a dead letter.

    An article that was ever withdrawn or retracted is left out: that is told by the last listing it leaves,
    which is work of its own.
    """
    renderings: dict[str, list[tuple[int, Effect]]] = defaultdict(list)
    for each in account.evidence.outcomes:
        if each.event_id is None and each.revision is not None:
            effect = Effect(f"{OUTCOMES}/{each.partition}", each.offset)
            renderings[each.article_id].append((each.revision, effect))
    left_out = {each.article_id for each in account.evidence.revised if each.kind in ENDINGS}
    letters = _letters(account)
    return [
        Work(
            f"{UPDATES}/{each.partition}",
            each.offset,
            f"revision {each.revision} of {each.article_id}",
            [
                *(effect for revision, effect in renderings[each.article_id] if revision >= each.revision),
                *letters(UPDATES, each.partition, each.offset),
            ],
        )
        for each in account.evidence.updated
        if each.article_id not in left_out
    ]


def _letters(account: Account) -> Callable[[str, int, int], Sequence[Effect]]:
    found: Mapping[tuple[str, int, int], list[Effect]] = defaultdict(list)
    for each in account.evidence.letters:
        found[each.of_topic, each.of_partition, each.of_offset].append(
            Effect(f"{LETTERS}/{each.partition}", each.offset)
        )
    return lambda *place: found.get(place, ())
