"""No text that readers may not see is in any output: each withheld text has a word of its own, and it is
looked for in everything that a newsroom puts out.

A route that is added has to be listed in `tests.asked`, or the first test fails.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import brotli  # type: ignore[import-untyped]
import httpx
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]

from newsroom import topics
from newsroom.addresses import article_path, publication_day
from newsroom.times import now, rfc3339
from tests import outputs
from tests.asked import A_PLACE, ASKED, STREAMED, addresses
from tests.outputs import Output, found
from tests.stack import Json, Stack, an_article, until, without_id

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]

NEVER_PUBLIC = ("quokkadraft", "quokkaover", "quokkatimed", "quokkasealed", "quokkaheld", "quokkadropped")
WITHDRAWN = ("quokkagone", "quokkasaid", "quokkapost")
RETRACTED = ("quokkakilled", "quokkatold", "quokkalive")
"""Text, note and entry of what was public once. What editors noted of it stays in the history for them."""
PRIVATE = ("quokkawhy",)
"""The note of the withdrawal."""
LETTER = ("quokkaletter",)
EVERY_WORD = (*NEVER_PUBLIC, *WITHDRAWN, *PRIVATE, *RETRACTED, *LETTER)

KILLED = ("quokkakilled", "quokkalive")
SEEN_BY_REPORTERS = tuple(word for word in EVERY_WORD if word not in (*KILLED, *LETTER))

FORBIDDEN = {
    "nobody": EVERY_WORD,
    "reader": EVERY_WORD,
    "reporter": (*KILLED, *LETTER),
    "editor": (*KILLED, *LETTER),
    "publisher": KILLED,
}
"""The words that an answer to somebody of that role may not have."""

BELOW_REPORTER = ("nobody", "reader")
IDS = ("draft", "over", "timed", "sealed", "held", "dropped", "gone", "killed", "plain", "unknown")


@dataclass
class Scene:
    """A newsroom with a text of each kind, and a client for each role."""

    stack: Stack
    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    event_ids: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    republication: str = ""
    letter: str = ""

    async def send(self, method: str, path: str, body: Json) -> Json:
        response = await self.stack.send(method, path, body)
        assert response.is_success, response.text
        answer: Json = response.json()
        self.event_ids.append(answer["event_id"])
        if answer.get("url"):
            self.paths.append(httpx.URL(answer["url"]).path)
        return answer

    def values(self, name: str) -> Iterable[object]:
        """What stands for a part of a path."""
        known: dict[str, Iterable[object]] = {
            "article_id": IDS,
            "revision": range(1, 6),
            "event_id": self.event_ids,
            "entry_id": ("first", "second"),
            "republication_id": (self.republication,),
            "letter_id": (self.letter,),
            "name": ("reader", "nobody"),
            "slug": ("not-found", "nothing"),
            "path:often_asked": ["", *(page.removeprefix("/") for page in self.pages())],
            "path:path": [path.removeprefix("/") for path in self.addresses()],
            "place:path": [page.strip("/") for page in self.pages()],
            "url": [quote(self.stack.url("render") + page, safe="") for page in self.pages()],
        }
        return known[name]

    def addresses(self) -> Iterator[str]:
        """Paths of the site: what stands, what stood, what never did, and what hangs below it."""
        today = publication_day(now(), "Asia/Almaty")
        for page in self.pages():
            for below in ("", "index.html", "history/", "history/1-2/", "history/2-3/", "history/1-3/"):
                yield page + below
            yield from (f"{page}entries/{number}/" for number in (1, 2))
        month = today.rpartition("/")[0]
        for listing in ("/", "/kazakhstan/", "/world/", "/tags/astana/", "/updates/", "/corrections/"):
            yield from (listing, f"{listing}feed.atom", f"{listing}feed.rss", f"{listing}feed.json")
        yield from (f"/{today}/", f"/{month}/", f"/kazakhstan/{month}/", f"/world/{month}/")
        yield from ("/sitemap.xml", "/sitemaps/pages.xml", f"/sitemaps/{month.replace('/', '-')}.xml")
        yield from ("/sitemaps/translations.xml", "/robots.txt", "/license.xml", "/.well-known/tdmrep.json")
        yield from (
            "/about/",
            "/reuse/",
            "/unavailable.html",
            "/site.webmanifest",
            "/nowhere/",
            "/nowhere",
            "/%2e%2e/",
        )

    def pages(self) -> list[str]:
        """Where a page of an article stands, stood or might."""
        today = publication_day(now(), "Asia/Almaty")
        guessed = [article_path("Kazakhstan", today, f"story-{each}", each) for each in IDS]
        return list(dict.fromkeys([*self.paths, *guessed]))


def a_text(article_id: str, *words: str, **changes: object) -> Json:
    """An article with the words wherever a text may have them, but in its address."""
    told = " ".join(words)
    marked = {
        "headline": f"Of {told}",
        "deck": f"It is about {told}.",
        "body": f"<p>{told} is the first. <em>{told}</em> it is that follows.</p><h2>{told}</h2>",
        "slug": f"story-{article_id}",
        "sources": [{"name": f"Somebody called {told}"}],
        "dateline": {"place": f"{told} town", "timezone": "Asia/Almaty"},
    }
    return an_article(article_id, **(marked if words else {"slug": f"story-{article_id}"}) | changes)


def a_hidden_text(article_id: str, word: str, **changes: object) -> Json:
    """With the word in the names of listings too, which nobody has heard of."""
    return a_text(article_id, word, tags=[f"Tag {word}"], authors=[f"A. {word}"]) | changes


async def write_all(scene: Scene) -> None:
    """One text of each kind that readers may not see."""
    tomorrow = rfc3339(now() + timedelta(days=1))
    await scene.send("POST", "/articles", a_hidden_text("draft", "quokkadraft") | {"draft": True})
    await scene.send("POST", "/articles", a_hidden_text("timed", "quokkatimed", publish_at=tomorrow))
    await scene.send("POST", "/articles", a_hidden_text("sealed", "quokkasealed", embargo_until=tomorrow))
    await scene.send("POST", "/articles", a_hidden_text("dropped", "quokkadropped", publish_at=tomorrow))
    await scene.send("POST", "/articles/dropped/withdrawal", {"note": "Of quokkadropped no word."})
    for article_id in ("over", "held", "plain"):
        await scene.send("POST", "/articles", a_text(article_id))
    await scene.send("PUT", "/articles/over/draft", without_id(a_hidden_text("over", "quokkaover")))
    held = without_id(a_hidden_text("held", "quokkaheld", embargo_until=tomorrow, section="World"))
    await scene.send("POST", "/articles/held/updates", {"note": "Now quokkaheld.", "article": held})
    await _write_and_take_away(scene)


async def _write_and_take_away(scene: Scene) -> None:
    """What was public: told, updated, moved, with entries, and then gone or killed."""
    place = {"place": "Astana, Kazakhstan", "timezone": "Asia/Almaty"}  # a retraction keeps it
    for article_id, text, note, entry in (("gone", *WITHDRAWN), ("killed", *RETRACTED)):
        article = a_text(article_id, text, live=True, dateline=place)
        await scene.send("POST", "/articles", article)
        moved = without_id(article) | {"section": "World", "headline": f"More {text}"}
        await scene.send("POST", f"/articles/{article_id}/updates", {"note": f"{note}!", "article": moved})
        post = {"id": "first", "headline": f"Post {entry}", "body": f"<p>{entry}.</p>", "key_event": True}
        await scene.send("POST", f"/articles/{article_id}/entries", post)
        wrong = {"kind": "correction", "note": f"Not {note}.", "article": moved}
        await scene.send("POST", f"/articles/{article_id}/corrections", wrong)
    await scene.send("POST", "/articles/gone/withdrawal", {"note": "Because quokkawhy."})
    await scene.send("POST", "/articles/killed/retraction", {"note": "It was not so."})


async def park(stack: Stack, word: str) -> None:
    """A record on the log that nobody can read, with the word in it."""
    producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap, acks="all")
    await producer.start()
    try:
        await producer.send_and_wait(topics.EVENTS, f'{{"{word}": 1}}'.encode(), key=b"letter")
    finally:
        await producer.stop()


async def parked(stack: Stack) -> str:
    """The id of the letter, once there is one."""
    listed = (await stack.client.get(stack.url("store") + "/dead-letters")).json()["dead_letters"]
    return str(listed[0]["id"]) if listed else ""


async def a_client(stack: Stack, role: str) -> httpx.AsyncClient:
    """Somebody with a key of that role."""
    made = await stack.client.post(stack.url("ingest") + "/keys", json={"name": f"the-{role}", "role": role})
    assert made.status_code == 201, made.text
    return httpx.AsyncClient(headers={"Authorization": f"Bearer {made.json()['secret']}"}, timeout=30)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(stack: Stack) -> AsyncIterator[Scene]:
    made = Scene(stack, {"nobody": stack.reader})
    made.clients |= {role: await a_client(stack, role) for role in FORBIDDEN if role != "nobody"}
    await write_all(made)
    await park(stack, "quokkaletter")
    asked = await stack.client.post(stack.url("store") + "/republications", json={"all": True})
    assert asked.is_success, asked.text
    made.republication = asked.json()["id"]
    made.letter = await until(lambda: parked(stack), "the letter is listed")
    await stack.settled()
    yield made
    for role, client in made.clients.items():
        if role != "nobody":
            await client.aclose()


async def asked(scene: Scene, role: str) -> list[Output]:
    """Every answer that somebody of that role gets; who may write only reads."""
    answers = []
    for (service, method, template), queries in ASKED.items():
        if method != "GET" and role not in BELOW_REPORTER:
            continue
        for address in addresses(template, queries, scene.values):
            url = scene.stack.url(service) + address
            answers.append(await outputs.answer(scene.clients[role], method, url))
    return answers


async def streamed(scene: Scene, role: str) -> list[Output]:
    """Every live stream from its beginning to where it waits for more: the site's up to one more notice."""
    client, site = scene.clients[role], scene.stack.url("render")
    first = await outputs.stream(client, f"{site}/live/plain?revision=0", A_PLACE)
    place = re.search(r"id: (\w+)-\d+", first.text)
    assert place
    begin = {"Last-Event-ID": f"{place[1]}-0"}
    whole = [
        asyncio.create_task(outputs.stream(client, f"{site}/live", "Enough", **each)) for each in ({}, begin)
    ]

    async def are_told() -> bool:
        note = {"note": "Enough.", "article": without_id(a_text("plain"))}
        await scene.send("POST", "/articles/plain/updates", note)
        return all(each.done() for each in whole)

    await until(are_told, "the site's streams tell of an update")
    pages = [
        outputs.stream(client, f"{site}/live/{article_id}?revision={revision}", A_PLACE, **more)
        for article_id in IDS
        for revision, more in ((0, {}), (1, begin))
    ]
    return await asyncio.gather(*whole, *pages)


