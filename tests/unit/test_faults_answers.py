"""What an answer of the door promises an editor of the experiment."""

from __future__ import annotations

import pytest

from faults.load.answers import no_answer, read_answer
from newsroom.http.problems import Extras, Kind, problem_response
from newsroom.outcomes import EventState
from services.ingest.answers import Done, Receipt, json_answer

EVENT = "evt_" + "a2" * 13


def a_problem(kind: Kind, event_id: str | None = None) -> tuple[int, bytes]:
    response = problem_response(kind, "Told in words.", Extras(event_id=event_id))
    return response.status_code, bytes(response.body)


def test_a_receipt_promises_that_the_event_is_on_the_log() -> None:
    body = json_answer(Receipt(event_id=EVENT, article_id="a", status_url=f"/events/{EVENT}"), 202).body

    answer = read_answer(202, bytes(body))

    assert (answer.result, answer.state, answer.event_id) == ("ok", "accepted", EVENT)
    assert not answer.is_open


def test_who_waited_is_promised_revision_and_page() -> None:
    done = Done(event_id=EVENT, article_id="a", revision=3, url="http://site/a/", state=EventState.RENDERED)

    answer = read_answer(200, bytes(json_answer(done, 200).body))

    assert (answer.result, answer.state, answer.revision, answer.url) == (
        "ok",
        "rendered",
        3,
        "http://site/a/",
    )


@pytest.mark.parametrize("kind", [Kind.RETRACTED, Kind.REVISION_MISMATCH, Kind.INVALID, Kind.NOT_LIVE])
def test_a_rejection_that_was_waited_for_is_on_the_log(kind: Kind) -> None:
    answer = read_answer(*a_problem(kind, EVENT))

    assert (answer.result, answer.state, answer.event_id) == ("ok", "rejected", EVENT)


def test_a_dead_letter_is_told_as_one() -> None:
    assert read_answer(*a_problem(Kind.DEAD_LETTERED, EVENT)).state == "dead_lettered"


@pytest.mark.parametrize("kind", [Kind.INVALID, Kind.MALFORMED_JSON, Kind.UNAUTHENTICATED, Kind.TOO_LARGE])
def test_what_was_refused_at_the_door_did_nothing_and_is_not_sent_again(kind: Kind) -> None:
    answer = read_answer(*a_problem(kind))

    assert (answer.result, answer.is_open) == ("fail", False)


def test_another_body_under_the_same_key_did_nothing() -> None:
    """Its problem names the event of the first body."""
    assert read_answer(*a_problem(Kind.KEY_REUSED, EVENT)).result == "fail"


@pytest.mark.parametrize("kind", [Kind.TOO_MANY, Kind.REQUEST_TIMEOUT])
def test_who_is_told_to_come_again_does(kind: Kind) -> None:
    answer = read_answer(*a_problem(kind))

    assert (answer.result, answer.is_open) == ("fail", True)


@pytest.mark.parametrize("kind", [Kind.BUSY, Kind.AWAY, Kind.BUG])
def test_nobody_knows_what_came_of_a_5xx(kind: Kind) -> None:
    """A door that stops says `busy` also of an event that may be on the log."""
    answer = read_answer(*a_problem(kind))

    assert (answer.result, answer.is_open) == ("unknown", True)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]"])
def test_an_answer_that_cannot_be_read_promises_nothing(body: bytes) -> None:
    assert read_answer(200, body).result == "unknown"


def test_without_a_connection_nothing_was_sent() -> None:
    assert no_answer("ConnectError", was_sent=False).result == "fail"
    assert no_answer("ReadTimeout", was_sent=True).result == "unknown"
    assert no_answer("ConnectError", was_sent=False).is_open
