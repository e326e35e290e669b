"""From what the services say of themselves to what is wrong with them: pure, so that each rule is tested on
answers that were made up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from desk.asking import Reach, Seen
from desk.findings import Finding, good, wrong
from desk.symptoms import Around, cut_off, partitions, span, symptoms
from desk.troubles import Trouble

__all__ = ["Around", "diagnose"]
_SERVERS: Mapping[str, tuple[str, Trouble]] = {
    "kafka": ("Kafka", Trouble.KAFKA_AWAY),
    "mongodb": ("MongoDB", Trouble.MONGODB_AWAY),
}


def diagnose(seen: Sequence[Seen], around: Around) -> list[Finding]:
    """One finding for each instance, and one for each thing that is wrong with it; then what is wrong with
    all of a service.
    """
    around = replace(around, answering={**_reached_by_others(seen), **around.answering})
    return [
        *(finding for each in seen for finding in _instance(each, around)),
        *partitions(seen, around),
    ]


def _reached_by_others(seen: Sequence[Seen]) -> Mapping[str, bool]:
    """The servers that at least one instance reaches."""
    return {server: True for server in _SERVERS if any(each.ready.get(server) for each in seen)}


def _instance(seen: Seen, around: Around) -> Iterator[Finding]:
    name = seen.instance.name
    yield _standing(seen, around)
    if seen.reach is not Reach.ANSWERS:
        return
    if seen.stuck:
        yield wrong(
            f"{name}/alive",
            f"does not get on: {', '.join(seen.stuck)}",
            f"start it again, as `newsroom up` and orchestrators do by themselves; {around.see_log(name)}",
            Trouble.CONSUMER_STUCK,
        )
    yield from symptoms(seen, around)


def _standing(seen: Seen, around: Around) -> Finding:
    """Does it answer, is it ready, and if not for want of what?"""
    name, address = seen.instance.name, seen.instance.address
    log = around.see_log(name)
    if name in around.frozen:
        pid = around.frozen[name]
        found = f"its process {pid} is stopped (frozen): it holds its connections and does nothing"
        return wrong(
            name, found, f"kill -CONT {pid}, or end it, and it is started again", Trouble.SERVICE_FROZEN
        )
    match seen.reach:
        case Reach.REFUSED:
            return wrong(name, f"does not answer at {address}", f"start it; {log}", Trouble.SERVICE_AWAY)
        case Reach.EMPTY:
            found = f"no instance of it answers behind {address}"
            return wrong(name, found, f"start one; {log}", Trouble.SERVICE_AWAY)
        case Reach.FULL:
            return _full(name, address)
        case Reach.SILENT:
            found = (
                f"takes connections at {address} and answers nothing: it is frozen, or has far too much to do"
            )
            advice = f"see whether its process is stopped or starved of processor; else end it; {log}"
            return wrong(name, found, advice, Trouble.SERVICE_FROZEN)
        case Reach.ANSWERS:
            return _readiness(seen, around)


def _full(name: str, address: str) -> Finding:
    found = f"takes no more connections at {address}: all places, or those of one address, are taken"
    advice = (
        "name a proxy in front of it in NEWSROOM_TRUSTED_PROXIES, or raise NEWSROOM_CONNECTIONS and "
        "NEWSROOM_CONNECTIONS_PER_ADDRESS"
    )
    return wrong(name, found, advice, Trouble.STREAMS_FULL)


def _readiness(seen: Seen, around: Around) -> Finding:
    name, log = seen.instance.name, around.see_log(seen.instance.name)
    if seen.is_stopping:
        return wrong(name, "is stopping", "wait a moment, and look again", Trouble.STARTING)
    if not seen.waits_for:
        return good(name, f"ready at {seen.instance.address}{_age(seen)}")
    for server, (told, away) in _SERVERS.items():
        if server not in seen.waits_for:
            continue
        if around.answering.get(server):
            return cut_off(name, f"cannot reach {told}, which answers here", told, log)
        return wrong(
            name, f"not ready, waits for {told}", f"it goes on by itself as soon as {told} answers", away
        )
    reasons = " and ".join(seen.waits_for)
    advice = f"it is starting or catching up; if this stays for minutes, {log}"
    return wrong(name, f"not ready, waits for {reasons}{_age(seen)}", advice, Trouble.STARTING)


def _age(seen: Seen) -> str:
    return "" if seen.age_seconds is None else f", started {span(seen.age_seconds)} ago"
