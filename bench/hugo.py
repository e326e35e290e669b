"""Hugo beside the newsroom: the same articles as content files, about the same pages and lists.

Hugo makes no compressed siblings and flushes nothing. Siblings are made after it by the functions that render
uses, in as many processes as there are cores; that nothing of it is flushed is told with the figures.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from bench.articles import ZONE
from bench.bulk import Story
from bench.finish import standing
from bench.siblings import pack, packers
from bench.stack import Broken
from newsroom.addresses import author_path, month_of, section_path, slugify, tag_path
from services.render.looks.sitefile import Site
from services.render.words.scriptwords import script_words
from services.render.words.wording import wording_of

TEMPLATES = Path(__file__).with_name("hugosite")
HOW_TO_GET = "Hugo is not on PATH: apt-get install hugo (Debian, Ubuntu)"
_PATIENCE_SECONDS = 1200


@dataclass(frozen=True)
class Build:
    """What Hugo did: seconds for its files, seconds more for their siblings, and how many of both."""

    seconds: float
    sibling_seconds: float
    files: int
    siblings: int

    @property
    def whole_seconds(self) -> float:
        return self.seconds + self.sibling_seconds


def find_hugo() -> str | None:
    """The command, where there is one."""
    return shutil.which("hugo")


class HugoSite:
    """The site below `folder`, for a Hugo to build again and again. `public`: where its last build stands.

    Each build has a folder of its own, and none is removed here: on some file systems new files come slowly
    for minutes after many were deleted.
    """

    def __init__(self, hugo: str, folder: Path, site: Site, stories: Iterable[Story]) -> None:
        self._hugo, self._folder = hugo, folder
        self._numbers = itertools.count(1)
        self.public = folder / "public-0"
        shutil.copytree(TEMPLATES, folder)
        (folder / "config/_default/params.json").write_bytes(orjson.dumps(_params(site)))
        (folder / "config/_default/config.json").write_bytes(
            orjson.dumps({"baseURL": f"{site.url}/", "title": site.name})
        )
        self._write_lists(site)
        for story in stories:
            file = self._folder / "content" / slugify(story.text.section) / f"{story.article_id}.html"
            file.write_bytes(orjson.dumps(_front_matter(story)) + b"\n\n" + story.text.body.encode())

    def version(self) -> str:
        """As Hugo tells it: `v0.111.3+extended`."""
        told = subprocess.run(  # noqa: S603
            [self._hugo, "version"], capture_output=True, text=True, timeout=30, check=False
        )
        return next((word for word in told.stdout.split() if word.startswith("v")), "of unknown version")

    def warm_up(self) -> None:
        """Build all of it once, without siblings. Raises: Broken."""
        self._run()

    def build(self) -> Build:
        """Build all of it into a new folder, then the siblings. Raises: Broken."""
        self.public = self._folder / f"public-{next(self._numbers)}"
        with packers() as pool:
            os.sync()
            begun = time.perf_counter()
            self._run()
            built = time.perf_counter()
            made = pack(self.public, pool)
            packed = time.perf_counter()
        return Build(built - begun, packed - built, len(standing(self.public).sizes) - made, made)

    def _run(self) -> None:
        command = [self._hugo, "--source", str(self._folder), "--destination", str(self.public), "--quiet"]
        environment = {**os.environ, "HUGO_CACHEDIR": str(self._folder / "cache")}
        try:
            done = subprocess.run(  # noqa: S603
                command,
                capture_output=True,
                text=True,
                env=environment,
                timeout=_PATIENCE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Broken(f"hugo did not build its site within {_PATIENCE_SECONDS} s") from error
        if done.returncode != 0:
            raise Broken(f"hugo did not build its site: {(done.stdout + done.stderr)[-500:]}")

    def _write_lists(self, site: Site) -> None:
        """The folders of the sections, titled, and the ledger of updates."""
        names = {section_path(section): section for section in site.sections} | {"/updates/": "Updates"}
        for path, name in names.items():
            folder = self._folder / "content" / path.strip("/")
            folder.mkdir(parents=True)
            (folder / "_index.html").write_bytes(orjson.dumps({"title": name}) + b"\n")


def _front_matter(story: Story) -> Mapping[str, Any]:
    """What the templates know of an article. `archives`: the months of each front that it stands on."""
    text, month = story.text, month_of(story.day).replace("/", "-")
    fronts = [section_path(text.section), *map(tag_path, text.tags), *map(author_path, text.authors)]
    time = story.time.astimezone(ZoneInfo(ZONE)).isoformat()
    return {
        "title": text.headline,
        "description": text.deck,
        "date": time,
        "lastmod": time,
        "url": story.path,
        "article": story.article_id,
        "sectionname": text.section,
        "place": text.dateline.place if text.dateline else "",
        "tags": text.tags,
        "authors": text.authors,
        "days": [story.day.replace("/", "-")],
        "months": [month],
        "archives": [f"{front.strip('/').replace('/', '-')}-{month}" for front in fronts],
    }


def _params(site: Site) -> Mapping[str, Any]:
    """What the templates know of the paper."""
    told = site.model_dump(mode="json", include={"tagline", "publisher", "policies", "licence", "colours"})
    return {
        **told,
        "words": orjson.loads(str(script_words(wording_of(site.language))).encode()),
        "papersections": [
            {"name": section, "slug": slugify(section), "path": section_path(section)}
            for section in site.sections
        ],
    }
