"""A render with a store that announces again what it has: for tests of rebuilds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import httpx
from pydantic import SecretStr

from newsroom.updates import ArticleUpdate
from services.render.pages import Pages
from services.render.readmodel import Identity
from services.render.rebuild import Rebuilder, StoreClient
from tests.render_parts import MemoryReadModel, PlainPages
from tests.render_world import SmallRender

IDENTITY = Identity(id="model", cluster_id="cluster", updates={0: 0}, listings={0: 0})
KEY = SecretStr("nr_secret")


class Store:
    """The store's part of a rebuild: announces its heads to a render when it is asked to."""

    def __init__(self, *heads: ArticleUpdate) -> None:
        self.heads: Sequence[ArticleUpdate] = heads
        self.render: SmallRender | None = None
        self.asked: list[str] = []
        self.keys = set[str]()
        self.states: dict[str, str] = {}
        self.answers: list[httpx.Response | Exception] = []
        """What is answered first, before anything is done."""
        self.is_away = False
        self.client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.keys.add(request.headers.get("authorization", ""))
        if self.is_away:
            raise httpx.ConnectError("refused")
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        if request.method == "POST":
            return await self._begin()
        republication_id = request.url.path.rpartition("/")[2]
        if republication_id not in self.states:
            return httpx.Response(404)
        state = self.states[republication_id]
        self.states[republication_id] = "done"
        return httpx.Response(200, json={"id": republication_id, "state": state, "total": 7})

    async def _begin(self) -> httpx.Response:
        name = f"rep_{len(self.asked) + 1}"
        self.asked.append(name)
        self.states[name] = "running"
        assert self.render is not None
        await self.render.take(*self.heads, again=True)
        return httpx.Response(202, json={"id": name, "state": "running"})


class World:
    """A render whose rebuilder asks a store."""

    def __init__(
        self,
        folder: Path,
        store: Store,
        *,
        model: MemoryReadModel | None = None,
        pages: Pages | None = None,
        key: SecretStr | None = KEY,
        patience_seconds: float = 0.05,
    ) -> None:
        self.pages = pages or PlainPages()
        self.small = store.render = SmallRender(folder, pages=self.pages, model=model)
        self.store = store
        self.rebuilder = Rebuilder(
            model=self.small.model,
            folder=self.small.folder,
            pages=self.pages,
            updates=self.small.updates,
            listings=self.small.listings,
            store=StoreClient("http://store.test", key, store.client),
            worked_off=self._work_off,
            patience_seconds=patience_seconds,
        )

    async def _work_off(self, _: Identity) -> None:
        await self.small.list_marked()

    async def start(self) -> None:
        await self.rebuilder.lay_ground()
        await self.rebuilder.run(IDENTITY)

    def pages_that_stand(self) -> set[str]:
        return {path for path in self.small.files() if not path.endswith((".br", ".gz"))}