async def lives(scene: Scene, role: str) -> Output:
    """The stream of what becomes of events, while one more draft is saved."""
    url = f"{scene.stack.url('ingest')}/events"
    listening = asyncio.create_task(outputs.stream(scene.clients[role], url, '"stored"'))

    async def is_told() -> bool:
        await scene.send("PUT", "/articles/draft/draft", without_id(a_hidden_text("draft", "quokkadraft")))
        return listening.done()

    await until(is_told, "the stream tells of a draft")
    return await listening


async def test_every_route_is_listed_here(scene: Scene) -> None:
    assert await outputs.routes(scene.stack.environment()) == set(ASKED) | STREAMED


async def test_the_words_are_where_they_may_be_seen(scene: Scene) -> None:
    """Or the tests below would find nothing, wherever they look."""
    seen = found(SEEN_BY_REPORTERS, await asked(scene, "reporter"))
    assert {each.partition(":")[0] for each in seen} == set(SEEN_BY_REPORTERS)


@pytest.mark.parametrize("role", FORBIDDEN)
async def test_no_answer_has_a_text_that_its_reader_may_not_see(scene: Scene, role: str) -> None:
    assert found(FORBIDDEN[role], await asked(scene, role)) == []


async def test_no_stream_tells_of_a_text_that_is_not_public(scene: Scene) -> None:
    told = await streamed(scene, "nobody")
    assert "Story held" in told[1].text
    told += [await lives(scene, role) for role in ("reader", "publisher")]
    assert found(EVERY_WORD, told) == []


