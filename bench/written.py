"""What a newsroom has written so far: files of the site, records of the log, documents."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from bench.stack import Newsroom
from desk.parts.home import Home


@dataclass(frozen=True)
class Written:
    """Bytes. `log`: of records in the newsroom's topics. `journal`: of MongoDB, before it answers;
    `documents`: its data and indexes, at a checkpoint. `pages` and `sitemaps`: files with their siblings.
    """

    log: float = 0
    journal: float = 0
    documents: float = 0
    pages: float = 0
    sitemaps: float = 0

    def __add__(self, other: Written) -> Written:
        return Written(*(one + more for one, more in zip(astuple(self), astuple(other), strict=True)))

    def since(self, former: Written, count: int) -> Written:
        """What was written since then, for each of so many publications."""
        pairs = zip(astuple(self), astuple(former), strict=True)
        return Written(*((now - then) / count for now, then in pairs))

    @property
    def total(self) -> float:
        """All but the sitemaps."""
        return self.log + self.journal + self.documents + self.pages


def on_servers(newsroom: Newsroom, home: Path) -> Written:
    """What log and documents have written so far, up to a checkpoint that is made now."""
    client: MongoClient[dict[str, Any]]
    with MongoClient(newsroom.mongo_url) as client:
        client.admin.command("fsync")
        told = client.admin.command("serverStatus")["wiredTiger"]
    log = sum(file.stat().st_size for file in Home(home).kafka.glob("data/newsroom.*/*.log"))
    return Written(
        log=log, journal=told["log"]["log bytes written"], documents=told["block-manager"]["bytes written"]
    )


def on_site(public: Path, since_ns: int) -> Written:
    """The files of the site that were written since then, by the clock of the files."""
    pages = sitemaps = 0
    for entry in _files(public):
        found = entry.stat()
        if found.st_mtime_ns >= since_ns:
            if Path(entry.path).relative_to(public).parts[0].startswith("sitemap"):
                sitemaps += found.st_size
            else:
                pages += found.st_size
    return Written(pages=pages, sitemaps=sitemaps)


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(Path(entry.path))
            else:
                yield entry
