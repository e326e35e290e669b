"""From the pages folder to a reader: the file at a path in the best encoding, else where the path leads to
now.

No article text comes from anywhere but a file, and the comparison of two revisions, which is made when it is
asked for. The read model only says whether an address moved, was withdrawn or never was.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from newsroom.errors import Away
from newsroom.http.problems import Refused
from newsroom.updates import Status
from services.render.files import read_file, stands
from services.render.headers import (
    CONTENT_TYPES,
    NEVER_KEPT,
    REVALIDATED,
    SECURITY,
    content_type,
    of_file,
)
from services.render.negotiation import (
    accepted_encodings,
    entity_tag,
    http_date,
    is_unmodified,
    last_modified,
    matches,
)
from services.render.onrequest import OnRequest
from services.render.pages import ErrorStatus, Pages
from services.render.readmodel import Address
from services.render.site import ENCODINGS

INDEX = "index.html"
RETRY_AFTER_SECONDS = 5
_TOKENS = {".br": "br", ".gz": "gzip"}
_BELOW_AN_ARTICLE = re.compile(r"/(history/(?:[1-9]\d{0,15}-[1-9]\d{0,15}/)?|entries/[a-z0-9]+/)$")
_VERSIONS = re.compile(r"history/(\d+)-(\d+)/")
_NOT_FOR_ENGINES = {"X-Robots-Tag": "noindex"}

FindAddress = Callable[[str], Awaitable[Address | None]]


@dataclass(frozen=True)
class _Found:
    """A file as it goes out: its bytes in one encoding (None: as they are).

    `modified`: seconds since the epoch, of a feed alone.
    """

    content: bytes
    encoding: str | None
    modified: int | None = None


class SiteServer:
    """Answers `GET` and `HEAD` for any path of the site."""

    def __init__(
        self,
        root: Path,
        pages: Pages,
        find_address: FindAddress,
        *,
        on_request: OnRequest | None = None,
        serves_pages: bool = True,
    ) -> None:
        """`on_request` makes the comparisons; without it there are none."""
        self._root = root
        self._on_request = on_request
        self._find_address = find_address
        self._serves_pages = serves_pages
        self._pages = pages

    async def answer(self, request: Request) -> Response:
        """The file, a redirect, or one of the error pages."""
        path = request.url.path if request.scope.get("path") is None else str(request.scope["path"])
        if not _is_plain(path):
            return self._error(404)
        if path.endswith("/" + INDEX):
            return _moved(path.removesuffix(INDEX), request)
        if self._serves_pages and (response := self._file(path, request)) is not None:
            return response
        if not path.endswith("/") and stands(self._root, f"{path}/{INDEX}"):
            return _moved(f"{path}/", request)
        try:
            return await self._elsewhere(path, request)
        except (Away, Refused):
            return self._error(503)

    def _file(self, path: str, request: Request) -> Response | None:
        """A page is small and mostly in memory: a thread would take longer than its reading."""
        accepted = accepted_encodings(request.headers.get("accept-encoding", ""))
        name = path + INDEX if path.endswith("/") else path
        found = self._read(name, accepted)
        return None if found is None else _serve(name, found, request)

    def _read(self, name: str, accepted: frozenset[str]) -> _Found | None:
        suffix = Path(name).suffix
        if suffix not in CONTENT_TYPES:
            return None
        modified = last_modified(self._root, name)
        for sibling in ENCODINGS:
            if (
                _TOKENS[sibling] in accepted
                and (content := read_file(self._root, name + sibling)) is not None
            ):
                return _Found(content, _TOKENS[sibling], modified)
        content = read_file(self._root, name)
        return None if content is None else _Found(content, None, modified)

    async def _elsewhere(self, path: str, request: Request) -> Response:
        """Where no file stands: a former address leads on, a withdrawn one is gone, any other is unknown.

        A page that came to its place since the file was looked for is served.
        """
        folder = path if path.endswith("/") else f"{path}/"
        below = _BELOW_AN_ARTICLE.search(folder)
        rest = below[1] if below else ""
        place = folder.removesuffix(rest)
        address = await self._find_address(place)
        led_on = self._led_on(address, path, rest, request)
        if led_on is not None or address is None:
            return led_on or self._error(404)
        versions = _VERSIONS.fullmatch(rest)
        if versions is None or self._on_request is None:
            return self._file(path, request) or self._error(404)
        page = await self._on_request.versions(address.article_id, place, int(versions[1]), int(versions[2]))
        # Looked at last: what was taken down while the comparison was made is not shown.
        led_on = self._led_on(await self._find_address(place), path, rest, request)
        if led_on is not None or page is None:
            return led_on or self._error(404)
        return await self._serve_made(page, request)

    def _led_on(self, address: Address | None, path: str, rest: str, request: Request) -> Response | None:
        """Where an address leads that is not the one of a page; None where it is."""
        if address is None or address.status is Status.UNPUBLISHED:
            return self._error(404)
        if address.status is Status.WITHDRAWN or address.page_path is None:
            return self._error(410)
        if address.page_path + rest != path:
            return _moved(address.page_path + rest, request)
        if address.status is Status.RETRACTED and _VERSIONS.fullmatch(rest):
            return self._error(404)
        return None

    async def _serve_made(self, page: bytes, request: Request) -> Response:
        """A page that was made for this request, as a file would be served."""
        found = _Found(page, None)
        is_packed = "gzip" in accepted_encodings(request.headers.get("accept-encoding", ""))
        if is_packed and self._on_request is not None:
            found = _Found(await self._on_request.packed(page), "gzip")
        response = _serve(INDEX, found, request)
        response.headers.update(_NOT_FOR_ENGINES)
        return response

    def _error(self, status: ErrorStatus) -> Response:
        retry = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else {}
        return Response(
            self._pages.error(status),
            status_code=status,
            headers={
                **SECURITY,
                "Content-Type": CONTENT_TYPES[".html"],
                "Cache-Control": NEVER_KEPT,
                **retry,
            },
        )


def _serve(name: str, found: _Found, request: Request) -> Response:
    etag = entity_tag(found.content)
    headers = _page_headers(name, found.encoding) | {"ETag": etag}
    if found.modified is not None:
        headers["Last-Modified"] = http_date(found.modified)
    if _has_it(request, etag, found.modified):
        return Response(status_code=304, headers=headers)
    return Response(found.content, headers=headers | {"Content-Type": content_type(name)})


def _has_it(request: Request, etag: str, modified: int | None) -> bool:
    """Whether the reader's copy is this one; an entity tag is the better witness and settles it alone."""
    named = request.headers.get("if-none-match")
    if named is not None:
        return matches(named, etag)
    return is_unmodified(request.headers.get("if-modified-since"), modified)


def _page_headers(name: str, encoding: str | None) -> dict[str, str]:
    return {
        **of_file(name),
        "Vary": "Accept-Encoding",
        **({"Content-Encoding": encoding} if encoding else {}),
    }


def _moved(path: str, request: Request) -> Response:
    """A redirect that is asked again each time: an article may move back."""
    query = f"?{request.url.query}" if request.url.query else ""
    headers: Mapping[str, str] = {**SECURITY, "Location": quote(path) + query, "Cache-Control": REVALIDATED}
    return Response(status_code=301, headers=headers)


def _is_plain(path: str) -> bool:
    """Whether a path could be one of the site: no empty or dotted part (`//host` would lead away), no
    control character.
    """
    parts = path.split("/")[1:]
    middle = parts[:-1] if parts and parts[-1] == "" else parts
    return (
        path.startswith("/")
        and all(part not in ("", ".", "..") for part in middle)
        and "\\" not in path
        and path.isprintable()
        and len(path) <= 2_000
    )
