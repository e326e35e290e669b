"""What the numbers of a service tell of what is wrong with it. Pure, as is `desk.diagnosis` beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from desk.asking import Reach, Seen
from desk.findings import Finding, warn, wrong
from desk.troubles import Trouble
from newsroom import topics

LAG_WORTH_A_LOOK = 1000
UNCOMMITTED_SECONDS = 5.0
YOUNG_SECONDS = 20.0
BAD_ROW_WORTH_A_LOOK = 10
LEAST_FREE_BYTES = 16 * 1024 * 1024
FEW_FREE_BYTES = 300 * 1024 * 1024
CLOCK_TOLERANCE_SECONDS = 2.0
CLOCK_WRONG_SECONDS = 60.0
_FULL_SHARE = 0.9
_PAGES = "pages folder"
_READ_BY: Mapping[str, topics.TopicSpec] = {
    consumer: spec
    for spec in topics.ALL
    for consumer, topic in {
        "store": topics.EVENTS,
        "store-outcomes": topics.OUTCOMES,
        "store-dead-letters": topics.DEAD_LETTERS,
        "render-updates": topics.UPDATES,
        "render-listings": topics.LISTINGS,
    }.items()
    if spec.name == topic
}


@dataclass(frozen=True)
class Around:
    """What is known besides. `answering`: of `kafka` and `mongodb`, which the doctor itself has reached;
    those that it could not ask are absent. `logs`: where the log of an instance is. `frozen`: instances whose
    process is stopped. `is_whole`: whether every instance was asked, not one of several behind an edge.
    """

    answering: Mapping[str, bool] = field(default_factory=dict)
    logs: Mapping[str, str] = field(default_factory=dict)
    frozen: Mapping[str, int] = field(default_factory=dict)
    is_whole: bool = True

    def see_log(self, name: str) -> str:
        """Where to read on."""
        return f"see {self.logs[name]}" if name in self.logs else f"see the log of {name}"


def symptoms(seen: Seen, around: Around) -> Iterator[Finding]:
    """Everything that one instance's numbers show."""
    yield from _pauses(seen, around)
    yield from _consumers(seen, around)
    yield from _letters(seen)
    yield from _folders(seen)
    yield from _clock(seen)
    yield from _streams(seen)
    yield from _bugs(seen, around)


def cut_off(check: str, found: str, server: str, log: str) -> Finding:
    """It cannot reach what others reach."""
    advice = f"look at the network between the two, and at the address of {server} in its settings; {log}"
    return wrong(check, found, advice, Trouble.SERVICE_CUT_OFF)


def span(seconds: float) -> str:
    """A length of time, in words."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _pauses(seen: Seen, around: Around) -> Iterator[Finding]:
    """Consumers that wait for something though the instance's own check of it holds."""
    name = seen.instance.name
    for number in seen.numbers.of("newsroom_paused"):
        waits_for = number.labels.get("dependency", "")
        if not number.value or waits_for in seen.waits_for:
            continue
        consumer = number.labels.get("consumer", "")
        found = (
            f"{consumer} waits for the {waits_for}"
            if waits_for == _PAGES
            else f"{consumer} waits for {waits_for}"
        )
        check = f"{name}/{consumer}"
        if waits_for == _PAGES:
            advice = "make room there or make it writable; it goes on by itself"
            yield wrong(check, found, advice, Trouble.DISK_FULL if _is_writable(seen) else Trouble.READ_ONLY)
        elif around.answering.get(waits_for):
            yield cut_off(check, f"{found}, which answers here", waits_for, around.see_log(name))
        else:
            yield warn(check, found, "it goes on by itself; if not within a minute, " + around.see_log(name))


def _is_writable(seen: Seen) -> bool:
    return seen.numbers.by("newsroom_folder_writable", "folder").get("pages", 1) > 0


def _consumers(seen: Seen, around: Around) -> Iterator[Finding]:
    name = seen.instance.name
    for consumer, lag in seen.numbers.by("newsroom_consumer_lag_records", "consumer").items():
        if lag > LAG_WORTH_A_LOOK:
            found = f"{consumer} has {lag:.0f} records still to read"
            advice = f"look again in a minute; if it does not shrink, {around.see_log(name)}"
            yield warn(f"{name}/lag", found, advice, Trouble.FALLING_BEHIND)
    for consumer, seconds in seen.numbers.by("newsroom_uncommitted_seconds", "consumer").items():
        if seconds >= UNCOMMITTED_SECONDS and "kafka" not in seen.waits_for:
            found = f"{consumer} could not commit what it has finished for {span(seconds)}"
            yield cut_off(f"{name}/{consumer}", found, "Kafka", around.see_log(name))
    for consumer, row in seen.numbers.by("newsroom_bad_records_in_row", "consumer").items():
        if row >= BAD_ROW_WORTH_A_LOOK:
            yield warn(
                f"{name}/bad-records",
                f"the last {row:.0f} records of {consumer} could not be processed",
                "find who writes them (`newsroom dead-letters list`): a long row of them stops the consumer",
                Trouble.BAD_RECORDS,
            )


