"""The fold: what each kind of event does to an article in each state, and what it may never do."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from newsroom.events import Corrected, Drafted, EntryAdded, EventData, EventKind, Updated
from newsroom.outcomes import Rejection, RejectionCode
from newsroom.updates import ChangeKind, Status
from services.store import filing
from services.store.announcing import public_article
from services.store.articles import Article, due_events
from services.store.effects import changed_fields, changes_of
from services.store.filing import ALLOWED, Stage, apply, stage_of
from tests.store_parts import BEGINNING, a_post, a_text, an_article, an_event, data_of, minute, position
from tests.story_parts import Story, due_data

CALM = a_text(live=True)
LOUD = a_text(live=True, breaking=True)
REJECTED = RejectionCode


def a_story(*steps: str) -> Story:
    """A live, breaking story: kinds of events, `post` an entry, and `hold` back an update."""
    story = Story()
    for step in steps:
        if step == "post":
            story.post("e1")
        elif step == "hold":
            story.send("updated", LOUD, embargo_until=900)
        elif step == "schedule":
            story.send("published", LOUD, publish_at=900, breaking_until=999)
        else:
            story.send(step, LOUD, **({"breaking_until": 999} if step == "published" else {}))
    return story


STATES: dict[str, tuple[str, ...]] = {
    "unknown": (),
    "draft": ("drafted",),
    "scheduled": ("schedule",),
    "scheduled over a draft": ("drafted", "schedule"),
    "scheduled under a draft": ("schedule", "drafted"),
    "cancelled": ("schedule", "withdrawn"),
    "public": ("published", "post"),
    "public with a draft": ("published", "post", "drafted"),
    "an update withheld": ("published", "post", "hold"),
    "withdrawn": ("published", "post", "withdrawn"),
    "withdrawn with a draft": ("published", "post", "withdrawn", "drafted"),
    "scheduled to come back": ("published", "post", "withdrawn", "schedule"),
    "retracted": ("published", "post", "retracted"),
    "retracted after a withdrawal": ("published", "post", "withdrawn", "retracted"),
}
_UNPUBLISHED, _PUBLIC = Status.UNPUBLISHED, Status.PUBLIC
_GONE, _KILLED = Status.WITHDRAWN, Status.RETRACTED
_NOT_YET, _ALREADY = REJECTED.NOT_PUBLIC, REJECTED.ALREADY_PUBLIC
_UNKNOWN, _FINAL = REJECTED.UNKNOWN_ARTICLE, REJECTED.RETRACTED
_VOID = REJECTED.OVERTAKEN
Expected = Status | RejectionCode
ROWS: dict[str, tuple[Expected, ...]] = {
    #                  draft         waiting       public    held      gone      returning  retracted
    "published":      (_PUBLIC,      _UNPUBLISHED, _ALREADY, _ALREADY, _PUBLIC,  _GONE,     _FINAL),
    "drafted":        (_UNPUBLISHED, _UNPUBLISHED, _PUBLIC,  _PUBLIC,  _GONE,    _GONE,     _FINAL),
    "updated":        (_NOT_YET,     _UNPUBLISHED, _PUBLIC,  _PUBLIC,  _NOT_YET, _GONE,     _FINAL),
    "corrected":      (_NOT_YET,     _UNPUBLISHED, _PUBLIC,  _PUBLIC,  _NOT_YET, _GONE,     _FINAL),
    "amended":        (_NOT_YET,     _UNPUBLISHED, _PUBLIC,  _PUBLIC,  _NOT_YET, _GONE,     _FINAL),
    "retracted":      (_NOT_YET,     _NOT_YET,     _KILLED,  _KILLED,  _KILLED,  _KILLED,   _FINAL),
    "withdrawn":      (_NOT_YET,     _UNPUBLISHED, _GONE,    _GONE,    _NOT_YET, _GONE,     _FINAL),
    "entry_added":    (_NOT_YET,     _NOT_YET,     _PUBLIC,  _NOT_YET, _NOT_YET, _NOT_YET,  _FINAL),
    "entry_changed":  (_NOT_YET,     _NOT_YET,     _PUBLIC,  _NOT_YET, _GONE,    _NOT_YET,  _FINAL),
    "released":       (_VOID,        _PUBLIC,      _VOID,    _PUBLIC,  _VOID,    _PUBLIC,   _FINAL),
    "breaking_ended": (_VOID,        _VOID,        _PUBLIC,  _PUBLIC,  _VOID,    _VOID,     _FINAL),
}  # fmt: skip
STAGES: dict[Stage, tuple[str, ...]] = {
    Stage.DRAFT: ("draft", "cancelled"),
    Stage.WAITING: ("scheduled", "scheduled over a draft", "scheduled under a draft"),
    Stage.PUBLIC: ("public", "public with a draft"),
    Stage.HELD: ("an update withheld",),
    Stage.WITHDRAWN: ("withdrawn", "withdrawn with a draft"),
    Stage.RETURNING: ("scheduled to come back",),
    Stage.RETRACTED: ("retracted", "retracted after a withdrawal"),
}
CASES: list[tuple[str, str, Expected]] = [
    *(
        (state, kind, expected)
        for kind, row in ROWS.items()
        for states, expected in zip(STAGES.values(), row, strict=True)
        for state in states
    ),
    *(("unknown", kind, _UNPUBLISHED if kind == "drafted" else _UNKNOWN) for kind in ROWS),
]


def standing(state: str) -> Article | None:
    return a_story(*STATES[state]).standing


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


@pytest.mark.parametrize(("stage", "state"), [(stage, each) for stage, of in STAGES.items() for each in of])
def test_each_state_is_of_its_stage(stage: Stage, state: str) -> None:
    assert stage_of(a_story(*STATES[state]).article) is stage


@pytest.mark.parametrize(("state", "kind", "expected"), CASES)
def test_each_kind_in_each_state(state: str, kind: str, expected: Expected) -> None:
    """An event makes the next revision in the state it leads to, or is rejected with its reason.

    A due event names the time that stands, where one does.
    """
    story = a_story(*STATES[state])
    former = story.standing
    data = _data(EventKind(kind), former)
    result = story.fold(an_event(kind, data=data, at=minute(30)))
    if isinstance(expected, Status):
        assert isinstance(result, Article), result
        assert result.status is expected
        assert result.revision == (former.revision + 1 if former else 1)
    else:
        assert isinstance(result, Rejection)
        assert result.code is expected
        assert result.current_revision == (former.revision if former else None)


@pytest.mark.parametrize("kind", EventKind)
@pytest.mark.parametrize("stage", Stage)
def test_the_table_in_the_code_says_the_same(stage: Stage, kind: EventKind) -> None:
    row = dict(zip(STAGES, ROWS[kind.value], strict=True))
    assert (stage in ALLOWED[kind]) is isinstance(row[stage], Status)


def _data(kind: EventKind, article: Article | None) -> EventData:
    """What such an event would carry; a due event the time that stands for it, if any."""
    if kind is EventKind.ENTRY_ADDED:
        return EntryAdded(entry_id="e2", entry=a_post())
    due = next((each for each in due_events(article) if each.kind is kind), None) if article else None
    return due_data(due) if due is not None else data_of(kind, CALM)


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


TO_A_PUBLIC_ARTICLE = ["drafted", "updated", "corrected", "amended", "retracted", "withdrawn"]


@pytest.mark.parametrize("kind", TO_A_PUBLIC_ARTICLE)
def test_the_named_revision_lets_a_change_through(kind: str) -> None:
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


@pytest.mark.parametrize("before", ["updated", "drafted", "withdrawn"])
def test_a_retraction_keeps_the_listings_of_the_last_public_text(before: str) -> None:
    """Tags first, each listing once; nothing of a draft that was never public."""
    filed = a_text(tags=("Astana", "Police", "astana"), authors=("A. Reporter",))
    text = a_text(tags=("Secret",)) if before == "drafted" else filed
    standing = applied(applied(None, "published", text=filed, create=True), before, 31, text=text)
    retracted = applied(standing, "retracted", 32)
    assert standing.public is not None
    assert standing.public.filed_under == ()
    announced = public_article(retracted)
    assert announced is not None
    assert announced.filed_under == ("/tags/astana/", "/tags/police/", "/authors/a-reporter/")


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


def test_what_a_release_will_tell_counts_before_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a release would make an update that fits on no log, and nothing could ever follow it."""
    story = Story()
    for kind in ("published", "updated", "updated"):
        story.send(kind, publish_at=900 if kind == "updated" else None)
    monkeypatch.setattr(filing, "MAX_EVENT_BYTES", 3 * filing.CHANGE_BYTES)
    rejection = story.attempt("updated")
    assert isinstance(rejection, Rejection)
    assert rejection.code is REJECTED.INVALID
    assert story.fall_due().status is Status.PUBLIC


