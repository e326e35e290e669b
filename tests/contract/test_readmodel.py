"""One suite for the read model in memory and for the one in MongoDB: what render's tests rely on, both do."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from pydantic import SecretStr

from newsroom import mongo as mongo_edge
from newsroom.addresses import CORRECTIONS_LEDGER, HOME, UPDATES_LEDGER
from newsroom.updates import ArticleUpdate, ChangeKind, Status
from services.render.cards import Card, card_of
from services.render.listingkinds import Place
from services.render.mongoreadmodel import MongoReadModel
from services.render.readmodel import Address, Identity, ReadModel, Rebuild
from services.render.shown import archived
from services.render.standing import ArticleState, coalesce, moved_on
from tests.render_parts import (
    MemoryReadModel,
    a_change,
    a_delivery,
    a_draft,
    a_hidden,
    a_history,
    a_live,
    a_post,
    a_public,
    a_retracted,
    a_state,
    a_translation,
    a_view,
    a_withdrawn,
    minute,
)

if TYPE_CHECKING:
    from tests.conftest import RunningMongo


@pytest_asyncio.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.real)])
async def model(request: pytest.FixtureRequest) -> AsyncIterator[ReadModel]:
    if request.param == "memory":
        yield MemoryReadModel()
        return
    server: RunningMongo = request.getfixturevalue("mongo")
    client = mongo_edge.connect(SecretStr(server.url), app_name="test")
    name = f"contract_{secrets.token_hex(4)}"
    real = MongoReadModel(client[name])
    await real.prepare()
    await real.prepare()
    yield real
    await client.drop_database(name)
    client.close()


def the_next(former: ArticleState, update: ArticleUpdate) -> ArticleState:
    (arrival,) = coalesce([a_delivery(update)])
    state = moved_on(former, arrival, a_view(update))
    assert state is not None
    return state


async def test_an_article_is_put_in_once_and_found_again(model: ReadModel) -> None:
    """Whoever comes second is told, and changes nothing."""
    state = a_state(a_public(revision=2))
    assert await model.find("a1") is None
    assert (await model.revision("a1"), await model.told("a1")) == (None, None)
    assert await model.insert(state)
    assert not await model.insert(a_state(a_public(revision=7)))
    assert await model.find("a1") == state
    assert (await model.revision("a1"), await model.told("a1")) == (2, 2)


async def test_what_is_asked_at_once_is_answered_to_each(model: ReadModel) -> None:
    """Who is refused takes nobody along; a replacement among others may be told as none, but what stands is
    what was asked for.
    """
    first, second, third = (a_state(a_public(name)) for name in ("a1", "b2", "c3"))
    assert await model.insert(a_state(a_public("b2")))
    assert await asyncio.gather(*map(model.insert, (first, second, third))) == [True, False, True]
    assert await asyncio.gather(*map(model.find, ("a1", "x", "c3"))) == [first, None, third]
    newer = [the_next(state, a_public(state.article_id, 2)) for state in (first, second, third)]
    guards = (first.revision, second.revision + 1, third.revision)
    replaced = await asyncio.gather(*map(model.replace, newer, guards))
    assert replaced[1] is False
    revisions = await asyncio.gather(*map(model.revision, ("a1", "b2", "c3", "x")))
    assert revisions == [newer[0].revision, second.revision, newer[2].revision, None]
    told = [("a1", 2, newer[0].marks, 2), ("c3", 1, newer[2].marks, 1)]
    await asyncio.gather(*(model.acknowledge(*each) for each in told))
    states = await asyncio.gather(*map(model.find, ("a1", "c3")))
    assert [state and (state.marks, state.announced) for state in states] == [((), 2), (newer[2].marks, 1)]


async def test_articles_are_walked_by_their_ids(model: ReadModel) -> None:
    """Part by part, as text is sorted byte by byte."""
    for article_id in ("b", "A", "a-1", "a"):
        await model.insert(a_state(a_public(article_id)))
    assert await model.ids_after("", 3) == ("A", "a", "a-1")
    assert await model.ids_after("a-1", 3) == ("b",)
    assert await model.ids_after("b", 3) == ()


async def test_of_two_at_once_one_puts_it_in(model: ReadModel) -> None:
    """Two instances that meet an article for the first time."""
    states = [a_state(a_public(revision=number)) for number in range(1, 6)]
    assert sorted(await asyncio.gather(*(model.insert(state) for state in states))) == [False] * 4 + [True]


async def test_a_state_is_replaced_only_where_the_expected_revision_stands(model: ReadModel) -> None:
    """A late owner does not put back what another has moved on."""
    first = a_state(a_public())
    assert not await model.replace(first, 1)
    await model.insert(first)
    second = the_next(first, a_public(revision=2))
    assert await model.replace(second, 1)
    assert not await model.replace(second, 1)
    assert await model.find("a1") == second


async def test_what_was_announced_only_rises(model: ReadModel) -> None:
    """Also where a state that knows less of it is put in its place."""
    first = a_state(a_public())
    await model.insert(first)
    await model.acknowledge("a1", 1, first.marks, 5)
    await model.acknowledge("a1", 1, (), 3)
    await model.replace(the_next(first, a_public(revision=2)), 1)
    found = await model.find("a1")
    assert found is not None
    assert found.announced == 5


async def test_acknowledged_marks_go_unless_another_revision_stands(model: ReadModel) -> None:
    """Its marks may be of the same listings, and for another reason."""
    first = a_state(a_public())
    await model.insert(first)
    await model.acknowledge("a1", 1, [HOME], 0)
    found = await model.find("a1")
    assert found is not None
    assert set(found.marks) == set(first.marks) - {HOME}
    await model.acknowledge("a1", 9, first.marks, 9)
    found = await model.find("a1")
    assert found is not None
    assert set(found.marks) == set(first.marks) - {HOME}
    assert found.announced == 9
    await model.acknowledge("unknown", 1, [HOME], 1)


async def test_a_hidden_article_leaves_one_listing_after_the_other(model: ReadModel) -> None:
    """Only that revision, and only while it is hidden."""
    first = a_state(a_public())
    await model.insert(first)
    assert await model.left(HOME, [("a1", 1)]) == ()
    gone = the_next(first, a_withdrawn(a_public(), 2))
    await model.replace(gone, 1)
    assert await model.left(HOME, [("a1", 1)]) == ()
    (after,) = await model.left(HOME, [("a1", 2)])
    assert set(after.leaving) == set(gone.leaving) - {HOME}
    assert await model.find("a1") == after
    assert await model.left(HOME, [("a1", 2)]) == (after,)
    assert await model.left(HOME, [("unknown", 1)]) == ()


async def test_an_article_that_is_public_again_leaves_its_listings_too(model: ReadModel) -> None:
    """A repeat finds it as it was left; one that waits for none is left alone."""
    first = a_state(a_public())
    gone = the_next(first, a_withdrawn(a_public(), 2))
    again = the_next(gone, a_public(revision=3, changes=[a_change(3, ChangeKind.PUBLISHED)]))
    assert again.waits
    assert set(again.leaving) == set(gone.leaving)
    await model.insert(first)
    await model.replace(gone, 1)
    await model.replace(again, 2)
    assert await model.left(HOME, [("a1", 2)]) == ()
    for path in again.leaving:
        assert len(await model.left(path, [("a1", 3)])) == 1
    (after,) = await model.left(HOME, [("a1", 3)])
    assert after.leaving == ()
    assert await model.find("a1") == after
    await model.replace(the_next(after, a_public(revision=4)), 3)
    assert await model.left(HOME, [("a1", 4)]) == ()


async def test_what_lingers_is_forgotten_listing_by_listing_and_told_to_nobody(model: ReadModel) -> None:
    first = a_state(a_public(tags=("Astana", "Banks")))
    moved = the_next(first, a_public(revision=2))
    assert "/tags/banks/" in moved.lingering
    await model.insert(first)
    await model.replace(moved, 1)
    assert await model.left("/tags/banks/", [("a1", 1)]) == ()
    assert await model.find("a1") == moved
    assert await model.left("/tags/banks/", [("a1", 2)]) == ()
    found = await model.find("a1")
    assert found is not None
    assert set(found.lingering) == set(moved.lingering) - {"/tags/banks/"}


async def test_of_many_that_were_marked_only_those_that_are_followed_leave(model: ReadModel) -> None:
    for name in ("a1", "a2", "a3"):
        await model.insert(a_state(a_public(name)))
    gone = {name: the_next(a_state(a_public(name)), a_withdrawn(a_public(name), 2)) for name in ("a1", "a2")}
    for state in gone.values():
        await model.replace(state, 1)
    marked = [("a1", 1), ("a1", 2), ("a2", 1), ("a3", 1), ("unknown", 1), ("a2", 2)]
    left = await model.left(HOME, marked)
    assert {state.article_id: set(state.leaving) for state in left} == {
        name: set(state.leaving) - {HOME} for name, state in gone.items()
    }


async def test_who_is_leaving_a_listing_is_found_by_it(model: ReadModel) -> None:
    for name in ("b2", "a1", "c3"):
        first = a_state(a_public(name))
        await model.insert(first)
        if name != "c3":
            await model.replace(the_next(first, a_withdrawn(a_public(name), 2)), 1)
    assert [state.article_id for state in await model.leaving(HOME)] == ["a1", "b2"]
    (left,) = await model.left(HOME, [("a1", 2)])
    assert left.leaving
    assert await model.leaving(HOME) == (await model.find("b2"),)
    assert await model.leaving("/tags/none/") == ()


async def test_turns_count_up_for_each_listing_alone(model: ReadModel) -> None:
    """No two that take one at once get the same."""
    assert await model.turn(HOME) == 0
    taken = await asyncio.gather(*(model.take_turn(HOME) for _ in range(8)))
    assert sorted(taken) == list(range(1, 9))
    assert (await model.turn(HOME), await model.turn("/kazakhstan/")) == (8, 0)


async def test_cards_come_newest_first_up_to_the_limit(model: ReadModel) -> None:
    """Ties by article id; an article that is in no listing is in none."""
    for update in (a_public("c3", 2), a_public("a1", 2), a_public("b2", 5), a_draft("d4")):
        await model.insert(a_state(update))
    assert [card.article_id for card in await model.cards(HOME, 10)] == ["b2", "a1", "c3"]
    assert [card.article_id for card in await model.cards(HOME, 2)] == ["b2", "a1"]
    assert await model.cards(HOME, 1) == (card_of(a_public("b2", 5)),)
    assert await model.cards("/tags/none/", 10) == ()


async def test_entries_come_newest_first_across_articles(model: ReadModel) -> None:
    """By their own times, not by their article's newest; ties by article id, then revision."""
    corrected = a_public("b2", 3, changes=(*a_history(2), a_change(3, ChangeKind.CORRECTION)))
    for update in (a_public("a1", 4), corrected):
        await model.insert(a_state(update))
    found = [(entry.article_id, entry.revision) for entry in await model.entries(UPDATES_LEDGER, 5)]
    assert found == [("a1", 4), ("a1", 3), ("b2", 3), ("a1", 2), ("b2", 2)]
    found = [(entry.article_id, entry.revision) for entry in await model.entries(CORRECTIONS_LEDGER, 5)]
    assert found == [("b2", 3)]


