"""Files of the site as they go out, kept in memory: what many readers ask for is read, hashed and put under
its headers once.

Nobody tells a copy that its file was replaced or removed. So the file is looked at for every reader, and a
copy goes out only while the very file that it was read from stands in its place.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from starlette.responses import Response

from services.render.files import Mark, mark_of, read_marked
from services.render.headers import CONTENT_TYPES, content_type, of_file
from services.render.negotiation import entity_tag, http_date, last_modified

MOST_BYTES = 16 * 1024 * 1024
_OVERHEAD_BYTES = 4 * 1024
"""Of a copy beside its content, about: headers and objects."""
_SETTLED_SECONDS = 1.0
"""From this age on, the next change of a file shows in its times, however coarse the file system's clock."""
CODINGS: Mapping[str, str | None] = {"": None, ".br": "br", ".gz": "gzip"}
"""What a file holds, by its suffix beside the page's own name."""


@dataclass(frozen=True)
class Copy:
    """A file as it goes out, in one encoding (None: as it is). Its answers may be sent any number of times.

    `modified`: seconds since the epoch, of a feed alone.
    """

    name: str
    content: bytes
    encoding: str | None = None
    modified: int | None = None

    @cached_property
    def etag(self) -> str:
        return entity_tag(self.content)

    @cached_property
    def whole(self) -> Response:
        """For who does not have it."""
        return Response(self.content, headers={**self._headers, "Content-Type": content_type(self.name)})

    @cached_property
    def unchanged(self) -> Response:
        """For who has it."""
        return Response(status_code=304, headers=self._headers)

    @property
    def _headers(self) -> Mapping[str, str]:
        coding = {"Content-Encoding": self.encoding} if self.encoding else {}
        modified = {} if self.modified is None else {"Last-Modified": http_date(self.modified)}
        return {**of_file(self.name), "Vary": "Accept-Encoding", **coding, "ETag": self.etag, **modified}


class Copies:
    """Of files below one folder. What was not asked for lately makes room for what is.

    `bytes`: of all that are kept, `most_bytes` at most.
    """

    def __init__(self, root: Path, most_bytes: int = MOST_BYTES) -> None:
        self._root, self._most_bytes = root, most_bytes
        self._kept: OrderedDict[str, tuple[Mark, Copy]] = OrderedDict()
        self.bytes = 0

    def take(self, name: str, sibling: str = "") -> Copy | None:
        """The file at a site path, or its sibling with that suffix; None where nothing of the site stands.

        Raises: OSError.
        """
        path = name + sibling
        kept = self._kept.get(path)
        if kept is None:
            return self._read(name, sibling)
        if kept[0] != self._mark(path):
            self._drop(path)
            return self._read(name, sibling)
        self._kept.move_to_end(path)
        return kept[1]

    def _mark(self, path: str) -> Mark | None:
        try:
            return mark_of(os.lstat(f"{self._root}{path}"))
        except OSError:
            return None

    def _read(self, name: str, sibling: str) -> Copy | None:
        if Path(name).suffix not in CONTENT_TYPES:
            return None
        modified = last_modified(self._root, name)
        found = read_marked(self._root, name + sibling)
        if found is None:
            return None
        content, mark = found
        copy = Copy(name, content, CODINGS[sibling], modified)
        if time.time() - mark.changed_seconds > _SETTLED_SECONDS:
            self._keep(name + sibling, mark, copy)
        return copy

    def _keep(self, path: str, mark: Mark, copy: Copy) -> None:
        """Make room for it, unless that would take it from most others."""
        if _weight(copy) > self._most_bytes // 8:
            return
        self._kept[path] = (mark, copy)
        self.bytes += _weight(copy)
        while self.bytes > self._most_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, path: str) -> None:
        _, copy = self._kept.pop(path)
        self.bytes -= _weight(copy)


def _weight(copy: Copy) -> int:
    return len(copy.content) + _OVERHEAD_BYTES
