"""A rebuild: asked for once, waited for, and nothing left over that no article and no listing owns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from newsroom.errors import Away, Misconfigured
from newsroom.records import TopicPartition
from newsroom.updates import ChangeKind
from services.render import rebuild
from services.render.listingkinds import Listing, standing_paths
from services.render.readmodel import Address, Identity, Rebuild
from services.render.rebuild import StoreClient, identify, start_offsets, work_off
from services.render.site import SiteFolder
from services.render.standing import FORMER, ArticleState
from tests.rebuild_parts import IDENTITY, Store, World
from tests.render_parts import (
    MemoryReadModel,
    PlainPages,
    a_change,
    a_public,
    a_site,
    a_withdrawn,
    until,
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild, "_POLL_SECONDS", 0.01)


@pytest_asyncio.fixture
async def store() -> AsyncIterator[Store]:
    store = Store()
    yield store
    await store.client.aclose()


def told(world: World) -> list[tuple[str, int]]:
    return [(rendering.article_id, rendering.revision) for rendering in world.small.renderings]


def shows(world: World, article_id: str) -> set[str]:
    """Where its address is found."""
    path = str(a_public(article_id).path).encode()
    return {file for file, content in world.small.files().items() if path in content}


async def test_a_first_start_lays_the_ground_and_asks_for_everything(tmp_path: Path, store: Store) -> None:
    """Assets, robots.txt and the standing listings first; then what the store has, told to nobody."""
    store.heads = [a_public("a1", 3), a_public("b2")]
    world = World(tmp_path, store)
    await world.rebuilder.lay_ground()
    standing = {file for path in standing_paths(a_site()) for file in PlainPages().listing(Listing(path))}
    assert world.pages_that_stand() == standing | {"/robots.txt", "/assets/site.plain.css"}
    await world.rebuilder.run(IDENTITY)
    assert store.asked == ["rep_1"]
    assert store.keys == {"Bearer nr_secret"}
    assert f"{a_public('a1').path}index.html" in world.pages_that_stand()
    assert world.small.notices == []


async def test_a_folder_that_is_up_to_date_asks_for_nothing(tmp_path: Path, store: Store) -> None:
    """The fingerprint beside the pages tells."""
    store.heads = [a_public()]
    first = World(tmp_path, store)
    await first.start()
    await World(tmp_path, store, model=first.small.model).start()
    assert len(store.asked) == 1


@pytest.mark.parametrize("lost", ["note", "broken note", "pages", "model", "templates"])
async def test_whatever_was_lost_or_changed_the_site_is_the_same_again(
    tmp_path: Path, store: Store, lost: str
) -> None:
    """Byte for byte, with nothing extra and nobody told again."""
    store.heads = [a_public("a1", 2), a_withdrawn(a_public("b2"), 3)]
    first = World(tmp_path / "site", store)
    await first.start()
    before = first.small.files()
    note = tmp_path / "site" / "fingerprint.json"
    if lost == "note":
        note.unlink()
    elif lost == "broken note":
        note.write_text("half a no")
    elif lost == "pages":
        for path in before:
            (first.small.folder.root / path.lstrip("/")).unlink()
        note.unlink()
    model = MemoryReadModel() if lost == "model" else first.small.model
    pages = PlainPages(fingerprint="newer") if lost == "templates" else PlainPages()
    second = World(tmp_path / "site", store, model=model, pages=pages)
    identity = IDENTITY.model_copy(update={"id": "new"}) if lost == "model" else IDENTITY
    await second.rebuilder.lay_ground()
    await second.rebuilder.run(identity)
    after = second.small.files()
    if lost == "templates":
        assert {path for path in before if path.startswith("/assets/")}.isdisjoint(after)
        before, after = (
            {path: content for path, content in each.items() if not path.startswith("/assets/")}
            for each in (before, after)
        )
    assert after == before
    assert second.small.notices == []
    assert len(store.asked) == 2


@pytest.mark.parametrize("again", [False, True])
async def test_a_withdrawal_that_a_new_model_meets_first_is_told_when_no_old_listing_shows_it(
    tmp_path: Path, store: Store, again: bool
) -> None:
    """It tells of no tag and no author: what the former model listed goes with the rebuild."""
    store.heads = [a_public("a1"), a_public("b2")]
    first = World(tmp_path, store)
    await first.start()
    gone = a_withdrawn(a_public("a1"), 2)
    world = World(tmp_path, store, model=MemoryReadModel())
    store.heads = [gone, a_public("b2")]
    world.small.updates.partly_read = frozenset({0})
    await world.small.take(gone, again=again)
    await world.small.list_marked()
    shown = shows(world, "a1")
    assert {"/index.html", "/tags/astana/index.html"} <= shown
    assert FORMER not in world.small.marks
    sweep = world.rebuilder._sweep

    async def swept() -> None:
        await sweep()
        assert told(world) == [("b2", 1)]

    world.rebuilder._sweep = swept  # type: ignore[method-assign]
    await world.rebuilder.run(IDENTITY.model_copy(update={"id": "new"}))
    assert shows(world, "a1") == set()
    assert told(world) == [("b2", 1), ("a1", 2)]
    await world.small.take(gone, again=True)
    assert told(world) == [("b2", 1), ("a1", 2), ("a1", 2)]


async def test_what_waits_for_the_end_of_a_rebuild_outlasts_the_process(tmp_path: Path, store: Store) -> None:
    """So it does where the article is public again meanwhile: its revision is past the withdrawal."""
    died = World(tmp_path, store, model=MemoryReadModel())
    died.small.updates.partly_read = frozenset({0})
    again = a_public("a1", 3, changes=[a_change(3, ChangeKind.PUBLISHED)])
    await died.small.take(a_withdrawn(a_public("a1"), 2), a_withdrawn(a_public("b2"), 2))
    await died.small.take(again)
    await died.small.list_marked()
    assert told(died) == []
    world = World(tmp_path, store, model=died.small.model)
    store.heads = [again, a_withdrawn(a_public("b2"), 2)]
    world.small.updates.partly_read = frozenset({0})
    await world.start()
    assert sorted(told(world)) == [("a1", 3), ("b2", 2)]
    assert await world.small.model.leaving(FORMER) == ()


async def test_what_is_under_way_when_a_rebuild_ends_is_told_by_itself(tmp_path: Path, store: Store) -> None:
    world = World(tmp_path, store, model=MemoryReadModel())
    world.small.updates.partly_read = frozenset({0})
    insert = world.small.model.insert

    async def late(state: ArticleState) -> bool:
        await world.small.updates.tell_rebuilt()
        return await insert(state)

    world.small.model.insert = late  # type: ignore[method-assign]
    await world.small.take(a_withdrawn(a_public("a1"), 2))
    assert told(world) == [("a1", 2)]
    assert await world.small.model.leaving(FORMER) == ()


async def test_what_nothing_accounts_for_is_removed(tmp_path: Path, store: Store) -> None:
    """Pages of articles nobody knows, empty listings, strays in the root and beside pages."""
    store.heads = [a_public()]
    world = World(tmp_path, store)
    await world.rebuilder.lay_ground()
    strays = [
        "/kazakhstan/2020/01/01/gone-aaaaaa/index.html",
        "/kazakhstan/2020/01/01/gone-aaaaaa/history/index.html",
        "/kazakhstan/2020/01/01/gone-aaaaaa/entries/3/index.html",
        "/kazakhstan/2020/01/01/gone-bbbbbb/entries/key/index.html",
        f"{a_public().path}entries/1/index.html",
        "/tags/forgotten/index.html",
        "/old-section/index.html",
        "/2019/01/01/index.html",
        "/stray.html",
        "/updates/stray.html",
        "/old-section/feed.atom",
        "/sitemaps/1999-01.xml",
        "/tags/forgotten/2019/01/index.html",
        "/assets/site.older.css",
        f"{a_public().path}stray.html",
    ]
    await world.small.folder.settle(dict.fromkeys(strays, b"stray"))
    await world.rebuilder.run(IDENTITY)
    assert world.pages_that_stand().isdisjoint(strays)
    fresh = World(tmp_path / "fresh", Store(*store.heads))
    await fresh.start()
    assert world.small.files() == fresh.small.files()
    assert world.small.text("/").splitlines()[1].endswith(str(a_public().path))


async def test_former_assets_stay_until_everything_is_rendered_anew(tmp_path: Path, store: Store) -> None:
    """A page that is not rendered anew yet still finds its style sheet."""
    old = World(tmp_path, store, pages=PlainPages(fingerprint="old"))
    await old.start()
    new = World(tmp_path, store, model=old.small.model, pages=PlainPages(fingerprint="new"))
    seen: list[bool] = []

    async def worked_off(_: Identity) -> None:
        seen.append("/assets/site.old.css" in new.small.files())

    new.rebuilder._worked_off = worked_off
    await new.start()
    assert seen == [True]
    assert "/assets/site.old.css" not in new.small.files()


async def test_nothing_is_asked_while_another_instance_draws_in_another_look(
    tmp_path: Path, store: Store
) -> None:
    """What it wrote in between would stand for ever."""
    world = World(tmp_path, store, patience_seconds=60)
    other = SiteFolder(tmp_path)
    other.open()
    await other.tell_look("older")
    looked: list[frozenset[str]] = []
    looks = world.small.folder.looks

    async def noted() -> frozenset[str]:
        looked.append(await looks())
        return looked[-1]

    world.small.folder.looks = noted  # type: ignore[method-assign]
    rebuilding = asyncio.create_task(world.start())
    await until(lambda: len(looked) > 2, "it has looked around more than once")
    assert looked[-1] == {"older", world.pages.fingerprint}
    assert store.asked == []
    await other.tell_look(world.pages.fingerprint)
    await asyncio.wait_for(rebuilding, 30)
    assert store.asked == ["rep_1"]
    other.close()


async def test_an_instance_that_died_is_not_waited_for(tmp_path: Path, store: Store) -> None:
    world = World(tmp_path, store, patience_seconds=60)
    dead = SiteFolder(tmp_path)
    dead.open()
    await dead.tell_look("older")
    dead.close()
    await asyncio.wait_for(world.start(), 30)
    assert store.asked == ["rep_1"]


async def test_an_instance_that_never_follows_is_waited_for_only_so_long(
    tmp_path: Path, store: Store
) -> None:
    world = World(tmp_path, store, patience_seconds=0.05)
    other = SiteFolder(tmp_path)
    other.open()
    await asyncio.wait_for(world.start(), 30)
    assert store.asked == ["rep_1"]
    other.close()


async def test_two_instances_ask_once(tmp_path: Path, store: Store) -> None:
    """The second finds the first one's question, as long as it is being answered."""
    world = World(tmp_path, store)
    store.states["rep_0"] = "running"
    wanted = f"{world.pages.fingerprint}/{IDENTITY.id}"
    await world.small.model.note_rebuild(Rebuild(wanted=wanted, republication_id="rep_0"))
    await world.start()
    assert store.asked == []