async def test_archives_are_reached_by_month_and_day(model: ReadModel) -> None:
    """Newest first, each once; a retracted article stands in none."""
    for update in (a_public("a1"), a_public("b2"), a_public("c3", section="World")):
        await model.insert(a_state(update))
    await model.insert(a_state(a_retracted(a_public("d4", section="Gone"), 2)))
    assert await model.months(HOME) == await model.months("/world/") == ("2023/06",)
    assert await model.months("/gone/") == ()
    assert await model.days("2023/06") == ("2023/06/20",)
    assert await model.days("2023/05") == ()


async def test_an_archive_comes_in_the_order_of_publication_without_what_moves(model: ReadModel) -> None:
    """Ties by article id; an update moves nothing in it."""
    for update in (published("c3", 0, revision=5), published("a1", 0), published("b2", 7)):
        await model.insert(a_state(update))
    found = await model.archive("/2023/06/", 10)
    assert [card.article_id for card in found] == ["b2", "a1", "c3"]
    assert found[2] == archived_of(published("c3", 0, revision=5))
    assert await model.archive("/2023/06/", 1) == found[:1]
    assert await model.archive("/2023/05/", 10) == ()


async def test_what_is_asked_again_is_as_it_stands_now(model: ReadModel) -> None:
    """Whatever was remembered of the former answer; what did not move is as it was."""
    first, other, later = published("a1", 0), published("b2", 7), published("a1", 0, revision=2)
    state = a_state(first)
    for each in (state, a_state(other)):
        await model.insert(each)
    assert await model.archive("/2023/06/20/", 10) == tuple(archived_of(each) for each in (other, first))
    assert set(await model.cards(HOME, 10)) == {its_card(first), its_card(other)}
    assert len(await model.entries(UPDATES_LEDGER, 10)) == 2
    assert await model.replace(the_next(state, later), 1)
    assert await model.archive("/2023/06/20/", 10) == tuple(archived_of(each) for each in (other, later))
    assert set(await model.cards(HOME, 10)) == {its_card(later), its_card(other)}
    assert len(await model.entries(UPDATES_LEDGER, 10)) == 3


