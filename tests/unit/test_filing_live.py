"""The fold of live articles: what takes entries, how they count, and what the public sees of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from newsroom.events import EventKind
from newsroom.outcomes import Rejection, RejectionCode
from newsroom.updates import LiveState
from services.store import effects, filing
from services.store.announcing import entry_update_of, update_of
from services.store.articles import Article
from services.store.effects import entry_bytes, shows
from tests.store_parts import a_post, a_text, minute
from tests.story_parts import Story

OPEN, CLOSED = a_text(live=True), a_text(live=False)


def a_live_story(*entries: str) -> Story:
    """A live article with these entries."""
    story = Story()
    story.send("published", OPEN)
    for entry_id in entries:
        story.post(entry_id)
    return story


def code_of(result: Article | Rejection) -> RejectionCode:
    assert isinstance(result, Rejection), result
    return result.code


def live_of(story: Story) -> LiveState:
    """What the public is told of the entries."""
    public = update_of(story.article).public
    assert public is not None
    assert public.live is not None
    return public.live


# --- open and closed


def test_an_article_is_live_from_the_text_that_says_so() -> None:
    story = Story()
    story.send("published", CLOSED)
    assert story.article.live is None
    assert code_of(story.attempt_post("e1")) is RejectionCode.NOT_LIVE
    story.send("updated", OPEN)
    assert story.post("e1").number == 1


def test_a_closed_article_takes_no_more_entries_and_tells_since_when() -> None:
    story = a_live_story("e1")
    story.send("updated", CLOSED, at=7)
    assert live_of(story).closed_at == minute(7)
    assert code_of(story.attempt_post("e2")) is RejectionCode.NOT_LIVE
    story.send("amended", CLOSED, at=9)
    assert live_of(story).closed_at == minute(7)


def test_an_entry_of_a_closed_article_may_be_changed() -> None:
    story = a_live_story("e1")
    story.send("updated", CLOSED)
    assert story.change("e1", headline="Put right").text.headline == "Put right"


def test_an_article_that_is_opened_again_goes_on_counting() -> None:
    story = a_live_story("e1")
    story.send("updated", CLOSED)
    story.send("updated", OPEN)
    assert live_of(story).closed_at is None
    assert story.post("e2").number == 2


def test_a_live_text_that_waits_opens_the_article_at_its_release() -> None:
    story = Story()
    story.send("published", OPEN, publish_at=50)
    assert code_of(story.attempt_post("e1")) is RejectionCode.NOT_PUBLIC
    story.fall_due()
    assert story.post("e1").revision == 3


def test_a_draft_opens_and_closes_nothing() -> None:
    story = a_live_story("e1")
    story.send("drafted", CLOSED)
    assert story.post("e2").number == 2


# --- one entry


def test_an_entry_makes_a_revision_of_its_article_and_counts_its_own_versions() -> None:
    story = a_live_story()
    added = story.post("e1", at=5, headline="Shots", key_event=True)
    assert (added.number, added.page, added.version, added.revision) == (1, 1, 1, 2)
    assert (added.added_at, added.changed_at) == (minute(5), None)
    story.post("e2")
    changed = story.change("e1", headline="Shots heard")
    assert (changed.number, changed.page, changed.version, changed.revision) == (1, 1, 2, 4)
    assert (changed.added_at, changed.changed_at) == (minute(5), story.article.time)
    assert changed.text == a_post("Shots heard")


def test_an_entry_stands_once() -> None:
    story = a_live_story("e1")
    assert code_of(story.attempt_post("e1")) is RejectionCode.ENTRY_EXISTS


def test_an_entry_that_is_unknown_cannot_be_changed() -> None:
    assert code_of(a_live_story("e1").attempt_change("e2")) is RejectionCode.UNKNOWN_ENTRY


def test_if_match_on_a_change_means_the_revision_of_the_entry() -> None:
    """Whoever posts beside it does not stop a colleague who mends another entry."""
    story = a_live_story("e1", "e2", "e3")
    assert story.change("e1", if_match=2).version == 2
    rejection = story.attempt_change("e1", if_match=2)
    assert code_of(rejection) is RejectionCode.REVISION_MISMATCH
    assert isinstance(rejection, Rejection)
    assert rejection.current_revision == 5
    assert "the entry stands at revision 5" in rejection.detail


@pytest.mark.parametrize("named", [1, 7])
def test_if_match_on_an_entry_that_does_not_stand_tells_of_the_entry(named: int) -> None:
    """Never of a revision of the article, which the caller did not name."""
    rejection = a_live_story().attempt_change("nobody", if_match=named)
    assert code_of(rejection) is RejectionCode.UNKNOWN_ENTRY


@pytest.mark.parametrize(("step", "of_article"), [("post", True), ("change", False)])
def test_an_entry_moves_what_readers_see_and_no_history(step: str, of_article: bool) -> None:
    story = a_live_story("e1")
    before = story.article
    if step == "post":
        story.post("e2", at=30)
    else:
        story.change("e1")
    after = story.article
    assert after.changes == before.changes
    assert after.public is not None
    assert after.public.revision == after.revision == 3
    assert after.updated_at == after.bumped_at == after.time
    assert live_of(story).entry_revision == 3
    assert live_of(story).entry_at == after.time
    assert live_of(story).entries == (2 if of_article else 1)
    assert shows(before, after)


# --- pages


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three entries, or what two of the test's usual ones take."""
    monkeypatch.setattr(effects, "PAGE_ENTRIES", 3)
    monkeypatch.setattr(effects, "PAGE_BYTES", 2 * entry_bytes(a_post()) + 50)


