"""The AsyncAPI document is the models': up to date, sound, and true of every record that is written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]

from desk import asyncapi
from desk.catalogue import CHANNELS, MESSAGES, SERVICES
from newsroom import events, ids, keys, listings, notices, outcomes, topics, updates
from newsroom.articles import ArticleText, Dateline, EntryText, Source
from newsroom.kafka.dead_letters import Mark, cut_letter, letter, mark_message
from newsroom.records import Message, Record

Node = dict[str, Any]
DOCUMENT: Node = yaml.safe_load(asyncapi.FILE.read_text(encoding="utf-8"))
TIME = datetime(2023, 6, 20, 5, 40, tzinfo=UTC)
TRACE = "00-" + "1" * 32 + "-" + "2" * 16 + "-01"
TEXT = ArticleText(
    headline="Gunman takes hostages",
    body="<p>Police surround a bank.</p>",
    section="Kazakhstan",
    tags=("Astana",),
    dateline=Dateline(place="Astana, Kazakhstan", timezone="Asia/Almaty"),
    published_at=TIME,
    sources=(Source(name="Interior ministry", url="https://example.org/"),),
    translation_of="a0",
)
DUES = events.Dues(publish_at=events.Due(at=TIME), embargo_until=events.Due())
ENTRY = EntryText(headline="Two are free", body="<p>Two.</p>", key_event=True, author="A. Reporter")
DATA: dict[events.EventKind, events.EventData] = {
    events.EventKind.PUBLISHED: events.Published(article=TEXT, dues=DUES, create=True),
    events.EventKind.UPDATED: events.Updated(note="Two are free.", article=TEXT),
    events.EventKind.CORRECTED: events.Corrected(kind="clarification", note="Two, not three.", article=TEXT),
    events.EventKind.AMENDED: events.Amended(article=TEXT),
    events.EventKind.RETRACTED: events.Retracted(note="It was false."),
    events.EventKind.WITHDRAWN: events.Withdrawn(note="The lawyers look at it."),
    events.EventKind.DRAFTED: events.Drafted(article=TEXT),
    events.EventKind.ENTRY_ADDED: events.EntryAdded(entry_id="e1", entry=ENTRY),
    events.EventKind.ENTRY_CHANGED: events.EntryChanged(entry_id="e1", entry=ENTRY),
    events.EventKind.RELEASED: events.Released(set_by=1, due_at=TIME),
    events.EventKind.BREAKING_ENDED: events.BreakingEnded(set_by=1, due_at=TIME),
}


def an_event(kind: events.EventKind) -> Message:
    """An event of that kind as a record."""
    event = events.Event(
        id=ids.derive_event_id("desk", "a1", kind.value),
        kind=kind,
        article_id="a1",
        time=TIME,
        data=DATA[kind],
        actor="desk",
        request_hash="ab" * 32,
        expected_revision=3,
        trace=TRACE,
    )
    return events.event_message(event)


def an_update(*, again: bool) -> Message:
    """The announcement of a public article."""
    public = updates.PublicArticle(
        revision=1,
        text=TEXT,
        section="Kazakhstan",
        language="en",
        published_at=TIME,
        updated_at=TIME,
        bumped_at=TIME,
        changes=(updates.Change(revision=1, kind=updates.ChangeKind.PUBLISHED, time=TIME, breaking=True),),
    )
    update = updates.ArticleUpdate(
        article_id="a1", revision=1, status=updates.Status.PUBLIC, path="/x/", public=public
    )
    return updates.update_message(updates.Announcement(update, TIME, again=again, trace=TRACE))


def an_entry_update(*, is_shown: bool) -> Message:
    """The announcement of a live entry; of a hidden one no text."""
    shown = updates.PublicEntry(text=ENTRY, added_at=TIME, changed_at=TIME) if is_shown else None
    update = updates.EntryUpdate(
        article_id="a1", entry_id="e1", number=1, page=1, revision=2, as_of=3, entry=shown
    )
    return updates.entry_message(updates.EntryAnnouncement(update, TIME, again=True, trace=TRACE), 3)


def an_outcome() -> Message:
    """A rejection, which has most to say."""
    rejection = outcomes.Rejection(
        code=outcomes.RejectionCode.RETRACTED, detail="It was retracted.", current_revision=4
    )
    outcome = outcomes.EventOutcome(
        event_id=ids.derive_event_id("desk", "a1", "x"),
        article_id="a1",
        state=outcomes.EventState.REJECTED,
        request_hash="ab" * 32,
        rejection=rejection,
        times={"accepted": TIME},
    )
    return outcomes.outcome_message(outcome, TIME, TRACE)


def every_record() -> Iterator[Message]:
    """One of each kind that runs through the log, made by the contract's own functions."""
    for kind in events.EventKind:
        yield an_event(kind)
    yield an_update(again=False)
    yield an_update(again=True)
    yield an_entry_update(is_shown=True)
    yield an_entry_update(is_shown=False)
    yield listings.mark_message(
        listings.ListingMark(path="/kazakhstan/", article_id="a1", revision=2), TIME, TRACE
    )
    notice = notices.Notice(
        article_id="a1",
        revision=2,
        kind=notices.NoticeKind.UPDATE,
        note="n",
        time=TIME,
        path="/x/",
        headline="h",
    )
    yield notices.notice_message(notice, TRACE)
    yield an_outcome()
    rendering = outcomes.Rendering(article_id="a1", revision=2, path="/x/", times={"rendered": TIME})
    yield outcomes.rendering_message(rendering, TIME, None)
    yield keys.key_message(
        keys.ApiKey(name="desk", role=keys.Role.EDITOR, secret_sha256=keys.digest("s"), created_at=TIME)
    )