async def test_a_sitemap_tells_pages_and_when_they_changed(model: ReadModel) -> None:
    """Of a retracted article, too; the newest publication first."""
    retracted = a_retracted(published("b2", 7), 4)
    for update in (published("a1", 0, revision=3), retracted, a_draft("d4")):
        await model.insert(a_state(update))
    path = "/sitemaps/2023-06.xml"
    assert await model.places(path, 10) == (
        Place(path_of(retracted), minute(4), "en", "b2"),
        Place(path_of(published("a1", 0)), minute(3), "en", "a1"),
    )
    assert len(await model.places(path, 1)) == 1
    assert await model.changes() == (("2023/06", minute(4)),)
    assert await model.is_listed(path)
    assert not await model.is_listed("/sitemaps/2023-05.xml")


async def test_each_month_has_its_own_latest_change(model: ReadModel) -> None:
    """The newest month first, however late an older one changed."""
    assert await model.changes() == ()
    for update in (published("a1", 0, revision=9), published("b2", 60 * 24 * 20), published("c3", 1)):
        await model.insert(a_state(update))
    assert await model.changes() == (("2023/07", minute(1)), ("2023/06", minute(9)))


async def test_translations_come_with_the_originals_that_readers_may_see(model: ReadModel) -> None:
    """Whether there are any of an article is asked by its id."""
    translations = [a_translation("kk", "en"), a_translation("ru", "kk"), a_translation("fr", "gone")]
    gone = a_retracted(a_public("gone", slug="gone"), 2)
    for update in (*translations, a_public("en", slug="en"), gone, a_public("other", slug="other")):
        await model.insert(a_state(update))
    found = await model.translations(10)
    assert [(place.article_id, place.translation_of) for place in found] == [
        ("fr", "gone"),
        ("kk", "en"),
        ("ru", "kk"),
        ("en", None),
    ]
    assert {place.changed_at for place in found} == {None}
    assert [place.article_id for place in await model.translations(1)] == ["fr"]
    assert [await model.is_translated(each) for each in ("en", "kk", "gone", "other", "none")] == [
        True,
        True,
        True,
        False,
        False,
    ]


