"""Lists of the store, which answers them part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from desk.answers import Part
from desk.client import Client, Request

_MOST = 100
PartT = TypeVar("PartT", bound=Part)
ItemT = TypeVar("ItemT")


def listed(
    client: Client,
    path: str,
    model: type[PartT],
    items: Callable[[PartT], Sequence[ItemT]],
    count: int,
    wanted: Mapping[str, str] | None = None,
) -> Iterator[ItemT]:
    """The first so many of the list at a path of the store. Raises: NewsroomError as it was refused."""
    cursor: dict[str, str] = {}
    while count > 0:
        query = urlencode({**(wanted or {}), "limit": str(min(count, _MOST)), **cursor})
        part = client.ask(model, Request("GET", f"{client.addresses.store}{path}?{query}"))
        found = items(part)
        yield from found[:count]
        count -= len(found)
        if part.next is None:
            return
        cursor = {"cursor": part.next}
