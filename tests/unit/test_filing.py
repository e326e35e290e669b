"""The fold: what each kind of event does to an article in each state, and what it may never do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from newsroom.events import Corrected, EventKind
from newsroom.outcomes import Rejection, RejectionCode
from newsroom.updates import ChangeKind, Status
from services.store import filing
from services.store.articles import Article
from services.store.effects import changed_fields, changes_of
from services.store.filing import apply
from tests.store_parts import BEGINNING, a_text, an_article, an_event, data_of, minute, position

STATES: dict[str, tuple[str, ...]] = {
    "unknown": (),
    "draft": ("drafted",),
    "public": ("published",),
    "public with a draft": ("published", "drafted"),
    "withdrawn": ("published", "withdrawn"),
    "withdrawn with a draft": ("published", "withdrawn", "drafted"),
    "retracted": ("published", "retracted"),
    "retracted after a withdrawal": ("published", "withdrawn", "retracted"),
}
REJECTED = RejectionCode
TABLE: dict[str, dict[str, Status | RejectionCode]] = {
    "unknown": {
        "published": REJECTED.UNKNOWN_ARTICLE,
        "drafted": Status.UNPUBLISHED,
        "updated": REJECTED.UNKNOWN_ARTICLE,
        "corrected": REJECTED.UNKNOWN_ARTICLE,
        "amended": REJECTED.UNKNOWN_ARTICLE,
        "retracted": REJECTED.UNKNOWN_ARTICLE,
        "withdrawn": REJECTED.UNKNOWN_ARTICLE,
    },
    "draft": {
        "published": Status.PUBLIC,
        "drafted": Status.UNPUBLISHED,
        "updated": REJECTED.NOT_PUBLIC,
        "corrected": REJECTED.NOT_PUBLIC,
        "amended": REJECTED.NOT_PUBLIC,
        "retracted": REJECTED.NOT_PUBLIC,
        "withdrawn": REJECTED.NOT_PUBLIC,
    },
    "public": {
        "published": REJECTED.ALREADY_PUBLIC,
        "drafted": Status.PUBLIC,
        "updated": Status.PUBLIC,
        "corrected": Status.PUBLIC,
        "amended": Status.PUBLIC,
        "retracted": Status.RETRACTED,
        "withdrawn": Status.WITHDRAWN,
    },
    "withdrawn": {
        "published": Status.PUBLIC,
        "drafted": Status.WITHDRAWN,
        "updated": REJECTED.NOT_PUBLIC,
        "corrected": REJECTED.NOT_PUBLIC,
        "amended": REJECTED.NOT_PUBLIC,
        "retracted": Status.RETRACTED,
        "withdrawn": REJECTED.NOT_PUBLIC,
    },
    "retracted": dict.fromkeys(
        ["published", "drafted", "updated", "corrected", "amended", "retracted", "withdrawn"],
        REJECTED.RETRACTED,
    ),
}
TABLE["public with a draft"] = TABLE["public"]
TABLE["withdrawn with a draft"] = TABLE["withdrawn"]
TABLE["retracted after a withdrawal"] = TABLE["retracted"]
CASES = [(state, kind, expected) for state, row in TABLE.items() for kind, expected in row.items()]


def standing(state: str) -> Article | None:
    return an_article(*STATES[state]) if STATES[state] else None


def applied(article: Article | None, kind: str, minutes: int = 30, **changes: Any) -> Article:
    """The next revision. The event is of that minute."""
    result = apply(article, an_event(kind, at=minute(minutes), **changes), position(100 + minutes))
    assert isinstance(result, Article), result
    return result


def rejected(article: Article | None, kind: str, **changes: Any) -> Rejection:
    result = apply(article, an_event(kind, at=minute(30), **changes), position(100))
    assert isinstance(result, Rejection), result
    return result


def test_the_table_has_every_kind_in_every_state() -> None:
    assert {(state, kind) for state, kind, _ in CASES} == {(s, k.value) for s in STATES for k in EventKind}


@pytest.mark.parametrize(("state", "kind", "expected"), CASES)
def test_each_kind_in_each_state(state: str, kind: str, expected: Status | RejectionCode) -> None:
    """An event makes the next revision in the state it leads to, or is rejected with its reason."""
    article = standing(state)
    result = apply(article, an_event(kind, at=minute(30)), position(100))
    if isinstance(expected, Status):
        assert isinstance(result, Article)
        assert result.status is expected
        assert result.revision == (article.revision + 1 if article else 1)
    else:
        assert isinstance(result, Rejection)
        assert result.code is expected
        assert result.current_revision == (article.revision if article else None)


@pytest.mark.parametrize("kind", ["published", "drafted"])
@pytest.mark.parametrize("state", [state for state in STATES if state != "unknown"])
def test_a_creation_of_an_article_that_stands_is_rejected(state: str, kind: str) -> None:
    article = standing(state)
    assert article is not None
    code = REJECTED.RETRACTED if article.status is Status.RETRACTED else REJECTED.ARTICLE_EXISTS
    assert rejected(article, kind, create=True).code is code


def test_a_creation_begins_at_revision_one() -> None:
    article = applied(None, "published", create=True)
    assert (article.revision, article.status, article.partition, article.offset) == (1, Status.PUBLIC, 0, 130)


def test_an_event_of_another_article_is_a_bug() -> None:
    with pytest.raises(ValueError, match="met article"):
        apply(an_article("published"), an_event("updated", "b"), position(1))


# --- If-Match


@pytest.mark.parametrize("kind", [kind for kind in EventKind if kind is not EventKind.PUBLISHED])
def test_the_named_revision_lets_a_change_through(kind: EventKind) -> None:
    assert applied(an_article("published", "updated"), kind, if_match=2).revision == 3


@pytest.mark.parametrize("named", [1, 3, 0])
def test_another_named_revision_stops_the_second_editor(named: int) -> None:
    rejection = rejected(an_article("published", "updated"), "updated", if_match=named)
    assert rejection.code is REJECTED.REVISION_MISMATCH
    assert rejection.current_revision == 2


def test_if_match_on_an_unknown_article_is_a_mismatch() -> None:
    assert rejected(None, "updated", if_match=1).code is REJECTED.REVISION_MISMATCH


def test_a_retraction_stands_before_if_match() -> None:
    """The editor learns the final thing, not one that reading again would mend."""
    assert rejected(an_article("published", "retracted"), "updated", if_match=1).code is REJECTED.RETRACTED


def test_a_draft_counts_as_a_revision_for_if_match() -> None:
    assert rejected(an_article("published", "drafted"), "updated", if_match=1).current_revision == 2


# --- what the public sees


def test_a_draft_over_a_public_article_leaves_its_public_face() -> None:
    public = an_article("published")
    drafted = applied(public, "drafted", text=a_text("Not yet"))
    assert drafted.public == public.public
    assert drafted.text.headline == "Not yet"
    assert drafted.draft_revision == 2
    assert drafted.changes == public.changes


@pytest.mark.parametrize("kind", ["updated", "corrected", "amended"])
def test_a_public_revision_supersedes_a_draft(kind: str) -> None:
    article = applied(an_article("published", "drafted"), kind, text=a_text("Out"))
    assert article.draft_revision is None
    assert article.public is not None
    assert (article.public.revision, article.public.text) == (3, a_text("Out"))


def test_a_withdrawal_keeps_the_draft_and_hides_the_face() -> None:
    article = an_article("published", "drafted", "withdrawn")
    assert article.draft_revision == 2
    assert article.status is Status.WITHDRAWN
    assert article.changes == ()


def test_a_retraction_leaves_no_text_to_the_public() -> None:
    article = an_article("published", "drafted", "retracted")
    assert article.public is not None
    assert (article.public.text, article.public.revision, article.draft_revision) == (None, 3, None)
    assert article.public.section == "Kazakhstan"
    assert article.public.timezone == "Asia/Almaty"


# --- the public history


def kinds_of(article: Article) -> list[str]:
    return [change.kind.value for change in article.changes]


def test_the_history_tells_each_public_revision_by_its_kind() -> None:
    article = an_article("published", "updated", "drafted", "amended", "corrected")
    assert kinds_of(article) == ["published", "updated", "amended", "correction"]
    assert [change.revision for change in article.changes] == [1, 2, 4, 5]
    assert [change.note for change in article.changes] == [None, "New facts.", None, "It was 3, not 4."]


@pytest.mark.parametrize("kind", ["correction", "clarification", "editors_note"])
def test_a_correction_stands_in_the_history_by_its_own_kind(kind: Any) -> None:
    data = Corrected(kind=kind, note="So.", article=a_text())
    event = an_event("corrected", data=data, at=minute(1))
    article = apply(an_article("published"), event, position(9))
    assert isinstance(article, Article)
    assert article.changes[-1].kind is ChangeKind(kind)


def test_the_history_begins_anew_at_a_publication_after_a_withdrawal() -> None:
    article = an_article("published", "updated", "withdrawn", "drafted", "published", "amended")
    assert [(change.kind.value, change.revision) for change in article.changes] == [
        ("published", 5),
        ("amended", 6),
    ]


def test_after_a_retraction_only_the_retraction_is_left() -> None:
    assert kinds_of(an_article("published", "updated", "retracted")) == ["retracted"]


def test_the_note_of_a_withdrawal_goes_nowhere() -> None:
    article = an_article("published", "withdrawn")
    assert "lawyers" not in article.model_dump_json()
    assert changes_of(an_article("published"), article) == ()


def test_breaking_marks_the_publication_only() -> None:
    article = applied(None, "published", text=a_text(breaking=True), create=True)
    article = applied(article, "updated", 31, text=a_text(breaking=True))
    assert [change.breaking for change in article.changes] == [True, False]


# --- times


def test_what_moves_the_times() -> None:
    """`updated_at` moves with what readers should know, `bumped_at` with what lists the article anew."""
    article = an_article("published")
    moves = {}
    for place, kind in enumerate(["amended", "drafted", "corrected", "updated", "retracted"]):
        former, article = article, applied(article, kind, 10 + place)
        moves[kind] = (article.updated_at != former.updated_at, article.bumped_at != former.bumped_at)
        assert article.published_at == former.published_at
    assert moves == {
        "amended": (False, False),
        "drafted": (False, False),
        "corrected": (True, False),
        "updated": (True, True),
        "retracted": (True, False),
    }


def test_a_publication_after_a_withdrawal_bumps_and_keeps_the_first_day() -> None:
    article = applied(an_article("published", "withdrawn"), "published", 60 * 24 * 40)
    assert article.published_at == BEGINNING
    assert article.bumped_at == article.updated_at == minute(60 * 24 * 40)
    assert article.day == "2023/06/20"


def test_a_revision_is_never_older_than_the_one_before() -> None:
    """The clock of whoever wrote the event may be behind; the log's order counts."""
    article = applied(an_article("published", "updated"), "corrected", -500)
    assert article.time == minute(1)
    assert article.changes[-1].time == minute(1)


