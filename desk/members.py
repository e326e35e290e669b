"""The servers below the newsroom, asked one by one: does a port take connections, and what is each mongod?"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from newsroom.mongo import tls_options
from newsroom.servers import Tls

_CONNECT_SECONDS = 1.5
_ANSWER_MS = 1500


class Member(StrEnum):
    """How one server was found. `SILENT`: it takes connections and says nothing."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    SILENT = "silent"
    AWAY = "away"


def takes_connections(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    try:
        with socket.create_connection((host, port), timeout=_CONNECT_SECONDS):
            return True
    except OSError:
        return False


def hosts_of(bootstrap: str) -> Iterator[tuple[str, int]]:
    """The addresses of a list like `a:9092,b:9092`; what is no address is passed over."""
    for address in bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        if host and port.isdigit():
            yield host.strip("[]"), int(port)


def mongo_members(url: str, tls: Tls) -> dict[str, Member]:
    """Each member that a MongoDB URL names, by its address."""
    try:
        parsed = parse_uri(url)
    except (ValueError, PyMongoError):
        return {}
    nodes: Sequence[tuple[str, int]] = parsed["nodelist"]
    options = {**_tls_in(parsed["options"]), **tls_options(tls)}
    return {f"{host}:{port}": _member(host, port, options) for host, port in nodes}


def _tls_in(options: Mapping[str, Any]) -> dict[str, Any]:
    """What a URL says of TLS: a member that wants it is silent to whoever speaks none."""
    return {name: value for name, value in options.items() if name.startswith("tls")}


def _member(host: str, port: int, options: Mapping[str, Any]) -> Member:
    if not takes_connections(host, port):
        return Member.AWAY
    try:
        with MongoClient[dict[str, Any]](
            host,
            port,
            directConnection=True,
            serverSelectionTimeoutMS=_ANSWER_MS,
            socketTimeoutMS=_ANSWER_MS,
            **options,
        ) as client:
            hello = client.admin.command("hello")
    except PyMongoError:
        return Member.SILENT
    return Member.PRIMARY if hello.get("isWritablePrimary") else Member.SECONDARY
