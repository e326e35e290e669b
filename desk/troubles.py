"""Everything that the doctor can find wrong with a newsroom that runs, each with its entry in the runbook.

The names are for scripts and stay as they are. A test holds them to the headings of `docs/operations.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Trouble(StrEnum):
    """What is wrong, as `--json` tells it."""

    KAFKA_AWAY = "kafka-away"
    KAFKA_FROZEN = "kafka-frozen"
    MONGODB_AWAY = "mongodb-away"
    MONGODB_FROZEN = "mongodb-frozen"
    NO_PRIMARY = "no-primary"
    SERVICE_AWAY = "service-away"
    SERVICE_FROZEN = "service-frozen"
    SERVICE_CUT_OFF = "service-cut-off"
    RESTART_LOOP = "restart-loop"
    STARTING = "starting"
    CONSUMER_STUCK = "consumer-stuck"
    PARTITIONS_UNREAD = "partitions-unread"
    FALLING_BEHIND = "falling-behind"
    DEAD_LETTERS = "dead-letters"
    BAD_RECORDS = "bad-records"
    DISK_FULL = "disk-full"
    READ_ONLY = "read-only"
    FOREIGN_FILES = "foreign-files"
    CLOCK_OFF = "clock-off"
    STREAMS_FULL = "streams-full"
    BUGS = "bugs"


RUNBOOK = "docs/operations.md"
ENTRIES: Mapping[Trouble, str] = {
    Trouble.KAFKA_AWAY: "Kafka is away",
    Trouble.KAFKA_FROZEN: "A process is frozen",
    Trouble.MONGODB_AWAY: "MongoDB is away",
    Trouble.MONGODB_FROZEN: "A process is frozen",
    Trouble.NO_PRIMARY: "MongoDB has no primary",
    Trouble.SERVICE_AWAY: "A service is away",
    Trouble.SERVICE_FROZEN: "A process is frozen",
    Trouble.SERVICE_CUT_OFF: "One service is cut off",
    Trouble.RESTART_LOOP: "A service starts again and again",
    Trouble.STARTING: "A service is starting",
    Trouble.CONSUMER_STUCK: "A consumer does not get on",
    Trouble.PARTITIONS_UNREAD: "Partitions have no reader",
    Trouble.FALLING_BEHIND: "Pages come late",
    Trouble.DEAD_LETTERS: "There are dead letters",
    Trouble.BAD_RECORDS: "Nothing but bad records",
    Trouble.DISK_FULL: "A disk is full",
    Trouble.READ_ONLY: "The pages cannot be written",
    Trouble.FOREIGN_FILES: "Something foreign lies among the pages",
    Trouble.CLOCK_OFF: "A clock is wrong",
    Trouble.STREAMS_FULL: "The live stream is full",
    Trouble.BUGS: "There was a bug",
}
"""The heading of each one's entry."""
