"""Structured logs on standard output: one JSON object a line, a fixed event name plus fields.

Never bodies, never secrets: of an exception stand its type, its frames and a short message, and of those
kinds of exception whose message quotes the data, no message at all.
"""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Literal

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


def configure_logging(service: str, level: str, format: Literal["json", "console"] = "json") -> None:  # noqa: A002
    """Send every log line of this process, the libraries' too, through one pipe. Called once, at start."""
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(service),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), *before],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(format)],
        )
    )
    _route_everything_to(handler, level)


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
        return [told, structlog.processors.JSONRenderer(default=str)]
    return [told, _as_text, structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())]


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
