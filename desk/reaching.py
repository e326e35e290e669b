"""The log that a backup is made of or restored into, and the work on it with its progress.

It is the one that NEWSROOM_KAFKA names, else that of the newsroom in NEWSROOM_HOME, which is started for as
long as it is needed where `up` does not run.
"""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from desk.copying import Copied, Log, Tell, back_up, restore
from desk.lock import holder
from desk.machine import MachineSettings
from desk.progress import Rate, to_stderr
from newsroom.errors import Misconfigured, NewsroomError
from newsroom.kafka import cluster
from newsroom.kafka.producer import KafkaPublisher
from newsroom.kafka.spans import KafkaSpans
from newsroom.records import TopicPartition
from newsroom.servers import Bootstrap
from newsroom.settings import read

_CLIENT = "newsroom-desk"
_PRODUCE_SECONDS = 30.0
Work = Callable[[Log, Path, Tell], Coroutine[Any, Any, Copied]]


def backed_up(file: Path, clock: Callable[[], float]) -> dict[str, int]:
    """Back up into the file; what it came to, in numbers. Raises: NewsroomError."""
    with _log_to_read(read(MachineSettings)) as bootstrap:
        return _worked(bootstrap, back_up, file, clock)


def restored(file: Path, clock: Callable[[], float]) -> dict[str, int]:
    """Restore from the file; what it came to, in numbers. Raises: NewsroomError."""
    settings = read(MachineSettings)
    with _log_to_fill(settings) as bootstrap:
        asyncio.run(_prepare(settings, bootstrap))
        return _worked(bootstrap, restore, file, clock)


def _worked(bootstrap: Bootstrap, work: Work, file: Path, clock: Callable[[], float]) -> dict[str, int]:
    """Do it with progress on stderr. Raises: NewsroomError, also for a disk that is full; KeyboardInterrupt,
    once it is said how to go on.
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    screen = to_stderr()
    rate = Rate(clock)

    def tell(what: str, done: int, total: int) -> None:
        fast = rate.told(done)
        screen.progress(f"… {done} of {total} records {what}{f' ({fast})' if fast else ''}")

    try:
        return dataclasses.asdict(asyncio.run(_with_log(bootstrap, work, file, tell)))
    except OSError as error:
        raise NewsroomError(disk_problem(error, file)) from error
    except KeyboardInterrupt:
        screen.say("interrupted: run the same command again to go on from here")
        raise
    finally:
        screen.clear()


def disk_problem(error: OSError, file: Path) -> str:
    """What happened to the file, and what to do. A file that is there is one that was read."""
    what = error.strerror or str(error)
    if file.exists():
        return f"{file} cannot be read: {what}; run the command again to go on"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        what = "the disk is full"
    return f"{what}: nothing is lost; {file}.part holds what was copied, run the command again to go on"


async def _with_log(bootstrap: Bootstrap, work: Work, file: Path, tell: Tell) -> Copied:
    publisher = KafkaPublisher(bootstrap, client_id=_CLIENT, timeout_seconds=_PRODUCE_SECONDS)
    try:
        async with KafkaSpans(bootstrap, client_id=_CLIENT) as spans:
            return await work(Log(KafkaCluster(bootstrap), spans, publisher), file, tell)
    finally:
        await publisher.stop()


async def _prepare(settings: MachineSettings, bootstrap: Bootstrap) -> None:
    await cluster.ensure_topics(bootstrap, replication=settings.replication, min_insync=settings.min_insync)


class KafkaCluster:
    """See `desk.copying.Cluster`."""

    def __init__(self, bootstrap: Bootstrap) -> None:
        self._bootstrap = bootstrap

    async def id(self) -> str:
        return await cluster.cluster_id(self._bootstrap)

    async def ends(self, topic: str) -> Mapping[TopicPartition, int]:
        return await cluster.end_offsets(self._bootstrap, topic)

    async def groups(self) -> set[str]:
        return await cluster.groups(self._bootstrap)


# --- whose log it is


@contextmanager
def _log_to_read(settings: MachineSettings) -> Iterator[Bootstrap]:
    """The bootstrap address of the log to back up. Raises: Misconfigured where there is none, Away."""
    home = settings.folder
    if not settings.brings_kafka or holder(home.lock_file) is not None:
        yield settings.bootstrap
        return
    if not (home.kafka / "data" / "meta.properties").exists():
        raise Misconfigured(
            f"there is no newsroom in {home.root}: say which one with NEWSROOM_HOME or NEWSROOM_KAFKA"
        )
    from desk.embedded import kafka_for_now  # only here: in a container its parts are not installed

    with kafka_for_now(settings) as bootstrap:
        yield bootstrap


@contextmanager
def _log_to_fill(settings: MachineSettings) -> Iterator[Bootstrap]:
    """The bootstrap address of the log to restore into. Raises: Misconfigured where a newsroom is, Away."""
    home = settings.folder
    if not settings.brings_kafka:
        yield settings.bootstrap
        return
    running = holder(home.lock_file)
    if running is not None:
        raise Misconfigured(
            f"a newsroom runs in {home.root} ({running}): restore into a new one (NEWSROOM_HOME), or stop "
            f"that one and move {home.kafka.name}, {home.mongo.name} and {home.site.name} in its folder away"
        )
    if home.mongo.exists() or home.site.exists():
        raise Misconfigured(
            f"a newsroom has run in {home.root}: restore into a new one (NEWSROOM_HOME), or move "
            f"{home.kafka.name}, {home.mongo.name} and {home.site.name} in that folder away"
        )
    from desk.embedded import kafka_for_now  # only here: in a container its parts are not installed

    with kafka_for_now(settings) as bootstrap:
        yield bootstrap
