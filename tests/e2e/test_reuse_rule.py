"""The reuse rule on a running newsroom: what is put out but an article's own pages holds at most 30 % of its
text, and the link to it.

Every word of every text is one of its own, so whatever stands anywhere, in whatever form, is counted. Routes
are found by themselves (`tests.asked` has to list each), and so are files: one of a new kind fails.
"""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
import pytest_asyncio

from newsroom.addresses import publication_day
from newsroom.times import now
from tests import outputs
from tests.asked import A_PLACE, ASKED, STREAMED, addresses
from tests.outputs import Output
from tests.stack import Json, Stack, an_article, without_id

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]

SHARE = 0.3
WORDS_A_SENTENCE = 8
LATIN, CYRILLIC = "abcdefghik", "абвгдеёқңү"
_WORD = re.compile(r"z[a-k]{5}z|ж[а-яёқңү]{5}ж")
_ARTICLE = r"/[a-z-]+/\d{4}/\d\d/\d\d/[a-z0-9-]+/"

KINDS: Mapping[str, str] = {
    "article": rf"{_ARTICLE}(entries/(\d+|key)/)?index\.html",
    "history": rf"{_ARTICLE}history/index\.html",
    "front": r"/((tags|authors)/)?([a-z0-9-]+/)?index\.html",
    "archive": r"/((tags|authors)/)?([a-z][a-z0-9-]*/)?\d{4}/\d\d/(\d\d/)?index\.html",
    "feed": r"/(.+/)?feed\.(atom|rss|json)",
    "sitemap": r"/sitemap\.xml|/sitemaps/([a-z]+|\d{4}-\d\d)\.xml",
    "terms": r"/robots\.txt|/license\.xml|/\.well-known/tdmrep\.json",
    "excuse": r"/unavailable\.html",
    "asset": r"/assets/[a-z0-9.-]+|/site\.webmanifest",
}
"""Every kind of file in the site, by its path."""
WITHOUT_LIMIT = ("article", "history")


@dataclass(frozen=True)
class Text:
    """A body that readers may see at a page, with words that stand nowhere else."""

    page: str
    words: tuple[str, ...]

    def share_in(self, output: str) -> float:
        """How much of it stands there: of its words or of its letters, whichever is more."""
        found = set(_WORD.findall(html.unescape(unquote(output)).lower())) & set(self.words)
        return max(len(found) / len(self.words), sum(map(len, found)) / sum(map(len, self.words)))


@dataclass
class Scene:
    """A newsroom with texts of several kinds, each with whatever may be made of it."""

    stack: Stack
    texts: list[Text] = field(default_factory=list)
    event_ids: list[str] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)

    async def send(self, method: str, path: str, body: Json) -> Json:
        response = await self.stack.send(method, path, body)
        assert response.is_success, response.text
        answer: Json = response.json()
        self.event_ids.append(answer["event_id"])
        self.pages[answer["article_id"]] = answer["url"].removeprefix(self.stack.url("render"))
        return answer

    async def write(self, path: str, body: Json, *bodies: str) -> None:
        """Send something and keep what texts it brought to its page."""
        article_id = (await self.send("POST", path, body))["article_id"]
        self.texts += [Text(self.pages[article_id].partition("#")[0], words_of(text)) for text in bodies]

    def values(self, name: str) -> Iterable[object]:
        """What stands for a part of an address."""
        site = self.stack.url("render")
        pages = [page.partition("#")[0] for page in self.pages.values()]
        known: dict[str, Iterable[object]] = {
            "article_id": self.pages,
            "revision": (1, 2, 3),
            "event_id": self.event_ids,
            "entry_id": ("e1", "e2", "e3"),
            "republication_id": ("none",),
            "letter_id": ("none",),
            "name": ("nobody",),
            "slug": ("not-found",),
            "path:often_asked": ["", *(page.removeprefix("/") for page in pages)],
            "path:path": [path.removeprefix("/") for path in self.paths(pages)],
            "place:path": [page.strip("/") for page in pages],
            "url": [quote(site + page, safe="") for page in pages],
        }
        return known[name]

    def paths(self, pages: Iterable[str]) -> Iterator[str]:
        """Every file that stands, and what is made below a page when it is asked for."""
        yield from served(self.stack.public)
        for page in pages:
            yield from (f"{page}history/{older}-{newer}/" for older, newer in ((1, 2), (1, 3), (2, 3)))
        yield from ("/", f"/{publication_day(now(), 'Asia/Almaty')}/")


def served(root: Path) -> list[str]:
    """The path of each file of the site, in whatever encoding it stands."""
    files = (f"/{path.relative_to(root).as_posix()}" for path in root.rglob("*") if path.is_file())
    return sorted({re.sub(r"\.(br|gz)$", "", path) for path in files})


def kinds_of(path: str) -> list[str]:
    return [kind for kind, pattern in KINDS.items() if re.fullmatch(pattern, path)]


def is_limited(address: str, pages: Iterable[str]) -> bool:
    """Whether the rule holds there: not for an article's page, nor those of its entries and its history."""
    path = f"{address}index.html" if address.endswith("/") else address
    own = [page for page in pages if path.startswith(page)]
    return (
        not own
        or re.fullmatch(r"((history|entries)/([\d-]+/|key/)?)?index\.html", path[len(own[0]) :]) is None
    )


_numbers = itertools.count()


def a_sentence(letters: str) -> str:
    """Words that were in none before."""
    mark = "z" if letters == LATIN else "ж"
    numbers = itertools.islice(_numbers, WORDS_A_SENTENCE)
    words = ["".join([mark, *(letters[int(digit)] for digit in f"{number:05d}"), mark]) for number in numbers]
    return " ".join(words).capitalize() + "."


