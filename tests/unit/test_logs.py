"""Log lines on standard output: one JSON object each, ours and the libraries', in their order."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
_BEFORE = """
import logging, os, sys
import structlog
from newsroom.telemetry import configure_logging, tracing
"""
_CONFIGURED = "configure_logging('ingest', 'info', {format!r})\nlog = structlog.get_logger('newsroom.test')\n"
_TRACE = "0af7651916cd43dd8448eb211c80319c"


def told_by(code: str, format: str = "json") -> list[str]:  # noqa: A002
    """The lines of a process of its own, for what is configured holds for the whole process."""
    script = _BEFORE + _CONFIGURED.format(format=format) + code
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}/shared", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def the_line(code: str) -> dict[str, Any]:
    (line,) = told_by(code)
    assert line.isascii()
    told: dict[str, Any] = json.loads(line)
    return told


def test_a_line_tells_what_happened_when_where_and_in_which_trace() -> None:
    line = the_line(
        f"with tracing('00-{_TRACE}-b7ad6b7169203331-01'): log.warning('store_away', reason='x', count=3)"
    )
    assert line.pop("timestamp").endswith("Z")
    assert list(line.items()) == [
        ("reason", "x"),
        ("count", 3),
        ("event", "store_away"),
        ("trace_id", _TRACE),
        ("level", "warning"),
        ("logger", "newsroom.test"),
        ("service", "ingest"),
    ]


def test_lines_of_libraries_stand_among_ours_in_order() -> None:
    code = "for _ in range(3): log.info('ours'); logging.getLogger('uvicorn').warning('%s away', 'theirs')"
    lines = [json.loads(line) for line in told_by(code)]
    assert [line["event"] for line in lines] == ["ours", "theirs away"] * 3
    assert {(line["logger"], line["level"], line["service"]) for line in lines} == {
        ("newsroom.test", "info", "ingest"),
        ("uvicorn", "warning", "ingest"),
    }


def test_what_is_below_the_level_is_not_told() -> None:
    assert the_line("log.debug('a'); logging.getLogger('other').debug('b'); log.info('c')")["event"] == "c"


def test_an_exception_is_told_with_its_cause_and_never_with_the_data_that_it_quotes() -> None:
    line = the_line(
        "import json\n"
        "try:\n"
        "    try: json.loads('a secret')\n"
        "    except ValueError as error: raise RuntimeError('no JSON') from error\n"
        "except RuntimeError: log.exception('failed')\n"
    )
    told = [(error["type"], error["message"]) for error in line["exception"]]
    assert told == [("builtins.RuntimeError", "no JSON"), ("json.decoder.JSONDecodeError", "(quotes data)")]
    assert line["level"] == "error"
    assert "secret" not in str(line)


def test_whatever_a_field_holds_is_told_in_ascii() -> None:
    """`\\x9b` is a command to some terminals; half of a character and a large number are more than orjson
    writes.
    """
    line = the_line(
        "from datetime import date\n"
        "odd = {'text': '\\x9b2J \\u049b', 'half': '\\ud800', 'number': 2**70}\n"
        "log.info('odd', **odd, day=date(2023, 6, 20), by={1: {2}})"
    )
    assert (line["text"], line["half"], line["number"]) == ("\x9b2J қ", "\ud800", 2**70)
    assert (line["day"], line["by"]) == ("2023-06-20", {"1": "{2}"})


def test_people_are_told_the_same_in_words() -> None:
    code = "try: raise RuntimeError('no JSON')\nexcept RuntimeError: log.exception('failed', count=3)\n"
    lines = told_by(code, "console")
    assert "failed" in lines[0]
    assert "count=3" in lines[0]
    assert any("RuntimeError: no JSON" in line for line in lines)


def test_a_line_that_nobody_takes_stops_nothing() -> None:
    code = (
        "taken, left = os.pipe(); os.dup2(left, 1); os.close(taken)\n"
        "log.info('lost')\n"
        "sys.stdout = None\n"
        "os._exit(0)\n"
    )
    assert told_by(code) == []


def test_a_process_that_is_killed_has_told_all() -> None:
    assert the_line("log.info('last'); os._exit(0)")["event"] == "last"
