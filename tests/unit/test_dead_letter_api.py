"""Dead letters over HTTP and on their topic: who sees them, what they hold, what retrying does."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from newsroom import topics
from newsroom.errors import BadRecord
from newsroom.kafka.batch import Delivery
from newsroom.kafka.dead_letters import Mark, Parked, cut_letter, decode_letter, letter, mark_message
from newsroom.keys import Role
from newsroom.records import Message, Record
from newsroom.telemetry import metrics
from services.store.letterbox import decode
from tests.letter_parts import EVENT_ID, a_parked
from tests.store_api import SECRETS, Api

PUBLISHER = {"Authorization": f"Bearer {SECRETS[Role.PUBLISHER]}"}


@pytest.fixture
def api() -> Api:
    return Api()


async def _parked(api: Api, parked: Parked, consumer: str = "store") -> Parked:
    """The record as the loop parks it and the letterbox reads it."""
    before = len(api.log.records(topics.DEAD_LETTERS))
    await api.log.append(letter(parked.record, parked.reason, consumer))
    return (await _read(api))[before]


async def _read(api: Api) -> list[Parked]:
    """Everything on the topic, read by the letterbox; the letters, in no order that matters."""
    records = api.log.records(topics.DEAD_LETTERS)
    await api.letterbox.handle([Delivery(record, decode(record)) for record in records])
    return [found for found in map(decode, records) if isinstance(found, Parked)]


PATHS = [("GET", ""), ("GET", "/{id}"), ("POST", "/{id}/retry"), ("DELETE", "/{id}")]


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize("role", [None, Role.READER, Role.REPORTER, Role.EDITOR])
async def test_nobody_below_publisher_sees_or_touches_a_letter(
    api: Api, method: str, path: str, role: Role | None
) -> None:
    """It may hold a text that nobody else may see; that there is none is not told either."""
    parked = await _parked(api, a_parked(b"a secret draft"))
    headers = {"Authorization": f"Bearer {SECRETS[role]}"} if role else {}
    for letter_id in (parked.id, "dl_" + "a" * 26):
        answer = await api.client.request(
            method, f"/dead-letters{path.format(id=letter_id)}", headers=headers
        )
        assert answer.status_code == (403 if role else 401)
        assert "secret draft" not in answer.text
    assert api.log.records(topics.EVENTS) == []


async def test_a_letter_is_listed_and_shown_with_its_bytes(api: Api) -> None:
    parked = await _parked(api, a_parked(b"\xffno json", reason="no JSON: \xff"))
    listed = (await api.client.get("/dead-letters", headers=PUBLISHER)).json()
    assert [each["id"] for each in listed["dead_letters"]] == [parked.id]
    assert "value" not in listed["dead_letters"][0]
    shown = (await api.client.get(f"/dead-letters/{parked.id}", headers=PUBLISHER)).json()
    assert base64.b64decode(shown["value"]["base64"]) == b"\xffno json"
    assert "text" not in shown["value"]
    assert shown["key"]["text"] == "bank-siege"
    assert [each["name"] for each in shown["headers"]] == ["ce_id", "raw"]
    told = {name: shown[name] for name in ("topic", "partition", "offset", "event_id", "article_id", "state")}
    assert told == {
        "topic": topics.EVENTS, "partition": 3, "offset": 7, "event_id": EVENT_ID,
        "article_id": "bank-siege", "state": "waiting",
    }  # fmt: skip
    assert (shown["reason"], shown["consumer"], shown["attempts"]) == ("no JSON: ÿ", "store", 1)


async def test_letters_come_part_by_part(api: Api) -> None:
    ids = {(await _parked(api, a_parked(f"value {number}".encode()))).id for number in range(5)}
    seen: list[str] = []
    query = {"limit": "2"}
    while True:
        part = (await api.client.get("/dead-letters", params=query, headers=PUBLISHER)).json()
        seen += [each["id"] for each in part["dead_letters"]]
        if "next" not in part:
            break
        query["cursor"] = part["next"]
    assert len(seen) == 5
    assert set(seen) == ids


@pytest.mark.parametrize("query", ["cursor=x", "state=lost", "limit=0", "limit=101", "page=2"])
async def test_a_question_that_makes_no_sense_is_refused(api: Api, query: str) -> None:
    assert (await api.client.get(f"/dead-letters?{query}", headers=PUBLISHER)).status_code == 422


async def test_a_retry_writes_the_very_record_again_and_once(api: Api) -> None:
    """Key, bytes and headers as they were, to the partition where it stood; without what says it was dead."""
    parked = await _parked(api, a_parked())
    for _ in range(2):
        answer = await api.client.post(f"/dead-letters/{parked.id}/retry", headers=PUBLISHER)
        assert (answer.status_code, answer.json()["state"]) == (200, "retried")
    written = api.log.records(topics.EVENTS)
    assert len(written) == 1
    as_it_was = parked.record
    assert (written[0].partition, written[0].key, written[0].value) == (3, as_it_was.key, as_it_was.value)
    assert written[0].headers == as_it_was.headers


async def test_a_retried_record_that_fails_again_is_the_same_letter(api: Api) -> None:
    parked = await _parked(api, a_parked())
    await api.client.post(f"/dead-letters/{parked.id}/retry", headers=PUBLISHER)
    [again] = api.log.records(topics.EVENTS)
    await api.log.append(letter(again, "still no JSON", "store"))
    await _read(api)
    listed = (await api.client.get("/dead-letters", headers=PUBLISHER)).json()["dead_letters"]
    assert [(each["id"], each["state"], each["attempts"]) for each in listed] == [(parked.id, "waiting", 2)]
    await api.client.post(f"/dead-letters/{parked.id}/retry", headers=PUBLISHER)
    assert len(api.log.records(topics.EVENTS)) == 2


async def test_what_was_done_is_known_to_a_database_made_anew(api: Api) -> None:
    dropped, retried, waiting = [await _parked(api, a_parked(f"{n}".encode())) for n in range(3)]
    await api.client.delete(f"/dead-letters/{dropped.id}", headers=PUBLISHER)
    await api.client.post(f"/dead-letters/{retried.id}/retry", headers=PUBLISHER)
    anew = Api()
    anew.log = api.log
    await _read(anew)
    listed = (await anew.client.get("/dead-letters", headers=PUBLISHER)).json()["dead_letters"]
    assert {each["id"]: each["state"] for each in listed} == {
        dropped.id: "dropped",
        retried.id: "retried",
        waiting.id: "waiting",
    }


async def test_a_dropped_letter_is_still_shown_and_never_retried(api: Api) -> None:
    parked = await _parked(api, a_parked())
    for _ in range(2):
        answer = await api.client.delete(f"/dead-letters/{parked.id}", headers=PUBLISHER)
        assert (answer.status_code, answer.json()["state"]) == (200, "dropped")
    assert (await api.client.get(f"/dead-letters/{parked.id}", headers=PUBLISHER)).status_code == 200
    assert (await api.client.get("/dead-letters?state=waiting", headers=PUBLISHER)).json() == {
        "dead_letters": []
    }
    refused = await api.client.post(f"/dead-letters/{parked.id}/retry", headers=PUBLISHER)
    assert refused.status_code == 409
    assert api.log.records(topics.EVENTS) == []


async def test_what_was_cut_cannot_be_retried(api: Api) -> None:
    await api.log.append(cut_letter(a_parked().record, "too large", "store"))
    [parked] = await _read(api)
    shown = (await api.client.get(f"/dead-letters/{parked.id}", headers=PUBLISHER)).json()
    assert shown["is_whole"] is False
    refused = await api.client.post(f"/dead-letters/{parked.id}/retry", headers=PUBLISHER)
    assert (refused.status_code, "too large" in refused.json()["detail"]) == (409, True)


@pytest.mark.parametrize("topic", ["somebody.elses", topics.KEYS, topics.NOTICES, topics.DEAD_LETTERS])
async def test_nothing_is_written_to_a_topic_whose_readers_park_nothing(api: Api, topic: str) -> None:
    """An old record of a key would bring back what was revoked."""
    record = a_parked().record
    foreign = Record(topic, 0, 1, record.key, record.value, (), record.timestamp_ms)
    await api.log.append(letter(foreign, "strange", "somebody"))
    [parked] = await _read(api)
    before = len(api.log.records(topics.DEAD_LETTERS))
    refused = await api.client.post(f"/dead-letters/{parked.id}/retry", headers=PUBLISHER)
    assert refused.status_code == 409
    assert len(api.log.records(topics.DEAD_LETTERS)) == before
    assert api.log.records(topics.KEYS) == api.log.records(topics.NOTICES) == []


async def test_a_letter_that_is_not_there_is_404(api: Api) -> None:
    unknown = "/dead-letters/dl_" + "a" * 26
    for method, path in (("GET", ""), ("POST", "/retry"), ("DELETE", "")):
        assert (await api.client.request(method, unknown + path, headers=PUBLISHER)).status_code == 404


async def test_nothing_counts_that_the_log_has_not(api: Api) -> None:
    parked = await _parked(api, a_parked())
    api.log.go_away()
    for method, path in (("POST", "/retry"), ("DELETE", "")):
        answer = await api.client.request(method, f"/dead-letters/{parked.id}{path}", headers=PUBLISHER)
        assert answer.status_code == 503
    assert (await api.letterbox.find(parked.id)).state == "waiting"


async def test_waiting_letters_are_counted(api: Api) -> None:
    parked = [await _parked(api, a_parked(f"{number}".encode())) for number in range(3)]
    await api.letterbox.drop(parked[0].id)
    assert metrics.registry.get_sample_value("newsroom_dead_letters_waiting") == 2


def test_an_original_header_that_looks_like_ours_stays() -> None:
    """A letter parked a second time, or somebody's own header of that name."""
    headers = (("dead_reason", b"mine"), ("ce_id", b"x"), ("dead_topic", b"old"))
    record = Record(topics.EVENTS, 3, 7, b"k", b"v", headers, 0)
    written = letter(record, "new", "store")
    read = decode_letter(_on_the_log(written))
    assert isinstance(read, Parked)
    assert read.record.headers == headers
    assert (read.record.topic, read.reason) == (topics.EVENTS, "new")


