"""Files as people write them, taken apart: front matter and Markdown, or JSON. What stands in them is judged
by `desk.manuscripts` and `desk.posts`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml
from frontmatter.default_handlers import YAMLHandler
from pydantic import JsonValue, ValidationError

from desk.markdown import to_html
from newsroom.errors import FieldError, Invalid

MAX_FILE_BYTES = 2 * 1024 * 1024
STDIN = Path("-")
_BEGIN = "begin the file with a line `---`, then `headline: …` and `section: …`, then another line `---`"


class BadManuscript(Invalid):
    """The file is no article and no entry. Nothing was sent."""


def read_fields(path: Path, *, needs_front_matter: bool = True) -> dict[str, JsonValue]:
    """The keys of a file, its body as HTML among them; `-` is Markdown from stdin.

    Raises: BadManuscript.
    """
    text = _read_text(path)
    if path.suffix.lower() == ".json":
        return _load_json(path, text)
    if path == STDIN or path.suffix.lower() in (".md", ".markdown"):
        has_front_matter = text.lstrip().startswith("---")
        fields, markdown = (
            _load_markdown(path, text) if needs_front_matter or has_front_matter else ({}, text)
        )
        if "body" in fields:
            raise bad_key(path, "body", "stands below the front matter in a Markdown file: move it there")
        return {**fields, "body": to_html(markdown)}
    raise BadManuscript(f"{path}: is neither .md nor .json: give the file one of these endings")


def bad_key(path: Path, key: str, detail: str) -> BadManuscript:
    """What is wrong with one key."""
    return bad_keys(path, [FieldError(key, detail)])


def bad_keys(path: Path, errors: Sequence[FieldError]) -> BadManuscript:
    """What is wrong with each of these keys."""
    if len(errors) == 1:
        return BadManuscript(f"{path}: {errors[0].pointer}: {errors[0].detail}")
    return BadManuscript(f"{path}: {len(errors)} keys to mend", tuple(errors))


def field_errors(error: ValidationError) -> list[FieldError]:
    """What a model found, in words for whoever wrote the file."""
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


def _read_text(path: Path) -> str:
    try:
        raw = _read_bytes(path)
        if len(raw) > MAX_FILE_BYTES:
            raise BadManuscript(f"{path}: is larger than {MAX_FILE_BYTES // 1024 // 1024} MiB: shorten it")
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise BadManuscript(f"{path}: is not UTF-8 (byte {error.start + 1}): save it as UTF-8") from error
    except OSError as error:
        raise BadManuscript(f"{path}: cannot be read: {error.strerror or error}") from error


def _read_bytes(path: Path) -> bytes:
    """One byte more than is allowed is enough to know."""
    if path == STDIN:
        return sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)


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
        raise bad_key(path, str(error), "stands twice: remove one") from error
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
        raise bad_key(path, str(error), "stands twice: remove one") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        colon = "mapping values" in (error.problem or "")
        hint = "put a value with a colon between quotation marks" if colon else "mend the YAML"
        raise BadManuscript(f"{path}: front matter, line {line}: {error.problem}: {hint}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise BadManuscript(f"{path}: the front matter is no YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(loaded, dict):
        raise BadManuscript(f"{path}: the front matter has no keys: {_BEGIN}")
    return loaded, parts[2]


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