def test_a_story_may_be_dated_back() -> None:
    earlier = BEGINNING - timedelta(days=3)
    article = applied(None, "published", text=a_text(published_at=earlier), create=True)
    assert article.published_at == article.bumped_at == article.updated_at == earlier
    assert article.day == "2023/06/17"


def test_a_story_is_never_dated_ahead_of_its_event() -> None:
    later = minute(30) + timedelta(days=3)
    assert applied(None, "published", text=a_text(published_at=later), create=True).published_at == minute(30)


# --- addresses


def test_the_day_is_that_of_the_dateline() -> None:
    late = an_event("published", at=minute(60 * 15), create=True)  # 19:00 UTC is the next day in Almaty
    article = apply(None, late, position(0))
    assert isinstance(article, Article)
    assert article.day == "2023/06/21"


def test_made_slug_and_day_stay_those_of_first_publication() -> None:
    article = an_article("published")
    moved = applied(article, "updated", 60 * 24 * 9, text=a_text("Another headline", dateline=None))
    assert (moved.path, moved.day, moved.slug) == (article.path, article.day, "headline-1")


def test_a_slug_or_a_section_of_the_editor_moves_the_article() -> None:
    article = an_article("published")
    first = article.path
    article = applied(article, "updated", 10, text=a_text(slug="siege"))
    second = article.path
    article = applied(article, "amended", 11, text=a_text(section="World"))
    assert article.former_paths == (first, second)
    assert article.path is not None
    assert article.path.startswith("/world/2023/06/20/siege-")


