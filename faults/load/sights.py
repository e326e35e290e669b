"""What somebody sees who fetched an address: whether the answer is whole, of which revision, with which
tokens. Pure: from headers and raw bytes.

A page ends with `</html>`, XML is well-formed to its end, JSON can be parsed, a compressed body can be
unpacked to its last byte, and each has the length that was announced.
"""

from __future__ import annotations

import html
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from xml.parsers import expat

import brotli  # type: ignore[import-untyped]

from faults.load.words import find

_BODY = re.compile(r"<body([^>]*)>")
_ATTRIBUTE = re.compile(r'data-(page|article|revision)="([^"]*)"')
_NO_TEXT = ("image/png", "image/x-icon", "image/vnd.microsoft.icon", "font/")
_TEXT = re.compile("text|xml|json|javascript")
_LINK = re.compile(r'(?:href="|<loc>)(?:https?://[^/"<]+)?(/[^"<#?]*)')


@dataclass(frozen=True)
class Sight:
    """The facts. `torn` says why it is no whole answer; `text` is empty then."""

    article_id: str | None = None
    revision: int | None = None
    tokens: tuple[str, ...] = ()
    encoding: str = "identity"
    torn: str = ""
    text: str = ""

    @property
    def links(self) -> tuple[str, ...]:
        """Paths on this site that it leads to, each once, without query and fragment."""
        return tuple(dict.fromkeys(html.unescape(path) for path in _LINK.findall(self.text)))


def see(headers: Mapping[str, str], raw: bytes) -> Sight:
    """What an answer with a body shows. Names of headers are in lower case."""
    encoding = headers.get("content-encoding", "identity")
    media_type = headers.get("content-type", "").partition(";")[0]
    try:
        _check_length(headers, raw)
        unpacked = _unpack(encoding, raw)
        text = "" if media_type.startswith(_NO_TEXT) else unpacked.decode()
        _check_end(media_type, text)
    except ValueError as error:
        return Sight(encoding=encoding, torn=str(error) or type(error).__name__)
    article_id, revision = _of_page(text) if media_type == "text/html" else _of_json(text)
    return Sight(article_id, revision, find(text), encoding, "", text)


def _check_length(headers: Mapping[str, str], raw: bytes) -> None:
    announced = headers.get("content-length")
    if announced is not None and int(announced) != len(raw):
        raise ValueError(f"{len(raw)} bytes came, {announced} were announced")


def _unpack(encoding: str, raw: bytes) -> bytes:
    """Raises: ValueError when something is missing or too much."""
    match encoding:
        case "identity":
            return raw
        case "gzip":
            return _gunzip(raw)
        case "br":
            try:
                return bytes(brotli.decompress(raw))
            except brotli.error as error:
                raise ValueError(f"brotli: {error}") from error
        case _:
            raise ValueError(f"nobody asked for the encoding {encoding!r}")


def _gunzip(raw: bytes) -> bytes:
    stream = zlib.decompressobj(wbits=31)
    try:
        content = stream.decompress(raw) + stream.flush()
    except zlib.error as error:
        raise ValueError(f"gzip: {error}") from error
    if not stream.eof or stream.unused_data:
        raise ValueError("gzip: no end, or more after it")
    return content


def _check_end(media_type: str, text: str) -> None:
    """Raises: ValueError when the document does not end as one of its kind must."""
    if media_type == "text/html":
        if not text.rstrip().endswith("</html>"):
            raise ValueError(f"the page ends with {text[-40:]!r}")
    elif media_type.endswith("xml"):
        try:
            expat.ParserCreate().Parse(text, True)
        except expat.ExpatError as error:
            raise ValueError(f"XML: {error}") from error
    elif media_type.endswith("json"):
        json.loads(text)


def _of_page(text: str) -> tuple[str | None, int | None]:
    """As the page says itself; its history too tells the revision."""
    body = _BODY.search(text)
    told = dict(_ATTRIBUTE.findall(body[1])) if body else {}
    if told.get("page") not in ("article", "history"):
        return None, None
    return told.get("article"), int(told["revision"]) if "revision" in told else None


def _of_json(text: str) -> tuple[str | None, int | None]:
    """Of an article by the store's API."""
    if not text.startswith('{"id":'):
        return None, None
    told = json.loads(text)
    revision = told.get("revision")
    return told["id"], revision if isinstance(revision, int) else None