def _letters(seen: Seen) -> Iterator[Finding]:
    waiting = seen.numbers.total("newsroom_dead_letters_waiting")
    if waiting:
        advice = "`newsroom dead-letters list --state waiting` tells why; mend that, then retry or drop them"
        yield warn(f"{seen.instance.name}/dead-letters", f"{waiting:.0f} wait", advice, Trouble.DEAD_LETTERS)


def _folders(seen: Seen) -> Iterator[Finding]:
    name = seen.instance.name
    writable = seen.numbers.by("newsroom_folder_writable", "folder")
    for folder, free in seen.numbers.by("newsroom_folder_free_bytes", "folder").items():
        yield from room(f"{name}/{folder}", free, f"the {folder}")
        if not writable.get(folder, 1):
            yield read_only(f"{name}/{folder}", f"the {folder}")


def room(check: str, free_bytes: float, where: str) -> Iterator[Finding]:
    """What is wrong with the room on a disk, if anything."""
    megabytes = free_bytes / (1024 * 1024)
    found = f"{megabytes:.0f} MB are free for {where}"
    if free_bytes < LEAST_FREE_BYTES:
        yield wrong(check, found, "make room; what waits for it goes on by itself", Trouble.DISK_FULL)
    elif free_bytes < FEW_FREE_BYTES:
        yield warn(check, found, "make room before it is full", Trouble.DISK_FULL)


def read_only(check: str, where: str) -> Finding:
    """Nobody can write there."""
    advice = "look at owner, mode and mount (and at the kernel's log: a failing disk is made read-only)"
    return wrong(check, f"{where} cannot be written", advice, Trouble.READ_ONLY)


def _clock(seen: Seen) -> Iterator[Finding]:
    ahead = seen.ahead_seconds or 0.0
    if abs(ahead) < CLOCK_TOLERANCE_SECONDS:
        return
    found = f"its clock is {span(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} this machine's"
    advice = "set the clocks by NTP, on all machines: what is scheduled or embargoed goes by them"
    say = wrong if abs(ahead) > CLOCK_WRONG_SECONDS else warn
    yield say(f"{seen.instance.name}/clock", found, advice, Trouble.CLOCK_OFF)


def _streams(seen: Seen) -> Iterator[Finding]:
    places, readers = (seen.numbers.total(f"newsroom_{name}") for name in ("stream_places", "open_streams"))
    if places and readers and readers >= _FULL_SHARE * places:
        found = f"{readers:.0f} of {places:.0f} places of the live stream are taken"
        advice = "add an instance of render, or raise NEWSROOM_LIVE_STREAMS; who finds no place tries again"
        yield warn(f"{seen.instance.name}/streams", found, advice, Trouble.STREAMS_FULL)


def _bugs(seen: Seen, around: Around) -> Iterator[Finding]:
    places = [place for place, count in seen.numbers.by("newsroom_bugs_total", "where").items() if count]
    if places:
        name = seen.instance.name
        found = f"something failed that nobody foresaw, in {', '.join(sorted(places))}"
        yield warn(f"{name}/bugs", found, f"{around.see_log(name)} (level error)", Trouble.BUGS)


def partitions(seen: Sequence[Seen], around: Around) -> Iterator[Finding]:
    """Partitions that nobody reads, though the log answers: a rebalance goes on, or its coordinator does not
    answer, or a frozen instance still holds them.
    """
    is_settled = all((each.age_seconds or YOUNG_SECONDS) >= YOUNG_SECONDS for each in seen)
    if not around.is_whole or not is_settled or around.answering.get("kafka") is False:
        return
    held: dict[str, float] = {}
    for each in seen:
        if each.reach is Reach.ANSWERS and "kafka" not in each.waits_for:
            for consumer, count in each.numbers.by("newsroom_consumer_partitions", "consumer").items():
                held[consumer] = held.get(consumer, 0.0) + count
    for consumer, count in held.items():
        spec = _READ_BY.get(consumer)
        if spec is not None and count < spec.partitions:
            lacking = f"{spec.partitions - count:.0f} of {spec.partitions} partitions of {spec.name}"
            advice = (
                f"a rebalance of {consumer} goes on, or a frozen instance holds them: if so in half a minute "
                "too, end that instance, or see whether Kafka's group coordinator answers"
            )
            yield warn(f"partitions/{consumer}", f"nobody reads {lacking}", advice, Trouble.PARTITIONS_UNREAD)
