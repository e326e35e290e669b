"""A newsroom that is only imagined: it does what the real one promises, step by step, and tells the history
and the evidence that an experiment on it would leave. So that the checker can be shown a healthy run, and the
same run with one thing wrong.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from faults.history import (
    Calm,
    Ended,
    Evidence,
    Filed,
    Files,
    History,
    Injected,
    Invoked,
    Letter,
    Noticed,
    Outcome,
    Read,
    Revised,
    Sampled,
    Told,
    Updated,
)

PARTITIONS = 3
TEXTS = ("published", "updated", "corrected", "amended")
NOTED = ("updated", "corrected", "entry_added", "retracted")
HOME = "/"


@dataclass(frozen=True)
class Face:
    """What the public sees of an article: words of the text, notes since its publication, posts."""

    status: str = "unknown"
    revision: int = 0
    public_revision: int = 0
    text: str = ""
    notes: tuple[str, ...] = ()
    posts: tuple[str, ...] = ()
    held: str = ""
    due: float | None = None

    @property
    def tokens(self) -> tuple[str, ...]:
        shown = (self.text, *self.notes, *self.posts) if self.status == "public" else self.notes
        return tuple(token for token in shown if token) if self.is_shown else ()

    @property
    def is_shown(self) -> bool:
        return self.status in ("public", "retracted")


@dataclass
class Imagined:
    """Time passes with each call. What was sent waits for `store`, then for `render`, then for `listing`."""

    history: History = field(default_factory=History)
    evidence: Evidence = field(default_factory=Evidence)
    now: float = 0.0
    heads: dict[str, Face] = field(default_factory=dict)
    shown: dict[str, Face] = field(default_factory=dict)
    home: tuple[str, ...] = ()
    """Tokens that stand on the home page."""
    events: list[tuple[Filed, Invoked, str]] = field(default_factory=list)
    decided: int = 0
    updates: list[tuple[Updated, Face, str]] = field(default_factory=list)
    rendered: int = 0
    ends: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    commits: dict[str, int] = field(default_factory=dict)
    number: int = 0

    def tick(self, seconds: float = 0.01) -> float:
        self.now += seconds
        return self.now

    # --- editors

    def send(
        self,
        kind: str,
        article_id: str = "a",
        *,
        waits: bool = False,
        is_unknown: bool = False,
        due_in: float | None = None,
    ) -> Invoked:
        """An event reaches the log. `is_unknown`: its editor gets no answer; `due_in`: its text waits."""
        invoked = self.invoke(kind, article_id, due_in=due_in)
        self.file(invoked)
        if waits:
            self.work()
        self.answer(invoked, waits=waits, is_unknown=is_unknown)
        return invoked

    def lose(self, kind: str, article_id: str = "a", *, is_refused: bool = False) -> Invoked:
        """An event does not reach the log: refused, or nobody knows."""
        invoked = self.invoke(kind, article_id)
        self.history.add(Ended(invoked.operation, 1, "fail" if is_refused else "unknown", self.tick()))
        return invoked

    def invoke(self, kind: str, article_id: str, *, due_in: float | None = None) -> Invoked:
        self.number += 1
        withheld: Literal["", "draft", "embargoed"] = "draft" if kind == "drafted" else ""
        invoked = Invoked(
            operation=f"op-{self.number}",
            attempt=1,
            editor="e",
            kind=kind,
            article_id=article_id,
            token=f"zq{self.number:010}",
            at=self.tick(),
            withheld=withheld if due_in is None else "embargoed",
            due_at=None if due_in is None else self.now + due_in,
        )
        self.history.add(invoked)
        return invoked

    def file(self, invoked: Invoked) -> None:
        """Put its record on the log, once more if it is there."""
        event_id = event_id_of(invoked)
        partition = zlib.crc32(invoked.article_id.encode()) % PARTITIONS
        offset = self._append(f"newsroom.events/{partition}")
        filed = Filed(partition, offset, invoked.article_id, event_id, invoked.kind, (invoked.token,))
        self.events.append((filed, invoked, event_id))
        self.evidence = replace(self.evidence, filed=(*self.evidence.filed, filed))
        self.tick()

    def answer(self, invoked: Invoked, *, waits: bool, is_unknown: bool = False) -> None:
        """The editor's answer: with `waits` what it came to."""
        event_id = event_id_of(invoked)
        if is_unknown:
            self.history.add(Ended(invoked.operation, 1, "unknown", self.tick()))
            return
        status = self.evidence.statuses.get(event_id, {}) if waits else {}
        url = f"http://site/{invoked.article_id}/" if status.get("state") == "rendered" else None
        self.history.add(
            Ended(
                invoked.operation,
                1,
                "ok",
                self.tick(),
                202,
                event_id,
                status.get("state", "accepted"),
                status.get("revision"),
                url if self.heads.get(invoked.article_id, Face()).is_shown else None,
            )
        )

    # --- the services

    def work(self) -> None:
        """Everything that waits is done."""
        while self.store() or self.render():
            pass
        self.listing()

    def store(self) -> bool:
        """Decide the next event. False: none waits."""
        if self.decided == len(self.events):
            return False
        filed, invoked, event_id = self.events[self.decided]
        self.decided += 1
        if event_id not in self.evidence.statuses:
            self._decide(filed, invoked, event_id)
        self.commits[f"newsroom.events/{filed.partition}"] = filed.offset + 1
        return True

    def _decide(self, filed: Filed, invoked: Invoked, event_id: str) -> None:
        former = self.heads.get(invoked.article_id, Face())
        after = folded(former, invoked, self.now)
        state = "rejected" if after is None else "stored"
        revision = None if after is None else after.revision
        self._outcome(invoked.article_id, state, event_id, revision, filed.partition)
        status = {"state": state, "revision": revision, "reason": "so it is" if after is None else None}
        self.evidence = replace(self.evidence, statuses={**self.evidence.statuses, event_id: status})
        if after is None:
            return
        self.heads[invoked.article_id] = after
        revised = Revised(invoked.article_id, after.revision, event_id, invoked.kind)
        offset = self._append(f"newsroom.updates/{filed.partition}")
        updated = Updated(filed.partition, offset, invoked.article_id, after.revision)
        self.updates.append((updated, after, event_id))
        self.evidence = replace(
            self.evidence,
            revised=(*self.evidence.revised, revised),
            updated=(*self.evidence.updated, updated),
        )
        self.tick()

    def render(self) -> bool:
        """Draw the next article. False: none waits."""
        if self.rendered == len(self.updates):
            return False
        updated, face, event_id = self.updates[self.rendered]
        self.rendered += 1
        former = self.shown.get(updated.article_id, Face())
        self.shown[updated.article_id] = face
        self.tick()
        if face.status in ("withdrawn", "retracted"):
            self.listing()
        self._outcome(updated.article_id, "rendered", None, face.revision, updated.partition)
        self._notice(updated.article_id, former, face)
        status = {**self.evidence.statuses[event_id], "state": "rendered"}
        if (former.status, former.public_revision) != (face.status, face.public_revision) and (
            former.is_shown or face.is_shown
        ):
            self.evidence = replace(self.evidence, statuses={**self.evidence.statuses, event_id: status})
        self.commits[f"newsroom.updates/{updated.partition}"] = updated.offset + 1
        return True

    def _notice(self, article_id: str, former: Face, face: Face) -> None:
        is_gone = former.is_shown and face.status == "withdrawn"
        if not is_gone and not (face.is_shown and face.public_revision > former.public_revision):
            return
        kind = "withdrawn" if is_gone else "update"
        revision = face.revision if is_gone else face.public_revision
        noticed = Noticed(self._append("newsroom.notices/0"), article_id, revision, kind, silent=is_gone)
        self.evidence = replace(self.evidence, noticed=(*self.evidence.noticed, noticed))

    def listing(self) -> None:
        """Draw the home page."""
        faces = sorted(self.shown.items())
        self.home = tuple(token for _, face in faces for token in face.tokens)
        self.tick()

    def _outcome(
        self, article_id: str, state: str, event_id: str | None, revision: int | None, partition: int
    ) -> None:
        offset = self._append(f"newsroom.outcomes/{partition}")
        outcome = Outcome(partition, offset, article_id, state, event_id, revision)
        self.evidence = replace(self.evidence, outcomes=(*self.evidence.outcomes, outcome))
        self.tick()

    def _append(self, place: str) -> int:
        self.ends[place] += 1
        return self.ends[place] - 1

    # --- readers

    def read(
        self, path: str = HOME, reader: str = "r", *, meanwhile: Callable[[], object] = lambda: None
    ) -> Read:
        """Fetch the home page, or an article's page by its id; `meanwhile` happens while the answer comes."""
        begun = self.tick()
        if path == HOME:
            read = Read(reader, path, begun, begun, 200, tokens=self.home)
        else:
            face = self.shown.get(path.strip("/"), Face())
            status = 200 if face.is_shown else 410
            revision = face.public_revision if face.is_shown else None
            read = Read(
                reader, path, begun, begun, status, "identity", path.strip("/"), revision, face.tokens
            )
        meanwhile()
        read = replace(read, ended=self.tick())
        self.history.add(read)
        return read

    def listen(self, article_id: str, reader: str = "s") -> None:
        """Open the page, and a stream from its revision, and hear all that is missing."""
        read = self.read(f"/{article_id}/", reader)
        self.history.add(Told(reader, self.tick(), "connected", article_id, revision=read.revision))
        self.hear(article_id, read.revision or 0, reader)

    def hear(self, article_id: str, after: int, reader: str = "s") -> None:
        """Get every notice above that revision, and fetch the page."""
        for notice in self.evidence.noticed:
            if notice.article_id == article_id and notice.revision > after:
                what = "reset" if notice.silent else "notice"
                event_id, revision = f"mark-{notice.offset}", None if notice.silent else notice.revision
                told = Told(reader, self.tick(), what, article_id, article_id, revision, None, event_id)  # type: ignore[arg-type]
                self.history.add(told)
        self.read(f"/{article_id}/", reader)

    def sample(self) -> None:
        """What is committed, and where the log ends now."""
        for group, topic in (("store", "newsroom.events"), ("render", "newsroom.updates")):
            committed = {place: at for place, at in self.commits.items() if place.startswith(topic)}
            self.history.add(Sampled(group, self.tick(), committed, dict(self.ends)))  # type: ignore[arg-type]

    # --- time and the end

    def fall_due(self) -> None:
        """What fell due is put on the log."""
        for article_id, face in self.heads.items():
            if face.held and face.due is not None and face.due <= self.now:
                released = Invoked(f"due-{face.held}", 1, "clock", "released", article_id, "", self.tick())
                if event_id_of(released) not in {each.event_id for each in self.evidence.filed}:
                    self.file(released)

    def rest(self) -> None:
        """All is calm. Afterwards `evidence` is whole."""
        self.fall_due()
        self.work()
        self.history.add(Injected("none", "begins", 0.0))
        self.history.add(Injected("none", "ends", 0.0))
        self.history.add(Calm(self.tick(), 1.0))
        self.tick(5)
        self.read()
        files, tokens = self._files()
        self.evidence = replace(
            self.evidence,
            files=files,
            rebuilt=files,
            replayed=files,
            revised_after_replay=self.evidence.revised,
            tokens_in_files=tokens,
        )

    def _files(self) -> tuple[Files, dict[str, tuple[str, ...]]]:
        pages = {f"{name}/index.html": face.tokens for name, face in self.shown.items() if face.is_shown}
        pages["index.html"] = self.home
        tokens: dict[str, tuple[str, ...]] = defaultdict(tuple)
        for path, shown in pages.items():
            for token in shown:
                tokens[token] = (*tokens[token], path)
        files = {path: hashlib.sha256(repr(shown).encode()).hexdigest() for path, shown in pages.items()}
        return files, dict(tokens)

    def poison(self, partition: int = 0) -> None:
        """A record that nobody can read is on the log, and becomes a dead letter."""
        offset = self._append(f"newsroom.events/{partition}")
        at = self._append("newsroom.dead-letters/0")
        self.evidence = replace(
            self.evidence,
            filed=(*self.evidence.filed, Filed(partition, offset, None, None)),
            letters=(*self.evidence.letters, Letter(0, at, "newsroom.events", partition, offset)),
        )


