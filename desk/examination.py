"""The examination of a newsroom that runs: its services, what they stand on, and what their logs tell.

On this machine everything is looked at; of one elsewhere, what it tells over HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from desk import foundations
from desk.asking import Instance, Seen, look_at
from desk.diagnosis import Around, diagnose
from desk.findings import Finding, State, warn, wrong
from desk.loglines import read_lately
from desk.parts.home import Home
from desk.running import running_parts
from desk.troubles import Trouble
from newsroom.servers import NO_FILES, Bootstrap, Tls

MANY_STARTS = 4
"""So many in ten minutes are no accident."""


@dataclass(frozen=True)
class Newsroom:
    """Where to look. Without a `home` nothing of this machine is looked at, without a `bootstrap` or a
    `mongo` no such server. `is_whole`: the instances are all that there are.
    """

    instances: Sequence[Instance]
    home: Home | None = None
    pages: Path | None = None
    bootstrap: Bootstrap | None = None
    mongo: SecretStr | None = None
    mongo_tls: Tls = NO_FILES
    is_whole: bool = True


def examine(newsroom: Newsroom) -> list[Finding]:
    """Everything that is wrong with it, and a line for each part that is well."""
    frozen = _frozen(newsroom.home)
    below = list(_below(newsroom, frozen))
    around = Around(
        answering={
            finding.check: finding.state is State.OK
            for finding in below
            if finding.check in ("kafka", "mongodb")
        },
        logs=_logs(newsroom),
        frozen=frozen,
        is_whole=newsroom.is_whole,
    )
    seen = look_at(newsroom.instances)
    return [*below, *diagnose(seen, around), *_lately(newsroom, seen), *_disks(newsroom)]


def _below(newsroom: Newsroom, frozen: dict[str, int]) -> Iterator[Finding]:
    if newsroom.bootstrap is not None:
        yield foundations.kafka(newsroom.bootstrap, frozen)
    if newsroom.mongo is not None:
        yield from foundations.mongodb(newsroom.mongo.get_secret_value(), newsroom.mongo_tls, frozen)


def _frozen(home: Home | None) -> dict[str, int]:
    """The processes that are stopped, by the names of their parts."""
    if home is None:
        return {}
    return {part.name: part.pid for part in running_parts(home, None) if part.is_stopped}


def _logs(newsroom: Newsroom) -> dict[str, str]:
    if newsroom.home is None:
        return {}
    return {each.name: str(newsroom.home.logs / f"{each.name}.log") for each in newsroom.instances}


def _lately(newsroom: Newsroom, seen: Sequence[Seen]) -> Iterator[Finding]:
    """What the logs of this machine tell of instances that are not well, or start again and again."""
    if newsroom.home is None:
        return
    for each in seen:
        name = each.instance.name
        log = newsroom.home.logs / f"{name}.log"
        lately = read_lately(log)
        if lately.starts >= MANY_STARTS:
            found = f"started {lately.starts} times in ten minutes"
            found += f", lately after: {lately.last_error}" if lately.last_error else ""
            yield wrong(f"{name}/starts", found, f"see {log}", Trouble.RESTART_LOOP)
        elif lately.last_error:
            yield warn(f"{name}/error", lately.last_error, f"see {log}", Trouble.BUGS)


def _disks(newsroom: Newsroom) -> Iterator[Finding]:
    if newsroom.home is None:
        return
    home, pages = newsroom.home, newsroom.pages or newsroom.home.site
    yield from foundations.folders({"pages": pages, "log": home.kafka, "documents": home.mongo})
    yield from foundations.foreign(pages / "public")
