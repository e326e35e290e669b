"""From the pages folder to a reader: the file at a path in the best encoding, else where the path leads to
now.

No article text comes from anywhere but a file, and the comparison of two revisions, which is made when it is
asked for. The read model only says whether an address moved, was withdrawn or never was.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from newsroom.errors import Away
from newsroom.http.problems import Refused
from newsroom.updates import Status
from services.render.copies import CODINGS, Copies, Copy
from services.render.files import stands
from services.render.headers import (
    CONTENT_TYPES,
    NEVER_KEPT,
    REVALIDATED,
    SECURITY,
)
from services.render.negotiation import accepted_encodings, is_unmodified, matches
from services.render.onrequest import OnRequest
from services.render.pages import ErrorStatus, Pages
from services.render.readmodel import Address
from services.render.site import ENCODINGS

INDEX = "index.html"
RETRY_AFTER_SECONDS = 5
_BELOW_AN_ARTICLE = re.compile(r"/(history/(?:[1-9]\d{0,15}-[1-9]\d{0,15}/)?|entries/[a-z0-9]+/)$")
_DOTTED = re.compile(r"/\.\.?(?=/|\Z)")
_VERSIONS = re.compile(r"history/(\d+)-(\d+)/")
_NOT_FOR_ENGINES = {"X-Robots-Tag": "noindex"}

FindAddress = Callable[[str], Awaitable[Address | None]]


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
        self._copies = Copies(root)
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
        name = path + INDEX if path.endswith("/") else path
        for suffix in _suffixes(request.headers.get("accept-encoding", "")):
            if (copy := self._copies.take(name, suffix)) is not None:
                return _serve(copy, request)
        return None

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
        copy = Copy(INDEX, page)
        is_packed = "gzip" in accepted_encodings(request.headers.get("accept-encoding", ""))
        if is_packed and self._on_request is not None:
            copy = Copy(INDEX, await self._on_request.packed(page), "gzip")
        response = _serve(copy, request)
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


@lru_cache(maxsize=64)
def _suffixes(accept_encoding: str) -> tuple[str, ...]:
    """How the files are called that this reader takes, the best first."""
    accepted = accepted_encodings(accept_encoding)
    return (*(suffix for suffix in ENCODINGS if CODINGS[suffix] in accepted), "")


def _serve(copy: Copy, request: Request) -> Response:
    return copy.unchanged if _has_it(request, copy) else copy.whole


def _has_it(request: Request, copy: Copy) -> bool:
    """Whether the reader's copy is this one; an entity tag is the better witness and settles it alone."""
    named = request.headers.get("if-none-match")
    if named is not None:
        return matches(named, copy.etag)
    return is_unmodified(request.headers.get("if-modified-since"), copy.modified)


def _moved(path: str, request: Request) -> Response:
    """A redirect that is asked again each time: an article may move back."""
    query = f"?{request.url.query}" if request.url.query else ""
    headers: Mapping[str, str] = {**SECURITY, "Location": quote(path) + query, "Cache-Control": REVALIDATED}
    return Response(status_code=301, headers=headers)


def _is_plain(path: str) -> bool:
    """Whether a path could be one of the site: no empty or dotted part (`//host` would lead away), no
    control character.
    """
    return (
        path.startswith("/")
        and "//" not in path
        and not _DOTTED.search(path)
        and "\\" not in path
        and path.isprintable()
        and len(path) <= 2_000
    )
