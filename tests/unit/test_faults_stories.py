"""What an editor of the experiment knows of an article, and what is done to it next."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from random import Random

import pytest

from faults.load.answers import Answer
from faults.load.moves import FAR_SECONDS, Moves
from faults.load.stories import Act, Clock, Stage, Story
from faults.load.words import Words, find
from tests.load_parts import body_of

ACCEPTED = Answer("ok", 202, state="accepted")
STORED = Answer("ok", 200, state="stored", revision=4)
REJECTED = Answer("ok", 409, state="rejected")
REFUSED = Answer("fail", 422)


def a_story(stage: Stage = Stage.NEW, *, is_live: bool = False, is_shared: bool = False) -> Story:
    return Story("a-1", 1, "editor-1", stage=stage, is_live=is_live, is_shared=is_shared)


def some_moves(seed: int = 1) -> Moves:
    return Moves(Random(seed), Words(Random(seed)))


def a_clock(run: float = 0.0) -> Clock:
    """So many seconds after the run began, now by the world's clock."""
    return Clock(run, datetime.now(UTC).timestamp())


def a_life(seed: int, answer: Answer = ACCEPTED) -> Iterator[tuple[Stage, Act]]:
    """What is done to one article, each act with the stage it met, when everything is answered so."""
    story, moves = a_story(is_live=seed % 3 == 0), some_moves(seed)
    for step in range(12):
        act = moves.next(story, a_clock(2.0 * step))
        yield story.stage, act
        story.settle(act, answer)


@cache
def lives() -> tuple[tuple[tuple[Stage, Act], ...], ...]:
    """So many that everything comes."""
    return tuple(tuple(a_life(seed)) for seed in range(200))


def all_acts() -> list[tuple[Stage, Act]]:
    return [each for life in lives() for each in life]


def test_the_door_takes_whatever_they_send() -> None:
    """What is rightly rejected is rejected by the log's order, not for its form."""
    for _, act in all_acts()[::5]:
        body_of(act).model_validate_json(act.content)


def test_every_kind_of_event_and_every_reason_to_wait_comes() -> None:
    found = Counter((act.kind, act.withheld) for _, act in all_acts())

    texts = {(kind, "") for kind in ("published", "updated", "corrected", "amended")}
    held = {(kind, why) for kind, _ in texts for why in ("scheduled", "embargoed")}
    others = {
        ("drafted", "draft"),
        ("withdrawn", ""),
        ("retracted", ""),
        ("entry_added", ""),
        ("entry_changed", ""),
    }
    assert set(found) == texts | held | others


def test_some_are_forbidden_and_most_are_not() -> None:
    forbidden = [act for stage, act in all_acts() if stage is Stage.RETRACTED or act.if_match == 100_000]

    assert 0 < len(forbidden) < len(all_acts()) / 3


def test_a_text_is_called_withheld_exactly_when_it_says_so_itself() -> None:
    """Never by what the model believes of the article."""
    for _, act in all_acts():
        article = act.body.get("article", act.body)
        is_timed = any(article.get(name) for name in ("publish_at", "embargo_until"))
        is_draft = act.kind == "drafted"
        assert (act.withheld in ("scheduled", "embargoed")) == is_timed == (act.due is not None)
        assert (act.withheld == "draft") == is_draft


def test_what_is_withheld_by_the_end_of_a_life_is_lifted_by_the_next_open_text() -> None:
    """So that from then on its notes may be seen."""
    for life in lives():
        acts = [act for _, act in life]
        first = next((n for n, act in enumerate(acts) if act.due), len(acts))
        for act in acts[first:]:
            article = act.body.get("article", act.body)
            if act.kind in ("published", "updated", "corrected", "amended") and act.due is None:
                assert {article["publish_at"], article["embargo_until"]} == {None}


def test_a_text_that_waits_never_falls_due_before_the_one_that_waited() -> None:
    """Else the words of the former would be free before the time that was told of them."""
    for life in lives():
        acts = [act for _, act in life]
        for former, act in pairwise(acts):
            if former.due and act.due and act.kind != "published":
                assert act.due[1] >= former.due[1]


def test_each_act_has_a_token_of_its_own_in_every_text_of_its() -> None:
    assert all(find(act.content.decode()) == (act.token,) for _, act in all_acts())
    of_one_life = [act.token for _, act in lives()[0]]
    assert len(set(of_one_life)) == len(of_one_life)


@pytest.mark.parametrize("answer", [REJECTED, REFUSED])
def test_what_was_refused_leaves_the_article_as_it_was(answer: Answer) -> None:
    story = a_story()
    story.settle(some_moves().publish(story, a_clock()), answer)

    assert story.stage is Stage.NEW


def test_what_fell_due_is_public() -> None:
    story, moves = a_story(Stage.PUBLIC), some_moves()
    act = moves.withhold(story, a_clock(10.0))
    story.settle(act, ACCEPTED)
    assert act.due_at is not None
    stages = []
    for at in (act.due_at - 0.1, act.due_at):
        story.look(at)
        stages.append(story.stage)

    assert stages == [Stage.HELD, Stage.PUBLIC]
    assert story.due is None


def test_a_withdrawal_of_what_was_never_public_leaves_a_draft() -> None:
    story, moves = a_story(Stage.WAITING), some_moves()
    story.settle(moves.withdraw(story, a_clock()), ACCEPTED)

    assert story.stage is Stage.DRAFT


def test_the_revision_is_known_only_after_waiting_and_while_nothing_moves_it_by_itself() -> None:
    story, moves = a_story(Stage.PUBLIC), some_moves()
    revisions = []
    for move, answer in ((moves.update, STORED), (moves.update, ACCEPTED), (moves.break_news, STORED)):
        story.settle(move(story, a_clock()), answer)
        revisions.append(story.revision)

    assert revisions == [4, None, None]


def test_an_entry_is_changed_only_once_it_was_taken() -> None:
    story, moves = a_story(Stage.PUBLIC, is_live=True), some_moves()
    story.settle(moves.add_entry(story, a_clock()), REJECTED)
    assert story.entries == []

    story.settle(act := moves.add_entry(story, a_clock()), ACCEPTED)

    assert story.entries == [act.entry]
    assert moves.change_entry(story, a_clock()).path.endswith(f"/entries/{act.entry}")


def test_nobody_takes_down_or_withholds_what_all_write() -> None:
    story, moves = a_story(Stage.PUBLIC, is_live=True, is_shared=True), some_moves()
    story.entries.append("editor-1-1")
    acts = [moves.next(story, a_clock()) for _ in range(300)]

    assert not any(act.withheld for act in acts)
    assert {act.kind for act in acts} == {"updated", "corrected", "amended", "entry_added", "entry_changed"}


def test_a_due_time_is_told_to_the_millisecond_that_the_run_counts_with() -> None:
    told, at = Clock(run=100.0, world=1_700_000_000.00042).due(5)

    assert datetime.fromisoformat(told).timestamp() == pytest.approx(1_700_000_005.001)
    assert at == pytest.approx(105.00058)


def test_some_texts_wait_for_a_time_after_the_run() -> None:
    story, moves = a_story(Stage.PUBLIC), some_moves()
    dues = [moves.withhold(story, a_clock()).due_at or 0.0 for _ in range(50)]

    assert 0 < sum(due > FAR_SECONDS - 1 for due in dues) < 50


def test_the_same_act_is_the_same_bytes() -> None:
    act = some_moves().publish(a_story(), a_clock())

    assert act.content == act.content
    assert json.loads(act.content) == act.body
