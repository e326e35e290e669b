"""Whether a history shows enough to be judged: an experiment that saw nothing finds nothing either."""

from __future__ import annotations

from collections.abc import Iterator

from faults.checks.account import EVENTS, HELD, UPDATES
from faults.history import Ended, Evidence, History, Invoked, Read, Sampled, Told


def unseen(history: History, evidence: Evidence) -> Iterator[str]:
    """What was never seen, though every run sees it before its fault begins."""
    if not any(ended.result == "ok" for ended in history.of(Ended)):
        yield "no operation was acknowledged"
    if not any(invoked.withheld in HELD for invoked in history.of(Invoked)):
        yield "no text was held back"
    if not any(read.status == 200 and read.tokens for read in history.of(Read)):
        yield "no reader saw a word"
    if not any(told.what == "notice" for told in history.of(Told)):
        yield "no reader heard a notice"
    for group, topic in (("store", EVENTS), ("render", UPDATES)):
        samples = (each for each in history.of(Sampled) if each.group == group)
        if not any(place.startswith(f"{topic}/") for each in samples for place in each.committed):
            yield f"no commit of {topic} was sampled"
    if not (evidence.filed and evidence.files and evidence.revised):
        yield "nothing was found at rest"