async def test_what_is_fresh_was_first_published_since_then(model: ReadModel) -> None:
    """However late it changed; newest first, nothing retracted."""
    for update in (
        published("a1", 0, revision=9),
        published("b2", 5),
        published("c3", 9),
        a_retracted(published("d4", 9), 2),
    ):
        await model.insert(a_state(update))
    found = await model.fresh(minute(5), 10)
    assert found == (its_card(published("c3", 9)), its_card(published("b2", 5)))
    assert await model.fresh(minute(5), 1) == found[:1]


async def test_an_id_leads_to_the_page_wherever_it_stands_now(model: ReadModel) -> None:
    old = a_public()
    moved = a_public(revision=2, section="World", former_paths=(path_of(old),))
    first = a_state(old)
    await model.insert(first)
    second = the_next(first, moved)
    await model.replace(second, 1)
    assert await model.page_of("a1") == Address("a1", Status.PUBLIC, moved.path)
    await model.replace(the_next(second, a_withdrawn(moved, 3)), 2)
    assert await model.page_of("a1") == Address("a1", Status.WITHDRAWN, None)
    assert await model.page_of("unknown") is None


def published(article_id: str, minutes: int, *, revision: int = 1) -> ArticleUpdate:
    """An article first published so many minutes after the beginning."""
    update = a_public(article_id, revision, slug=article_id)
    assert update.public is not None
    public = update.public.model_copy(update={"published_at": minute(minutes)})
    return update.model_copy(update={"public": public})


