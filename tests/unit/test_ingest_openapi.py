"""The API documents itself: a valid OpenAPI document with true examples, and a page that stands alone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from openapi_spec_validator import OpenAPIV31SpecValidator

from newsroom.http.problems import Kind
from tests.ingest_parts import Ingest, Json, an_ingest

CALLS = {
    ("post", "/articles"),
    ("post", "/articles/{article_id}/publication"),
    ("put", "/articles/{article_id}/draft"),
    ("post", "/articles/{article_id}/updates"),
    ("post", "/articles/{article_id}/corrections"),
    ("post", "/articles/{article_id}/amendments"),
    ("post", "/articles/{article_id}/retraction"),
    ("post", "/articles/{article_id}/withdrawal"),
    ("post", "/articles/{article_id}/entries"),
    ("put", "/articles/{article_id}/entries/{entry_id}"),
    ("get", "/events/{event_id}"),
    ("get", "/keys"),
    ("post", "/keys"),
    ("delete", "/keys/{name}"),
    ("get", "/health/live"),
    ("get", "/health/ready"),
    ("get", "/metrics"),
}


@pytest.fixture
async def ingest() -> AsyncIterator[Ingest]:
    async with an_ingest() as running:
        yield running


@pytest.fixture
async def api(ingest: Ingest) -> Json:
    found: Json = (await ingest.call("GET", "/openapi.json", role=None)).json()
    return found


def operations(api: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in api["paths"].items():
        for method, call in item.items():
            yield method, path, call


def check(api: Json, schema: Json, value: object) -> None:
    """Raises: ValidationError unless the value has that shape of the document."""
    resolved = {**schema, "components": api["components"]}
    Draft202012Validator(resolved).validate(value)


async def test_the_document_is_valid_and_whole(api: Json) -> None:
    OpenAPIV31SpecValidator(api).validate()
    assert {(method, path) for method, path, _ in operations(api)} == CALLS


async def test_operation_ids_are_given_once(api: Json) -> None:
    names = [call["operationId"] for _, _, call in operations(api)]
    assert len(set(names)) == len(names)


async def test_every_call_with_a_body_shows_examples_that_are_accepted(ingest: Ingest, api: Json) -> None:
    shown = 0
    for method, path, call in operations(api):
        for media in call.get("requestBody", {}).get("content", {}).values():
            for example in media["examples"].values():
                check(api, media["schema"], example["value"])
                address = path.format(article_id="bank-siege", name="wire", entry_id="0930")
                response = await ingest.call(method, address, example["value"])
                assert response.is_success, (path, response.text)
                check(api, _schema(call, response.status_code), response.json())
                shown += 1
    assert shown >= 10


def _schema(call: Json, status: int) -> Json:
    schema: Json = call["responses"][str(status)]["content"]["application/json"]["schema"]
    return schema


async def test_every_answer_and_problem_has_an_example(api: Json) -> None:
    for _, path, call in operations(api):
        for status, answer in call["responses"].items():
            for media_type, media in answer.get("content", {}).items():
                if media_type == "application/problem+json" and status != "default":
                    assert media["examples"], (path, status)
                    for example in media["examples"].values():
                        check(api, media["schema"], example["value"])
                        assert str(example["value"]["status"]) == status


async def test_calls_that_make_events_tell_every_problem_that_they_may_answer(api: Json) -> None:
    documented = set(api["paths"]["/articles/{article_id}/updates"]["post"]["responses"])
    assert documented >= {"200", "202", "400", "401", "403", "409", "412", "413", "415", "422", "503"}
    for _, path, call in operations(api):
        if path.startswith("/articles"):
            assert {parameter["name"] for parameter in call["parameters"]} >= {
                "Idempotency-Key",
                "If-Match",
                "Prefer",
            }


async def test_every_field_of_a_body_is_described(api: Json) -> None:
    for name in ("NewArticle", "Update", "Correction", "Retraction", "Withdrawal", "NewEntry", "NewKey"):
        assert api["components"]["schemas"][name]["additionalProperties"] is False
        for field, schema in api["components"]["schemas"][name]["properties"].items():
            assert schema.get("description") or "$ref" in schema, f"{name}.{field}"


async def test_the_page_needs_nothing_from_elsewhere(ingest: Ingest) -> None:
    response = await ingest.call("GET", "/docs", role=None)
    page = response.text
    assert response.headers["content-type"].startswith("text/html")
    assert not re.search(r"<(script|link|img|iframe)\b", page)
    assert not re.search(r"(src|@import|url\()\s*=?\s*[\"']?(https?:)?//", page)
    for method, path in CALLS:
        assert f">{method.upper()}</code> <code>{path}</code>" in page, (method, path)
    for kind in Kind:
        assert f'id="problem-{kind.slug}"' in page


async def test_a_problems_type_leads_to_its_explanation(ingest: Ingest) -> None:
    problem: dict[str, Any] = (await ingest.call("GET", "/nowhere")).json()
    response = await ingest.call("GET", problem["type"], role=None)
    assert (response.status_code, response.headers["location"]) == (303, "/docs#problem-not-found")
    assert (await ingest.call("GET", "/problems/unheard-of", role=None)).status_code == 404
