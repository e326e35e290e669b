"""Request bodies: read within bounds, parsed strictly, and each mistake named by a JSON Pointer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import ClientDisconnect

from newsroom.errors import FieldError, Invalid
from newsroom.http.problems import Extras, Kind, Refused, pointer

READ_SECONDS = 30.0
_MOST_ERRORS = 50
_LARGE = 64 * 1024
ModelT = TypeVar("ModelT", bound=BaseModel)

_WORDS: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "is no field here: remove it, or check its spelling",
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "model_type": "must be an object",
    "string_too_long": "is too long: at most {max_length} characters",
    "too_short": "has too few items: at least {min_length}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "none_required": "must be null",
    "datetime_type": "must be a time in a string, like 2023-06-20T10:40:00+06:00",
    "timezone_aware": "has no time zone: write it like 2023-06-20T10:40:00+06:00",
}


@dataclass(frozen=True)
class Sent(Generic[ModelT]):
    """A body as it came and what it says."""

    raw: bytes
    content: ModelT


async def read(request: Request, model: type[ModelT], limit_bytes: int) -> Sent[ModelT]:
    """The request's body as a model.

    Raises: Refused for what is no JSON, is encoded, too large or too slow; Invalid with every bad field.
    """
    _check_type(request)
    raw = await _read_bounded(request, limit_bytes)
    # A large body may take long to check: not on the loop that answers everybody else.
    content = await asyncio.to_thread(parse, model, raw) if len(raw) > _LARGE else parse(model, raw)
    return Sent(raw, content)


def parse(model: type[ModelT], raw: bytes) -> ModelT:
    """Strict: no field that the model does not know, no value of another type, no name twice in an object."""
    try:
        content = model.model_validate_json(raw, strict=True, extra="forbid")
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        if problems[0]["type"] == "json_invalid":
            raise Refused(Kind.MALFORMED_JSON, f"{problems[0]['msg']}.") from error
        _refuse_repeated_names(raw)
        raise Invalid(_summary(len(problems)), tuple(map(_field_error, problems[:_MOST_ERRORS]))) from error
    _refuse_repeated_names(raw)
    return content


def _check_type(request: Request) -> None:
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(
            Kind.UNSUPPORTED_MEDIA_TYPE, "Send the body as it is: Content-Encoding is not supported."
        )
    essence, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    kind = essence.strip()
    is_json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    charset = parameters.replace(" ", "").partition("charset=")[2].partition(";")[0].strip('"')
    if not is_json or charset not in ("", "utf-8", "utf8", "us-ascii"):
        raise Refused(Kind.UNSUPPORTED_MEDIA_TYPE, "Send JSON in UTF-8, with Content-Type: application/json.")


async def _read_bounded(request: Request, limit_bytes: int) -> bytes:
    too_large = Refused(Kind.TOO_LARGE, f"The request may have at most {limit_bytes} bytes.")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared[:20]) > limit_bytes:
        raise too_large
    received = bytearray()
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for chunk in request.stream():
                received += chunk
                if len(received) > limit_bytes:
                    raise too_large
    except TimeoutError as error:
        detail = f"The body did not come within {READ_SECONDS:.0f} seconds."
        raise Refused(Kind.REQUEST_TIMEOUT, detail, Extras(headers={"Connection": "close"})) from error
    except ClientDisconnect as error:
        raise Refused(Kind.MALFORMED_REQUEST, "The connection ended before the body did.") from error
    return bytes(received)


def _each_once(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise Refused(Kind.MALFORMED_JSON, f"{repeated[:80]!r} stands more than once in one object.")


_names = json.JSONDecoder(object_pairs_hook=_each_once, parse_int=str, parse_float=str)


def _refuse_repeated_names(raw: bytes) -> None:
    """A name twice in one object means something else to each reader, so it is refused."""
    _names.decode(raw.decode())


def _summary(count: int) -> str:
    return "One field cannot be accepted." if count == 1 else f"{count} fields cannot be accepted."


def _field_error(problem: ErrorDetails) -> FieldError:
    return FieldError(pointer(*problem["loc"]), _in_words(problem))


def _in_words(problem: ErrorDetails) -> str:
    context = problem.get("ctx", {})
    match problem["type"]:
        case "value_error":
            return str(context.get("error"))
        case "too_long":
            what = "characters" if context.get("field_type") == "Value" else "items"
            return f"has {context.get('actual_length')} {what}: at most {context.get('max_length')}"
        case kind if kind in _WORDS:
            return _WORDS[kind].format(**context)
        case _:
            return problem["msg"]
