"""CloudEvents 1.0 in Kafka's binary mode: the attributes as `ce_…` headers, the data as JSON value.

Every record on every topic of ours wears it. Standards: CloudEvents 1.0 and its Kafka protocol binding; W3C
Trace Context.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from newsroom.articles import Contract
from newsroom.errors import BadRecord
from newsroom.records import Message, Record
from newsroom.times import rfc3339, to_moment

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"
_CORE = frozenset({"specversion", "id", "type", "source", "subject", "time"})
_time = TypeAdapter(AwareDatetime)
ModelT = TypeVar("ModelT", bound=Contract)


@dataclass(frozen=True)
class Envelope:
    """The attributes around one record's data.

    `extensions` names are lower-case letters and digits, as CloudEvents asks.
    """

    id: str
    type: str
    source: str
    subject: str
    time: datetime
    trace: str | None = None
    extensions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def wrap(topic: str, key: str, envelope: Envelope, data: Contract) -> Message:
    """The record to write: `data` as compact JSON, everything else as headers."""
    attributes = {
        "ce_specversion": SPEC_VERSION,
        "ce_id": envelope.id,
        "ce_type": envelope.type,
        "ce_source": envelope.source,
        "ce_subject": envelope.subject,
        "ce_time": rfc3339(envelope.time),
        "content-type": CONTENT_TYPE,
        **({"traceparent": envelope.trace} if envelope.trace else {}),
        **{f"ce_{name}": value for name, value in envelope.extensions.items()},
    }
    return Message(
        topic=topic,
        key=key.encode(),
        value=data.model_dump_json(exclude_none=True).encode(),
        headers=tuple((name, value.encode()) for name, value in attributes.items()),
    )


def unwrap(record: Record) -> Envelope:
    """The attributes of a record. Raises: BadRecord where one is missing or malformed, saying which."""
    version = record.header("ce_specversion")
    if version != SPEC_VERSION:
        raise BadRecord(
            f"header ce_specversion is {version!r}, not {SPEC_VERSION!r}: this is no CloudEvent of ours"
        )
    extensions = {
        name[3:]: record.header(name) or ""
        for name, _ in record.headers
        if name.startswith("ce_") and name[3:] not in _CORE
    }
    return Envelope(
        id=_required(record, "ce_id"),
        type=_required(record, "ce_type"),
        source=_required(record, "ce_source"),
        subject=_required(record, "ce_subject"),
        time=_parse_time(_required(record, "ce_time")),
        trace=record.header("traceparent"),
        extensions=extensions,
    )


def read_data(record: Record, model: type[ModelT]) -> ModelT:
    """The record's value as a model.

    Raises: BadRecord with each field that does not fit (never its content).
    """
    if record.value is None:
        raise BadRecord("the value is empty (a tombstone), where data was expected")
    try:
        return model.model_validate_json(record.value)
    except ValidationError as error:
        problems = "; ".join(
            f"/{'/'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)[:5]
        )
        raise BadRecord(f"the value is no {model.__name__}: {problems}") from error


def _required(record: Record, name: str) -> str:
    value = record.header(name)
    if not value:
        raise BadRecord(f"header {name} is missing, empty or no UTF-8")
    return value


def _parse_time(text: str) -> datetime:
    try:
        return to_moment(_time.validate_python(text))
    except (ValidationError, OverflowError, ValueError) as error:
        raise BadRecord(f"header ce_time is {text[:40]!r}, which is no RFC 3339 time with a zone") from error
