"""The store's API on a database in memory: who sees what, lists, events, rebuilds, outages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from openapi_spec_validator import validate

from newsroom.articles import ArticleText
from newsroom.keys import Role
from newsroom.outcomes import Rendering
from newsroom.times import rfc3339
from services.store.entries import EntryList, EntryView
from services.store.folding import fold
from services.store.histories import History, RevisionView
from services.store.listing import ArticleList
from services.store.rebuilds import RepublicationView
from services.store.views import ArticleView
from tests.store_api import EVERYBODY, INSIDERS, NOBODY, OUTSIDERS, READER, REPORTER, Api
from tests.store_parts import SITE_URL, a_delivery, a_text, an_event, an_event_id, minute


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    made = Api()
    yield made
    await made.client.aclose()


# --- who sees what

HISTORIES = {
    "draft": ("drafted",),
    "public": ("published",),
    "redrafted": ("published", "drafted"),
    "withdrawn": ("published", "withdrawn"),
    "retracted": ("published", "updated", "retracted"),
    "returned": ("published", "withdrawn", "published"),
}
SHOWN: dict[str, dict[str, str | None]] = {
    # the headline that each sees: "" of an article without text, None where the answer is 404
    "draft": {"outsiders": None, "insiders": "x 1"},
    "public": {"outsiders": "x 1", "insiders": "x 1"},
    "redrafted": {"outsiders": "x 1", "insiders": "x 2"},
    "withdrawn": {"outsiders": None, "insiders": "x 1"},
    "retracted": {"outsiders": "", "insiders": ""},
    "returned": {"outsiders": "x 3", "insiders": "x 3"},
}


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.parametrize("history", HISTORIES)
async def test_the_head_that_each_role_sees(api: Api, history: str, role: Role | None) -> None:
    await api.filed("x", *HISTORIES[history])
    expected = SHOWN[history]["outsiders" if role in OUTSIDERS else "insiders"]
    answer = await api.get("/articles/x", role)
    if expected is None:
        assert answer.status_code == 404
        return
    assert answer.status_code == 200
    assert answer.json().get("article", {}).get("headline", "") == expected
    assert answer.headers["etag"] == f'"{answer.json()["revision"]}"'


async def test_an_article_is_shown_with_every_field_that_it_was_sent_with(api: Api) -> None:
    """Whoever reads it to change something sends the whole again."""
    text = a_text(tags=("Astana",), language="kk", translation_of="original", live=True)
    await api.file(an_event("published", "x", text=text, create=True))
    shown = (await api.get("/articles/x", Role.EDITOR)).json()["article"]
    assert ArticleText.model_validate(shown) == text


@pytest.mark.parametrize("role", OUTSIDERS)
@pytest.mark.parametrize("path", ["", "/revisions", "/revisions/1"])
async def test_an_article_that_was_never_public_answers_like_an_unknown_one(
    api: Api, path: str, role: Role | None
) -> None:
    await api.filed("draft", "drafted")
    hidden = await api.get(f"/articles/draft{path}", role)
    unknown = await api.get(f"/articles/other{path}", role)
    assert (hidden.status_code, hidden.json()) == (unknown.status_code, unknown.json())
    assert hidden.status_code == 404


async def test_nobody_sees_more_of_a_body_than_the_excerpt_without_a_key(api: Api) -> None:
    await api.filed("x", "published", "updated")
    for path in ("/articles/x", "/articles/x/revisions/1"):
        answer = (await api.get(path)).json()
        assert "body" not in answer["article"]
        assert answer["excerpt"] == f"x {'2' if path.endswith('x') else '1'}, first."
        assert answer["url"].startswith("http"), "a quote needs the link"
        assert "second sentence" not in str(answer)


async def test_a_reader_sees_the_whole_of_what_is_public(api: Api) -> None:
    await api.filed("x", "published")
    answer = (await api.get("/articles/x", READER)).json()
    assert answer["article"]["body"] == a_text("x 1").body
    assert answer["url"].startswith(f"{SITE_URL}/kazakhstan/2023/06/20/x-1-")


@pytest.mark.parametrize("role", OUTSIDERS)
async def test_a_draft_over_a_public_article_shows_by_no_sign(api: Api, role: Role | None) -> None:
    """Neither its text nor its revision, nor that there is one."""
    await api.filed("x", "published")
    before = await api.get("/articles/x", role)
    history_before = await api.get("/articles/x/revisions", role)
    await api.filed("y", "published", "drafted")
    await api.client.get("/articles/y")
    draft = an_event("drafted", "x", text=a_text("Secret"), at=minute(9))
    folded = fold(await api.revisions.load(["x"], []), [a_delivery(draft, 9)], minute(0))
    await api.revisions.write(list(folded.fresh.values()))
    await api.revisions.replace_heads(list(folded.articles.values()))
    after = await api.get("/articles/x", role)
    assert (after.json(), after.headers["etag"]) == (before.json(), '"1"')
    assert (await api.get("/articles/x/revisions", role)).json() == history_before.json()
    assert (await api.get("/articles/x/revisions/2", role)).status_code == 404
    assert (await api.get("/articles/x/revisions/2", REPORTER)).json()["article"]["headline"] == "Secret"


@pytest.mark.parametrize("role", EVERYBODY)
async def test_a_retracted_text_is_shown_to_nobody(api: Api, role: Role | None) -> None:
    """In no revision and no list; the retraction itself is public."""
    await api.filed("x", *HISTORIES["retracted"])
    answers = [await api.get(f"/articles/x{path}", role) for path in ["", "/revisions"]]
    answers += [await api.get(f"/articles/x/revisions/{number}", role) for number in (1, 2, 3)]
    answers.append(await api.get("/articles", role))
    for answer in answers:
        assert "sentence" not in answer.text
        assert "x 1" not in answer.text
        assert "x 2" not in answer.text
    assert answers[0].json()["status"] == "retracted"
    shown = [each["kind"] for each in answers[1].json()["revisions"]]
    assert shown == (["retracted"] if role in OUTSIDERS else ["published", "updated", "retracted"])


@pytest.mark.parametrize("role", OUTSIDERS)
async def test_what_stood_before_a_withdrawal_stays_hidden_after_the_return(
    api: Api, role: Role | None
) -> None:
    await api.filed("x", *HISTORIES["returned"])
    history = (await api.get("/articles/x/revisions", role)).json()["revisions"]
    assert [(each["revision"], each["kind"]) for each in history] == [(3, "published")]
    assert [(await api.get(f"/articles/x/revisions/{n}", role)).status_code for n in (1, 2, 3)] == [
        404,
        404,
        200,
    ]


async def test_the_note_of_a_withdrawal_and_who_wrote_are_for_reporters(api: Api) -> None:
    await api.filed("x", *HISTORIES["returned"])
    for role in OUTSIDERS:
        shown = (await api.get("/articles/x/revisions", role)).text
        assert "lawyers" not in shown
        assert "desk" not in shown
    inside = (await api.get("/articles/x/revisions", REPORTER)).json()["revisions"]
    assert [(each["kind"], each["is_public"]) for each in inside] == [
        ("published", True), ("withdrawn", False), ("published", True)
    ]  # fmt: skip
    assert inside[1]["note"] == "The lawyers asked."
    assert inside[1]["actor"] == "desk"


async def test_the_history_tells_what_changed(api: Api) -> None:
    await api.filed("x", "published", "updated", "corrected")
    history = (await api.get("/articles/x/revisions")).json()["revisions"]
    assert [each["changed"] for each in history] == [[], ["headline", "body"], ["headline", "body"]]
    assert [each.get("note") for each in history] == [None, "New facts.", "It was 3, not 4."]


@pytest.mark.parametrize("secret", ["nrk_unknown", ""])
async def test_a_bad_key_is_refused_and_not_taken_for_none(api: Api, secret: str) -> None:
    await api.filed("x", "published")
    answer = await api.client.get("/articles/x", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 401


# --- lists


async def listed(api: Api, role: Role | None = None, **query: Any) -> list[str]:
    answer = await api.get("/articles", role, **query)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["articles"]]


@pytest.mark.parametrize("role", EVERYBODY)
async def test_the_list_has_what_is_public_newest_first(api: Api, role: Role | None) -> None:
    """For everybody, and of an article with a draft what the public sees."""
    for place, (name, kinds) in enumerate(HISTORIES.items()):
        await api.filed(name, *kinds, first=place * 10)
    answer = await api.get("/articles", role)
    assert [each["id"] for each in answer.json()["articles"]] == ["returned", "redrafted", "public"]
    assert [each["article"]["headline"] for each in answer.json()["articles"]] == [
        "returned 3", "redrafted 1", "public 1"
    ]  # fmt: skip
    assert "body" not in answer.json()["articles"][0]["article"]


async def test_the_list_by_section_tag_and_time(api: Api) -> None:
    await api.filed("a", "published", section="World", tags=("Банк",))
    await api.filed("b", "published", first=1, tags=("Банк", "Siege"))
    await api.filed("c", "published", first=2)
    assert await listed(api, section="world") == await listed(api, section="World") == ["a"]
    assert await listed(api, tag="Банк") == ["b", "a"]
    assert await listed(api, tag="bank", section="Kazakhstan") == ["b"]
    assert await listed(api, since=rfc3339(minute(1))) == ["c", "b"]
    assert await listed(api, since="2023-06-20T10:02:00+06:00") == ["c"]
    assert await listed(api, tag="nowhere") == []


async def test_a_list_is_walked_to_its_end_by_cursors(api: Api) -> None:
    """Every article once, though some have the same time, and though others are published meanwhile."""
    for number in range(7):
        await api.filed(f"a{number}", "published", first=number // 3)
    walked: list[str] = []
    cursor: str | None = None
    while True:
        answer = (await api.get("/articles", limit=2, cursor=cursor)).json()
        walked += [each["id"] for each in answer["articles"]]
        await api.filed(f"new{len(walked)}", "published", first=60)
        if "next" not in answer:
            break
        cursor = answer["next"]
    assert walked == ["a6", "a3", "a4", "a5", "a0", "a1", "a2"]


async def test_drafts_are_listed_for_reporters(api: Api) -> None:
    for place, (name, kinds) in enumerate(HISTORIES.items()):
        await api.filed(name, *kinds, first=place * 10)
    for role in INSIDERS:
        assert await listed(api, role, state="draft") == ["redrafted", "draft"]
    answer = (await api.get("/articles", REPORTER, state="draft", limit=1)).json()
    assert answer["articles"][0]["draft_revision"] == 2
    assert answer["articles"][0]["article"]["headline"] == "redrafted 2"
    assert await listed(api, REPORTER, state="draft", cursor=answer["next"]) == ["draft"]


@pytest.mark.parametrize(("role", "status"), [(NOBODY, 401), (READER, 403)])
async def test_drafts_are_listed_for_nobody_else(api: Api, role: Role | None, status: int) -> None:
    assert (await api.get("/articles", role, state="draft")).status_code == status


@pytest.mark.parametrize(
    "query",
    [
        {"sectoin": "World"},
        {"state": "hidden"},
        {"since": "yesterday"},
        {"since": "2023-06-20T10:02:00"},
        {"limit": "0"},
        {"limit": "101"},
        {"cursor": "!!!"},
        {"cursor": "WyJub3ciLCJhIl0"},
        {"cursor": "é"},
    ],
)
async def test_a_question_that_makes_no_sense_is_answered_by_its_name(
    api: Api, query: dict[str, str]
) -> None:
    answer = await api.client.get("/articles", params=query)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert next(iter(query)) in answer.json()["detail"]


async def test_a_draft_list_by_section_is_refused(api: Api) -> None:
    assert (await api.get("/articles", REPORTER, state="draft", section="World")).status_code == 422


@pytest.mark.parametrize("path", ["/articles/a%20b", "/articles/x/revisions/0", "/articles/x/revisions/one"])
async def test_an_address_that_cannot_be_is_a_clear_error(api: Api, path: str) -> None:
    answer = await api.get(path)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


# --- events


async def test_an_event_is_told_for_ever(api: Api) -> None:
    event_id, rejected_id = await api.filed("x", "published", "published")
    stored = (await api.get(f"/events/{event_id}", READER)).json()
    assert (stored["state"], stored["article_id"], stored["revision"]) == ("stored", "x", 1)
    assert stored["request_hash"] == "ab" * 32
    assert "url" not in stored
    rejected = (await api.get(f"/events/{rejected_id}", READER)).json()
    assert (rejected["state"], rejected["code"]) == ("rejected", "already_public")
    assert "public already" in rejected["reason"]


@pytest.mark.parametrize(
    ("rendered", "state"), [(0, "stored"), (1, "stored"), (2, "rendered"), (3, "rendered")]
)
async def test_an_event_is_rendered_once_its_revision_is(api: Api, rendered: int, state: str) -> None:
    _, event_id = await api.filed("x", "published", "updated")
    if rendered:
        api.reading.renderings["x"] = Rendering(
            article_id="x", revision=rendered, path="/here/", times={"rendered": minute(5)}
        )
    status = (await api.get(f"/events/{event_id}", READER)).json()
    assert status["state"] == state
    assert status.get("url") == (f"{SITE_URL}/here/" if state == "rendered" else None)
    assert ("rendered" in status["times"]) == (rendered == 2)


async def test_a_draft_is_never_rendered(api: Api) -> None:
    _, event_id = await api.filed("x", "published", "drafted")
    api.reading.renderings["x"] = Rendering(article_id="x", revision=2, path="/here/")
    assert (await api.get(f"/events/{event_id}", READER)).json()["state"] == "stored"


async def test_an_unknown_event_is_not_found(api: Api) -> None:
    assert (await api.get(f"/events/{an_event_id('unknown')}", READER)).status_code == 404
    assert (await api.get("/events/evt_no", READER)).status_code == 422
    assert (await api.get(f"/events/{an_event_id('unknown')}")).status_code == 401


# --- rebuilds


async def test_a_rebuild_of_all_is_taken_in_and_told_of(api: Api) -> None:
    await api.filed("x", "published")
    asked = await api.post("/republications", {"all": True}, Role.PUBLISHER)
    assert asked.status_code == 202
    assert api.rings == 1
    told = await api.get(asked.headers["location"], Role.PUBLISHER)
    assert told.json() == asked.json()
    assert {name: value for name, value in told.json().items() if name not in ("id", "asked_at")} == {
        "state": "running",
        "all": True,
        "article_ids": [],
        "announced": 0,
        "total": 1,
    }


async def test_a_rebuild_of_some_names_them(api: Api) -> None:
    await api.filed("x", "published")
    await api.filed("y", "drafted")
    asked = await api.post("/republications", {"article_ids": ["y", "x", "y"]}, Role.PUBLISHER)
    assert (asked.json()["article_ids"], asked.json()["total"]) == (["x", "y"], 2)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"all": False}, ""),
        ({"all": True, "article_ids": ["x"]}, ""),
        ({"all": "yes"}, "/all"),
        ({"everything": True}, "/everything"),
        ({"article_ids": ["x", "a b"]}, "/article_ids/1"),
        ({"article_ids": ["x", "nowhere"]}, "/article_ids/1"),
    ],
)
async def test_a_rebuild_that_makes_no_sense_is_refused(api: Api, body: object, pointer: str) -> None:
    await api.filed("x", "published")
    answer = await api.post("/republications", body, Role.PUBLISHER)
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert api.republications.kept == {}


@pytest.mark.parametrize("role", [role for role in EVERYBODY if role is not Role.PUBLISHER])
async def test_rebuilds_are_for_publishers(api: Api, role: Role | None) -> None:
    status = 403 if role else 401
    assert (await api.post("/republications", {"all": True}, role)).status_code == status
    assert (await api.get("/republications/rep_0000000000000000", role)).status_code == status


async def test_an_unknown_rebuild_is_not_found(api: Api) -> None:
    assert (await api.get("/republications/rep_0000000000000000", Role.PUBLISHER)).status_code == 404


# --- outages, documentation

CALLS: Sequence[str] = (
    "/articles",
    "/articles/x",
    "/articles/x/revisions",
    "/articles/x/revisions/1",
    f"/events/{an_event_id('x')}",
)


@pytest.mark.parametrize("path", CALLS)
async def test_a_database_that_is_away_is_told_as_such(api: Api, path: str) -> None:
    api.revisions.is_away = True
    answer = await api.get(path, READER)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("path", CALLS)
async def test_nothing_is_shown_before_the_history_is_filed(api: Api, path: str) -> None:
    """In mid-replay a head may be one that was taken down long ago."""
    await api.filed("x", "published")
    api.is_open = False
    answer = await api.get(path, REPORTER)
    assert answer.status_code == 503
    assert "retry-after" in answer.headers


async def test_the_documentation_is_valid_and_has_examples(api: Api) -> None:
    document = (await api.get("/openapi.json")).json()
    validate(document)
    asked = document["paths"]["/republications"]["post"]["requestBody"]["content"]["application/json"]
    assert asked["examples"]["all"]["value"] == {"all": True}
    schemas = document["components"]["schemas"]
    assert "RepublicationRequest" in schemas
    for model in (ArticleView, ArticleList, History, RevisionView, EntryView, EntryList, RepublicationView):
        (example,) = schemas[model.__name__]["examples"]
        assert model.model_validate(example).model_dump(mode="json", exclude_none=True) == example
    assert (await api.get("/docs")).status_code == 200
