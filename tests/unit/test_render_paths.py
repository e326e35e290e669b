"""Paths that lead nowhere: out of the pages folder, through links, to what is no file, beyond any length."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from newsroom.http.app import Health
from services.render.app import create_site
from services.render.files import read_file, stands
from services.render.live import Hub
from services.render.readmodel import Address
from services.render.serving import SiteServer
from services.render.settings import RenderSettings
from services.render.site import SiteFolder
from tests.render_parts import SITE_URL, MemoryReadModel, PlainPages
from tests.wire_parts import Told, say, served

PAGE = b"<p>words</p>" * 100
CANARY = b"canary outside"
LONG = "x" * 300
"""No file system has a name so long."""


@pytest.fixture
def folder(tmp_path: Path) -> SiteFolder:
    """A site with a page, and things that somebody put there who should not."""
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("index.html", "secret.html", "secret"):
        (outside / name).write_bytes(CANARY)
    folder = SiteFolder(tmp_path / "pages")
    folder.open()
    asyncio.run(folder.settle({"/a/index.html": PAGE, "/index.html": b"front"}))
    root = folder.root
    (root / "link.html").symlink_to(outside / "secret.html")
    (root / "away").symlink_to(outside)
    (root / "b").mkdir()
    (root / "b" / "index.html").symlink_to(outside / "index.html")
    (root / "itself.html").symlink_to("itself.html")
    os.mkfifo(root / "pipe.html")
    (root / "folder.html").mkdir()
    return folder


@pytest.fixture
async def port(folder: SiteFolder) -> AsyncIterator[int]:
    async def nowhere(_: str) -> Address | None:
        return None

    server = SiteServer(folder.root, PlainPages(), nowhere)
    app = create_site(RenderSettings(), Health("render"), Hub(SITE_URL), MemoryReadModel(), server)
    async with served(app) as port:
        yield port
    folder.close()


async def ask(port: int, path: str, *more: str) -> Told:
    lines = [f"GET {path} HTTP/1.1", "Host: a", "Connection: close", *more]
    return await say(port, "\r\n".join([*lines, "", ""]).encode())


@pytest.mark.parametrize(
    "path",
    [
        "/../outside/secret",
        "/../../outside/secret.html",
        "/a/../../outside/secret.html",
        "/%2e%2e/outside/secret.html",
        "/%2E%2E/%2e%2e/outside/secret.html",
        "/..%2foutside%2fsecret.html",
        "/a/..%2f..%2foutside%2fsecret.html",
        "/%252e%252e/outside/secret.html",
        "/%c0%ae%c0%ae/outside/secret.html",
        "/%e0%80%ae%e0%80%ae/outside/secret.html",
        "/..\\outside\\secret.html",
        "/%5c..%5coutside%5csecret.html",
        "/....//outside/secret.html",
        "/./index.html/../",
        "//outside/secret.html",
        "/%2foutside/secret.html",
        "/away/",
        "/away/secret",
        "/away/secret.html",
        "/link.html",
        "/itself.html",
        "/b/",
        "/b",
        "/away",
        "/pipe.html",
        "/folder.html",
        "/%00",
        "/a%00/",
        "/a/index.html%00.css",
        "/a/%0d%0aX-Injected:%201/",
        "/%ff%fe/",
        "/%ED%A0%80/",
        f"/{LONG}",
        f"/{LONG}/",
        f"/{LONG}.html",
        f"/{LONG}/feed.json",
        "/" + "y/" * 900,
        "/" + "z" * 5_000,
        "/;/",
        "/~/",
        "/.",
        "/..",
        "/a/.",
        "/*",
    ],
)
async def test_a_path_that_is_none_of_the_site_is_not_found(port: int, path: str) -> None:
    told = await ask(port, path)
    assert told.status == 404
    assert CANARY not in told.body
    assert "x-injected" not in told.headers


async def test_a_page_is_served_whole_whatever_range_is_asked_for(port: int) -> None:
    """Ranges are not offered: no reader puts two halves of different pages together."""
    for asked in (
        "bytes=0-3",
        "bytes=-1",
        "bytes=5-",
        "bytes=0-0,2-3,4-5",
        "bytes=9999-",
        "lines=1-2",
        "bytes=",
    ):
        told = await ask(port, "/a/", f"Range: {asked}")
        assert (told.status, told.body) == (200, PAGE)


async def test_a_redirect_carries_no_line_of_its_own(port: int) -> None:
    told = await ask(port, "/a?x=%0d%0aX-Injected:%201&y=%00")
    assert (told.status, told.headers["location"]) == (301, "/a/?x=%0d%0aX-Injected:%201&y=%00")
    assert "x-injected" not in told.headers


@pytest.mark.parametrize("path", ["/live/%0d%0aX:1", "/live/..%2f..%2fetc", "/live/" + "a" * 65])
async def test_a_stream_of_what_can_be_no_article_is_refused(port: int, path: str) -> None:
    assert (await ask(port, path)).status in (404, 422)


@pytest.mark.parametrize(
    "path", ["/link.html", "/away/secret.html", "/itself.html", "/pipe.html", "/folder.html", f"/{LONG}.html"]
)
def test_only_a_regular_file_of_the_folder_itself_is_read(folder: SiteFolder, path: str) -> None:
    assert read_file(folder.root, path) is None
    assert not stands(folder.root, path)


def test_what_is_no_file_is_asked_for_without_leaving_anything_open(folder: SiteFolder) -> None:
    read_file(folder.root, "/folder.html")
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208
    for _ in range(20):
        read_file(folder.root, "/folder.html")
        read_file(folder.root, "/pipe.html")
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208
