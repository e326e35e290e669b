"""What the services stand on, as the doctor finds it: Kafka, MongoDB, disks, what lies among the pages."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from desk import servers
from desk.findings import Finding, attempt, good, warn, wrong
from desk.members import Member, hosts_of, mongo_members, takes_connections
from desk.symptoms import read_only, room
from desk.troubles import Trouble
from newsroom.errors import Misconfigured
from newsroom.servers import Bootstrap, Tls
from newsroom.telemetry.folders import free_bytes, is_writable

_LOOKING_SECONDS = 2.0
_MOST_NAMED = 3


def kafka(bootstrap: Bootstrap, frozen: Mapping[str, int]) -> Finding:
    """Whether the log answers, and if not whether anybody is there."""
    if "kafka" in frozen:
        return _stopped("kafka", frozen["kafka"], Trouble.KAFKA_FROZEN)
    try:
        return good("kafka", f"{bootstrap}, cluster {servers.kafka_cluster(bootstrap)}")
    except Misconfigured as error:
        told = str(error).partition(": KafkaConnectionError")[0]  # it says the address again, less readably
    if any(takes_connections(*address) for address in hosts_of(str(bootstrap))):
        advice = "it takes connections: see whether its process is stopped, its disk full or its log repaired"
        return wrong("kafka", told, advice, Trouble.KAFKA_FROZEN)
    return wrong(
        "kafka",
        told,
        "start it; see its log and its disk; all services go on by themselves",
        Trouble.KAFKA_AWAY,
    )


def mongodb(url: str, tls: Tls, frozen: Mapping[str, int]) -> Iterator[Finding]:
    """Whether the documents answer, and if not which members of the set do."""
    stopped = [name for name in frozen if name.startswith("mongod")]
    if stopped:
        yield _stopped("mongodb", frozen[stopped[0]], Trouble.MONGODB_FROZEN)
    whole = attempt("mongodb", lambda: f"{servers.mongo_hosts(url)}, {servers.mongo_server(url, tls)}")
    members = mongo_members(url, tls)
    if not whole.advice:
        yield whole
        yield from _lacking(members)
    elif not stopped:
        yield _without_documents(whole, members)


def _lacking(members: Mapping[str, Member]) -> Iterator[Finding]:
    """Members that are away while the set works on the others."""
    away = [name for name, member in members.items() if member in (Member.AWAY, Member.SILENT)]
    if away:
        found = f"{', '.join(away)} of {len(members)} members does not answer; the set works on the others"
        yield warn(
            "mongodb/members", found, "start it again: one more and there is no primary", Trouble.NO_PRIMARY
        )


def _without_documents(whole: Finding, members: Mapping[str, Member]) -> Finding:
    told = f"{whole.found}: {whole.advice}"
    found = set(members.values())
    if Member.SECONDARY in found or Member.PRIMARY in found:
        listed = ", ".join(f"{name} {member.value}" for name, member in members.items())
        advice = "an election takes some seconds; if it stays so, start members until more than half answer"
        return wrong("mongodb", f"no primary: {listed}", advice, Trouble.NO_PRIMARY)
    if Member.SILENT in found:
        advice = "it takes connections: see whether its process is stopped or its disk full"
        return wrong("mongodb", told, advice, Trouble.MONGODB_FROZEN)
    return wrong(
        "mongodb", told, "start it; see its log and its disk; events wait on the log", Trouble.MONGODB_AWAY
    )


def _stopped(check: str, pid: int, trouble: Trouble) -> Finding:
    found = f"its process {pid} is stopped (frozen): it takes connections and answers nothing"
    return wrong(check, found, f"kill -CONT {pid}, or end it and start it again", trouble)


def folders(named: Mapping[str, Path]) -> Iterator[Finding]:
    """What is wrong with the disks of folders. Those that are not there yet are passed over."""
    for name, folder in named.items():
        if not folder.exists():
            continue
        yield from room(f"disk/{name}", free_bytes(folder), str(folder))
        if not is_writable(folder):
            yield read_only(f"disk/{name}", str(folder))


def foreign(public: Path) -> Iterator[Finding]:
    """Links among the pages: render makes none, and none is followed. Looks for a bounded time."""
    found = list(_links(public, time.monotonic() + _LOOKING_SECONDS))
    if found:
        named = ", ".join(found[:_MOST_NAMED]) + (" …" if len(found) > _MOST_NAMED else "")
        advice = "remove them, and see who may write there: nothing of ours makes a link, and none is served"
        yield warn("pages/links", f"{len(found)} among the pages: {named}", advice, Trouble.FOREIGN_FILES)


def _links(folder: Path, until: float) -> Iterator[str]:
    todo = [folder]
    while todo and time.monotonic() < until:
        try:
            with os.scandir(todo.pop()) as entries:
                for entry in entries:
                    if entry.is_symlink():
                        yield os.path.relpath(entry.path, folder)
                    elif entry.is_dir(follow_symlinks=False):
                        todo.append(Path(entry.path))
        except OSError:
            continue  # it went while we looked
