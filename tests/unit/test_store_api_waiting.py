"""The store's API on texts that wait: who sees them, when they are due, what is public afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from newsroom.articles import ArticleText
from newsroom.events import Corrected, Event, Released
from newsroom.keys import Role
from newsroom.times import rfc3339
from services.store.articles import release_due
from tests.due_parts import dues, sent
from tests.store_api import INSIDERS, NOBODY, OUTSIDERS, READER, REPORTER, Api
from tests.store_parts import a_text, an_event, minute

SECRET = "Unmentionable"
TEN = minute(60)
PATHS = (
    "/articles",
    "/articles?section=kazakhstan",
    "/articles?section=secrets",
    "/articles?tag=secret",
    f"/articles?since={rfc3339(minute(1))}",
    "/articles/x",
    "/articles/x/revisions",
    *(f"/articles/x/revisions/{number}" for number in range(1, 7)),
    "/articles/x/entries",
    "/articles/x/entries/e1",
    "/articles/x/diff?from=1&to=2",
    "/articles/x/diff?from=1&to=1",
)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    made = Api()
    yield made
    await made.client.aclose()


def secret(number: int = 1) -> ArticleText:
    """A text of which no word, section or tag may be seen."""
    return a_text(f"{SECRET} {number}", section="Secrets", tags=("Secret",))


async def release(api: Api, article_id: str = "x") -> None:
    """What the scheduler writes when the time has come."""
    article = api.revisions.standing[article_id]
    due = release_due(article)
    assert due is not None
    data = Released(set_by=due.set_by, due_at=due.at)
    await api.file(an_event("released", article_id, data=data, at=due.at))


async def answers(
    api: Api, role: Role | None, article_id: str = "x"
) -> dict[str, tuple[int, str, dict[str, str]]]:
    """Status, body and headers of every address at which the article could show."""
    found = {}
    for path in PATHS:
        answer = await api.get(path.replace("/x", f"/{article_id}"), role)
        headers = {
            name: value
            for name, value in answer.headers.items()
            if name in ("etag", "vary", "content-length")
        }
        found[path] = (answer.status_code, answer.text, headers)
    return found


@pytest.mark.parametrize("role", OUTSIDERS)
@pytest.mark.parametrize("field", ["publish_at", "embargo_until"])
async def test_an_article_that_waits_answers_like_an_unknown_one(
    api: Api, role: Role | None, field: str
) -> None:
    """Its later revisions, a draft over them and its cancellation likewise."""
    until_ten: dict[str, Any] = {field: TEN}
    steps: list[Event] = [
        sent("published", "x", at=minute(0), create=True, text=secret(), **until_ten),
        sent("updated", "x", at=minute(1), text=secret(2)),
        sent("drafted", "x", at=minute(2), text=secret(3)),
        sent("withdrawn", "x", at=minute(3)),
    ]
    for step in steps:
        await api.file(step)
        assert await answers(api, role) == await answers(api, role, "unknown")


@pytest.mark.parametrize("role", OUTSIDERS)
@pytest.mark.parametrize("field", ["publish_at", "embargo_until"])
async def test_an_update_that_waits_shows_by_no_sign(api: Api, role: Role | None, field: str) -> None:
    """Not by a word, a revision, a time, a place in a list, a changed field or an `ETag`."""
    await api.filed("x", "published", "updated")
    await api.filed("y", "published")
    before = await answers(api, role)
    until_ten: dict[str, Any] = {field: TEN}
    await api.file(
        sent("updated", "x", at=minute(20), text=secret(), **until_ten),
        sent("updated", "x", at=minute(21), text=secret(2)),
        sent("drafted", "x", at=minute(22), text=secret(3)),
    )
    after = await answers(api, role)
    assert after == before
    assert SECRET not in str(after)


@pytest.mark.parametrize("role", INSIDERS)
async def test_what_waits_is_shown_to_reporters_with_its_time(api: Api, role: Role) -> None:
    await api.filed("x", "published")
    await api.file(
        sent("updated", "x", at=minute(1), text=secret(), embargo_until=TEN, publish_at=minute(30))
    )
    await api.file(sent("drafted", "x", at=minute(2), text=secret(2)))
    head = (await api.get("/articles/x", role)).json()
    assert head["article"]["headline"] == f"{SECRET} 2"
    told = ("revision", "public_revision", "withheld_revision", "draft_revision", "waiting", "due_at")
    assert [head[name] for name in told] == [3, 1, 2, 3, "embargoed", rfc3339(TEN)]
    assert (head["embargo_until"], head["publish_at"]) == (rfc3339(TEN), rfc3339(minute(30)))
    assert "breaking_until" not in head


async def test_an_embargo_that_outlives_a_withdrawal_makes_nothing_wait(api: Api) -> None:
    """It stands for what will be published; the text that was cancelled is a draft again."""
    await api.file(
        sent("published", "x", at=minute(0), create=True, embargo_until=TEN),
        sent("withdrawn", "x", at=minute(1)),
    )
    head = (await api.get("/articles/x", REPORTER)).json()
    assert (head["embargo_until"], head["draft_revision"]) == (rfc3339(TEN), 2)
    assert not {"waiting", "due_at", "withheld_revision"} & head.keys()


async def test_the_times_are_told_to_nobody_below(api: Api) -> None:
    await api.file(
        sent(
            "published", "x", at=minute(0), create=True, text=a_text("x 1", breaking=True), breaking_until=TEN
        )
    )
    assert (await api.get("/articles/x", REPORTER)).json()["breaking_until"] == rfc3339(TEN)
    for role in OUTSIDERS:
        assert rfc3339(TEN) not in (await api.get("/articles/x", role)).text


# --- lists of what waits


async def listed(api: Api, role: Role | None = REPORTER, **query: Any) -> list[str]:
    answer = await api.get("/articles", role, **query)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["articles"]]


async def waiting_articles(api: Api) -> None:
    for place, at in enumerate((minute(90), minute(30), minute(60), minute(60))):
        await api.file(sent("published", f"s{place}", at=minute(place), create=True, publish_at=at))
    await api.file(
        sent("published", "e", at=minute(5), create=True, embargo_until=TEN, publish_at=minute(30))
    )
    await api.file(
        sent("published", "both", at=minute(6), create=True, embargo_until=minute(30), publish_at=TEN)
    )
    await api.filed("public", "published")
    await api.filed("draft", "drafted")


async def test_what_is_scheduled_or_embargoed_is_listed_soonest_first(api: Api) -> None:
    """By what keeps it from the public longest; what is public, a draft or cancelled is not there."""
    await waiting_articles(api)
    await api.file(sent("withdrawn", "s3", at=minute(9)))
    assert await listed(api, state="scheduled") == ["s1", "both", "s2", "s0"]
    assert await listed(api, state="embargoed") == ["e"]
    await release(api, "e")
    assert await listed(api, state="embargoed") == []
    answer = (await api.get("/articles", REPORTER, state="scheduled", limit=1)).json()["articles"][0]
    assert (answer["due_at"], answer["waiting"]) == (rfc3339(minute(30)), "scheduled")
    assert "body" not in answer["article"]


async def test_a_list_of_what_waits_is_walked_to_its_end_by_cursors(api: Api) -> None:
    await waiting_articles(api)
    walked: list[str] = []
    cursor: str | None = None
    while True:
        answer = (await api.get("/articles", REPORTER, state="scheduled", limit=2, cursor=cursor)).json()
        walked += [each["id"] for each in answer["articles"]]
        if "next" not in answer:
            break
        cursor = answer["next"]
    assert walked == ["s1", "both", "s2", "s3", "s0"]
    assert await listed(api, state="scheduled", since=rfc3339(minute(61))) == ["s0"]


@pytest.mark.parametrize("state", ["scheduled", "embargoed"])
@pytest.mark.parametrize(("role", "status"), [(NOBODY, 401), (READER, 403)])
async def test_what_waits_is_listed_for_nobody_else(
    api: Api, state: str, role: Role | None, status: int
) -> None:
    assert (await api.get("/articles", role, state=state)).status_code == status


@pytest.mark.parametrize("state", ["scheduled", "embargoed"])
async def test_a_list_of_what_waits_by_section_is_refused(api: Api, state: str) -> None:
    answer = await api.get("/articles", REPORTER, state=state, section="World")
    assert answer.status_code == 422
    assert f"state={state}" in answer.json()["detail"]


# --- after the release


@pytest.mark.parametrize("role", OUTSIDERS)
async def test_revisions_that_were_withheld_are_public_once_released(api: Api, role: Role | None) -> None:
    """With the time of the release and the text that the public saw, which was the newest of them."""
    await api.filed("x", "published")
    await api.file(
        sent("updated", "x", at=minute(1), text=a_text("x 2", deck="New"), embargo_until=TEN),
        an_event("corrected", "x", at=minute(2), text=a_text("x 3", deck="New")),
        sent("drafted", "x", at=minute(3), text=secret()),
    )
    await release(api)
    history = (await api.get("/articles/x/revisions", role)).json()["revisions"]
    assert [(each["revision"], each["kind"], each["changed"]) for each in history] == [
        (1, "published", []),
        (2, "updated", ["headline", "deck", "body"]),
        (3, "correction", []),
    ]
    assert [each["time"] for each in history] == [rfc3339(minute(0)), rfc3339(TEN), rfc3339(TEN)]
    for number in (2, 3):
        shown = await api.get(f"/articles/x/revisions/{number}", role)
        assert shown.json()["article"]["headline"] == "x 3"
        assert {name: shown.json().get(name) for name in history[number - 1]} == history[number - 1]
    for number in (4, 5):
        assert (await api.get(f"/articles/x/revisions/{number}", role)).status_code == 404
    assert SECRET not in str(await answers(api, role))
    assert "x 2" not in str(await answers(api, role))


async def test_reporters_see_each_text_that_was_withheld(api: Api) -> None:
    await api.filed("x", "published")
    await api.file(
        sent("updated", "x", at=minute(1), text=a_text("x 2"), embargo_until=TEN),
        an_event("corrected", "x", at=minute(2), text=a_text("x 3")),
    )
    told = (await api.get("/articles/x/revisions", REPORTER)).json()["revisions"]
    assert [(each["kind"], each["is_public"]) for each in told] == [
        ("published", True), ("updated", False), ("correction", False)
    ]  # fmt: skip
    await release(api)
    told = (await api.get("/articles/x/revisions", REPORTER)).json()["revisions"]
    assert [(each["kind"], each["is_public"]) for each in told] == [
        ("published", True), ("updated", True), ("correction", True), ("released", False)
    ]  # fmt: skip
    assert told[3]["actor"] == "desk"
    shown = [(await api.get(f"/articles/x/revisions/{n}", REPORTER)).json() for n in (2, 3, 4)]
    assert [each["article"]["headline"] for each in shown] == ["x 2", "x 3", "x 3"]


@pytest.mark.parametrize("is_released", [False, True])
async def test_a_correction_keeps_its_own_kind_whatever_became_of_it(api: Api, is_released: bool) -> None:
    """For reporters, in the history, alone and compared: cancelled by the withdrawal, or taken down by it."""
    await api.filed("x", "published")
    times: dict[str, Any] = {} if is_released else {"publish_at": TEN}
    await api.file(
        an_event(
            "corrected",
            "x",
            data=Corrected(kind="clarification", note="N.", article=a_text("x 2"), dues=dues(**times)),
            at=minute(1),
        ),
        an_event("withdrawn", "x", at=minute(2)),
    )
    history = (await api.get("/articles/x/revisions", REPORTER)).json()["revisions"]
    alone = (await api.get("/articles/x/revisions/2", REPORTER)).json()
    compared = (await api.get("/articles/x/diff?from=1&to=2", REPORTER)).json()
    assert [history[1]["kind"], alone["kind"], compared["newer"]["kind"]] == ["clarification"] * 3
    assert history[1]["is_public"] == alone["is_public"] == is_released


@pytest.mark.parametrize("role", OUTSIDERS)
async def test_a_first_publication_that_waited_is_public_from_its_release_on(
    api: Api, role: Role | None
) -> None:
    """Nothing of the texts that it went through, nor of a draft that stands over it."""
    await api.file(
        sent("published", "x", at=minute(0), create=True, text=a_text("x 1"), publish_at=TEN),
        sent("updated", "x", at=minute(1), text=a_text("x 2")),
        sent("drafted", "x", at=minute(2), text=secret()),
    )
    await release(api)
    history = (await api.get("/articles/x/revisions", role)).json()["revisions"]
    assert [(each["revision"], each["kind"], each["changed"]) for each in history] == [(4, "published", [])]
    shown = (await api.get("/articles/x/revisions/4", role)).json()
    assert shown["article"]["headline"] == "x 2"
    assert [(await api.get(f"/articles/x/revisions/{n}", role)).status_code for n in (1, 2, 3)] == [404] * 3
    assert SECRET not in str(await answers(api, role))
    assert "x 1" not in str(await answers(api, role))


@pytest.mark.parametrize("role", OUTSIDERS)
async def test_what_a_return_changed_of_a_withdrawn_text_is_not_told(api: Api, role: Role | None) -> None:
    await api.filed("x", "published", "withdrawn", "published")
    (returned,) = (await api.get("/articles/x/revisions", role)).json()["revisions"]
    assert returned["changed"] == []
