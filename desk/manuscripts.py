"""Manuscripts: the files that people write, read into the article that ingest takes. Nothing is sent here.

Markdown (`.md`) begins with YAML front matter whose keys are the article's fields; its body follows. JSON
(`.json`) is the whole article, its body in HTML. What cannot be sent is told with file, key and what to do.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

import yaml
from frontmatter.default_handlers import YAMLHandler
from pydantic import JsonValue, TypeAdapter, ValidationError

from desk.markdown import to_html
from newsroom.articles import ArticleId, ArticleText
from newsroom.errors import FieldError, Invalid

DOOR_KEYS = frozenset({"publish_at", "embargo_until", "breaking_until", "live"})
"""Fields that ingest alone decides about: they are passed on as they stand."""

MAX_FILE_BYTES = 2 * 1024 * 1024
_BEGIN = "begin the file with a line `---`, then `headline: …` and `section: …`, then another line `---`"
_BLANK = frozenset({"", "~", "null"})
_article_id = TypeAdapter(ArticleId)


class BadManuscript(Invalid):
    """The file is no article. Nothing was sent."""


@dataclass(frozen=True)
class Manuscript:
    """An article as its author wrote it. `door_fields` are passed to ingest as they stand."""

    article: ArticleText
    id: str | None = None
    door_fields: Mapping[str, JsonValue] = field(default_factory=lambda: MappingProxyType({}))

    def as_json(self) -> dict[str, JsonValue]:
        """The article as a request body carries it, without its id."""
        written: dict[str, JsonValue] = self.article.model_dump(
            mode="json", exclude_unset=True, exclude_none=True
        )
        return {**written, **self.door_fields}


def read_manuscript(path: Path) -> Manuscript:
    """The article in a file. Raises: BadManuscript with each key that cannot be used."""
    text = _read_text(path)
    if path.suffix.lower() == ".json":
        return _to_manuscript(path, _load_json(path, text))
    if path.suffix.lower() in (".md", ".markdown"):
        fields, markdown = _load_markdown(path, text)
        if "body" in fields:
            raise _bad(path, "body", "stands below the front matter in a Markdown file: move it there")
        return _to_manuscript(path, {**fields, "body": to_html(markdown)})
    raise BadManuscript(f"{path}: is neither .md nor .json: give the file one of these endings")


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BadManuscript(f"{path}: is larger than {MAX_FILE_BYTES // 1024 // 1024} MiB: shorten it")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadManuscript(f"{path}: is not UTF-8 (byte {error.start + 1}): save it as UTF-8") from error
    except OSError as error:
        raise BadManuscript(f"{path}: cannot be read: {error.strerror or error}") from error


def _load_json(path: Path, text: str) -> dict[str, JsonValue]:
    try:
        loaded = json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise BadManuscript(
            f"{path}: is no JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from error
    except RecursionError as error:
        raise BadManuscript(f"{path}: is nested too deeply to be an article") from error
    except _RepeatedKeyError as error:
        raise _bad(path, str(error), "stands twice: remove one") from error
    if not isinstance(loaded, dict):
        raise BadManuscript(f"{path}: is no JSON object: write the whole article between braces")
    return loaded


def _load_markdown(path: Path, text: str) -> tuple[dict[str, JsonValue], str]:
    handler = YAMLHandler()
    parts = handler.FM_BOUNDARY.split(text.lstrip(), 2) if handler.FM_BOUNDARY else []
    if len(parts) < 3 or parts[0]:
        raise BadManuscript(f"{path}: has no front matter: {_BEGIN}")
    try:
        loaded = handler.load(parts[1], Loader=PlainLoader)
    except _RepeatedKeyError as error:
        raise _bad(path, str(error), "stands twice: remove one") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        colon = "mapping values" in (error.problem or "")
        hint = "put a value with a colon between quotation marks" if colon else "mend the YAML"
        raise BadManuscript(f"{path}: front matter, line {line}: {error.problem}: {hint}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise BadManuscript(f"{path}: the front matter is no YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(loaded, dict):
        raise BadManuscript(f"{path}: the front matter has no keys: {_BEGIN}")
    return {key: value for key, value in loaded.items() if not _is_blank(value)}, parts[2]


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and value in _BLANK


class _RepeatedKeyError(Exception):
    """A key stands twice."""


def _unique(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {}
    for key, value in pairs:
        if key in found:
            raise _RepeatedKeyError(key)
        found[key] = value
    return found


class PlainLoader(yaml.BaseLoader):
    """YAML as front matter needs it: every scalar is text (`no` is a language, `2023` a tag), no aliases."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuses aliases, by which a short file could grow without end, and keys that stand twice."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="an alias (*name)", problem_mark=self.get_mark())
        node = super().compose_node(parent, index)
        if isinstance(node, yaml.MappingNode):
            _unique([(str(key.value), None) for key, _ in node.value])
        return node


