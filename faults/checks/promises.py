"""Check 1: what was acknowledged is stored, rejected with a reason or dead-lettered; what was not is wholly
there or wholly not. Looked at when all is calm: what is still on its way is not lost.
"""

from __future__ import annotations

from collections.abc import Iterator

from faults.checks.account import BY_TIME, ENDINGS, EVENTS, HELD, TEXTS, Account, Operation
from faults.history import Violation

DECIDED = frozenset({"stored", "rendered", "rejected", "dead_lettered"})
_DUE_SECONDS = 10.0
"""What fell due so long before the calm has been released by then."""


def _found(what: str) -> Violation:
    return Violation(1, what)


def kept(account: Account) -> Iterator[Violation]:
    """An `ok` means that the event is on the log. A `fail` for every attempt means that it is not.

    No false alarm: the log is read to its end after the answers, and an event id has only one operation.
    """
    for operation in account.operations:
        answer = operation.acknowledged
        if answer is not None and not operation.is_filed:
            yield _found(f"{operation.name} was acknowledged ({answer}) and is not on the log")
        elif answer is not None and answer.event_id not in account.filed_by_event:
            yield _found(f"{operation.name} was acknowledged as {answer.event_id}, which is not on the log")
        if operation.is_refused and operation.is_filed:
            yield _found(
                f"{operation.name} was refused ({operation.ended[-1]}) and is on the log: {operation.places}"
            )


def decided(account: Account) -> Iterator[Violation]:
    """Every event on the log has come to an end, the one that was promised, and a rejection has a reason.

    No false alarm: at rest nothing is on its way. An event that was dead-lettered may be stored later, when
    somebody retries it; every other promise is for ever.
    """
    statuses = account.evidence.statuses
    for event_id, places in account.filed_by_event.items():
        status = statuses.get(event_id, {})
        if status.get("state") not in DECIDED:
            yield _found(f"event {event_id} is on the log ({places}) and came to no end: {dict(status)}")
        elif status["state"] == "rejected" and not status.get("reason"):
            yield _found(f"event {event_id} was rejected without a reason: {dict(status)}")
        elif status["state"] == "dead_lettered" and not any(
            (EVENTS, place.partition, place.offset) in account.lettered for place in places
        ):
            yield _found(f"event {event_id} is called dead-lettered, and no letter holds it: {places}")
    for operation in account.operations:
        yield from _broken(operation)


def _broken(operation: Operation) -> Iterator[Violation]:
    """Promises that did not hold."""
    stands = operation.status
    for ended in operation.ended:
        if ended.result != "ok" or ended.state in (None, "accepted", "dead_lettered"):
            continue
        is_stored = ended.state in ("stored", "rendered")
        if is_stored != (operation.state in ("stored", "rendered")):
            yield _found(f"{operation.name}: {ended.state} was promised, {dict(stands)} stands: {ended}")
        elif is_stored and ended.revision is not None and ended.revision != stands.get("revision"):
            yield _found(
                f"{operation.name}: revision {ended.revision} was promised, {dict(stands)} stands: {ended}"
            )


def lettered(account: Account) -> Iterator[Violation]:
    """A record that says nothing readable has a dead letter.

    No false alarm: nothing else can come of it, and at rest every record was taken.
    """
    events = [(EVENTS, each.partition, each.offset) for each in account.evidence.filed if not each.event_id]
    others = [(each.topic, each.partition, each.offset) for each in account.evidence.unreadable]
    for place in sorted({*events, *others} - account.lettered):
        yield _found(f"the record at {place} cannot be read, and no dead letter holds it")


def whole(account: Account) -> Iterator[Violation]:
    """An event that is stored has its revision; one that is not stored has left no word in any file.

    No false alarm: a token stands in one operation only.
    """
    revised = {each.event_id for each in account.evidence.revised}
    for event_id, status in account.evidence.statuses.items():
        is_stored = status.get("state") in ("stored", "rendered")
        if is_stored != (event_id in revised):
            yield _found(f"event {event_id} is {dict(status)}; among the revisions: {event_id in revised}")
    for operation in account.operations:
        files = account.evidence.tokens_in_files.get(operation.first.token, ())
        if files and (not operation.is_filed or operation.state in ("rejected", "dead_lettered")):
            yield _found(f"{operation.name} had no effect, and yet its words stand in {files[:3]}")


def shown(account: Account) -> Iterator[Violation]:
    """The newest public text of an article stands in a file, and so does a text that fell due.

    No false alarm: only articles are looked at of which it is certain what the public sees. Nothing was ever
    withheld of them (or one text was, the last thing that was done), no page of theirs was dead-lettered, and
    nothing took them from the public afterwards.
    """
    for article_id in account.revised_by_article:
        operation = _newest_text(account, article_id)
        if operation and operation.first.token not in account.evidence.tokens_in_files:
            yield _found(f"{operation.name} is revision {operation.revision} and stands in no file")


def _newest_text(account: Account, article_id: str) -> Operation | None:
    """The operation whose text the public must see, None where that is not certain."""
    revised = account.revised(article_id)
    operations = {each.revision: each for each in account.by_article.get(article_id, ()) if each.revision}
    is_known = all(each.revision in operations or each.kind in BY_TIME for each in revised)
    if account.has_lettered_page(article_id) or not is_known:
        return None
    held = [each for each in operations.values() if each.first.withheld in HELD]
    sent = [each.revision for each in revised if each.kind in TEXTS]
    if not sent or sent[-1] not in operations:
        return None
    newest = operations[sent[-1]]
    if any(each.kind in ENDINGS and each.revision > sent[-1] for each in revised):
        return None
    if held and not (held == [newest] and _is_due(account, newest)):
        return None
    is_plain = all(each.kind != "released" for each in revised) or bool(held)
    return newest if is_plain else None


def _is_due(account: Account, operation: Operation) -> bool:
    due, calm = operation.first.due_at, account.calm_at
    if due is None or calm is None or not account.is_clock_true:
        return False
    return due + _DUE_SECONDS < calm