def test_a_path_taken_up_again_is_no_former_one() -> None:
    article = an_article("published")
    home = article.path
    article = applied(article, "updated", 10, text=a_text(section="World"))
    away = article.path
    article = applied(article, "updated", 11, text=a_text())
    assert article.path == home
    assert article.former_paths == (away,)


def test_a_draft_moves_nothing() -> None:
    article = an_article("published")
    assert applied(article, "drafted", text=a_text(slug="elsewhere", section="World")).path == article.path


def test_an_article_that_was_never_public_has_no_address() -> None:
    article = an_article("drafted", "drafted")
    assert (article.path, article.slug, article.day, article.published_at) == (None, None, None, None)


def test_a_headline_without_letters_still_has_an_address() -> None:
    article = applied(None, "published", text=a_text("!!!"), create=True)
    assert article.path is not None
    assert article.path.startswith("/kazakhstan/2023/06/20/")


# --- sizes


def test_an_article_too_large_to_be_kept_twice_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = len(data_of(EventKind.UPDATED).model_dump_json().encode())
    monkeypatch.setattr(filing, "MAX_EVENT_BYTES", limit + filing.CHANGE_BYTES)
    article = an_article("published")
    assert applied(article, "updated").revision == 2
    rejection = rejected(article, "updated", text=a_text("Bank siege in Astana!"))
    assert rejection.code is REJECTED.INVALID
    assert "shorten" in rejection.detail