async def test_no_file_of_the_site_has_a_text_that_is_not_public(scene: Scene) -> None:
    found_files = outputs.files(scene.stack.pages)
    assert any("Story plain" in each.text and each.name.endswith(".br") for each in found_files)
    assert found(EVERY_WORD, found_files) == []


async def test_no_topic_behind_the_store_has_a_text_that_is_not_public(scene: Scene) -> None:
    behind = (topics.UPDATES, topics.LISTINGS, topics.NOTICES, topics.OUTCOMES, topics.KEYS)
    assert (
        found((*NEVER_PUBLIC, *PRIVATE, *LETTER), await outputs.records(scene.stack.bootstrap, behind)) == []
    )
    kept = await outputs.records(scene.stack.bootstrap, (topics.UPDATES, topics.LISTINGS), newest_only=True)
    assert found(EVERY_WORD, kept) == []


async def test_a_rebuild_shows_none_of_them(scene: Scene) -> None:
    """The pages deleted and the services started anew: what is written then is looked through as well."""
    for service in ("render", "store"):
        await scene.stack.stop(service)
    scene.stack.delete_pages()
    for service in ("store", "render"):
        await scene.stack.start(service)
    await scene.stack.settled()
    assert "Story plain" in scene.stack.read_page("/")
    assert found(EVERY_WORD, outputs.files(scene.stack.pages)) == []


async def test_no_log_line_has_any_of_them(scene: Scene) -> None:
    """After all that was asked above."""
    lines = outputs.logs(scene.stack.folder)
    assert all("request" in each.text for each in lines)
    assert found(EVERY_WORD, lines) == []


async def test_a_leak_is_found_in_every_encoding_and_in_a_name(tmp_path: Path) -> None:
    page = b"<p>Of Quokkadraft.</p>"
    (tmp_path / "page.html").write_bytes(page)
    (tmp_path / "page.html.gz").write_bytes(gzip.compress(page))
    (tmp_path / "page.html.br").write_bytes(brotli.compress(page))
    (tmp_path / "quokkadraft").mkdir()
    (tmp_path / "quokkadraft" / "index.html").write_bytes(b"")
    assert len(found(["quokkadraft"], outputs.files(tmp_path))) == 4
