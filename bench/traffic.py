"""A newsroom at work: what its editors send, in about the proportions in which events of every kind come.

The dice are seeded. An article is touched again only once it is known to be rendered, as editors do who look
at their page first; where nothing stands that could be touched, an article is published instead. So a
newsroom that falls behind is sent more publications, and the report tells what was sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bench.articles import a_request, an_article

SHARES = {
    "published": 50,
    "updated": 20,
    "entry_added": 10,
    "amended": 6,
    "corrected": 4,
    "drafted": 4,
    "withdrawn": 2,
    "published again": 2,
    "retracted": 2,
}
"""Of a hundred events, how many are meant to be of each kind."""


@dataclass(frozen=True)
class Act:
    """One request to the door."""

    kind: str
    method: str
    path: str
    body: dict[str, Any]


@dataclass
class Traffic:
    """Decides what is sent next. `prefix` begins the id of every article of this load."""

    prefix: str
    dice: Random = field(default_factory=lambda: Random(8))
    public: list[str] = field(default_factory=list)
    live: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    _begun: int = 0
    _sent: int = 0

    def next(self) -> Act:
        """The next act; a publication where nothing stands that the dice's kind could touch."""
        self._sent += 1
        kind = self.dice.choices(list(SHARES), list(SHARES.values()))[0]
        make: Callable[[], Act | None] = getattr(self, f"_{kind.replace(' ', '_')}")
        return make() or self._published()

    def rendered(self, kind: str, article_id: str) -> None:
        """An event of that kind is through: its article may be touched again."""
        if kind == "withdrawn":
            self.withdrawn.append(article_id)
        elif kind not in ("drafted", "retracted"):
            (self.live if article_id.startswith(f"{self.prefix}-live") else self.public).append(article_id)

    def _published(self) -> Act:
        number, self._begun = self._begun, self._begun + 1
        is_live = number % 10 == 0
        name = f"{self.prefix}-{'live-' if is_live else ''}{number}"
        article = an_article(name).model_copy(update={"live": is_live})
        return Act("published", "POST", "/articles", a_request(name, article))

    def _drafted(self) -> Act:
        number, self._begun = self._begun, self._begun + 1
        name = f"{self.prefix}-draft-{number}"
        return Act("drafted", "POST", "/articles", a_request(name, an_article(name)) | {"draft": True})

    def _updated(self) -> Act | None:
        return self._touched("updated", "updates", {"note": f"More is known ({self._sent})."})

    def _corrected(self) -> Act | None:
        return self._touched(
            "corrected", "corrections", {"kind": "correction", "note": f"A name was misspelt ({self._sent})."}
        )

    def _amended(self) -> Act | None:
        return self._touched("amended", "amendments", {})

    def _touched(self, kind: str, call: str, body: dict[str, Any]) -> Act | None:
        if (name := self._taken(self.public)) is None:
            return None
        return Act(kind, "POST", f"/articles/{name}/{call}", body | {"article": self._text(name)})

    def _entry_added(self) -> Act | None:
        if (name := self._taken(self.live)) is None:
            return None
        entry = {"id": f"e{self._sent}", "headline": f"Post {self._sent}", "body": "<p>The talks go on.</p>"}
        return Act("entry_added", "POST", f"/articles/{name}/entries", entry)

    def _withdrawn(self) -> Act | None:
        if (name := self._taken(self.public)) is None:
            return None
        return Act("withdrawn", "POST", f"/articles/{name}/withdrawal", {"note": "Checked again."})

    def _retracted(self) -> Act | None:
        if (name := self._taken(self.public)) is None:
            return None
        return Act("retracted", "POST", f"/articles/{name}/retraction", {"note": "It was not so."})

    def _published_again(self) -> Act | None:
        if (name := self._taken(self.withdrawn)) is None:
            return None
        return Act("published", "POST", f"/articles/{name}/publication", self._text(name))

    def _text(self, name: str) -> dict[str, Any]:
        return {
            key: value
            for key, value in a_request(name, an_article(f"{name} {self._sent}")).items()
            if key != "id"
        }

    def _taken(self, names: list[str]) -> str | None:
        """Any of them, which then is on its way."""
        return names.pop(self.dice.randrange(len(names))) if names else None