def _to_manuscript(path: Path, fields: dict[str, JsonValue]) -> Manuscript:
    """Checks every key and value by the contract; ingest has the last word."""
    identity = fields.pop("id", None)
    door_fields = {key: _to_flag(fields.pop(key)) for key in sorted(DOOR_KEYS & fields.keys())}
    unknown = [
        FieldError(key, _explain_unknown(key)) for key in fields if key not in ArticleText.model_fields
    ]
    if unknown:
        raise _bad_fields(path, unknown)
    prepared = {key: _prepare(path, key, value, fields) for key, value in fields.items()}
    try:
        article = ArticleText.model_validate(prepared)
    except ValidationError as error:
        raise _bad_fields(path, _field_errors(error)) from error
    return Manuscript(article, _check_id(path, identity), MappingProxyType(door_fields))


def _prepare(path: Path, key: str, value: JsonValue, fields: Mapping[str, JsonValue]) -> object:
    """A value as the contract writes it: short forms written out, times with their zone."""
    if key == "dateline" and isinstance(value, str):
        return _split_dateline(path, value)
    if key in ("tags", "authors") and isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if key == "sources" and isinstance(value, list):
        return [{"name": source} if isinstance(source, str) else source for source in value]
    if key == "published_at" and isinstance(value, str):
        return _to_time(path, key, value, fields)
    return value


def _to_flag(value: JsonValue) -> JsonValue:
    """Front matter knows text only; here no model of the contract reads `true` and `false` as such."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _split_dateline(path: Path, text: str) -> dict[str, str]:
    place, bar, zone = (part.strip() for part in text.partition("|"))
    if not bar or not place or not zone:
        raise _bad(
            path, "dateline", "is written as place and zone: `dateline: Astana, Kazakhstan | Asia/Almaty`"
        )
    return {"place": place, "timezone": zone}


def _to_time(path: Path, key: str, text: str, fields: Mapping[str, JsonValue]) -> datetime:
    """A time with a zone; without one it is told in the dateline's."""
    advice = f"write it with day, time and zone: `{key}: 2023-06-18 15:40 +06:00`"
    try:
        time = datetime.fromisoformat(re.sub(r"\s+(?=[+-]\d|Z$)", "", text.strip()))
    except ValueError as error:
        raise _bad(path, key, f"is no time: {advice}") from error
    if len(text.strip()) <= len("2023-06-18"):
        raise _bad(path, key, f"is a day without a time: {advice}")
    if time.tzinfo is not None:
        return time
    zone = _zone_of(path, fields.get("dateline"))
    if zone is None:
        raise _bad(path, key, f"has no zone, and there is no dateline to take it from: {advice}")
    return time.replace(tzinfo=zone)


def _zone_of(path: Path, dateline: JsonValue) -> ZoneInfo | None:
    split = _split_dateline(path, dateline) if isinstance(dateline, str) else dateline
    name = split.get("timezone") if isinstance(split, dict) else None
    try:
        return ZoneInfo(name) if isinstance(name, str) else None
    except (KeyError, ValueError, OSError):
        return None


def _check_id(path: Path, identity: JsonValue) -> str | None:
    try:
        return None if identity is None else _article_id.validate_python(identity)
    except ValidationError as error:
        raise _bad(
            path, "id", "is no article id: use letters, digits, - and _, at most 64 of them"
        ) from error


def _explain_unknown(key: str) -> str:
    known = sorted({*ArticleText.model_fields, "id", *DOOR_KEYS})
    if key == "draft":
        return "is not written in the file: say `--draft` on the command line"
    close = difflib.get_close_matches(key, known, n=1)
    return f"is unknown: did you mean `{close[0]}`?" if close else f"is unknown: known are {', '.join(known)}"


def _field_errors(error: ValidationError) -> list[FieldError]:
    found = []
    for problem in error.errors(include_input=False, include_url=False):
        key = ".".join(str(part) for part in problem["loc"])
        missing = problem["type"] == "missing"
        detail = f"is missing: add `{key.rpartition('.')[2]}: …`" if missing else _plain(problem["msg"])
        found.append(FieldError(key, detail))
    return found


def _plain(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return text if text != message else text[:1].lower() + text[1:]


def _bad(path: Path, key: str, detail: str) -> BadManuscript:
    return _bad_fields(path, [FieldError(key, detail)])


def _bad_fields(path: Path, errors: list[FieldError]) -> BadManuscript:
    if len(errors) == 1:
        return BadManuscript(f"{path}: {errors[0].pointer}: {errors[0].detail}")
    return BadManuscript(f"{path}: {len(errors)} keys to mend", tuple(errors))
