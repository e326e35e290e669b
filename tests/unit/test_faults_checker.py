"""The checker: a healthy run passes, and one with a single thing wrong is told by the check for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faults.checks.checker import check
from faults.checks.eyes import unseen
from faults.history import (
    Calm,
    Ended,
    Filed,
    Injected,
    Invoked,
    Letter,
    Outcome,
    Read,
    Revised,
    Told,
    Violation,
)
from tests.imagined import Imagined, event_id_of

FAR = 1000.0


def a_run() -> Imagined:
    """Everything happens once: texts, posts, a draft, a rejection, an embargo, what is taken down, poison."""
    run = Imagined()
    run.send("published", waits=True)
    run.listen("a")
    run.sample()
    run.send("updated", waits=True)
    run.hear("a", 1)
    run.send("amended", waits=True)
    run.send("entry_added", is_unknown=True)
    run.send("drafted")
    run.read(meanwhile=run.work)
    run.send("published", "a", waits=True)  # it is public: rejected
    run.send("published", "b", waits=True)
    run.send("updated", "b", waits=True, due_in=FAR)
    run.send("published", "c", waits=True)
    run.send("withdrawn", "c", waits=True)
    run.send("published", "d", waits=True)
    run.send("retracted", "d", waits=True)
    run.send("published", "e", waits=True, due_in=0.5)
    run.lose("published", "f", is_refused=True)
    run.lose("published", "g")
    run.poison()
    run.sample()
    run.tick(20)
    run.fall_due()
    run.work()
    run.tick(20)
    run.hear("a", 2)
    return run


def violations(
    run: Imagined, *, is_clock_true: bool = True, calm_seconds: float = 60.0
) -> tuple[Violation, ...]:
    return check(run.history, run.evidence, is_clock_true=is_clock_true, calm_seconds=calm_seconds)


def rested(run: Imagined) -> Imagined:
    run.rest()
    return run


def found(run: Imagined) -> set[int]:
    return {violation.check for violation in violations(run)}


def event_of(run: Imagined, kind: str, article_id: str) -> str:
    return next(
        event_id_of(invoked)
        for _, invoked, _ in run.events
        if invoked.kind == kind and invoked.article_id == article_id
    )


def token_of(run: Imagined, kind: str, article_id: str) -> str:
    return next(
        entry.token
        for entry in run.history.entries
        if getattr(entry, "kind", "") == kind and getattr(entry, "article_id", "") == article_id
        if hasattr(entry, "token")
    )


def without(run: Imagined, name: str, is_gone: Callable[[Any], bool]) -> None:
    """Take records out of the evidence."""
    kept = tuple(each for each in getattr(run.evidence, name) if not is_gone(each))
    assert kept != getattr(run.evidence, name), "nothing was taken out"
    changed: dict[str, Any] = {name: kept}
    run.evidence = replace(run.evidence, **changed)


def status(run: Imagined, event_id: str, **changes: Any) -> None:
    standing = {**run.evidence.statuses[event_id], **changes}
    run.evidence = replace(run.evidence, statuses={**run.evidence.statuses, event_id: standing})


def test_a_healthy_run_passes() -> None:
    assert violations(rested(a_run())) == ()


# --- 1: nothing is lost


def test_an_acknowledged_event_that_is_not_on_the_log_is_lost() -> None:
    run = rested(a_run())
    gone = event_of(run, "published", "b")
    without(run, "filed", lambda each: each.event_id == gone)
    assert 1 in found(run)


def test_a_refused_event_that_is_on_the_log_is_told() -> None:
    run = rested(a_run())
    token = token_of(run, "published", "f")
    stray = Filed(0, 99, "f", "evt_f", "published", (token,))
    run.evidence = replace(run.evidence, filed=(*run.evidence.filed, stray))
    assert any("refused" in each.what for each in violations(run) if each.check == 1)


def test_an_event_that_comes_to_no_end_is_told() -> None:
    run = rested(a_run())
    status(run, event_of(run, "published", "b"), state="accepted")
    assert 1 in found(run)


def test_an_unanswered_event_on_the_log_has_to_come_to_an_end_too() -> None:
    run = rested(a_run())
    status(run, event_of(run, "entry_added", "a"), state="accepted")
    assert 1 in found(run)


def test_a_rejection_needs_a_reason() -> None:
    run = rested(a_run())
    rejected = next(e for e, each in run.evidence.statuses.items() if each["state"] == "rejected")
    status(run, rejected, reason=None)
    assert [each.check for each in violations(run)] == [1]


def test_a_promised_revision_has_to_stand() -> None:
    run = rested(a_run())
    status(run, event_of(run, "updated", "a"), revision=7)
    assert 1 in found(run)


def test_a_promised_rejection_may_not_become_an_effect() -> None:
    run = a_run()
    invoked = run.send("published", "h")
    run.history.add(Ended(invoked.operation, 1, "ok", run.tick(), 409, event_id_of(invoked), "rejected"))
    assert 1 in found(rested(run))


def test_a_bad_record_without_a_dead_letter_is_lost() -> None:
    run = rested(a_run())
    without(run, "letters", bool)
    assert 1 in found(run)


def test_an_event_called_dead_lettered_without_a_letter_is_lost() -> None:
    run = rested(a_run())
    status(run, event_of(run, "drafted", "a"), state="dead_lettered")
    assert 1 in found(run)


def test_an_event_that_is_retried_after_its_dead_letter_is_no_violation() -> None:
    run = a_run()
    invoked = run.send("published", "h")
    bad = next(each for each in run.evidence.filed if each.event_id == event_id_of(invoked))
    letter = Letter(0, run.ends["newsroom.dead-letters/0"], "newsroom.events", bad.partition, bad.offset)
    parked = Outcome(bad.partition, -1, "h", "dead_lettered", bad.event_id)
    run.evidence = replace(
        run.evidence,
        letters=(*run.evidence.letters, letter),
        outcomes=(*run.evidence.outcomes, parked),
    )
    run.file(invoked)
    assert violations(rested(run)) == ()


def test_a_stored_event_has_a_revision() -> None:
    run = rested(a_run())
    gone = event_of(run, "amended", "a")
    without(run, "revised", lambda each: each.event_id == gone)
    assert {1, 2} <= found(run)


def test_what_had_no_effect_stands_in_no_file() -> None:
    run = rested(a_run())
    tokens = {**run.evidence.tokens_in_files, token_of(run, "published", "g"): ("index.html",)}
    run.evidence = replace(run.evidence, tokens_in_files=tokens)
    assert {1, 4} <= found(run)


def test_the_newest_public_text_stands_in_a_file() -> None:
    run = rested(a_run())
    token = token_of(run, "amended", "a")
    kept = {name: files for name, files in run.evidence.tokens_in_files.items() if name != token}
    run.evidence = replace(run.evidence, tokens_in_files=kept)
    assert [each.check for each in violations(run)] == [1]


def test_a_text_that_fell_due_is_released() -> None:
    run = a_run()
    run.send("published", "h", due_in=1.0)
    run.work()
    run.tick(60)
    run.history.add(Calm(run.tick(), 1.0))
    assert any("stands in no file" in each.what for each in violations(run))


# --- 2: once, and in order


def test_an_event_with_two_effects_is_told() -> None:
    run = rested(a_run())
    twice = next(each for each in run.evidence.revised if each.article_id == "a")
    more = replace(twice, revision=6)
    run.evidence = replace(run.evidence, revised=(*run.evidence.revised, more), revised_after_replay=None)
    assert any("2 effects" in each.what for each in violations(run))


def test_a_gap_in_the_revisions_is_told() -> None:
    run = rested(a_run())
    last = max(each.revision for each in run.evidence.revised if each.article_id == "a")
    moved = tuple(
        replace(each, revision=last + 1) if (each.article_id, each.revision) == ("a", last) else each
        for each in run.evidence.revised
    )
    run.evidence = replace(run.evidence, revised=moved)
    assert 2 in found(run)


def test_revisions_in_another_order_than_the_log_are_told() -> None:
    run = rested(a_run())
    swapped = {2: 3, 3: 2}
    moved = tuple(
        replace(each, revision=swapped.get(each.revision, each.revision)) if each.article_id == "a" else each
        for each in run.evidence.revised
    )
    run.evidence = replace(run.evidence, revised=moved, revised_after_replay=None)
    assert any("log's order" in each.what for each in violations(run))


def test_a_later_event_before_an_acknowledged_one_is_told() -> None:
    run = Imagined()
    first, second = run.invoke("published", "a"), None
    run.answer(first, waits=False)
    second = run.send("updated")
    run.file(first)
    assert second is not None
    assert any("on the log they stand" in each.what for each in violations(rested(run)))


def test_a_revision_of_no_event_on_the_log_is_told() -> None:
    run = rested(a_run())
    stray = Revised("z", 1, "evt_z", "published")
    run.evidence = replace(run.evidence, revised=(*run.evidence.revised, stray), revised_after_replay=None)
    assert 2 in found(run)


def test_if_match_is_kept() -> None:
    run = a_run()
    run.history.entries[:] = [
        replace(each, if_match=1) if isinstance(each, Invoked) and each.kind == "amended" else each
        for each in run.history.entries
    ]
    assert [each.check for each in violations(rested(run))] == [2]


def test_two_ends_of_one_event_are_told() -> None:
    run = rested(a_run())
    event_id = event_of(run, "amended", "a")
    other = Outcome(0, 99, "a", "rejected", event_id)
    run.evidence = replace(run.evidence, outcomes=(*run.evidence.outcomes, other))
    assert 2 in found(run)


def test_an_event_that_is_on_the_log_twice_is_no_violation() -> None:
    run = a_run()
    invoked = run.send("published", "h", waits=True)
    run.file(invoked)
    assert violations(rested(run)) == ()


# --- 3: at rest


@pytest.mark.parametrize("made", ["rebuilt", "replayed"])
def test_files_that_differ_from_what_is_made_anew_are_told(made: str) -> None:
    run = rested(a_run())
    other = {**run.evidence.files, "a/index.html": "other", "new/index.html": "new"}
    other.pop("index.html")
    changed: dict[str, Any] = {made: other}
    run.evidence = replace(run.evidence, **changed)
    assert [each.check for each in violations(run)] == [3, 3, 3]


def test_revisions_that_differ_after_a_replay_are_told() -> None:
    run = rested(a_run())
    run.evidence = replace(run.evidence, revised_after_replay=run.evidence.revised[:-1])
    assert [each.check for each in violations(run)] == [3]


def test_a_stale_sibling_is_told() -> None:
    run = rested(a_run())
    run.evidence = replace(run.evidence, stale_siblings=("index.html.gz",))
    assert [each.check for each in violations(run)] == [3]


def test_a_former_text_that_stands_at_rest_is_told() -> None:
    run = rested(a_run())
    tokens = {**run.evidence.tokens_in_files, token_of(run, "published", "a"): ("index.html",)}
    run.evidence = replace(run.evidence, tokens_in_files=tokens)
    assert [each.check for each in violations(run)] == [3]


# --- 4: what readers saw


def kinds(run: Imagined) -> set[str]:
    return {violation.kind for violation in violations(run) if violation.check == 4}


def seen(run: Imagined, path: str, *tokens: str, revision: int | None = None, reader: str = "r") -> Read:
    """A reader sees this now."""
    article_id = path.strip("/") or None
    begun, ended = run.tick(), run.tick()
    read = Read(reader, path, begun, ended, 200, "gzip", article_id, revision, tokens)
    run.history.add(read)
    return read


def test_half_a_page_is_told() -> None:
    run = a_run()
    run.history.add(Read("r", "/", run.tick(), run.tick(), 200, torn="no end"))
    assert kinds(rested(run)) == {"torn"}


def test_an_answer_that_was_cut_is_none() -> None:
    run = a_run()
    run.history.add(Read("r", "/", run.tick(), run.tick(), None, torn="no end"))
    assert violations(rested(run)) == ()


def test_an_older_revision_after_a_newer_one_is_told() -> None:
    run = Imagined()
    for kind in ("published", "updated"):
        run.send(kind)
        run.work()
        seen(run, "/a/", revision=run.heads["a"].public_revision)
    seen(run, "/a/", revision=1)
    assert kinds(rested(run)) == {"older"}


def test_two_readings_at_the_same_time_have_no_order() -> None:
    run = Imagined()
    run.send("published")
    run.work()
    begun = run.tick()
    run.send("updated")
    run.work()
    seen(run, "/a/", revision=2)
    run.history.add(Read("r", "/a/", begun, run.tick(), 200, "br", "a", 1))
    assert violations(rested(run)) == ()


def test_a_page_behind_its_notice_is_told() -> None:
    run = Imagined()
    run.send("published")
    run.send("updated")
    run.work()
    run.history.add(Told("r", run.tick(), "notice", "a", "a", 2))
    seen(run, "/a/", revision=1)
    assert kinds(rested(run)) == {"older"}


def test_a_page_behind_what_its_editor_was_promised_is_told() -> None:
    run = Imagined()
    run.send("published", waits=True)
    run.send("updated", waits=True)
    seen(run, "/a/", revision=1)
    assert kinds(rested(run)) == {"older"}


def test_a_listing_that_goes_back_to_a_former_text_is_told() -> None:
    run = Imagined()
    run.send("published")
    run.work()
    run.send("updated")
    run.work()
    run.read()
    seen(run, "/", token_of(run, "published", "a"))
    assert kinds(rested(run)) == {"older"}


@pytest.mark.parametrize(
    ("kind", "article_id"),
    [("drafted", "a"), ("withdrawn", "c"), ("published", "f"), ("published", "g"), ("updated", "b")],
    ids=["a draft", "a private note", "refused", "never arrived", "embargoed"],
)
def test_words_that_are_not_public_are_told(kind: str, article_id: str) -> None:
    run = a_run()
    seen(run, "/feed.atom", token_of(run, kind, article_id))
    assert kinds(rested(run)) == {"leaked"}


def test_a_rejected_text_is_not_public() -> None:
    run = Imagined()
    run.send("published")
    second = run.send("published")
    run.work()
    seen(run, "/", second.token)
    assert kinds(rested(run)) == {"leaked"}


@pytest.mark.parametrize(("kind", "article_id"), [("withdrawn", "c"), ("retracted", "d")])
def test_a_text_that_was_taken_down_is_told_once_its_editor_knows(kind: str, article_id: str) -> None:
    run = a_run()
    seen(run, "/", token_of(run, "published", article_id))
    assert kinds(rested(run)) == {"leaked"}


def test_a_reading_that_began_before_the_word_of_a_withdrawal_is_no_leak() -> None:
    run = Imagined()
    run.send("published", waits=True)
    run.read(meanwhile=lambda: run.send("withdrawn", waits=True))
    assert violations(rested(run)) == ()


def test_a_text_that_was_taken_down_is_not_told_on_the_stream_either() -> None:
    run = rested(a_run())
    token = token_of(run, "published", "c")
    run.history.add(Told("t", run.tick(), "notice", "c", "c", 1, tokens=(token,)))
    assert kinds(run) == {"leaked"}


def test_a_stream_that_lags_during_a_fault_is_no_leak() -> None:
    run = a_run()
    run.history.add(Injected("f", "begins", 0.0))
    token = token_of(run, "published", "c")
    run.history.add(Told("t", run.tick(), "notice", "c", "c", 1, tokens=(token,)))
    assert violations(rested(run)) == ()


def test_an_embargo_that_a_later_text_lifts_is_over() -> None:
    run = a_run()
    run.send("amended", "b", waits=True)
    seen(run, "/", token_of(run, "updated", "b"))
    assert "leaked" not in kinds(rested(run))


def test_where_clocks_were_moved_nothing_is_early() -> None:
    run = a_run()
    seen(run, "/", token_of(run, "updated", "b"))
    rested(run)
    assert "leaked" in kinds(run)
    assert "leaked" not in {each.kind for each in violations(run, is_clock_true=False)}


def test_posts_may_come_back_with_a_later_publication_and_texts_may_not() -> None:
    run = Imagined()
    run.send("published", waits=True)
    post = run.send("entry_added", waits=True)
    run.send("withdrawn", waits=True)
    run.send("published", waits=True)
    seen(run, "/", post.token)
    assert violations(rested(run)) == ()
    seen(run, "/", token_of(run, "published", "a"))
    assert "leaked" in kinds(run)


def test_a_draft_in_a_file_is_told() -> None:
    run = rested(a_run())
    tokens = {**run.evidence.tokens_in_files, token_of(run, "drafted", "a"): ("a/index.html.br",)}
    run.evidence = replace(run.evidence, tokens_in_files=tokens)
    assert kinds(run) == {"leaked"}


# --- 5: notices


def listening(article_id: str | None = "a") -> Imagined:
    run = Imagined()
    run.send("published", waits=True)
    run.history.add(Told("s", run.tick(), "connected", article_id, revision=1 if article_id else None))
    return run


def test_a_notice_that_never_came_is_told() -> None:
    run = listening()
    run.send("updated", waits=True)
    assert [each.check for each in violations(rested(run))] == [5]


def test_a_later_notice_stands_for_an_earlier_one() -> None:
    run = listening()
    run.send("updated", waits=True)
    run.send("updated", waits=True)
    run.history.add(Told("s", run.tick(), "notice", "a", "a", 3, None, "mark-2"))
    assert violations(rested(run)) == ()


def test_a_reset_stands_for_a_notice() -> None:
    run = listening()
    run.send("updated", waits=True)
    run.history.add(Told("s", run.tick(), "reset", "a", "a", event_id="mark-1"))
    assert violations(rested(run)) == ()


def test_a_reader_who_left_is_owed_nothing() -> None:
    run = listening()
    run.history.add(Told("s", run.tick(), "cut", "a"))
    run.send("updated", waits=True)
    assert violations(rested(run)) == ()


def test_a_withdrawal_that_open_pages_never_heard_of_is_told() -> None:
    run = listening()
    run.send("withdrawn", waits=True)
    assert [each.check for each in violations(rested(run))] == [5]


def test_who_listens_to_the_site_is_owed_everything_behind_the_first_thing_heard() -> None:
    run = listening(None)
    run.send("updated", waits=True)
    run.history.add(Told("s", run.tick(), "notice", None, "a", 2, None, "mark-1"))
    run.send("published", "b", waits=True)
    assert [each.check for each in violations(rested(run))] == [5]
    run.history.add(Told("s", run.tick(), "notice", None, "b", 1, None, "mark-2"))
    assert violations(run) == ()


def test_who_asks_the_site_anew_is_owed_nothing_from_before() -> None:
    run = listening(None)
    run.history.add(Told("s", run.tick(), "notice", None, "a", 1, None, "mark-0"))
    run.send("updated", waits=True)
    run.history.add(Told("s", run.tick(), "cut"))
    run.history.add(Told("s", run.tick(), "connected"))
    assert violations(rested(run)) == ()


# --- 6: commits


@pytest.mark.parametrize("topic", ["newsroom.events", "newsroom.updates"])
def test_a_commit_ahead_of_its_work_is_told(topic: str) -> None:
    run = Imagined()
    run.send("published")
    if topic == "newsroom.updates":
        run.store()
    place = f"{topic}/{run.evidence.filed[0].partition}"
    run.commits[place] = 1
    run.sample()
    assert [each.check for each in violations(rested(run))] == [6]


def test_a_bad_record_may_be_committed_once_its_letter_is_there() -> None:
    run = Imagined()
    run.poison()
    run.commits["newsroom.events/0"] = 1
    run.sample()
    assert violations(rested(run)) == ()
    without(run, "letters", bool)
    assert found(run) == {1, 6}


# --- 7: calm


def test_a_newsroom_that_is_never_calm_is_told() -> None:
    assert [each.check for each in violations(a_run())] == [7]


def test_a_newsroom_that_takes_too_long_is_told() -> None:
    run = rested(a_run())
    run.history.add(Calm(run.tick(), 61.0))
    assert [each.check for each in violations(run)] == [7]
    assert violations(run, calm_seconds=240.0) == ()


def test_without_calm_what_holds_at_every_moment_is_judged_all_the_same() -> None:
    run = a_run()
    run.history.add(Read("r", "/a/", run.tick(), run.tick(), 200, torn="half of it"))
    assert [each.check for each in violations(run)] == [4, 7]


# --- nothing seen, nothing found


def test_a_run_that_saw_everything_may_be_judged() -> None:
    run = rested(a_run())
    run.history.add(Told("s", run.tick(), "notice", "a", "a", 2))
    assert list(unseen(run.history, run.evidence)) == []


def test_a_run_that_saw_nothing_says_what_it_lacks() -> None:
    run = Imagined()
    assert len(list(unseen(run.history, run.evidence))) == 7


# --- no false alarm

_SENT = st.tuples(
    st.just("send"),
    st.sampled_from(
        ["published", "updated", "corrected", "amended", "drafted", "withdrawn", "retracted", "entry_added"]
    ),
    st.integers(0, 7),
)
_DONE = st.tuples(
    st.sampled_from(["store", "render", "listing", "sample", "read", "hear", "lose", "again", "due"]),
    st.just(""),
    st.integers(0, 7),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(_SENT, _DONE), max_size=60), st.integers(0, 2**16))
def test_no_healthy_run_gives_an_alarm(steps: list[tuple[str, str, int]], seed: int) -> None:
    """Whatever is sent, lost, repeated and read while work waits, at any speed of the services."""
    run, dice = Imagined(), Random(seed)
    for what, kind, number in steps:
        article_id = "ab"[number % 2]
        _step(run, dice, what, kind, article_id, number)
        run.tick(dice.random())
    assert violations(rested(run)) == ()


def _step(run: Imagined, dice: Random, what: str, kind: str, article_id: str, number: int) -> None:
    match what:
        case "send":
            due_in = dice.random() * 4 if kind in ("published", "updated") and number > 5 else None
            run.send(kind, article_id, waits=number in (2, 3), is_unknown=number == 4, due_in=due_in)
        case "read":
            path = "/" if number < 3 else f"/{article_id}/"
            meanwhile = dice.choice([run.store, run.render, run.listing, lambda: None])
            run.read(path, f"r{number % 2}", meanwhile=meanwhile)
        case "hear":
            run.listen(article_id, f"s-{article_id}-{run.tick()}")
            run.history.add(Told(run.history.entries[-1].reader, run.tick(), "cut"))  # type: ignore[union-attr]
        case "lose":
            run.lose(dice.choice(["published", "updated"]), article_id, is_refused=number > 3)
        case "again":
            if run.events:
                run.file(dice.choice(run.events)[1])
        case "due":
            run.fall_due()
        case _:
            getattr(run, what)()
