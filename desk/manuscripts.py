"""Manuscripts: the files that people write, read into the article that ingest takes. Nothing is sent here.

Markdown (`.md`) begins with YAML front matter whose keys are the article's fields; its body follows. JSON
(`.json`) is the whole article, its body in HTML. What cannot be sent is told with file, key and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from pydantic import JsonValue, TypeAdapter, ValidationError

from desk import dues
from desk.dues import BadTime
from desk.frontmatter import BadManuscript, bad_key, bad_keys, field_errors, read_fields
from newsroom.articles import ArticleId, ArticleText
from newsroom.errors import FieldError

_BLANK = frozenset({"", "~", "null"})
_article_id = TypeAdapter(ArticleId)


@dataclass(frozen=True)
class Manuscript:
    """An article as its author wrote it. `door_fields` are no part of its text or stand before that."""

    article: ArticleText
    id: str | None = None
    door_fields: Mapping[str, JsonValue] = field(default_factory=lambda: MappingProxyType({}))

    def as_json(self) -> dict[str, JsonValue]:
        """The article as a request body carries it, without its id."""
        written: dict[str, JsonValue] = self.article.model_dump(
            mode="json", exclude_unset=True, exclude_none=True
        )
        return {**written, **self.door_fields}

    def told(self, times: Mapping[str, str], *, breaking: bool = False) -> Manuscript:
        """The manuscript with what the command line says besides: due times by their field, and the flag.

        Raises: BadManuscript.
        """
        zone = self.article.dateline.timezone if self.article.dateline else None
        said: dict[str, JsonValue] = {"breaking": True} if breaking else {}
        for key, text in times.items():
            try:
                said[key] = dues.to_due(text, zone)
            except BadTime as error:
                raise BadManuscript(f"--{key.replace('_', '-')}: {text!r} {error}") from error
        return replace(self, door_fields=MappingProxyType({**self.door_fields, **said}))


def read_manuscript(path: Path) -> Manuscript:
    """The article in a file. Raises: BadManuscript with each key that cannot be used."""
    return _to_manuscript(path, _filled(path, read_fields(path)))


def _filled(path: Path, fields: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Without the keys that a template left unfilled; a due time may say that there is to be none."""
    if path.suffix.lower() == ".json":
        return fields
    return {key: value for key, value in fields.items() if value != "" and not _is_blank(key, value)}


def _is_blank(key: str, value: JsonValue) -> bool:
    return isinstance(value, str) and value in _BLANK and key not in dues.KEYS


def _to_manuscript(path: Path, fields: dict[str, JsonValue]) -> Manuscript:
    """Checks every key and value by the contract; ingest has the last word."""
    identity = fields.pop("id", None)
    unknown = [
        FieldError(key, _explain_unknown(key))
        for key in fields
        if key not in ArticleText.model_fields and key not in dues.KEYS
    ]
    if unknown:
        raise bad_keys(path, unknown)
    if isinstance(fields.get("dateline"), str):
        fields["dateline"] = _split_dateline(path, str(fields["dateline"]))
    due_times = {key: _to_due(path, key, fields.pop(key), fields) for key in dues.KEYS if key in fields}
    prepared = {key: _prepare(path, key, value, fields) for key, value in fields.items()}
    try:
        article = ArticleText.model_validate(prepared)
    except ValidationError as error:
        raise bad_keys(path, field_errors(error)) from error
    return Manuscript(article, _check_id(path, identity), MappingProxyType(due_times))


def _prepare(path: Path, key: str, value: JsonValue, fields: Mapping[str, JsonValue]) -> object:
    """A value as the contract writes it: short forms written out, times with their zone."""
    if key in ("tags", "authors") and isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if key == "sources" and isinstance(value, list):
        return [{"name": source} if isinstance(source, str) else source for source in value]
    if key == "published_at" and isinstance(value, str):
        try:
            return dues.to_time(value, dues.zone_of(fields.get("dateline")))
        except BadTime as error:
            raise bad_key(path, key, str(error)) from error
    return value


def _to_due(path: Path, key: str, value: JsonValue, fields: Mapping[str, JsonValue]) -> JsonValue:
    if value is None:
        return None
    if not isinstance(value, str):
        raise bad_key(path, key, "is no time: write one, or `none` where there is to be none")
    try:
        return dues.to_due(value, dues.zone_of(fields.get("dateline")))
    except BadTime as error:
        raise bad_key(path, key, str(error)) from error


def _split_dateline(path: Path, text: str) -> dict[str, JsonValue]:
    place, bar, zone = (part.strip() for part in text.partition("|"))
    if not bar or not place or not zone:
        raise bad_key(
            path, "dateline", "is written as place and zone: `dateline: Astana, Kazakhstan | Asia/Almaty`"
        )
    return {"place": place, "timezone": zone}


def _check_id(path: Path, identity: JsonValue) -> str | None:
    try:
        return None if identity is None else _article_id.validate_python(identity)
    except ValidationError as error:
        raise bad_key(
            path, "id", "is no article id: use letters, digits, - and _, at most 64 of them"
        ) from error


def _explain_unknown(key: str) -> str:
    known = sorted({*ArticleText.model_fields, "id", *dues.KEYS})
    if key == "draft":
        return "is not written in the file: say `--draft` on the command line"
    close = difflib.get_close_matches(key, known, n=1)
    return f"is unknown: did you mean `{close[0]}`?" if close else f"is unknown: known are {', '.join(known)}"
