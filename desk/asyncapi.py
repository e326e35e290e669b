"""Writes `docs/asyncapi.yaml`: the seven topics, their headers and data, from the contract's own models.

`python -m desk.asyncapi` writes the file anew; a test holds the committed one to it.
"""

from __future__ import annotations

from pathlib import Path

import click
import yaml
from pydantic import JsonValue
from pydantic.json_schema import models_json_schema

from desk.catalogue import CHANNELS, MESSAGES, SERVICES, MessageDoc
from newsroom import topics
from newsroom.kafka import dead_letters

_DEAD_LETTERS = ["deadLetter", "deadLetterMark"]
FILE = Path(__file__).parent.parent / "docs" / "asyncapi.yaml"
Node = dict[str, JsonValue]

_REF = "#/components/schemas/{model}"
_VERSION = "1.0.0"


def document() -> Node:
    """The whole AsyncAPI 3.1 document."""
    return {
        "asyncapi": "3.1.0",
        "info": _info(),
        "defaultContentType": "application/json",
        "servers": {
            "log": {
                "host": "127.0.0.1:9192",
                "protocol": "kafka",
                "description": "The embedded Kafka of one machine; elsewhere what NEWSROOM_KAFKA names.",
            }
        },
        "channels": {CHANNELS[spec.name][0]: _channel(spec) for spec in topics.ALL},
        "operations": _operations(),
        "components": {
            "messages": {
                **{message.name: _message(message) for message in MESSAGES},
                "deadLetter": _dead_letter(),
                "deadLetterMark": _dead_letter_mark(),
            },
            "schemas": _schemas(),
        },
    }


def as_yaml(node: Node) -> str:
    """The document as it stands in the file."""
    body = yaml.dump(node, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=100)
    return f"# Made by `python -m desk.asyncapi` from the contract's models: change those instead.\n{body}"


