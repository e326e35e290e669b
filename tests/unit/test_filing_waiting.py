"""The fold of what waits for its time: schedules, embargoes, releases, and the end of breaking."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from newsroom.events import BreakingEnded, EventKind, Released
from newsroom.outcomes import Rejection, RejectionCode
from newsroom.updates import Status
from services.store.announcing import update_of
from services.store.articles import Article, DueTime, due_events, is_breaking, release_due
from services.store.effects import shows
from tests.store_parts import a_text, minute
from tests.story_parts import SENT, Story

FIELDS = ["publish_at", "embargo_until"]
LATER, MUCH_LATER = 500, 900


def told(article: Article) -> list[tuple[int, str, int]]:
    """The public history: revision, kind, and the revision whose text the public saw with it."""
    return [(change.revision, change.kind.value, change.text_at) for change in article.changes]


def headline(article: Article) -> str | None:
    """What the public reads on top."""
    public = update_of(article).public
    return public.text.headline if public and public.text else None


def due(field: str, at: int | None) -> dict[str, Any]:
    """That due time, in minutes; None lifts it."""
    return {field: at}


def begun(text: str = "First", **times: Any) -> Story:
    """A story that was sent to the public once, with these due times."""
    story = Story()
    story.send("published", a_text(text), **times)
    return story


# --- what an editor says of a due time


@pytest.mark.parametrize("field", [*FIELDS, "breaking_until"])
def test_a_due_time_is_set_kept_moved_and_lifted(field: str) -> None:
    """Absent leaves what stands; the same time again does not set it anew."""
    story = begun(embargo_until=MUCH_LATER) if field == "publish_at" else begun(publish_at=MUCH_LATER)

    def standing() -> DueTime | None:
        due: DueTime | None = getattr(story.article, field)
        return due

    assert standing() is None
    story.send("updated", **due(field, LATER))
    assert standing() == DueTime(at=minute(LATER), set_by=2)
    story.send("amended")
    story.send("corrected", **due(field, LATER))
    assert standing() == DueTime(at=minute(LATER), set_by=2)
    story.send("updated", **due(field, LATER + 1))
    assert standing() == DueTime(at=minute(LATER + 1), set_by=5)
    story.send("updated", **due(field, None))
    assert standing() is None


def test_a_draft_moves_no_due_time_and_releases_nothing() -> None:
    story = begun(publish_at=LATER, breaking_until=MUCH_LATER)
    before = story.article
    after = story.send("drafted", at=LATER + 1)
    for field in ("publish_at", "embargo_until", "breaking_until", "withheld", "status"):
        assert getattr(after, field) == getattr(before, field)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("at", [LATER, LATER + 1])
def test_a_time_that_is_past_withholds_nothing(field: str, at: int) -> None:
    """The event's own time counts, never the clock's."""
    story = Story()
    article = story.send("published", at=at, **due(field, LATER))
    assert (article.status, article.withheld, release_due(article)) == (Status.PUBLIC, None, None)


# --- before the first publication


@pytest.mark.parametrize("field", FIELDS)
def test_what_waits_is_announced_without_a_word_or_an_address(field: str) -> None:
    article = begun("Secret", **due(field, LATER)).article
    update = update_of(article)
    assert (update.status, update.path, update.public) == (Status.UNPUBLISHED, None, None)
    assert "Secret" not in update.model_dump_json()
    assert article.draft_revision is None
    assert article.published_at is None


def test_a_release_publishes_the_newest_text_once() -> None:
    """Whatever was sent while it waited, readers hear of one publication, of the moment of its release."""
    story = begun(publish_at=LATER)
    story.send("updated", a_text("Second"))
    story.send("corrected", a_text("Third", breaking=True))
    article = story.fall_due()
    assert headline(article) == "Third"
    assert told(article) == [(4, "published", 4)]
    assert article.changes[0].breaking
    assert article.published_at == article.updated_at == article.bumped_at == minute(LATER)
    assert (article.withheld, article.publish_at, article.revision) == (None, None, 4)
    assert due_events(article) == []


def test_the_later_of_schedule_and_embargo_releases() -> None:
    story = begun(publish_at=LATER, embargo_until=MUCH_LATER)
    assert [(each.kind, each.due.at) for each in due_events(story.article)] == [
        (EventKind.RELEASED, minute(MUCH_LATER))
    ]
    assert story.fall_due().published_at == minute(MUCH_LATER)
    assert (story.article.publish_at, story.article.embargo_until) == (None, None)


def test_lifting_what_stands_shows_the_text_at_once() -> None:
    story = begun(embargo_until=LATER)
    article = story.send("updated", a_text("Now"), embargo_until=None)
    assert headline(article) == "Now"
    assert told(article) == [(2, "published", 2)]


def test_one_of_two_that_is_lifted_leaves_the_other() -> None:
    story = begun(publish_at=LATER, embargo_until=MUCH_LATER)
    assert story.send("amended", embargo_until=None).status is Status.UNPUBLISHED
    assert story.fall_due().published_at == minute(LATER)


def test_a_draft_over_what_waits_stays_a_draft_after_the_release() -> None:
    story = begun("To be out", publish_at=LATER)
    story.send("drafted", a_text("Unfinished"))
    article = story.fall_due()
    assert headline(article) == "To be out"
    assert (article.text.headline, article.draft_revision) == ("Unfinished", 2)


# --- over a public article


@pytest.mark.parametrize("kind", [kind for kind in SENT if kind is not EventKind.PUBLISHED])
@pytest.mark.parametrize("field", FIELDS)
def test_the_public_face_stands_while_an_update_waits(kind: EventKind, field: str) -> None:
    story = begun("Out")
    before = update_of(story.article)
    article = story.send(kind, a_text("Secret", section="World"), **due(field, LATER))
    after = update_of(article)
    assert after.model_copy(update={"revision": 1}) == before
    assert not shows(begun("Out").article, article)
    assert "Secret" not in after.model_dump_json()


def test_readers_hear_of_each_withheld_change_when_it_is_released() -> None:
    """Each by its own revision, and with the text that the public came to see with it."""
    story = begun("Out")
    story.send("updated", a_text("Second"), embargo_until=LATER)
    story.send("amended", a_text("Third"))
    story.send("corrected", a_text("Fourth"))
    article = story.fall_due()
    assert headline(article) == "Fourth"
    assert told(article) == [
        (1, "published", 1), (2, "updated", 5), (3, "amended", 5), (4, "correction", 5)
    ]  # fmt: skip
    assert [change.time for change in article.changes[1:]] == [minute(LATER)] * 3
    assert [change.note for change in article.changes[1:]] == ["New facts.", None, "It was 3, not 4."]
    assert article.public is not None
    assert (article.public.revision, article.updated_at, article.bumped_at) == (
        5,
        minute(LATER),
        minute(LATER),
    )
    assert article.published_at == minute(0)


def test_an_update_that_lifts_the_embargo_tells_what_waited_before_it() -> None:
    story = begun("Out")
    story.send("updated", a_text("Second"), embargo_until=LATER)
    article = story.send("corrected", a_text("Third"), embargo_until=None)
    assert told(article) == [(1, "published", 1), (2, "updated", 3), (3, "correction", 3)]
    assert [change.text_revision for change in article.changes] == [None, 3, None]


def test_an_embargo_covers_every_later_revision_until_it_is_due() -> None:
    story = begun("Out")
    story.send("updated", a_text("Second"), embargo_until=LATER)
    for place in range(3):
        assert headline(story.send("updated", a_text(f"More {place}"))) == "Out"
    assert headline(story.send("updated", a_text("At last"), at=LATER)) == "At last"


@pytest.mark.parametrize(
    ("kind", "moved"), [("amended", (False, False)), ("corrected", (True, False)), ("updated", (True, True))]
)
def test_a_release_moves_the_times_that_its_changes_move(kind: str, moved: tuple[bool, bool]) -> None:
    story = begun("Out")
    before = story.article
    story.send(kind, publish_at=LATER)
    after = story.fall_due()
    assert (after.updated_at != before.updated_at, after.bumped_at != before.bumped_at) == moved


def test_a_section_that_was_withheld_moves_the_page_at_its_release() -> None:
    story = begun("Out")
    home = story.article.path
    story.send("updated", a_text("Out", section="World"), publish_at=LATER)
    assert story.article.path == home
    article = story.fall_due()
    assert article.path is not None
    assert article.path.startswith("/world/")
    assert article.former_paths == (home,)


# --- withdrawn, retracted, back again


@pytest.mark.parametrize("field", FIELDS)
def test_a_withdrawal_cancels_what_never_was_public(field: str) -> None:
    """It is a draft again; an embargo stands on, as the promise it is."""
    story = begun(**due(field, LATER))
    article = story.send("withdrawn")
    assert (article.status, article.withheld, article.draft_revision) == (Status.UNPUBLISHED, None, 2)
    assert due_events(article) == []
    again = story.send("published", a_text("Again"))
    assert again.status is (Status.PUBLIC if field == "publish_at" else Status.UNPUBLISHED)


def test_a_withdrawal_drops_the_update_that_waits_over_a_public_article() -> None:
    story = begun("Out")
    story.send("updated", a_text("Secret"), publish_at=LATER)
    article = story.send("withdrawn")
    assert (article.status, article.withheld, article.publish_at) == (Status.WITHDRAWN, None, None)
    assert (article.draft_revision, article.text.headline) == (3, "Secret")
    assert article.changes == ()


def test_an_embargo_outlives_a_withdrawal() -> None:
    story = begun("Out")
    story.send("updated", a_text("Secret"), embargo_until=LATER)
    story.send("withdrawn")
    back = story.send("published", a_text("Back"))
    assert (back.status, headline(back)) == (Status.WITHDRAWN, None)
    assert told(story.fall_due()) == [(5, "published", 5)]


def test_an_article_scheduled_to_come_back_begins_its_history_anew() -> None:
    story = begun("Out")
    story.send("updated")
    story.send("withdrawn")
    waiting = story.send("published", a_text("Back"), publish_at=LATER)
    assert (update_of(waiting).status, update_of(waiting).public) == (Status.WITHDRAWN, None)
    article = story.fall_due()
    assert told(article) == [(5, "published", 5)]
    assert (article.published_at, article.bumped_at) == (minute(0), minute(LATER))


def test_a_retraction_leaves_nothing_that_waits() -> None:
    story = begun("Out", breaking_until=MUCH_LATER)
    story.send("updated", a_text("Secret"), embargo_until=LATER)
    article = story.send("retracted")
    assert (article.withheld, article.publish_at, article.embargo_until, article.breaking_until) == (
        None,
    ) * 4
    assert due_events(article) == []


# --- due events that come too late


def released(set_by: int, at: int) -> Released:
    return Released(set_by=set_by, due_at=minute(at))


@pytest.mark.parametrize(
    ("step", "times"),
    [("amended", {"publish_at": MUCH_LATER}), ("amended", {"publish_at": None}), ("withdrawn", {})],
)
def test_a_release_whose_time_stands_no_longer_has_no_effect(step: str, times: dict[str, Any]) -> None:
    """It was moved, lifted or cancelled while the event was on its way."""
    story = begun(publish_at=LATER)
    story.send(step, **times)
    before = story.article
    late = story.take(EventKind.RELEASED, released(1, LATER), at=LATER)
    assert isinstance(late, Rejection)
    assert (late.code, late.current_revision) == (RejectionCode.OVERTAKEN, 2)
    assert story.article == before


def test_a_release_comes_once() -> None:
    story = begun(publish_at=LATER)
    story.fall_due()
    again = story.take(EventKind.RELEASED, released(1, LATER), at=LATER)
    assert isinstance(again, Rejection)
    assert again.code is RejectionCode.OVERTAKEN


@pytest.mark.parametrize(("set_by", "at"), [(2, LATER), (1, LATER - 1)])
def test_a_release_names_the_time_and_who_set_it(set_by: int, at: int) -> None:
    result = begun(publish_at=LATER).take(EventKind.RELEASED, released(set_by, at), at=LATER)
    assert isinstance(result, Rejection)
    assert result.code is RejectionCode.OVERTAKEN


def test_a_release_written_by_a_clock_that_is_behind_still_releases() -> None:
    """The scheduler's clock may be behind the editor's: what names the standing time is right."""
    story = begun(publish_at=LATER)
    result = story.take(EventKind.RELEASED, released(1, LATER), at=0)
    assert isinstance(result, Article)
    assert result.status is Status.PUBLIC


# --- breaking


def breaking(**times: Any) -> Story:
    story = Story()
    story.send("published", a_text("Siege", breaking=True), **times)
    return story


def test_breaking_ends_without_a_word_to_readers() -> None:
    story = breaking(breaking_until=LATER)
    before = story.article
    article = story.fall_due()
    assert article.public is not None
    assert before.public is not None
    assert article.public.text == a_text("Siege")
    assert article.text == a_text("Siege")
    assert article.public.revision == before.public.revision
    assert (article.changes, article.updated_at, article.bumped_at) == (
        before.changes, before.updated_at, before.bumped_at
    )  # fmt: skip
    assert shows(before, article)
    assert due_events(article) == []


def test_the_end_of_breaking_leaves_a_draft_as_it_was_written() -> None:
    story = breaking(breaking_until=LATER)
    story.send("drafted", a_text("More to come", breaking=True))
    article = story.fall_due()
    assert article.text.breaking
    assert article.public is not None
    assert article.public.text == a_text("Siege")


def test_the_end_of_breaking_leaves_what_waits() -> None:
    story = breaking(breaking_until=LATER)
    story.send("updated", a_text("Secret", breaking=True), publish_at=MUCH_LATER)
    assert [each.kind for each in due_events(story.article)] == [
        EventKind.BREAKING_ENDED, EventKind.RELEASED
    ]  # fmt: skip
    ended = story.fall_due()
    assert ended.withheld is not None
    assert told(story.fall_due()) == [(1, "published", 1), (2, "updated", 4)]


def test_what_waits_is_not_breaking_any_more_once_breaking_has_ended() -> None:
    """It was flagged under the time that is over: its release would be breaking without an end."""
    story = breaking(breaking_until=LATER)
    story.send("updated", a_text("Secret", breaking=True), publish_at=MUCH_LATER)
    story.fall_due()
    article = story.fall_due()
    assert article.public is not None
    assert article.public.text == article.text == a_text("Secret")
    assert not is_breaking(article)


def test_an_end_that_passed_while_nothing_was_breaking_ends_no_later_flag() -> None:
    story = breaking(breaking_until=LATER)
    story.send("updated", a_text("Calm"))
    article = story.send("updated", a_text("Shots again", breaking=True), at=LATER + 1)
    assert is_breaking(article)
    assert due_events(article) == []


def test_an_end_still_to_come_stands_while_the_flag_is_off() -> None:
    story = breaking(breaking_until=LATER)
    story.send("updated", a_text("Calm"))
    article = story.send("updated", a_text("Shots again", breaking=True))
    assert [each.due.at for each in due_events(article)] == [minute(LATER)]


def test_breaking_that_is_over_before_the_release_never_shows() -> None:
    story = breaking(publish_at=LATER, breaking_until=LATER - 1)
    assert [each.kind for each in due_events(story.article)] == [EventKind.RELEASED]
    article = story.fall_due()
    assert article.public is not None
    assert article.public.text == a_text("Siege")
    assert not article.changes[0].breaking
    assert due_events(article) == []


def test_only_what_is_breaking_in_public_ends() -> None:
    story = begun("Calm", breaking_until=LATER)
    assert due_events(story.article) == []
    late = story.take(EventKind.BREAKING_ENDED, BreakingEnded(set_by=1, due_at=minute(LATER)), at=LATER)
    assert isinstance(late, Rejection)
    assert late.code is RejectionCode.OVERTAKEN


def moments(article: Article) -> list[datetime]:
    return [change.time for change in article.changes]


def test_a_release_never_dates_back_behind_what_was_told_before() -> None:
    story = begun("Out")
    story.send("updated", a_text("Second"), at=LATER + 9)
    story.send("corrected", a_text("Third"), at=1, publish_at=LATER)
    article = story.fall_due()
    assert moments(article) == sorted(moments(article))
    assert article.time == minute(LATER + 9)
