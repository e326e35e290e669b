"""Posts: what people write into a live article, read from a file or made of options into the entry that
ingest takes. Nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue, TypeAdapter, ValidationError

from desk.frontmatter import BadManuscript, bad_key, bad_keys, field_errors, read_fields
from newsroom.articles import EntryId, EntryText
from newsroom.errors import FieldError

_entry_id = TypeAdapter(EntryId)


@dataclass(frozen=True)
class Post:
    """An entry as its author wrote it; without an id of its own one is made for it."""

    entry: EntryText
    id: str | None = None

    def as_json(self) -> dict[str, JsonValue]:
        """The whole entry as a request body carries it, without its id."""
        written: dict[str, JsonValue] = self.entry.model_dump(mode="json", exclude_none=True)
        return written


def read_post(path: Path | None, options: Mapping[str, JsonValue]) -> Post:
    """The entry in a file (`-`: stdin; None: no file), with what the options say in the file's stead.

    Raises: BadManuscript with each key that cannot be used, or where nothing is to be said.
    """
    written = read_fields(path, needs_front_matter=False) if path is not None else {}
    fields = {key: value for key, value in written.items() if value != ""}
    return _to_post(path or Path("options"), {**fields, **options})


def changed_post(standing: EntryText, options: Mapping[str, JsonValue]) -> Post:
    """The entry that stands, with what the options say in its stead. Raises: BadManuscript."""
    return _to_post(Path("options"), {**standing.model_dump(mode="json"), **options})


def _to_post(path: Path, fields: dict[str, JsonValue]) -> Post:
    identity = fields.pop("id", None)
    known = sorted({*EntryText.model_fields, "id"})
    unknown = [
        FieldError(key, f"is unknown: known are {', '.join(known)}")
        for key in fields
        if key not in EntryText.model_fields
    ]
    if unknown:
        raise bad_keys(path, unknown)
    try:
        entry = EntryText.model_validate(fields)
    except ValidationError as error:
        raise bad_keys(path, field_errors(error)) from error
    if not entry.headline and not entry.body:
        raise BadManuscript("the entry says nothing: give it a --headline, or a FILE with its text")
    return Post(entry, _check_id(path, identity))


def _check_id(path: Path, identity: JsonValue) -> str | None:
    try:
        return None if identity is None else _entry_id.validate_python(identity)
    except ValidationError as error:
        raise bad_key(
            path, "id", "is no entry id: use letters, digits, - and _, at most 64 of them"
        ) from error
