"""What a newsroom costs while nobody posts or reads."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

import uvloop

from bench.costs import MEGABYTE, Cost, costs
from bench.stack import Editor, Newsroom, a_newsroom
from bench.table import Chapter, Goal, Row, Size, Stand

SERVICES = ("ingest", "store", "render")
_PUBLICATIONS = 20
_SETTLE_SECONDS = 5.0
_WATCHES = {Size.SMOKE: (2, 0.5), Size.TABLE: (3, 8.0), Size.LONG: (5, 30.0)}
"""How often, and for how long."""
_HOW = (
    "A newsroom of which {publications} articles were published, one after another, is left alone for"
    " {settle:g} s and then watched {watches} times. Memory counts shared pages in parts (PSS, where the"
    " system tells it); processor time is over wall time, of all five processes together."
)


def measure_rest(stand: Stand) -> Chapter:
    """Raises: Broken, PartFailed, Misconfigured, Away; psutil.Error when a process is gone."""
    count, seconds = _WATCHES[stand.size]
    with a_newsroom(stand.folder / "home", stand.jars, stand.say) as newsroom:
        uvloop.run(_publish(newsroom))
        stand.say(f"watching it {count} times for {seconds:g} s")
        time.sleep(_SETTLE_SECONDS)
        return chapter([costs(newsroom.pids, seconds) for _ in range(count)])


async def _publish(newsroom: Newsroom) -> None:
    editor = Editor(newsroom)
    try:
        for number in range(_PUBLICATIONS):
            await editor.publish(str(number))
    finally:
        await editor.close()


def chapter(watches: Sequence[Mapping[str, Cost]]) -> Chapter:
    """What each watch saw, one at least."""
    return Chapter(
        name="rest",
        title="A newsroom at rest",
        how=_HOW.format(publications=_PUBLICATIONS, settle=_SETTLE_SECONDS, watches=len(watches)),
        rows=[
            Row("memory of all processes", [_megabytes(each.values()) for each in watches], "MB", Goal(1024)),
            Row(
                "memory of the three services",
                [_megabytes(each[name] for name in SERVICES) for each in watches],
                "MB",
                Goal(250),
            ),
            Row(
                "processor time of all processes",
                [_percent(each) for each in watches],
                "% of a core",
                Goal(5),
            ),
        ],
        details=["At rest (medians)                                       memory     of a core"]
        + [_line(name, [each[name] for each in watches]) for name in watches[0]],
    )


def _megabytes(found: Iterable[Cost]) -> float:
    return sum(cost.memory_bytes for cost in found) / MEGABYTE


def _percent(watch: Mapping[str, Cost]) -> float:
    return 100 * sum(cost.cores for cost in watch.values())


def _line(name: str, found: Sequence[Cost]) -> str:
    memory = median(cost.memory_bytes for cost in found) / MEGABYTE
    return f"  {name:<44}{memory:>9.0f} MB{median(cost.cores for cost in found):>11.1%}"
