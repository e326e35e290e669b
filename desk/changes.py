"""What people do at the desk, as calls to ingest: pure, one function for each kind of event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from desk.frontmatter import BadManuscript
from desk.manuscripts import Manuscript
from desk.posts import Post
from newsroom.events import CorrectionKind


@dataclass(frozen=True)
class Change:
    """One call that becomes one event. The body is bytes: a repeated call is the same to the last one."""

    method: str
    path: str
    body: bytes


def create(manuscript: Manuscript, article_id: str | None = None, *, draft: bool = False) -> Change:
    """A new article, published or a draft; its id is `article_id`, else the manuscript's, else made there."""
    identity = _settle_id(manuscript, article_id) if article_id else manuscript.id
    fields: dict[str, JsonValue] = {"id": identity} if identity else {}
    return _change(
        "POST", "/articles", {**fields, **manuscript.as_json(), **({"draft": True} if draft else {})}
    )


def publish(article_id: str, manuscript: Manuscript) -> Change:
    """A draft's first publication, or a withdrawn article's return."""
    _settle_id(manuscript, article_id)
    return _change("POST", f"/articles/{article_id}/publication", manuscript.as_json())


def save_draft(article_id: str, manuscript: Manuscript) -> Change:
    """The article saved, not public."""
    _settle_id(manuscript, article_id)
    return _change("PUT", f"/articles/{article_id}/draft", manuscript.as_json())


def update(article_id: str, manuscript: Manuscript, note: str) -> Change:
    """New facts; the note tells readers which."""
    _settle_id(manuscript, article_id)
    return _change("POST", f"/articles/{article_id}/updates", {"note": note, "article": manuscript.as_json()})


def correct(article_id: str, manuscript: Manuscript, note: str, kind: CorrectionKind) -> Change:
    """A factual error mended; the note says what was wrong and what is right."""
    _settle_id(manuscript, article_id)
    body: dict[str, JsonValue] = {"kind": kind, "note": note, "article": manuscript.as_json()}
    return _change("POST", f"/articles/{article_id}/corrections", body)


def amend(article_id: str, manuscript: Manuscript) -> Change:
    """A typo or a matter of style; readers are told nothing."""
    _settle_id(manuscript, article_id)
    return _change("POST", f"/articles/{article_id}/amendments", {"article": manuscript.as_json()})


def retract(article_id: str, note: str) -> Change:
    """The text replaced by the note, for good."""
    return _change("POST", f"/articles/{article_id}/retraction", {"note": note})


def withdraw(article_id: str, note: str) -> Change:
    """The article taken down; the note stays among colleagues."""
    return _change("POST", f"/articles/{article_id}/withdrawal", {"note": note})


def add_entry(article_id: str, post: Post) -> Change:
    """A new post in a live article; its id is made there unless the post has one."""
    identity: dict[str, JsonValue] = {"id": post.id} if post.id else {}
    return _change("POST", f"/articles/{article_id}/entries", {**identity, **post.as_json()})


def change_entry(article_id: str, entry_id: str, post: Post) -> Change:
    """A post as it is to read from now on. Raises: BadManuscript where the file means another one."""
    if post.id is not None and post.id != entry_id:
        raise BadManuscript(
            f"the file is entry {post.id}, the command names {entry_id}: check which is meant"
        )
    return _change("PUT", f"/articles/{article_id}/entries/{entry_id}", post.as_json())


def _settle_id(manuscript: Manuscript, article_id: str) -> str:
    """The id named on the command line, once it is sure that the file does not mean another article."""
    if manuscript.id is not None and manuscript.id != article_id:
        raise BadManuscript(
            f"the file is article {manuscript.id}, the command names {article_id}: check which is meant"
        )
    return article_id


def _change(method: str, path: str, body: Mapping[str, JsonValue]) -> Change:
    return Change(method, path, json.dumps(body, ensure_ascii=False).encode())
