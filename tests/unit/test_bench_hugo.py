"""What Hugo is given, and what is made after it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import siblings
from bench.bulk import Paper, Story
from bench.hugo import HOW_TO_GET, HugoSite, find_hugo
from bench.stack import Broken
from faults.stage.environment import SITE_FILE
from newsroom.addresses import author_path, section_path, tag_path
from services.render.looks.sitefile import load_site
from services.render.site import ENCODINGS

SITE = load_site(SITE_FILE, "http://127.0.0.1:8000")
PAPER = Paper(SITE.sections)
STORIES = [PAPER.story(number) for number in range(8)]
WRITES_TWO_FILES = 'mkdir -p "$4"; echo "a page" > "$4/index.html"; echo "a picture" > "$4/card.png"'


def a_site(folder: Path, script: str) -> HugoSite:
    """For a command that is called as Hugo is: the folder for the pages is its fourth argument."""
    command = folder / "hugo"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    return HugoSite(str(command), folder / "site", SITE, STORIES)


def front_matter(folder: Path, story: Story) -> tuple[dict[str, object], str]:
    (file,) = (folder / "site/content").rglob(f"{story.article_id}.html")
    matter, _, body = file.read_text().partition("\n\n")
    return json.loads(matter), body


def test_hugo_is_given_each_article_as_it_stands(tmp_path: Path) -> None:
    a_site(tmp_path, "true")
    for story in STORIES:
        matter, body = front_matter(tmp_path, story)
        assert (matter["url"], matter["title"], body) == (story.path, story.text.headline, story.text.body)
        assert matter["tags"] == list(story.text.tags)
        assert matter["days"] == [story.day.replace("/", "-")]


def test_an_article_is_in_the_month_of_each_of_its_fronts(tmp_path: Path) -> None:
    a_site(tmp_path, "true")
    matter, _ = front_matter(tmp_path, STORIES[0])
    archives = matter["archives"]
    assert isinstance(archives, list)
    assert f"{section_path(STORIES[0].text.section).strip('/')}-2025-01" in archives
    assert len(archives) == 1 + len(STORIES[0].text.tags) + len(STORIES[0].text.authors)


def test_siblings_are_made_after_hugo_as_render_makes_them(tmp_path: Path) -> None:
    site = a_site(tmp_path, WRITES_TWO_FILES)
    build = site.build()
    assert (build.files, build.siblings) == (2, len(ENCODINGS))
    assert build.whole_seconds == build.seconds + build.sibling_seconds > 0
    assert gzip.decompress((site.public / "index.html.gz").read_bytes()) == b"a page\n"
    for suffix, encode in ENCODINGS.items():
        assert (site.public / f"index.html{suffix}").read_bytes() == encode(b"a page\n")
    assert not (site.public / "card.png.gz").exists()


def test_siblings_are_made_by_as_many_processes_as_cores_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []

    @contextmanager
    def pool(count: int, **_: object) -> Iterator[ThreadPoolExecutor]:
        started.append(count)
        with ThreadPoolExecutor(count) as threads:
            yield threads

    monkeypatch.setattr(siblings, "cores", lambda: 3)
    monkeypatch.setattr(siblings, "ProcessPoolExecutor", pool)
    with siblings.packers():
        assert started == [3]


def test_each_build_has_a_new_folder_and_no_former_one_is_removed(tmp_path: Path) -> None:
    site = a_site(tmp_path, WRITES_TWO_FILES)
    site.warm_up()
    folders = [site.public]
    for _ in range(2):
        assert site.build().files == 2
        folders.append(site.public)
    assert len(set(folders)) == 3
    assert all((folder / "index.html").is_file() for folder in folders)
    assert not (folders[0] / "index.html.gz").exists()


def test_a_hugo_that_fails_is_told_with_what_it_says(tmp_path: Path) -> None:
    with pytest.raises(Broken, match="no such template"):
        a_site(tmp_path, "echo no such template >&2; exit 1").build()


def test_the_version_is_told_as_hugo_tells_it(tmp_path: Path) -> None:
    assert a_site(tmp_path, "echo hugo v0.111.3+extended linux/amd64").version() == "v0.111.3+extended"
    assert a_site_in(tmp_path / "other", "true").version() == "of unknown version"


def a_site_in(folder: Path, script: str) -> HugoSite:
    folder.mkdir()
    return a_site(folder, script)


@pytest.mark.skipif(find_hugo() is None, reason=HOW_TO_GET)
def test_hugo_builds_every_article_history_list_and_feed(tmp_path: Path) -> None:
    site = HugoSite(find_hugo() or "", tmp_path / "site", SITE, STORIES)
    site.build()
    for story in STORIES:
        page = (site.public / story.path.strip("/") / "index.html").read_text()
        history = (site.public / story.path.strip("/") / "history/index.html").read_text()
        assert story.text.headline in page
        assert story.text.body in page
        assert story.text.headline in history
        assert story.text.body not in history
    text = STORIES[0].text
    fronts = [
        "/",
        "/updates/",
        section_path(text.section),
        tag_path(text.tags[0]),
        author_path(text.authors[0]),
    ]
    for front in fronts:
        folder = site.public / front.strip("/")
        assert text.headline in (folder / "index.html").read_text()
        assert text.headline in [
            item["title"] for item in json.loads((folder / "feed.json").read_text())["items"]
        ]
        for feed in ("feed.atom", "feed.rss"):
            tree = ElementTree.parse(folder / feed)  # noqa: S314  (made here)
            assert text.headline in [element.text for element in tree.iter()]
    archives = [
        "days/2025-01-01",
        "months/2025-01",
        f"archives/{section_path(text.section).strip('/')}-2025-01",
    ]
    for archive in archives:
        assert text.headline in (site.public / archive / "index.html").read_text()
        assert not (site.public / archive / "feed.atom").exists()
    assert STORIES[0].path in (site.public / "sitemap.xml").read_text()