@pytest.mark.parametrize(
    "noted",
    [
        Rebuild(wanted="other/model", republication_id="rep_0"),
        Rebuild(wanted="plain/model", republication_id="rep_9"),
    ],
)
async def test_a_question_for_other_pages_or_one_that_is_forgotten_does_not_count(
    tmp_path: Path, store: Store, noted: Rebuild
) -> None:
    """It is asked anew."""
    world = World(tmp_path, store)
    store.states["rep_0"] = "running"
    await world.small.model.note_rebuild(noted)
    await world.start()
    assert store.asked == ["rep_1"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(503),
        httpx.Response(401),
        httpx.Response(200, content=b"<html>"),
        httpx.ConnectError("refused"),
    ],
)
async def test_a_store_that_does_not_answer_is_asked_again(
    tmp_path: Path, store: Store, answer: httpx.Response | Exception
) -> None:
    """Whatever it answers that is no answer; the fingerprint is not noted before the rebuild is done."""
    store.answers = [answer]
    world = World(tmp_path, store)
    await world.start()
    assert store.asked == ["rep_1"]


async def test_without_a_key_it_says_what_to_set(store: Store) -> None:
    """And does not call."""
    with pytest.raises(Away, match="NEWSROOM_PUBLISHER_KEY"):
        await StoreClient("http://store.test", None, store.client).ask()
    assert store.keys == set()


