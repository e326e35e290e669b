"""Who may do what: every route of the three services, and what it answers to whom.

A route that is added has to be listed here, or the test that walks the table fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from newsroom.keys import Role

PUBLIC, DRAFT, DOOMED = "open-story", "hidden-draft", "doomed"
"""An article, a draft and a key that stand while the table is walked."""
BAD = ("garbage", "revoked", "expired")
CALLERS = ("nobody", *BAD, *Role)
_EVENT = "evt_" + "a" * 26
_LETTER = "dl_" + "a" * 26
_REBUILD = "rep_00c0ffee00c0ffee"
_TEXT = {"headline": "Of access", "section": "Kazakhstan", "body": "<p>Some words.</p>"}
_SOME = "/articles/some-story"


@dataclass(frozen=True)
class Row:
    """One route as it is asked, and the status that each kind of caller gets."""

    service: str
    method: str
    route: str
    ask: str
    body: Any
    nobody: int
    bad: int
    below: int
    """A good key whose role is not enough."""
    needed: Role
    answers: int

    def expected(self, caller: str) -> int:
        if caller == "nobody":
            return self.nobody
        if caller in BAD:
            return self.bad
        return self.answers if Role(caller).may_act_as(self.needed) else self.below

    def __str__(self) -> str:
        return f"{self.service} {self.method} {self.ask} ({self.needed})"


def _open(service: str, route: str, ask: str = "", answers: int = 200) -> Row:
    """Answered to everybody alike: no key is looked at."""
    return Row(service, "GET", route, ask or route, None, answers, answers, answers, Role.READER, answers)


def _read(route: str, ask: str, answers: int = 200) -> Row:
    """The store's, answered without a key too; one that is no good is refused."""
    return Row("store", "GET", route, ask, None, answers, 401, answers, Role.READER, answers)


def _hidden(route: str, ask: str) -> Row:
    """The store's, of what is not public: to others it is as if nothing stood there."""
    return Row("store", "GET", route, ask, None, 404, 401, 404, Role.REPORTER, 200)


def _keyed(
    service: str, method: str, route: str, needed: Role, answers: int, *, ask: str = "", body: Any = None
) -> Row:
    """For good keys of a role and above."""
    return Row(service, method, route, ask or route, body, 401, 401, 403, needed, answers)