class _PlainDumper(yaml.SafeDumper):
    """Writes every node out where it stands, never as an alias of another."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def _info() -> Node:
    return {
        "title": "Newsroom",
        "version": _VERSION,
        "description": (
            "What runs through the newsroom's log. Every record is a CloudEvent 1.0 in Kafka's binary mode: "
            "its attributes are `ce_…` headers, its data is the JSON value. Data is always whole, never a "
            "patch; types are versioned and grow by addition only, so a reader ignores fields that it does "
            "not know. Absent and null mean the same, and writers leave absent fields out."
        ),
        "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
    }


def _channel(spec: topics.TopicSpec) -> Node:
    name, description = CHANNELS[spec.name]
    carried = [message.name for message in MESSAGES if message.topic == spec.name] or _DEAD_LETTERS
    return {
        "address": spec.name,
        "title": name,
        "description": description,
        "messages": {message: {"$ref": f"#/components/messages/{message}"} for message in carried},
        "bindings": {
            "kafka": {
                "topic": spec.name,
                "partitions": spec.partitions,
                "topicConfiguration": {
                    "cleanup.policy": ["compact" if spec.compacted else "delete"],
                    "retention.ms": spec.retention_ms,
                    "retention.bytes": -1,
                    "max.message.bytes": topics.MAX_MESSAGE_BYTES,
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operations() -> Node:
    """What each service writes and reads, named like `storeSendsUpdates`."""
    found: Node = {}
    for service, directions in SERVICES.items():
        for action, named in zip(("send", "receive"), directions, strict=True):
            for spec in topics.ALL:
                if spec.name in named:
                    channel = CHANNELS[spec.name][0]
                    found[f"{service}{action.capitalize()}s{channel[:1].upper()}{channel[1:]}"] = {
                        "action": action,
                        "channel": {"$ref": f"#/channels/{channel}"},
                        "summary": f"{service} {'writes' if action == 'send' else 'reads'} {spec.name}",
                    }
    return found


def _message(message: MessageDoc) -> Node:
    return {
        "name": message.event_type,
        "title": message.name,
        "summary": message.summary,
        "contentType": "application/json",
        "headers": _headers(message),
        "payload": {"$ref": _REF.format(model=message.model.__name__)},
        "correlationId": {
            "description": "W3C Trace Context: runs from the POST to the page",
            "location": "$message.header#/traceparent",
        },
        "bindings": {"kafka": _key(message.key)},
    }


def _headers(message: MessageDoc) -> Node:
    about = f"What it is about: {message.subject}" if message.subject else f"The record's key: {message.key}"
    properties: Node = {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": {"type": "string", "minLength": 1, "description": "Unique among the records of its source"},
        "ce_type": {"type": "string", "const": message.event_type},
        "ce_source": {"type": "string", "const": message.source},
        "ce_subject": {"type": "string", "minLength": 1, "description": about},
        "ce_time": {"type": "string", "format": "date-time"},
        "content-type": {"type": "string", "const": "application/json"},
        "traceparent": {"type": "string", "description": "W3C Trace Context"},
        **{name: {"type": "string", "description": text} for name, text in message.extensions.items()},
    }
    optional = {"traceparent", *message.extensions} - {"ce_actor", "ce_requesthash"}
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }


def _dead_letter() -> Node:
    texts = {
        dead_letters.TOPIC: "Topic where the record stood",
        dead_letters.PARTITION: "Its partition there",
        dead_letters.OFFSET: "Its offset there",
        dead_letters.REASON: "Why it could not be processed",
        dead_letters.CONSUMER: "Who parked it",
    }
    cut: Node = {
        dead_letters.CUT: {"type": "string", "description": "Where it was too large: it is cut, then"}
    }
    properties: Node = {name: {"type": "string", "description": text} for name, text in texts.items()}
    return {
        "name": "deadLetter",
        "title": "deadLetter",
        "summary": "A record that could not be processed: its own bytes and headers, and five headers more",
        "contentType": "application/octet-stream",
        "headers": {
            "type": "object",
            "properties": properties | cut,
            "required": list(texts),
        },
        "payload": {"description": "The value as it was, byte for byte; whatever it is"},
        "bindings": {"kafka": _key("original key, which may be absent")},
    }


def _dead_letter_mark() -> Node:
    state: Node = {"type": "string", "enum": ["retried", "dropped"], "description": "What was done with it"}
    attempts: Node = {
        "type": "string",
        "pattern": "^[0-9]+$",
        "description": "How many times it was parked then",
    }
    return {
        "name": "deadLetterMark",
        "title": "deadLetterMark",
        "summary": "What somebody did with a dead letter; it counts until the letter is parked once more",
        "contentType": "application/octet-stream",
        "headers": {
            "type": "object",
            "properties": {dead_letters.MARK: state, dead_letters.ATTEMPTS: attempts},
            "required": [dead_letters.MARK, dead_letters.ATTEMPTS],
        },
        "payload": {"description": "Empty"},
        "bindings": {"kafka": _key("id of the letter: a function of its topic, key, value and headers")},
    }


def _key(description: str) -> Node:
    return {"key": {"type": "string", "description": description}, "bindingVersion": "0.5.0"}


def _schemas() -> Node:
    """Every model that crosses the log, each once, referring to each other."""
    wanted = {message.model: None for message in MESSAGES}
    _, made = models_json_schema([(model, "validation") for model in wanted], ref_template=_REF)
    definitions: Node = made["$defs"]
    return dict(sorted(definitions.items()))


@click.command()
@click.option("--check", is_flag=True, help="Only say whether the file is up to date.")
def main(check: bool) -> None:
    """Write docs/asyncapi.yaml from the models."""
    text = as_yaml(document())
    if not check:
        FILE.write_text(text, encoding="utf-8")
    elif FILE.read_text(encoding="utf-8") != text:
        raise click.ClickException("docs/asyncapi.yaml is out of date: run `python -m desk.asyncapi`")


if __name__ == "__main__":
    main()
