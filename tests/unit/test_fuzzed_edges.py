"""Whatever comes in at an edge is taken or refused in words: ids, paths, headers, files. For records see
`test_fuzzed_records`.

No input may raise anything else: it would be answered as a bug.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.types import Message, Scope

from desk.frontmatter import BadManuscript
from desk.manuscripts import read_manuscript
from newsroom.http.app import Health
from services.render.app import create_site
from services.render.live import Hub
from services.render.serving import SiteServer
from services.render.settings import RenderSettings
from services.render.site import SiteFolder
from tests.fuzzed import JSON
from tests.render_parts import SITE_URL, MemoryReadModel, PlainPages, a_notice


@given(st.text(max_size=60))
@example("aaaaaaaa-99999999999999999999")
@example("fuzzed__-18446744073709551616")
@example("fuzzed__--1")
@example("fuzzed__-٣")
def test_any_last_event_id_gives_a_stream(last_event_id: str) -> None:
    """What it cannot go on from is answered with a reset, or with what the page's revision asks for."""
    hub = Hub(SITE_URL)
    hub.name_log("fuzzed")
    hub.take(0, a_notice("a1", 2))
    for article_id, revision in (("a1", 1), (None, None)):
        subscription = hub.subscribe(article_id, revision, last_event_id)
        taken = subscription.take()
        assert taken == b"" or taken.endswith(b"\n\n")
        hub.leave(subscription)


HOSTILE_PATHS = (
    "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/a/%00/", "//secret.txt", "/./../secret.txt",
    "/kazakhstan/..\\secret.txt", "/\\..\\secret.txt", "/%c0%ae%c0%ae/secret.txt", "/.fingerprint",
    "/a" * 3000,
    "/link/secret.txt",
)  # fmt: skip
RANGES = st.one_of(
    st.text(alphabet="bytes=-, 0123456789x", max_size=30),
    st.sampled_from(
        ["bytes=0-", "bytes=-1", "bytes=5-1", "bytes=0-0,2-3", "bytes=99999999999999999999-", "lines=1"]
    ),
)


@contextmanager
def a_served_folder() -> Iterator[Callable[[str, dict[str, str]], tuple[int, bytes]]]:
    """Two pages, a secret beside them, a link to it among them; asked by no client that tidies up."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "secret.txt").write_text("quokka")
        folder = SiteFolder(root / "site")
        folder.open()
        asyncio.run(
            folder.settle({"/index.html": b"<p>front</p>" * 40, "/kazakhstan/index.html": b"<p>page</p>"})
        )
        (folder.root / "link").symlink_to(root)
        server = SiteServer(folder.root, PlainPages(), MemoryReadModel().address)
        app = create_site(RenderSettings(), Health("render"), Hub(SITE_URL), MemoryReadModel(), server)
        yield lambda path, headers: asyncio.run(_ask(app, path, headers))
        folder.close()


async def _ask(app: Any, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    sent: list[Message] = []
    raw = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    scope: Scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode("utf-8", "replace"), "root_path": "", "query_string": b"",
        "headers": [(b"host", b"site.test"), *raw], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


@given(
    path=st.sampled_from(HOSTILE_PATHS)
    | st.text(alphabet="/.%\\ abkz:?#\x00\n\u202e\ud7ff-_0", max_size=40).map(lambda text: f"/{text}")
    | st.sampled_from(["/", "/kazakhstan/"]),
    names=st.fixed_dictionaries(
        {},
        optional={
            "range": RANGES,
            "accept-encoding": st.text(alphabet="gzipbr;q=0.1,* \t\xff", max_size=30),
            "if-none-match": st.text(alphabet='W/"abc*, \xff', max_size=30),
            "if-modified-since": st.text(max_size=30).filter(lambda text: not re.search(r"[\r\n\0]", text)),
            "accept": st.text(alphabet="text/html*;q=,", max_size=30),
            "last-event-id": st.text(alphabet="abc-019", max_size=30),
        },
    ),
)
@settings(max_examples=150)
def test_any_path_and_headers_are_answered_from_within_the_site(path: str, names: dict[str, str]) -> None:
    with a_served_folder() as ask:
        status, body = ask(path, names)
    assert status < 500, (path, names)
    assert b"quokka" not in body


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: f"---\n{text}\n---\nWords.".encode()))
@example(b"---\n&a [*a]\n---\n")
@example(b"---\n!!python/object:os.system {}\n---\n")
@example(b"---\nheadline: &x [" + b"*x," * 9 + b"]\n---\n")
@example(b"---\nheadline: 1\nheadline: 2\n---\nx")
def test_any_file_is_a_manuscript_or_a_complaint(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "story.md"
        path.write_bytes(content)
        with suppress(BadManuscript):
            assert read_manuscript(path).article.headline


@given(JSON)
def test_any_json_file_is_a_manuscript_or_a_complaint(data: object) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "story.json"
        path.write_bytes(json.dumps(data).encode())
        with pytest.raises(BadManuscript):
            read_manuscript(path)