_OF_EVERY_SERVICE = tuple(
    _open(service, route, ask, answers)
    for service in ("ingest", "store", "render")
    for route, ask, answers in (
        ("/docs", "", 200),
        ("/openapi.json", "", 200),
        ("/health/live", "", 200),
        ("/health/ready", "", 200),
        ("/metrics", "", 200),
        ("/problems/{slug}", "/problems/not-found", 303),
    )
)
_CHANGES = tuple(
    _keyed(
        "ingest",
        method,
        f"/articles/{{article_id}}/{what}",
        needed,
        202,
        ask=f"{_SOME}/{what}",
        body=body,
    )
    for method, what, needed, body in (
        ("POST", "publication", Role.EDITOR, _TEXT),
        ("PUT", "draft", Role.REPORTER, _TEXT),
        ("POST", "updates", Role.EDITOR, {"note": "New.", "article": _TEXT}),
        ("POST", "corrections", Role.PUBLISHER, {"kind": "correction", "note": "Wrong.", "article": _TEXT}),
        ("POST", "amendments", Role.EDITOR, {"article": _TEXT}),
        ("POST", "retraction", Role.PUBLISHER, {"note": "It was not so."}),
        ("POST", "withdrawal", Role.PUBLISHER, {"note": "For now."}),
        ("POST", "entries", Role.EDITOR, {"headline": "A post"}),
    )
)
_INGEST = (
    _keyed("ingest", "POST", "/articles", Role.REPORTER, 202, body={**_TEXT, "draft": True}),
    _keyed("ingest", "POST", "/articles", Role.EDITOR, 202, body=_TEXT),
    *_CHANGES,
    _keyed(
        "ingest", "PUT", "/articles/{article_id}/entries/{entry_id}", Role.EDITOR, 202,
        ask=f"{_SOME}/entries/first", body={"headline": "A post"},
    ),
    _keyed("ingest", "GET", "/events/{event_id}", Role.READER, 200, ask=f"/events/{_EVENT}"),
    _keyed("ingest", "GET", "/events", Role.REPORTER, 200),
    _keyed("ingest", "GET", "/keys", Role.PUBLISHER, 200),
    _keyed("ingest", "POST", "/keys", Role.PUBLISHER, 201, body={"name": "new-key", "role": "reader"}),
    _keyed("ingest", "DELETE", "/keys/{name}", Role.PUBLISHER, 204, ask=f"/keys/{DOOMED}"),
)  # fmt: skip
_ARTICLE = "/articles/{article_id}"
_STORE = (
    _read("/articles", "/articles"),
    Row("store", "GET", "/articles", "/articles?state=draft", None, 401, 401, 403, Role.REPORTER, 200),
    _read(_ARTICLE, f"/articles/{PUBLIC}"),
    _hidden(_ARTICLE, f"/articles/{DRAFT}"),
    _read(f"{_ARTICLE}/revisions", f"/articles/{PUBLIC}/revisions"),
    _hidden(f"{_ARTICLE}/revisions", f"/articles/{DRAFT}/revisions"),
    _read(f"{_ARTICLE}/revisions/{{revision}}", f"/articles/{PUBLIC}/revisions/1"),
    _hidden(f"{_ARTICLE}/revisions/{{revision}}", f"/articles/{DRAFT}/revisions/1"),
    _read(f"{_ARTICLE}/diff", f"/articles/{PUBLIC}/diff?from=1&to=2"),
    _hidden(f"{_ARTICLE}/diff", f"/articles/{DRAFT}/diff?from=1&to=2"),
    _read(f"{_ARTICLE}/entries", f"/articles/{PUBLIC}/entries"),
    _hidden(f"{_ARTICLE}/entries", f"/articles/{DRAFT}/entries"),
    _read(f"{_ARTICLE}/entries/{{entry_id}}", f"/articles/{PUBLIC}/entries/first"),
    _keyed("store", "GET", "/events/{event_id}", Role.READER, 404, ask=f"/events/{_EVENT}"),
    _keyed("store", "POST", "/republications", Role.PUBLISHER, 202, body={"article_ids": [PUBLIC]}),
    _keyed(
        "store", "GET", "/republications/{republication_id}", Role.PUBLISHER, 404,
        ask=f"/republications/{_REBUILD}",
    ),
    _keyed("store", "GET", "/announcements", Role.PUBLISHER, 200),
    _keyed(
        "store", "GET", "/announcements/{article_id}", Role.PUBLISHER, 200, ask=f"/announcements/{PUBLIC}"
    ),
    _keyed(
        "store", "GET", "/announcements/{article_id}/entries", Role.PUBLISHER, 200,
        ask=f"/announcements/{PUBLIC}/entries",
    ),
    _keyed("store", "GET", "/dead-letters", Role.PUBLISHER, 200),
    _keyed("store", "GET", "/dead-letters/{letter_id}", Role.PUBLISHER, 404, ask=f"/dead-letters/{_LETTER}"),
    _keyed(
        "store", "POST", "/dead-letters/{letter_id}/retry", Role.PUBLISHER, 404,
        ask=f"/dead-letters/{_LETTER}/retry",
    ),
    _keyed(
        "store", "DELETE", "/dead-letters/{letter_id}", Role.PUBLISHER, 404, ask=f"/dead-letters/{_LETTER}"
    ),
)  # fmt: skip
_RENDER = (
    _open("render", "/{path:often_asked}", "/"),
    _open("render", "/{path:path}", "/updates/"),
    _open("render", "/news-sitemap.xml"),
    _open("render", "/articles/{article_id}/", f"/articles/{PUBLIC}/", 302),
    _open("render", "/articles/{article_id}/", f"/articles/{DRAFT}/", 404),
    _open("render", "/{place:path}/excerpt.json", "/nowhere/excerpt.json", 404),
    _open("render", "/{place:path}/excerpt.html", "/nowhere/excerpt.html", 404),
    _open("render", "/oembed", "/oembed?url=http://elsewhere.example/", 404),
    _open("render", "/live"),
    _open("render", "/live/{article_id}", f"/live/{PUBLIC}"),
    _keyed("render", "GET", "/preview/{article_id}", Role.REPORTER, 200, ask=f"/preview/{DRAFT}"),
    _keyed("render", "POST", "/api/verification", Role.PUBLISHER, 200),
)
TABLE = (*_OF_EVERY_SERVICE, *_INGEST, *_STORE, *_RENDER)