def a_body(sentences: int, letters: str = LATIN) -> str:
    """A text with every element in which a text may stand."""
    told = [a_sentence(letters) for _ in range(sentences)]
    blocks = ["<p>{}</p>", "<p>{}</p>", "<h2>{}</h2>", "<blockquote><p>{}</p></blockquote>"]
    blocks += ["<ul><li>{}</li></ul>", "<table><tr><td>{}</td></tr></table>", "<p><strong>{}</strong></p>"]
    return "".join(block.format(text) for block, text in zip(itertools.cycle(blocks), told, strict=False))


def words_of(body: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(body.lower()))


async def write_all(scene: Scene) -> None:
    """A long text that changes, its translation, a short one, and a live article with entries."""
    first, second, third = a_body(40), a_body(40), a_body(30)
    article = an_article("long", body=first)
    await scene.write("/articles", article, first)
    changed = without_id(article) | {"body": second}
    await scene.write("/articles/long/updates", {"note": "More is known.", "article": changed}, second)
    corrected = {"kind": "correction", "note": "Seven, not eight.", "article": changed | {"body": third}}
    await scene.write("/articles/long/corrections", corrected, third)
    kazakh = a_body(30, CYRILLIC)
    translation = an_article("kazakh", body=kazakh, language="kk", translation_of="long")
    await scene.write("/articles", translation, kazakh)
    short = a_body(4)
    await scene.write("/articles", an_article("short", body=short, deck="", tags=["Astana", "Police"]), short)
    frame, one, two, three = a_body(6), a_body(5), a_body(3), a_body(8)
    await scene.write("/articles", an_article("live", body=frame, live=True), frame)
    key = {"id": "e1", "headline": "It is over", "body": one, "key_event": True}
    await scene.write("/articles/live/entries", key, one)
    await scene.write("/articles/live/entries", {"id": "e2", "body": two, "pinned": True}, two)
    await scene.write("/articles/live/entries", {"id": "e3", "body": three}, three)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(stack: Stack) -> AsyncIterator[Scene]:
    made = Scene(stack)
    await write_all(made)
    await stack.settled()
    yield made


async def asked(scene: Scene) -> list[tuple[str, Output]]:
    """Every answer that anybody gets who has no key, with what was asked for."""
    answers = []
    for (service, method, template), queries in ASKED.items():
        if method == "GET":
            for address in addresses(template, queries, scene.values):
                url = scene.stack.url(service) + address
                answers.append((address, await outputs.answer(scene.stack.reader, method, url)))
    return answers


def breaches(scene: Scene, found: Iterable[Output]) -> list[str]:
    """What holds more of a text than anybody may quote, or a word of it without the link."""
    told = []
    for output in found:
        for text in scene.texts:
            share = text.share_in(output.text)
            if share > SHARE:
                told.append(f"{output.name}: {share:.0%} of a text of {text.page}")
            elif share and text.page not in output.text:
                told.append(f"{output.name}: no link to {text.page}")
    return told


async def test_every_route_is_asked(scene: Scene) -> None:
    assert await outputs.routes(scene.stack.environment()) == set(ASKED) | STREAMED


async def test_every_file_is_of_a_known_kind_and_each_kind_stands(scene: Scene) -> None:
    kinds = {path: kinds_of(path) for path in served(scene.stack.public)}
    assert {path: found for path, found in kinds.items() if len(found) != 1} == {}
    assert {found[0] for found in kinds.values()} == set(KINDS)


async def test_no_file_but_an_article_s_own_holds_more_than_the_rule_allows(scene: Scene) -> None:
    """In every encoding, and beside the served ones too."""
    found = []
    for output in outputs.files(scene.stack.pages):
        path = "/" + re.sub(r"\.(br|gz)$", "", output.name).removeprefix("public/")
        if not set(kinds_of(path)) & set(WITHOUT_LIMIT):
            found.append(output)
    assert breaches(scene, found) == []
    quoting = {output.name for output in found if scene.texts[2].share_in(output.text)}
    assert {
        "public/feed.atom",
        "public/feed.rss.gz",
        "public/feed.json.br",
        "public/tags/astana/feed.json",
    } <= quoting


async def test_no_answer_but_an_article_s_own_pages_holds_more(scene: Scene) -> None:
    pages = [text.page for text in scene.texts]
    answers = await asked(scene)
    limited = [output for address, output in answers if is_limited(address, pages)]
    assert breaches(scene, limited) == []
    quoting = {
        address.partition("?")[0] for address, output in answers if scene.texts[2].share_in(output.text)
    }
    page = scene.texts[2].page
    assert {
        f"{page}excerpt.json",
        f"{page}excerpt.html",
        "/oembed",
        "/articles/long",
        "/feed.json",
    } <= quoting


async def test_no_stream_holds_more(scene: Scene) -> None:
    """Of a live article's entries each is a text of its own; the newest is told in its own words."""
    site = f"{scene.stack.url('render')}/live"
    asked_for = ("live?revision=3", "long?revision=1", "kazakh?revision=0", "short?revision=0")
    told = [await outputs.stream(scene.stack.reader, f"{site}/{each}", A_PLACE) for each in asked_for]
    assert breaches(scene, told) == []
    assert any(text.share_in(told[0].text) for text in scene.texts)


async def test_a_whole_text_is_found_wherever_it_stands(scene: Scene) -> None:
    """Or nothing above could fail: on its page, in every encoding."""
    long, kazakh = scene.texts[2], scene.texts[3]
    for text in (long, kazakh):
        whole = [each.name for each in outputs.files(scene.stack.pages) if text.share_in(each.text) == 1]
        page = f"public{text.page}index.html"
        assert {page, f"{page}.br", f"{page}.gz"} <= set(whole)
        assert breaches(scene, [Output("a leak", quote(" ".join(text.words)))]) != []
