"""Check 2: an event has one effect, revisions only grow and have no gaps, and per article the order is the
log's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from faults.checks.account import EVENTS, Account
from faults.history import Filed, Violation


def _found(what: str) -> Violation:
    return Violation(2, what)


def once(account: Account) -> Iterator[Violation]:
    """An event id has one article, one revision at most and one end, whoever tells it; an operation one id.

    No false alarm: a dead letter alone is no end, for somebody may retry it.
    """
    effects: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for revised in account.evidence.revised:
        effects[revised.event_id].add((revised.article_id, revised.revision))
    ends: dict[str, set[tuple[str, int | None]]] = defaultdict(set)
    for outcome in account.evidence.outcomes:
        if outcome.event_id and outcome.state != "dead_lettered":
            ends[outcome.event_id].add((outcome.state, outcome.revision))
    for what, told in (("effects", effects), ("ends", ends)):
        for event_id, several in told.items():
            if len(several) > 1:
                yield _found(f"event {event_id} has {len(several)} {what}: {sorted(several, key=str)}")
    for operation in account.operations:
        if len(operation.event_ids) > 1:
            yield _found(f"{operation.name} became several events: {sorted(operation.event_ids)}")


def without_gaps(account: Account) -> Iterator[Violation]:
    """An article's revisions are 1, 2, 3 … No false alarm: the history is asked for when all is at rest."""
    for article_id, revised in account.revised_by_article.items():
        numbers = [each.revision for each in revised]
        if numbers != list(range(1, len(numbers) + 1)):
            yield _found(f"article {article_id} has the revisions {numbers}")


def as_on_the_log(account: Account) -> Iterator[Violation]:
    """Each revision's event stands on the log, behind the one of the revision before.

    No false alarm: where an event stands there several times its first record counts that did not become a
    dead letter, for with that one it was decided.
    """
    for revised in account.revised_by_article.values():
        known = []
        for each in revised:
            place = _effective(account, each.event_id)
            if place is None:
                yield _found(f"{each} comes of no event on the log")
            else:
                known.append((each, place))
        for (former, before), (later, behind) in pairwise(known):
            if (before.partition, before.offset) >= (behind.partition, behind.offset):
                yield _found(f"{later} comes of {behind}, {former} of {before}: not the log's order")


def _effective(account: Account, event_id: str) -> Filed | None:
    places = account.filed_by_event.get(event_id, ())
    sound = [each for each in places if (EVENTS, each.partition, each.offset) not in account.lettered]
    return min(sound or places, key=lambda each: each.offset, default=None)


def as_acknowledged(account: Account) -> Iterator[Violation]:
    """What an editor began after another event of the article was acknowledged stands behind it on the log.

    No false alarm: the first was on the log when it was acknowledged, and a record of the second cannot have
    been written before its first attempt.
    """
    for group in account.by_article.values():
        there = [each for each in group if each.is_filed]
        for first in there:
            answer = first.acknowledged
            for second in there:
                if answer is None or second.first.at <= answer.at:
                    continue
                before, behind = first.places[0], second.places[0]
                if before.partition == behind.partition and before.offset > behind.offset:
                    yield _found(
                        f"{first.name} was acknowledged at {answer.at:.3f}, {second.name} begun at "
                        f"{second.first.at:.3f}; on the log they stand at {before} and {behind}"
                    )


def only_where_it_matches(account: Account) -> Iterator[Violation]:
    """A change with `If-Match` follows on the revision that it names.

    No false alarm: of a change to an entry the header means the entry, so it is left out.
    """
    for operation in account.operations:
        named = operation.first.if_match
        if named is None or operation.revision is None or operation.kind == "entry_changed":
            continue
        if operation.revision != named + 1:
            yield _found(f"{operation.name} asked for revision {named} and became {operation.revision}")


def of_the_outcomes(account: Account) -> Iterator[Violation]:
    """What an outcome calls stored is that revision of its article. No false alarm: both are for ever."""
    revisions = {each.event_id: (each.article_id, each.revision) for each in account.evidence.revised}
    for outcome in account.evidence.outcomes:
        if outcome.event_id is None or outcome.state != "stored":
            continue
        if revisions.get(outcome.event_id) != (outcome.article_id, outcome.revision):
            yield _found(
                f"{outcome} tells of another revision than stands: {revisions.get(outcome.event_id)}"
            )