def test_a_history_that_grows_too_long_stops_updates_but_no_retraction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What takes an article away is never refused for its size."""
    article = an_article("published", "updated", "updated")
    monkeypatch.setattr(filing, "MAX_EVENT_BYTES", 3 * filing.CHANGE_BYTES)
    assert rejected(article, "updated").code is REJECTED.INVALID
    assert applied(article, "withdrawn").status is Status.WITHDRAWN
    assert applied(article, "retracted").status is Status.RETRACTED


def test_the_bound_of_a_change_holds_for_every_kind() -> None:
    article = an_article("published", "updated", "corrected", "amended")
    for change in (*article.changes, *an_article("published", "retracted").changes):
        assert len(change.model_copy(update={"revision": 10**9}).model_dump_json()) <= (
            filing.CHANGE_BYTES + len(change.note or "")
        )


# --- what changed


def test_the_changed_fields_are_told_against_what_the_public_saw() -> None:
    published = an_article("published")
    drafted = applied(published, "drafted", text=a_text("Headline 1", deck="A deck"))
    updated = applied(drafted, "updated", 31, text=a_text("Headline 1", deck="A deck", tags=("siege",)))
    assert changed_fields(None, published) == ()
    assert changed_fields(published, drafted) == ("deck",)
    assert changed_fields(drafted, updated) == ("deck", "tags")


def test_a_retraction_and_a_first_publication_change_no_field() -> None:
    draft = an_article("drafted")
    published = applied(draft, "published", text=a_text("Other"))
    assert changed_fields(draft, published) == ()
    assert changed_fields(published, applied(published, "retracted", 31)) == ()


def test_a_withdrawal_changes_no_field() -> None:
    published = an_article("published", "drafted")
    assert changed_fields(published, applied(published, "withdrawn", 31)) == ()
