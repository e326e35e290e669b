"""Render in small: its two handlers on a log, a read model and a pages folder, without a loop around them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from newsroom import steps, topics
from newsroom.kafka.consumer import Delivery
from newsroom.kafka.fake import FakeLog, FakePublisher
from newsroom.listings import ListingMark, Marked, decode_mark
from newsroom.notices import Notice, decode_notice
from newsroom.outcomes import Rendering, decode_outcome
from newsroom.records import Record
from newsroom.times import now
from newsroom.updates import ArticleUpdate, EntryUpdate
from services.render.consumer import UpdateRenderer
from services.render.listingkinds import standing_paths
from services.render.listings import ListingRenderer
from services.render.pages import Pages
from services.render.site import SiteFolder
from tests.render_parts import MemoryReadModel, PlainPages, a_delivery, a_post_delivery, a_site

MEMORY = next((folder for folder in ("/dev/shm",) if os.access(folder, os.W_OK)), None)  # noqa: S108
"""Where files need no disk: random days write thousands, flush each, and none has to outlive its test."""


class SmallRender:
    """One render instance. Give a second one the log, the model and the folder's path of the first."""

    def __init__(
        self,
        folder: Path,
        *,
        pages: Pages | None = None,
        model: MemoryReadModel | None = None,
        log: FakeLog | None = None,
    ) -> None:
        self.log = log or FakeLog()
        self.model = model or MemoryReadModel()
        self.publisher = FakePublisher(self.log)
        self.folder = SiteFolder(folder)
        self.folder.open()
        drawn = pages or PlainPages()
        self.updates = UpdateRenderer(self.model, self.folder, drawn, self.publisher)
        self.listings = ListingRenderer(self.model, self.folder, drawn, self.publisher, first_seconds=0)
        self._listed = set[tuple[int, int]]()

    async def take(self, *updates: ArticleUpdate | EntryUpdate, again: bool = False) -> None:
        """One batch of `newsroom.updates`."""
        await self.updates.handle(
            [
                a_delivery(update, again=again)
                if isinstance(update, ArticleUpdate)
                else a_post_delivery(update, again=again)
                for update in updates
            ]
        )

    async def list_marked(self) -> None:
        """Work off the marks that came since the last time, with what each turn leaves to the next."""
        waiting = [
            record for record in self.log.records(topics.LISTINGS) if place_of(record) not in self._listed
        ]
        left = [Delivery(record, decode_mark(record)) for record in waiting]
        while left:
            left = await self.listings.handle(left)
        self._listed |= {place_of(record) for record in waiting}

    async def lay_ground(self) -> None:
        """The listings that stand from the first start."""
        for path in standing_paths(a_site()):
            await self.listings.write(path)

    async def mark(self, path: str, article_id: str = "a1", revision: int = 1) -> None:
        """One mark, by hand."""
        record = Record(topics.LISTINGS, 0, 0, path.encode(), b"", (), 0)
        mark = ListingMark(path=path, article_id=article_id, revision=revision)
        await self.listings.handle([Delivery(record, Marked(mark, now()))])

    @property
    def marks(self) -> list[str]:
        return [decode_mark(record).mark.path for record in self.log.records(topics.LISTINGS)]

    @property
    def notices(self) -> list[Notice]:
        return [decode_notice(record) for record in self.log.records(topics.NOTICES)]

    @property
    def renderings(self) -> list[Rendering]:
        found = [decode_outcome(record) for record in self.log.records(topics.OUTCOMES)]
        return [outcome for outcome in found if isinstance(outcome, Rendering)]

    def files(self) -> dict[str, bytes]:
        """Every file that stands, siblings too; one that goes while it is looked for is none."""
        root = self.folder.root
        found = sorted(Path(folder, name) for folder, _, names in os.walk(root) for name in names)
        contents = {f"/{file.relative_to(root).as_posix()}": _read(file) for file in found}
        return {path: content for path, content in contents.items() if content is not None}

    def text(self, path: str) -> str:
        """A page as it stands, at its folder's path or a file's."""
        name = f"{path}index.html" if path.endswith("/") else path
        return self.files()[name].decode()


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None


def place_of(record: Record) -> tuple[int, int]:
    return record.partition, record.offset


@contextmanager
def points() -> Iterator[list[str]]:
    """The named points that are reached in the block, in order."""
    seen: list[str] = []
    steps.install(seen.append)
    try:
        yield seen
    finally:
        steps.install(None)


def kinds(notices: Sequence[Notice]) -> list[tuple[str, int, str]]:
    return [(notice.article_id, notice.revision, notice.kind.value) for notice in notices]