def archived_of(update: ArticleUpdate) -> Card:
    return archived(its_card(update).model_dump())


def its_card(update: ArticleUpdate) -> Card:
    card = card_of(update)
    assert card is not None
    return card


def path_of(update: ArticleUpdate) -> str:
    assert update.path is not None
    return update.path


async def test_every_path_leads_to_its_article(model: ReadModel) -> None:
    """The present one, former ones, one that is gone, and nobody's."""
    old = a_public()
    assert old.path is not None
    first = a_state(old)
    await model.insert(first)
    assert await model.address(old.path) == Address("a1", Status.PUBLIC, old.path)
    moved = a_public(revision=2, section="World", former_paths=(old.path,))
    second = the_next(first, moved)
    await model.replace(second, 1)
    assert await model.address(old.path) == Address("a1", Status.PUBLIC, moved.path)
    await model.replace(the_next(second, a_withdrawn(moved, 3)), 2)
    assert await model.address(old.path) == Address("a1", Status.WITHDRAWN, None)
    assert await model.address("/nowhere/") is None


@pytest.mark.parametrize(
    ("update", "told"),
    [(a_draft(), None), (a_withdrawn(a_public(), 4), 4), (a_retracted(a_public(), 5), 5)],
)
async def test_it_tells_which_revision_readers_must_know(
    model: ReadModel, update: ArticleUpdate, told: int | None
) -> None:
    """Of what was never public nothing, of what is gone its end."""
    await model.insert(a_state(update))
    assert await model.told("a1") == told


async def test_the_first_identity_stays(model: ReadModel) -> None:
    """Instances that start together agree on one."""
    assert await model.identity() is None
    offers = [
        Identity(id=f"id{number}", cluster_id="c", updates={0: number, 11: 3}, listings={1: 2})
        for number in range(4)
    ]
    given = await asyncio.gather(*(model.claim(offer) for offer in offers))
    assert len({identity.id for identity in given}) == 1
    assert await model.identity() == given[0]
    assert given[0] in offers


async def test_the_rebuild_that_was_asked_for_last_is_noted(model: ReadModel) -> None:
    """One note for all instances."""
    assert await model.rebuild() is None
    for number in (1, 2):
        await model.note_rebuild(Rebuild(wanted="f/m", republication_id=f"rep_{number}"))
    assert await model.rebuild() == Rebuild(wanted="f/m", republication_id="rep_2")


async def test_a_post_stands_as_its_latest_record_has_it(model: ReadModel) -> None:
    """The one that is of the highest revision of its article; the same again changes nothing."""
    await model.put_posts([])
    await model.put_posts([a_post(1, 2), a_post(2, 3)])
    changed = a_post(1, 5, words="Changed", changed=True)
    await model.put_posts([changed, a_post(2, 3)])
    await model.put_posts([a_post(1, 2, as_of=4)])
    assert await model.post("a1", "e1") == changed
    assert await model.post("a1", "e2") == a_post(2, 3)
    assert await model.post("a1", "e3") is None
    assert await model.post("b2", "e1") is None