async def test_a_listing_that_cannot_be_drawn_does_not_keep_the_site_from_coming_up(
    tmp_path: Path, store: Store
) -> None:
    """The others stand; the mistake is told as a bug."""
    pages = BrokenFront()
    world = World(tmp_path, store, pages=pages)
    await world.start()
    assert "/updates/index.html" in world.pages_that_stand()


class BrokenFront(PlainPages):
    """Fails on home."""

    def listing(self, listing: Listing) -> Mapping[str, bytes]:
        if listing.path == "/":
            raise ZeroDivisionError
        return super().listing(listing)


async def test_a_page_that_came_while_it_was_swept_is_written_again(tmp_path: Path, store: Store) -> None:
    """Its article reached the read model between the question and the removal."""
    world = World(tmp_path, store)
    await world.small.take(a_public())
    state = world.small.model.states["a1"]

    class Late(MemoryReadModel):
        asked = 0

        async def address(self, path: str) -> Address | None:
            self.asked += 1
            if self.asked == 1:
                return None
            self.states["a1"] = state
            return await super().address(path)

        async def find(self, article_id: str) -> ArticleState:
            assert article_id == state.article_id
            return state

    world.rebuilder._model = world.small.updates._model = Late()
    await world.rebuilder._sweep_place(str(state.page_path))
    assert f"{state.page_path}index.html" in world.pages_that_stand()