def event_id_of(invoked: Invoked) -> str:
    return f"evt_{invoked.operation}"


def folded(former: Face, invoked: Invoked, now: float) -> Face | None:
    """The article after the event, None where that is rejected."""
    kind, token, revision = invoked.kind, invoked.token, former.revision + 1
    after = replace(former, revision=revision)
    if former.status == "retracted":
        return None
    if kind == "drafted":
        return replace(after, status="draft" if former.status == "unknown" else former.status)
    if kind == "released":
        return _shown(after, former.held, ()) if former.held else None
    if kind in TEXTS:
        return _sent(former, after, invoked, now)
    if kind == "withdrawn":
        return replace(after, status="withdrawn", text="", notes=(), held="") if former.is_shown else None
    if not former.is_shown:
        return None
    if kind == "retracted":
        return Face("retracted", revision, revision, notes=(token,))
    return replace(after, posts=(*former.posts, token), public_revision=revision)


def _sent(former: Face, after: Face, invoked: Invoked, now: float) -> Face | None:
    if (invoked.kind == "published") == former.is_shown:
        return None
    if invoked.due_at is not None and invoked.due_at > now:
        return replace(after, held=invoked.token, due=invoked.due_at)
    notes = (invoked.token,) if invoked.kind in NOTED else ()
    return _shown(after, invoked.token, (*former.notes, *notes) if former.is_shown else notes)


def _shown(after: Face, text: str, notes: tuple[str, ...]) -> Face:
    return replace(
        after, status="public", public_revision=after.revision, text=text, notes=notes, held="", due=None
    )