async def test_of_two_records_put_in_at_once_the_later_one_stands(model: ReadModel) -> None:
    """Two instances that read the same partition for a moment."""
    records = [a_post(1, number) for number in range(2, 8)]
    await asyncio.gather(*(model.put_posts([record]) for record in records))
    assert await model.post("a1", "e1") == records[-1]


async def test_posts_come_by_their_pages_the_newest_first(model: ReadModel) -> None:
    """By number, whenever they changed; those of other articles and hidden ones are left out."""
    posts = [a_post(number, page=(number + 1) // 2) for number in range(1, 7)]
    other = a_post(1, article_id="b2")
    await model.put_posts([*posts, other])
    await model.put_posts([a_hidden(posts[4], 9)])
    found = await model.posts("a1", {1, 3})
    assert [post.entry_id for post in found] == ["e6", "e2", "e1"]
    assert found[1] == posts[1]
    assert await model.posts("a1", set()) == ()
    assert await model.posts("b2", {1}) == (other,)


async def test_no_word_of_a_hidden_post_is_kept(model: ReadModel) -> None:
    """And it is found by nothing but its name, until a later record shows it again."""
    post = a_post(1, key_event=True)
    await model.put_posts([post])
    await model.put_posts([a_hidden(post, 3)])
    assert await model.post("a1", "e1") == a_hidden(post, 3)
    assert await model.key_posts("a1", 5) == await model.newest_posts("a1", 5) == ()
    back = post.model_copy(update={"as_of": 4})
    await model.put_posts([back])
    assert await model.key_posts("a1", 5) == await model.newest_posts("a1", 5) == (back,)


async def test_key_events_come_newest_first_up_to_the_limit(model: ReadModel) -> None:
    """By number; one that is none any more is left out."""
    await model.put_posts([a_post(number, key_event=number != 2) for number in range(1, 6)])
    await model.put_posts([a_post(4, 9)])
    assert [post.entry_id for post in await model.key_posts("a1", 10)] == ["e5", "e3", "e1"]
    assert [post.entry_id for post in await model.key_posts("a1", 2)] == ["e5", "e3"]


async def test_the_newest_posts_are_those_that_came_or_changed_last(model: ReadModel) -> None:
    """By revision, after a given one, up to a limit or all."""
    await model.put_posts([a_post(number) for number in range(1, 5)])
    await model.put_posts([a_post(1, 7)])
    assert [post.revision for post in await model.newest_posts("a1", 3)] == [7, 5, 4]
    assert [post.revision for post in await model.newest_posts("a1", None, after=3)] == [7, 5, 4]
    assert await model.newest_posts("a1", None, after=7) == ()


async def test_the_pages_that_moved_since_a_revision_are_known(model: ReadModel) -> None:
    """By the articles' revision at which each record was announced."""
    await model.put_posts([a_post(1), a_post(2), a_post(3, page=2), a_post(4, page=3)])
    await model.put_posts([a_post(1, 9)])
    assert await model.moved_pages("a1", 0) == {1, 2, 3}
    assert await model.moved_pages("a1", 4) == {1, 3}
    assert await model.moved_pages("a1", 9) == frozenset()


async def test_pages_that_were_written_go_unless_another_revision_stands(model: ReadModel) -> None:
    """Then they may have to be written for another reason."""
    posts = [a_post(number, page=number) for number in (1, 2, 3)]
    first = a_state(a_live(a_public(), posts))
    assert first.stale == (1, 2, 3)
    await model.insert(first)
    await model.acknowledge("a1", first.revision, (), 0, [1, 3])
    found = await model.find("a1")
    assert found is not None
    assert found.stale == (2,)
    await model.acknowledge("a1", first.revision + 1, (), 0, [2])
    found = await model.find("a1")
    assert found is not None
    assert found.stale == (2,)