def test_the_id_is_of_what_was_sent_not_of_where_it_stood() -> None:
    first = a_parked(offset=7)
    assert a_parked(offset=8, reason="other", at_ms=9).id == first.id
    others = [
        a_parked(b"other"),
        a_parked(None),
        a_parked(b""),
        _changed(first, topic=topics.UPDATES),
        _changed(first, key=None),
        _changed(first, key=b""),
        _changed(first, headers=()),
    ]
    assert len({first.id, *(other.id for other in others)}) == 1 + len(others)


@pytest.mark.parametrize(
    "message",
    [
        Message(topics.DEAD_LETTERS, b"k", b"v"),
        Message(topics.DEAD_LETTERS, b"k", b"v", (("dead_topic", b"x"), ("dead_partition", b"x"))),
        Message(topics.DEAD_LETTERS, b"dl_no", b"", (("dead_mark", b"dropped"), ("dead_attempts", b"1"))),
        Message(topics.DEAD_LETTERS, b"dl_no", b"", (("dead_mark", b"lost"), ("dead_attempts", b"x"))),
    ],
)
def test_what_is_no_letter_is_passed_over(message: Message) -> None:
    """Parked, it would only come back."""
    with pytest.raises(BadRecord):
        decode_letter(_on_the_log(message))
    assert decode(_on_the_log(message)) is None


def test_a_mark_comes_back_as_it_was_written() -> None:
    mark = Mark("dl_" + "c" * 26, "retried", 3)
    message = mark_message(mark, 2)
    assert message.partition == 2
    assert decode_letter(_on_the_log(message)) == mark


def _on_the_log(message: Message) -> Record:
    return Record(message.topic, 0, 0, message.key, message.value, tuple(message.headers), 0)


def _changed(parked: Parked, **changes: object) -> Parked:
    return replace(parked, record=replace(parked.record, **changes))  # type: ignore[arg-type]
