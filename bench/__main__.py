"""`python -m bench`: starts a newsroom of its own, measures it beside the bare floor, at rest and in open
load, and prints what was found.

Publications and walks over the floor take turns on the same servers, so that what slows the machine
slows both, and their ratio means something on any machine. Leaves with 0 unless nothing could be
measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from bench import report as reports
from bench.floor import Floor
from bench.idle import idle_costs
from bench.live import LivePair, take_live_pairs
from bench.stack import Broken, Editor, Newsroom, a_newsroom
from bench.sustained import Load, load
from desk.parts.home import SOURCE, Home
from desk.parts.part import PartFailed
from faults.stage.environment import SITE_FILE
from newsroom.errors import Away, Misconfigured
from newsroom.kafka.cluster import group_lags
from newsroom.telemetry import configure_logging

WARM_UP = 20
PATIENCE_SECONDS = 120.0
REST_SECONDS = 0.15
"""Between two measurements: until the listings of the last publication are written, too."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print. Returns the exit code."""
    parser = _parser()
    wanted = parser.parse_args(arguments)
    if not all(
        wanted.load_seconds == 0 or 1 <= rate * wanted.load_seconds < math.inf for rate in wanted.rates
    ):
        parser.error("--rates and --load-seconds: at least one event has to be due in each load")
    configure_logging(service="bench", level="error", format="console")
    try:
        with tempfile.TemporaryDirectory(prefix="newsroom-bench-", ignore_cleanup_errors=True) as folder:
            found = _measure(Path(folder), wanted)
    except (Broken, PartFailed, Misconfigured, Away) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(json.dumps(reports.as_json(found), indent=2) if wanted.json else reports.as_text(found))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="A POST to a page beside the floor; a newsroom at rest; events in open load.",
    )
    parser.add_argument("--pairs", type=int, default=200, help="measurements of each (default: 200)")
    parser.add_argument("--seconds", type=float, default=90, help="begin no more after that (default: 90)")
    parser.add_argument("--live-pairs", type=int, default=60, help="pairs of live entries (default: 60)")
    parser.add_argument(
        "--rates",
        type=_rates,
        default=(10.0, 20.0, 40.0),
        help="events a second, one rate after another (default: 10,20,40)",
    )
    parser.add_argument("--load-seconds", type=float, default=15, help="of each rate (default: 15; 0: none)")
    parser.add_argument("--idle-seconds", type=float, default=20, help="watch at rest (default: 20)")
    parser.add_argument("--json", action="store_true", help="print JSON, for scripts")
    return parser


def _rates(told: str) -> tuple[float, ...]:
    try:
        rates = tuple(float(each) for each in told.split(","))
    except ValueError:
        rates = (0.0,)
    if not all(0 < rate < math.inf for rate in rates):
        raise argparse.ArgumentTypeError(f"{told!r}: give numbers above 0, with commas between them")
    return rates


def _measure(folder: Path, wanted: argparse.Namespace) -> reports.Report:
    say("starting a newsroom for the measurement")
    with (
        a_newsroom(folder / "home", Home(SOURCE / ".newsroom").parts, say) as newsroom,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        pairs = runner.run(_take_pairs(newsroom, folder / "floor", wanted.pairs, wanted.seconds))
        live = runner.run(_take_live(newsroom, wanted.live_pairs, wanted.seconds))
        idle = {}
        if wanted.idle_seconds > 0:
            say(f"watching it at rest for {wanted.idle_seconds:g} s")
            time.sleep(REST_SECONDS * 10)
            idle = idle_costs(newsroom.pids, wanted.idle_seconds)
        loads = runner.run(_take_loads(newsroom, wanted.rates, wanted.load_seconds))
    return reports.report(pairs, idle, live, loads)


async def _take_pairs(newsroom: Newsroom, folder: Path, count: int, seconds: float) -> list[reports.Pair]:
    editor = Editor(newsroom)
    floor = Floor(newsroom.bootstrap, newsroom.mongo_url, folder, SITE_FILE)
    try:
        await floor.open()
        say(f"warming up with {WARM_UP} pairs, then measuring {count}, {seconds:g} s at most")
        for number in range(WARM_UP):
            await _pair(editor, floor, f"warm-{number}")
        pairs: list[reports.Pair] = []
        deadline = time.monotonic() + seconds
        while len(pairs) < count and (not pairs or time.monotonic() < deadline):
            pairs.append(await _pair(editor, floor, str(len(pairs))))
        return pairs
    finally:
        await editor.close()
        await floor.close()


async def _take_live(newsroom: Newsroom, count: int, seconds: float) -> list[LivePair]:
    if count <= 0:
        return []
    editor = Editor(newsroom)
    try:
        return await take_live_pairs(editor, count, seconds, REST_SECONDS, say)
    finally:
        await editor.close()


async def _take_loads(newsroom: Newsroom, rates: Sequence[float], seconds: float) -> list[Load]:
    """One rate after another, each when nothing of the former one is left to do."""
    found: list[Load] = []
    for number, rate in enumerate(rates if seconds > 0 else ()):
        say(f"{rate:g} events a second for {seconds:g} s")
        found.append(await load(newsroom, rate, seconds, f"load-{number}"))
        await _worked_off(newsroom)
    return found


async def _worked_off(newsroom: Newsroom) -> None:
    """Wait until every group has read all that is there for it. Raises: Broken."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any((await group_lags(newsroom.bootstrap)).values()):
        if time.monotonic() > deadline:
            raise Broken(f"the newsroom has not worked off its load after {PATIENCE_SECONDS:.0f} s")
        await asyncio.sleep(1)


async def _pair(editor: Editor, floor: Floor, name: str) -> reports.Pair:
    publication = await editor.publish(name)
    await asyncio.sleep(REST_SECONDS)
    walked = await floor.run(name)
    await asyncio.sleep(REST_SECONDS / 3)
    return reports.Pair(publication.page_seconds, publication.moments, walked)


def say(line: str) -> None:
    """Tell how far it is, beside the results."""
    print(f"bench: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