def test_a_note_counts_as_it_stands_in_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quotes take two bytes each, and other scripts more than they have letters."""
    note = 'They said "осада" and \\ nothing'
    article = applied(an_article("published"), "updated", data=Updated(note=note, article=a_text()))
    told = filing.CHANGE_BYTES * 2 + len(json.dumps(note, ensure_ascii=False).encode()) - 2
    drafted = Drafted(article=a_text())
    limit = told + len(drafted.model_dump_json().encode())
    for most, is_refused in ((limit, False), (limit - 1, True)):
        monkeypatch.setattr(filing, "MAX_EVENT_BYTES", most)
        result = apply(article, an_event("drafted", data=drafted), position(9))
        assert isinstance(result, Rejection) is is_refused


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
    assert changed_fields(None, published, EventKind.PUBLISHED) == ()
    assert changed_fields(published, drafted, EventKind.DRAFTED) == ("deck",)
    assert changed_fields(drafted, updated, EventKind.UPDATED) == ("deck", "tags")


def test_a_retraction_and_a_first_publication_change_no_field() -> None:
    draft = an_article("drafted")
    published = applied(draft, "published", text=a_text("Other"))
    retracted = applied(published, "retracted", 31)
    assert changed_fields(draft, published, EventKind.PUBLISHED) == ()
    assert changed_fields(published, retracted, EventKind.RETRACTED) == ()


def test_a_withdrawal_changes_no_field() -> None:
    published = an_article("published", "drafted")
    withdrawn = applied(published, "withdrawn", 31)
    assert changed_fields(published, withdrawn, EventKind.WITHDRAWN) == ()