class Log:
    """What `work_off` asks the cluster: ends, and what the groups have committed."""

    def __init__(self) -> None:
        self.committed: dict[str, dict[int, int]] = {}
        self.asked: list[str] = []
        self.looked: list[str] = []

    async def end_offsets(self, _: str, topic: str) -> dict[TopicPartition, int]:
        self.asked.append(topic)
        return dict.fromkeys(start_offsets(topic, {0: 0, 1: 0}), 10)

    async def committed_offsets(self, _: str, group: str, topic: str) -> dict[int, int]:
        assert topic in self.asked
        self.looked.append(group)
        return self.committed.get(group, {})


async def test_a_rebuild_is_over_when_all_instances_have_read_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """Updates first, then the listings that these marked; a partition nothing came to counts as read."""
    log = Log()
    monkeypatch.setattr(rebuild, "cluster", log)
    monkeypatch.setattr(rebuild, "_POLL_SECONDS", 0.01)
    identity = Identity(id="m", cluster_id="c", updates={0: 10, 1: 3}, listings={0: 10, 1: 10})
    log.committed[identity.updates_group] = {1: 9}
    waiting = asyncio.create_task(work_off("broker", identity))
    await until(lambda: len(log.looked) >= 3, "looks at what is not all")
    assert (waiting.done(), len(log.asked)) == (False, 1)
    log.committed[identity.updates_group] = {1: 10}
    await asyncio.wait_for(waiting, 30)
    assert len(log.asked) == 2


async def test_a_read_model_of_another_log_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take offsets of one log for those of another."""

    async def cluster_id(_: str) -> str:
        return "another"

    monkeypatch.setattr("newsroom.kafka.cluster.cluster_id", cluster_id)
    model = MemoryReadModel()
    await model.claim(IDENTITY)
    with pytest.raises(Misconfigured, match="NEWSROOM_RENDER_DATABASE") as refused:
        await identify(model, "broker")
    assert "\n" not in str(refused.value)