def pages(story: Story) -> list[tuple[str, int]]:
    return [(entry.id, entry.page) for entry in story.entries.values()]


@pytest.mark.usefixtures("small_pages")
def test_a_page_is_full_with_its_entries_or_its_bytes() -> None:
    story = a_live_story()
    for number in range(4):
        story.post(f"short{number}", headline="", body="")
    story.post("long1")
    story.post("long2")
    story.post("huge", body=f"<p>{'x' * 5000}</p>")
    story.post("last", headline="", body="")
    assert pages(story) == [
        ("short0", 1), ("short1", 1), ("short2", 1),
        ("short3", 2), ("long1", 2), ("long2", 3), ("huge", 4), ("last", 5),
    ]  # fmt: skip
    assert live_of(story).pages == 5


@pytest.mark.usefixtures("small_pages")
def test_an_entry_keeps_its_page_however_it_grows() -> None:
    story = a_live_story("e1", "e2", "e3")
    placed = pages(story)
    story.change("e1", body=f"<p>{'x' * 5000}</p>")
    story.change("e2", body="")
    assert pages(story) == placed


def test_a_thousand_entries_leave_the_article_as_small_as_one() -> None:
    """Nothing in it grows with them, so that the next costs what the first did."""
    story = a_live_story("e1")
    first = len(story.article.model_dump_json())
    for number in range(2, 1001):
        story.post(f"e{number}")
    assert len(story.article.model_dump_json()) < first + 40
    assert live_of(story).entries == 1000
    assert live_of(story).pages >= 1000 / effects.PAGE_ENTRIES


# --- what stands on top


def test_the_entry_that_was_pinned_last_stands_on_top() -> None:
    story = a_live_story("e1")
    assert live_of(story).pinned is None
    story.post("e2", pinned=True)
    story.post("e3", pinned=True)
    story.post("e4")
    assert live_of(story).pinned == "e3"
    story.change("e2", headline="No longer pinned")
    assert live_of(story).pinned == "e3"
    story.change("e3", headline="Nor this")
    assert live_of(story).pinned is None
    story.change("e1", pinned=True)
    assert live_of(story).pinned == "e1"


# --- sizes


def test_a_live_article_has_a_bound_that_changes_count_against(monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes it smaller always may."""
    size = entry_bytes(a_post())
    monkeypatch.setattr(filing, "MAX_LIVE_BYTES", 2 * size)
    story = a_live_story("e1", "e2")
    assert story.article.live is not None
    assert story.article.live.bytes == 2 * size
    assert code_of(story.attempt_post("e3")) is RejectionCode.INVALID
    assert code_of(story.attempt_change("e1", headline="Shots were heard")) is RejectionCode.INVALID
    story.change("e1", headline="Shots")
    assert story.article.live.bytes == size + entry_bytes(a_post("Shots"))


# --- when the article goes and comes back


def hidden(story: Story) -> list[bool]:
    """Of each entry whether its announcement says no word of it."""
    return [entry_update_of(story.article, entry).entry is None for entry in story.entries.values()]


@pytest.mark.parametrize("kind", ["withdrawn", "retracted"])
def test_entries_are_hidden_with_their_article(kind: str) -> None:
    story = a_live_story("e1", "e2")
    assert hidden(story) == [False, False]
    story.send(kind)
    assert hidden(story) == [True, True]
    for entry in story.entries.values():
        update = entry_update_of(story.article, entry)
        assert "Shots" not in update.model_dump_json()
        assert (update.as_of, update.revision) == (4, entry.revision)


def test_an_entry_mended_while_its_article_is_withdrawn_shows_when_that_is_back() -> None:
    story = a_live_story("e1")
    gone = story.send("withdrawn")
    assert code_of(story.attempt_post("e2")) is RejectionCode.NOT_PUBLIC
    story.change("e1", headline="Put right")
    assert story.article.public == gone.public
    assert hidden(story) == [True]
    assert not shows(gone, story.article)
    story.send("published", OPEN)
    assert hidden(story) == [False]
    assert live_of(story).entries == 1
    assert story.post("e2").number == 2


def test_nothing_is_told_of_a_retracted_articles_entries() -> None:
    story = a_live_story("e1")
    story.send("retracted")
    public = update_of(story.article).public
    assert public is not None
    assert public.live is None


@pytest.mark.parametrize("wait", [Story.attempt_post, Story.attempt_change])
def test_an_entry_waits_while_a_text_is_withheld(wait: Callable[..., Any]) -> None:
    story = a_live_story("e1")
    story.send("updated", OPEN, embargo_until=50)
    assert code_of(wait(story, "e1")) is RejectionCode.NOT_PUBLIC
    story.fall_due()
    assert story.change("e1").version == 2


def test_an_entry_changes_no_field_of_the_text() -> None:
    story = a_live_story()
    before = story.article
    story.post("e1")
    assert effects.changed_fields(before, story.article, EventKind.ENTRY_ADDED) == ()
    assert effects.changes_of(before, story.article) == ()
