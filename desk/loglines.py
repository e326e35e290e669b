"""What the log of a service tells of late: how often it started, and its last error in one line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

LATELY = timedelta(minutes=10)
_TAIL_BYTES = 2 * 1024 * 1024
_LONGEST = 300


@dataclass(frozen=True)
class Lately:
    """Of the last ten minutes. `last_error`: empty where there was none."""

    starts: int = 0
    last_error: str = ""


def read_lately(log: Path, now: datetime | None = None) -> Lately:
    """What a log of ours tells; nothing where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            tail = file.read().decode(errors="replace")
    except OSError:
        return Lately()
    return lately(tail.splitlines(), now or datetime.now(UTC))


def lately(lines: Iterable[str], now: datetime) -> Lately:
    """The same of lines. Those that are not of our form are passed over."""
    told = [line for line in _parsed(lines) if _is_late(line, now)]
    errors = [line for line in told if line.get("level") in ("error", "critical")]
    return Lately(
        starts=sum(line.get("event") == "service_started" for line in told),
        last_error=_in_words(errors[-1]) if errors else "",
    )


def _parsed(lines: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    for line in lines:
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict):
            yield told


def _is_late(line: Mapping[str, Any], now: datetime) -> bool:
    try:
        return now - datetime.fromisoformat(str(line["timestamp"])) <= LATELY
    except (KeyError, ValueError, TypeError):
        return False


def _in_words(line: Mapping[str, Any]) -> str:
    """What happened, and the innermost reason that says something."""
    reason = str(line.get("reason", ""))
    exception = line.get("exception")
    if isinstance(exception, list):
        messages = [
            f"{str(each.get('type', '')).rpartition('.')[2]}: {each.get('message', '')}"
            for each in exception
            if isinstance(each, dict) and "ExceptionGroup" not in str(each.get("type"))
        ]
        reason = next(iter(messages), reason)
    told = f"{line.get('event', '')}: {reason}" if reason else str(line.get("event", ""))
    return " ".join(told.split())[:_LONGEST]
