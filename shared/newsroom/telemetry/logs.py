"""Structured logs on standard output: one JSON object a line, a fixed event name plus fields.

Never bodies, never secrets: of an exception stand its type, its frames and a short message, and of those
kinds of exception whose message quotes the data, no message at all.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import traceback
from typing import Literal

import orjson
import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

_QUOTES_DATA = frozenset(
    {"ValidationError", "BulkWriteError", "JSONDecodeError", "UnicodeDecodeError", "UnicodeEncodeError"}
)
_LONGEST_MESSAGE = 500
_MOST_FRAMES = 30
_QUIETER = {
    "uvicorn": logging.WARNING,
    "aiokafka": logging.CRITICAL,
    "kafka": logging.CRITICAL,
    "pymongo": logging.WARNING,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "asyncio": logging.WARNING,
}
"""Libraries are heard from this level up. aiokafka repeats an outage many times a second; we tell it once."""

_AS_JSON_DOES = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_NON_STR_KEYS
"""What `json` does not know is told by `str`."""


def configure_logging(service: str, level: str, format: Literal["json", "console"] = "json") -> None:  # noqa: A002
    """Send every log line of this process, the libraries' too, to one place. Called once, at start."""
    told: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(service),
    ]
    rendering = _rendering(format)
    structlog.configure(
        processors=[*told, *rendering],
        logger_factory=_Output,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), *told],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    _route_everything_to(handler, level)


class _Output(structlog.WriteLogger):
    """Standard output, each line at once, so that a process that is killed has told all that it had to.

    A line that cannot be written is lost, as with the handlers of `logging`; what it tells of goes on.
    """

    def __init__(self, name: str) -> None:
        super().__init__(sys.stdout)
        self.name = name

    def msg(self, message: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().msg(message)

    debug = info = warning = error = critical = msg


def _route_everything_to(handler: logging.Handler, level: str) -> None:
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, least in _QUIETER.items():
        logging.getLogger(name).setLevel(max(least, root.level))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = name != "uvicorn.access"
    logging.captureWarnings(capture=True)


def _rendering(format: Literal["json", "console"]) -> list[Processor]:  # noqa: A002
    told = structlog.processors.ExceptionRenderer(_tell)
    if format == "json":
        return [told, _as_json]
    return [told, _as_text, structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())]


def _as_json(_logger: WrappedLogger, name: str, line: EventDict) -> str:  # noqa: ARG001
    """In ASCII: whatever a terminal could take for a command stands escaped."""
    try:
        wire = orjson.dumps(line, default=str, option=_AS_JSON_DOES)
    except TypeError:  # a number too large, or half of a character: the standard library writes them
        wire = b""
    if wire and wire.isascii():
        return wire.decode("ascii")
    return json.dumps(line, default=str, separators=(",", ":"))


def _named(service: str) -> Processor:
    def add_service(_logger: WrappedLogger, name: str, line: EventDict) -> EventDict:  # noqa: ARG001
        line["service"] = service
        return line

    return add_service


def _tell(exc_info: ExcInfo) -> list[dict[str, object]]:
    """An exception and its causes: type, message unless it quotes what was sent, frames without locals."""
    kind, error, frames = exc_info
    quotes = kind.__name__ in _QUOTES_DATA
    told: list[dict[str, object]] = [
        {
            "type": f"{kind.__module__}.{kind.__qualname__}",
            "message": "(quotes data)" if quotes else str(error)[:_LONGEST_MESSAGE],
            "frames": [
                f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(frames)[-_MOST_FRAMES:]
            ],
        }
    ]
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        told += _tell((type(inner), inner, inner.__traceback__))
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return told + (_tell((type(cause), cause, cause.__traceback__)) if cause is not None else [])


def _as_text(_logger: WrappedLogger, name: str, line: EventDict) -> EventDict:  # noqa: ARG001
    """The same for people, one frame a line."""
    told = line.get("exception")
    if isinstance(told, list):
        blocks = ("\n  ".join([f"{error['type']}: {error['message']}", *error["frames"]]) for error in told)
        line["exception"] = "\n".join(blocks)
    return line