def headers_of(message: Message) -> dict[str, str]:
    """A record's headers as text."""
    return {name: value.decode() for name, value in message.headers}


def resolve(reference: str) -> Any:
    """What a reference within the document points to. Raises: KeyError."""
    node: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        node = node[part.replace("~1", "/").replace("~0", "~")]
    return node


def references(node: object) -> Iterator[str]:
    """Every `$ref` below a node."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def problems(schema: object, instance: object) -> list[str]:
    """Why an instance does not fit a schema of the document."""
    whole = {"allOf": [schema], "components": DOCUMENT["components"]}
    validator = Draft202012Validator(whole, format_checker=FormatChecker())
    return [error.message for error in validator.iter_errors(instance)]


def documented(message: Message) -> Node:
    """The document's message for a record: of its topic, with its type."""
    channel = next(node for node in DOCUMENT["channels"].values() if node["address"] == message.topic)
    carried = [resolve(node["$ref"]) for node in channel["messages"].values()]
    (found,) = [node for node in carried if node["name"] == headers_of(message)["ce_type"]]
    assert isinstance(found, dict)
    return found


def test_the_committed_file_is_what_the_models_make() -> None:
    """Whoever changes a model runs `python -m desk.asyncapi`."""
    assert asyncapi.FILE.read_text(encoding="utf-8") == asyncapi.as_yaml(asyncapi.document())
    assert CliRunner().invoke(asyncapi.main, ["--check"]).exit_code == 0


def test_every_reference_leads_somewhere() -> None:
    found = list(references(DOCUMENT))
    assert len(found) > len(MESSAGES)
    for reference in found:
        assert reference.startswith("#/")
        assert isinstance(resolve(reference), dict)


def test_every_schema_is_a_json_schema() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for message in DOCUMENT["components"]["messages"].values():
        Draft202012Validator.check_schema(message["headers"])


def test_every_topic_stands_there_as_it_is_created() -> None:
    channels = {node["address"]: node for node in DOCUMENT["channels"].values()}
    assert channels.keys() == {spec.name for spec in topics.ALL}
    for spec in topics.ALL:
        told = channels[spec.name]["bindings"]["kafka"]
        assert told["partitions"] == spec.partitions
        assert told["topicConfiguration"]["retention.ms"] == spec.retention_ms
        assert told["topicConfiguration"]["cleanup.policy"] == ["compact" if spec.compacted else "delete"]


@pytest.mark.parametrize("message", tuple(every_record()), ids=lambda message: headers_of(message)["ce_type"])
def test_a_record_as_it_is_written_fits_what_is_said_of_it(message: Message) -> None:
    """Headers and data; and no header that the document does not name."""
    node = documented(message)
    headers = headers_of(message)
    assert problems(node["headers"], headers) == []
    assert headers.keys() <= node["headers"]["properties"].keys()
    assert problems(node["payload"], json.loads(message.value or b"")) == []


def test_every_kind_of_record_is_tried() -> None:
    """So that a new message cannot be left out of the test above."""
    assert {headers_of(message)["ce_type"] for message in every_record()} == {
        message.event_type for message in MESSAGES
    }


def test_a_record_of_another_kind_does_not_fit() -> None:
    """The check above can fail: a key is no notice."""
    notice = DOCUMENT["components"]["messages"]["noticeTold"]
    key = next(message for message in every_record() if message.topic == topics.KEYS)
    assert problems(notice["headers"], headers_of(key))
    assert problems(notice["payload"], json.loads(key.value or b""))


def test_a_dead_letter_says_where_and_why() -> None:
    record = Record(topics.EVENTS, 3, 7, b"a1", b"\xff", (("ce_id", b"x"),), 0)
    node = DOCUMENT["components"]["messages"]["deadLetter"]
    for written in (letter(record, "no JSON", "store"), cut_letter(record, "too large", "store")):
        assert problems(node["headers"], headers_of(written)) == []


def test_what_was_done_with_a_dead_letter_is_said_beside_it() -> None:
    written = mark_message(Mark("dl_" + "a" * 26, "dropped", 2), 1)
    mark = DOCUMENT["components"]["messages"]["deadLetterMark"]
    letters = DOCUMENT["components"]["messages"]["deadLetter"]
    assert problems(mark["headers"], headers_of(written)) == []
    assert problems(letters["headers"], headers_of(written))


def test_each_operation_moves_a_channel_that_there_is() -> None:
    for operation in DOCUMENT["operations"].values():
        assert resolve(operation["channel"]["$ref"])["address"] in CHANNELS
        assert operation["action"] in ("send", "receive")
    moved = {topic for written, read in SERVICES.values() for topic in written | read}
    assert moved == CHANNELS.keys()
