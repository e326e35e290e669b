"""What cannot be accepted is refused whole:

a problem that names the place and what to do, and nothing on the log.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from newsroom.times import now, rfc3339
from newsroom.topics import MAX_BODY_BYTES, MAX_REQUEST_BYTES
from tests.ingest_parts import Ingest, a_story, an_ingest

DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.fixture
async def ingest() -> AsyncIterator[Ingest]:
    async with an_ingest() as running:
        yield running
        assert not running.events(), "something of a refused request is on the log"


def story_with(name: str, value: bytes) -> bytes:
    """A story as bytes, with a field that Python could not write."""
    return json.dumps(a_story()).encode()[:-1] + b', "' + name.encode() + b'": ' + value + b"}"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "EOF"),
        (b"{", "line 1 column 1"),
        (b'{"headline": "A",\n "section"}', "line 2 column 11"),
        (b"{'headline': 'A'}", "column 2"),
        (b"headline=A", "column 1"),
        (b'{"headline": "\xff\xfe"}', "unicode"),
        (b'{"headline": "\xed\xa0\x80"}', "unicode"),
        ('{"headline": "A"}'.encode("utf-16"), "column 1"),
        (b'{"headline": "tab\there"}', "control character"),
        (b'{"headline": "A"} and more', "trailing"),
        (story_with("deck", b"NaN1"), "column"),
        (DEEP, "recursion limit"),
        (story_with("sources", DEEP), "recursion limit"),
        (story_with("headline", b'"again"'), "'headline' stands more than once"),
        (
            b'{"headline": "A", "section": "B", "dateline": {"place": "C", "place": "D"}}',
            "'place' stands more",
        ),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value,
)
async def test_what_is_no_json_is_told_with_its_position(ingest: Ingest, content: bytes, told: str) -> None:
    response = await ingest.call("POST", "/articles", content=content)
    problem = response.json()
    assert (response.status_code, problem["type"]) == (400, "/problems/malformed-json"), response.text
    assert told in problem["detail"]
    assert response.headers["content-type"] == "application/problem+json"


def future() -> str:
    return rfc3339(now() + timedelta(hours=1))


BAD_FIELDS: list[tuple[dict[str, Any], str, str]] = [
    ({"headline": None}, "/headline", "must be a string"),
    ({"headline": 7}, "/headline", "must be a string"),
    ({"headline": ["A"]}, "/headline", "must be a string"),
    ({"headline": "  "}, "/headline", "is blank"),
    ({"headline": "A\nB"}, "/headline", "has a line break"),
    ({"headline": "A\u0000B"}, "/headline", "U+0000 at position 1"),
    ({"headline": "A\u009bB"}, "/headline", "U+009B"),
    ({"headline": "x" * 301}, "/headline", "at most 300 characters"),
    ({"deck": "x" * 1001}, "/deck", "at most 1000 characters"),
    ({"deck": None}, "/deck", "must be a string"),
    ({"body": None}, "/body", "must be a string"),
    ({"body": "<p>\u0007</p>"}, "/body", "U+0007"),
    ({"body": "<p>A&#7;</p>"}, "/body", "U+0007"),
    ({"body": "<p>A&#xFFFF;</p>"}, "/body", "U+FFFF"),
    ({"body": ""}, "/body", "has no text"),
    ({"body": "<script>let a = 1</script>"}, "/body", "has no text"),
    ({"body": "<p>&nbsp;\u3000</p>\n<hr><ul><li></li></ul>"}, "/body", "has no text"),
    ({"body": '<p><a href="/x" title="a > b &quot; c > d"> </a></p>'}, "/body", "has no text"),
    ({"body": "x" * (MAX_BODY_BYTES + 1)}, "/body", f"at most {MAX_BODY_BYTES}"),
    ({"body": "<b>" * 300 + "x"}, "/body", "nests elements deeper"),
    ({"body": "x" + "&" * 10_001}, "/body", "bare ampersands"),
    ({"section": "2023"}, "/section", "choose another name"),
    ({"section": "Live"}, "/section", "choose another name"),
    ({"section": "Tags"}, "/section", "choose another name"),
    ({"section": "!!!"}, "/section", "no letter or digit"),
    ({"section": "x" * 61}, "/section", "at most 60 characters"),
    ({"tags": "Astana"}, "/tags", "must be a list"),
    ({"tags": ["Astana", 5]}, "/tags/1", "must be a string"),
    ({"tags": ["a"] * 21}, "/tags", "at most 20"),
    ({"tags": {"a": 1}}, "/tags", "must be a list"),
    ({"authors": ["—"]}, "/authors/0", "no letter or digit"),
    ({"dateline": "Astana"}, "/dateline", "must be an object"),
    ({"dateline": {"place": "Astana"}}, "/dateline/timezone", "is missing"),
    ({"dateline": {"place": "Astana", "timezone": "Asia/Nowhere"}}, "/dateline/timezone", "IANA time zone"),
    (
        {"dateline": {"place": "Astana", "timezone": "../../etc/passwd"}},
        "/dateline/timezone",
        "IANA time zone",
    ),
    ({"dateline": {"place": "Astana", "timezone": "UTC", "zip": 1}}, "/dateline/zip", "is no field here"),
    ({"language": "english"}, "/language", "match pattern"),
    ({"slug": "Not A Slug"}, "/slug", "use lower-case letters"),
    ({"breaking": "yes"}, "/breaking", "must be true or false"),
    ({"breaking": 1}, "/breaking", "must be true or false"),
    ({"published_at": "yesterday"}, "/published_at", "RFC 3339"),
    ({"published_at": "2023-06-20"}, "/published_at", "RFC 3339"),
    ({"published_at": "2023-06-20T10:40:00"}, "/published_at", "RFC 3339"),
    ({"published_at": "2023-02-30T10:40:00Z"}, "/published_at", "no time that exists"),
    ({"published_at": "2023-06-20T10:40:00+99:00"}, "/published_at", "no time that exists"),
    ({"published_at": "1066-10-14T10:40:00Z"}, "/published_at", "before the year 1600"),
    ({"published_at": "0001-01-01T00:00:00+14:00"}, "/published_at", "before the year 1001"),
    ({"published_at": 1687232400}, "/published_at", "must be a time in a string"),
    ({"sources": [{"name": "A", "url": "javascript:alert(1)"}]}, "/sources/0/url", "match pattern"),
    ({"sources": [{}]}, "/sources/0/name", "is missing"),
    ({"head~line/2": 1}, "/head~0line~12", "is no field here"),
    ({"title": "A"}, "/title", "is no field here: remove it, or check its spelling"),
    ({"id": "no spaces"}, "/id", "match pattern"),
    ({"id": "x" * 65}, "/id", "match pattern"),
    ({"id": "a\n"}, "/id", "match pattern"),
    ({"draft": "true"}, "/draft", "must be true or false"),
    ({"publish_at": 1924992000}, "/publish_at", "must be a time in a string"),
    ({"publish_at": "tomorrow"}, "/publish_at", "RFC 3339"),
    ({"publish_at": "2023-06-20T10:40:00Z"}, "/publish_at", "is past: it is 20"),
    ({"embargo_until": "2023-06-20T10:40:00Z"}, "/embargo_until", "Check day and zone"),
    ({"breaking": True, "breaking_until": "2023-06-20T10:40:00Z"}, "/breaking_until", "is past"),
    ({"publish_at": "2999-01-01T00:00:00Z"}, "/publish_at", "more than ten years ahead: check the year"),
    ({"live": "true"}, "/live", "must be true or false"),
    ({"translation_of": "https://example.org/1"}, "/translation_of", "match pattern"),
    ({"id": "a", "translation_of": "a"}, "/translation_of", "is the article's own id"),
]


@pytest.mark.parametrize(("change", "pointer", "told"), BAD_FIELDS, ids=lambda value: str(value)[:48])
async def test_a_bad_field_is_named_by_a_pointer(
    ingest: Ingest, change: dict[str, Any], pointer: str, told: str
) -> None:
    response = await ingest.call("POST", "/articles", content=json.dumps(a_story(**change)).encode())
    problem = response.json()
    assert (response.status_code, problem["type"]) == (422, "/problems/invalid"), response.text
    (error,) = problem["errors"]
    assert error["pointer"] == pointer
    assert told in error["detail"]


@pytest.mark.parametrize(
    ("call", "pointer"), [("publication", "/translation_of"), ("updates", "/article/translation_of")]
)
async def test_no_article_translates_itself(ingest: Ingest, call: str, pointer: str) -> None:
    """Its id stands in the address here."""
    article = a_story(translation_of="bank-siege")
    body = article if call == "publication" else {"note": "New.", "article": article}
    problem = (await ingest.post(f"/articles/bank-siege/{call}", body)).json()
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


async def test_a_time_to_come_is_no_time_of_publication(ingest: Ingest) -> None:
    problem = (await ingest.post("/articles", a_story(published_at=future()))).json()
    assert problem["errors"] == [
        {
            "pointer": "/published_at",
            "detail": "is in the future: leave it out, and the time of the post counts",
        }
    ]


async def test_the_end_of_breaking_needs_something_breaking(ingest: Ingest) -> None:
    problem = (await ingest.post("/articles", a_story(breaking_until=future()))).json()
    assert problem["errors"] == [
        {"pointer": "/breaking_until", "detail": 'needs "breaking": true, or leave it out'}
    ]


@pytest.mark.parametrize("field", ["publish_at", "embargo_until"])
async def test_breaking_that_would_end_before_anybody_saw_it_is_refused(ingest: Ingest, field: str) -> None:
    same = future()
    body = a_story(breaking=True, breaking_until=same, **{field: same})
    (error,) = (await ingest.post("/articles", body)).json()["errors"]
    assert error["pointer"] == "/breaking_until"
    assert error["detail"].startswith(f"is not after {field}: ")


@pytest.mark.parametrize("field", ["publish_at", "embargo_until", "breaking_until"])
@pytest.mark.parametrize("lifts", [True, False], ids=["null", "a time"])
async def test_a_draft_changes_no_schedule_and_says_how_to(ingest: Ingest, field: str, lifts: bool) -> None:
    body = a_story(breaking=True, **{field: None if lifts else future()})
    (error,) = (await ingest.call("PUT", "/articles/a/draft", body)).json()["errors"]
    assert error["pointer"] == f"/{field}"
    assert "publish the article with it" in error["detail"]
    assert "withdraw" in error["detail"]


@pytest.mark.parametrize("field", ["publish_at", "embargo_until", "breaking_until"])
async def test_a_new_draft_takes_no_due_time(ingest: Ingest, field: str) -> None:
    body = a_story(draft=True, breaking=True, **{field: future()})
    (error,) = (await ingest.post("/articles", body)).json()["errors"]
    assert error["pointer"] == f"/{field}"
    assert "publish the draft with it" in error["detail"]


BAD_ENTRIES: list[tuple[Any, str, str]] = [
    ({}, "", "has neither a headline nor any text"),
    ({"body": "<p> </p>"}, "", "has neither a headline nor any text"),
    ({"body": "<p>Shots.</p>", "key_event": True}, "/headline", "a key event is listed by its headline"),
    ({"headline": "x" * 301}, "/headline", "at most 300"),
    ({"headline": "A", "author": "x" * 101}, "/author", "at most 100"),
    ({"headline": "A", "author": ""}, "/author", "is blank"),
    ({"headline": "A", "pinned": 1}, "/pinned", "must be true or false"),
    ({"headline": "A", "note": "B"}, "/note", "is no field here"),
    ({"body": f"<p>{'x' * 65_536}</p>"}, "", "an entry may have 65536"),
]


@pytest.mark.parametrize(("body", "pointer", "told"), BAD_ENTRIES, ids=lambda value: str(value)[:48])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/articles/a/entries"), ("PUT", "/articles/a/entries/b")]
)
async def test_a_bad_entry_is_refused(
    ingest: Ingest, method: str, path: str, body: Any, pointer: str, told: str
) -> None:
    response = await ingest.call(method, path, body)
    assert response.status_code == 422, response.text
    (error,) = response.json()["errors"]
    assert error["pointer"] == pointer
    assert told in error["detail"]
    assert not ingest.events()


async def test_an_entry_is_named_in_one_place(ingest: Ingest) -> None:
    """By the body when it is new, by the address from then on."""
    bad = await ingest.post("/articles/a/entries", {"id": "no spaces", "headline": "A"})
    twice = await ingest.call("PUT", "/articles/a/entries/b", {"id": "b", "headline": "A"})
    assert [answer.json()["errors"][0]["pointer"] for answer in (bad, twice)] == ["/id", "/id"]
    nowhere = await ingest.call("PUT", "/articles/a/entries/no%20spaces", {"headline": "A"})
    assert (nowhere.status_code, "entry_id" in nowhere.json()["detail"]) == (422, True)


async def test_a_lone_surrogate_is_refused(ingest: Ingest) -> None:
    response = await ingest.call("POST", "/articles", content=story_with("deck", rb'"\ud800"'))
    assert response.status_code in (400, 422)
    assert response.headers["content-type"] == "application/problem+json"


async def test_every_bad_field_is_named_at_once(ingest: Ingest) -> None:
    response = await ingest.post("/articles/a/updates", {"note": "", "article": {"headline": 1, "deck": 2}})
    pointers = {error["pointer"] for error in response.json()["errors"]}
    assert pointers == {"/note", "/article/headline", "/article/deck", "/article/body", "/article/section"}


async def test_an_answer_names_no_more_than_fifty_fields(ingest: Ingest) -> None:
    response = await ingest.post("/articles", a_story(**{f"unknown-{n}": n for n in range(500)}))
    problem = response.json()
    assert problem["detail"] == "500 fields cannot be accepted."
    assert len(problem["errors"]) == 50


@pytest.mark.parametrize("body", [[], "text", 7, None, True], ids=str)
async def test_a_body_that_is_no_object_is_refused(ingest: Ingest, body: object) -> None:
    response = await ingest.call("POST", "/articles", content=json.dumps(body).encode())
    assert response.status_code == 422
    assert response.json()["errors"] == [{"pointer": "", "detail": "must be an object"}]


@pytest.mark.parametrize(
    ("name", "body", "pointer"),
    [
        ("updates", {"article": a_story()}, "/note"),
        ("updates", {"note": "A", "article": a_story(id="b")}, "/article/id"),
        ("updates", {"note": "A", "article": a_story(draft=True)}, "/article/draft"),
        ("updates", {"note": "x" * 2001, "article": a_story()}, "/note"),
        ("corrections", {"note": "A", "article": a_story()}, "/kind"),
        ("corrections", {"kind": "mistake", "note": "A", "article": a_story()}, "/kind"),
        ("amendments", {"note": "A", "article": a_story()}, "/note"),
        ("amendments", a_story(), "/article"),
        ("publication", {"headline": "A", "section": "B"}, "/body"),
        ("retraction", {}, "/note"),
        ("retraction", {"note": "A\nB"}, "/note"),
        ("withdrawal", {"note": None}, "/note"),
    ],
)
async def test_each_call_checks_its_own_body(ingest: Ingest, name: str, body: Any, pointer: str) -> None:
    response = await ingest.post(f"/articles/a/{name}", body)
    assert response.status_code == 422
    assert pointer in [error["pointer"] for error in response.json()["errors"]]


@pytest.mark.parametrize(
    "sent", ["", "text/plain", "application/xml", "application/json; charset=latin-1", "json"]
)
async def test_another_media_type_is_refused(ingest: Ingest, sent: str) -> None:
    body = json.dumps(a_story()).encode()
    response = await ingest.call("POST", "/articles", content=body, headers={"Content-Type": sent})
    assert response.status_code == 415
    assert "application/json" in response.json()["detail"]


async def test_an_encoded_body_is_refused(ingest: Ingest) -> None:
    body = gzip.compress(json.dumps(a_story()).encode())
    response = await ingest.call("POST", "/articles", content=body, headers={"Content-Encoding": "gzip"})
    assert response.status_code == 415
    assert "Content-Encoding" in response.json()["detail"]


async def test_a_request_that_is_too_large_is_refused_by_its_declared_length(ingest: Ingest) -> None:
    response = await ingest.call("POST", "/articles", content=b" " * (MAX_REQUEST_BYTES + 1))
    assert (response.status_code, response.json()["type"]) == (413, "/problems/too-large")


async def test_a_request_that_is_too_large_is_refused_while_it_comes(ingest: Ingest) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65536
            yield b" " * 65536

    response = await ingest.client.post(
        "/articles",
        content=endless(),
        headers={"Authorization": "Bearer nrk_publisher_secret", "Content-Type": "application/json"},
    )
    assert response.status_code == 413
    assert sent <= MAX_REQUEST_BYTES + 2 * 65536


@pytest.mark.parametrize("article_id", ["a b", "a.b", "x" * 65, "%00", "ä", "a%0A"])
async def test_an_id_in_the_path_that_cannot_be_one_is_refused(ingest: Ingest, article_id: str) -> None:
    response = await ingest.post(f"/articles/{article_id}/retraction", {"note": "A"})
    assert (response.status_code, response.json()["type"]) == (422, "/problems/invalid")
    assert "article_id" in response.json()["detail"]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Idempotency-Key", ""),
        ("Idempotency-Key", "with space"),
        ("Idempotency-Key", "x" * 256),
        ("If-Match", ""),
        ("If-Match", '"3'),
        ("If-Match", "three"),
        ("If-Match", 'W/"3"'),
        ("If-Match", '"3", "4"'),
        ("If-Match", '"-1"'),
        ("If-Match", '"03"'),
    ],
)
async def test_a_malformed_header_is_refused(ingest: Ingest, header: str, value: str) -> None:
    response = await ingest.call("POST", "/articles/a/retraction", {"note": "A"}, headers={header: value})
    assert (response.status_code, response.json()["type"]) == (400, "/problems/malformed-request")
    assert header in response.json()["detail"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
async def test_a_method_that_is_not_answered_is_told_with_those_that_are(ingest: Ingest, method: str) -> None:
    response = await ingest.call(method, "/articles")
    assert (response.status_code, response.json()["type"]) == (405, "/problems/method-not-allowed")
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/", "/article", "/articles/", "/articles/a", "/%2e%2e/x", "/articles//x"])
async def test_an_unknown_address_is_a_problem(ingest: Ingest, path: str) -> None:
    response = await ingest.call("GET", path)
    assert response.status_code in (404, 405)
    assert response.headers["content-type"] == "application/problem+json"
