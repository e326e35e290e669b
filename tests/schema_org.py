"""JSON-LD held against the vocabulary of schema.org: every type, property and value of every node."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

_VOCABULARY = json.loads((Path(__file__).parent / "schemas" / "schema-org.json").read_text())
_TYPES: Mapping[str, list[str]] = _VOCABULARY["types"]
_PROPERTIES: Mapping[str, Mapping[str, list[str]]] = _VOCABULARY["properties"]
_URL = re.compile(r"https?://[^\s<>\"]+")


def faults(data: Mapping[str, Any]) -> list[str]:
    """What of a page's graph schema.org does not define, or defines otherwise."""
    if data.get("@context") != "https://schema.org":
        return ["no @context of schema.org"]
    nodes = {node["@id"]: node for node in data["@graph"] if "@id" in node}
    if len(nodes) < sum("@id" in node for node in data["@graph"]):
        return ["two nodes have one @id"]
    return [fault for node in data["@graph"] for fault in _of_node(node, nodes)]


def _of_node(node: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    types = _types(node)
    unknown = [name for name in types if name not in _TYPES]
    if unknown or not types:
        yield f"not a type in use here: {unknown or node}"
        return
    kinds = {kind for name in types for kind in _TYPES[name]}
    for name, value in node.items():
        if name.startswith("@"):
            continue
        known = _PROPERTIES.get(name)
        if known is None or not kinds & set(known["of"]):
            yield f"{'/'.join(types)} has no property {name}"
            continue
        for each in value if isinstance(value, list) else [value]:
            yield from _of_value(f"{'/'.join(types)}.{name}", each, known["ranges"], nodes)


def _of_value(
    where: str, value: Any, ranges: list[str], nodes: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    if isinstance(value, dict):
        node = value if "@type" in value else nodes.get(value.get("@id", ""))
        if node is None:
            yield f"{where} refers to nothing: {value}"
        elif not {kind for name in _types(node) for kind in _TYPES.get(name, [])} & set(ranges):
            yield f"{where} may not be a {'/'.join(_types(node))}"
        elif node is value:
            yield from _of_node(value, nodes)
    elif not any(_is_a(kind, value) for kind in ranges):
        yield f"{where} is none of {ranges}: {value!r}"


def _is_a(kind: str, value: Any) -> bool:
    """Whether a plain value is one of that data type."""
    if isinstance(value, bool):
        return kind == "Boolean"
    if isinstance(value, int | float):
        return kind in ("Integer", "Number")
    if not isinstance(value, str) or not value:
        return False
    if kind == "URL":
        return _URL.fullmatch(value) is not None
    if kind in ("Date", "DateTime"):
        return datetime.fromisoformat(value).tzinfo is not None
    return kind == "Text"


def _types(node: Mapping[str, Any]) -> list[str]:
    types = node.get("@type", [])
    return [types] if isinstance(types, str) else list(types)
