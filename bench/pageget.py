"""A reader fetches an article's page: from the edge, and from render's own server, beside a plain file server
on the same machine with the same file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import uvloop

from bench import edge, wrk
from bench.articles import a_request, an_article
from bench.costs import processor_seconds
from bench.edge import Caddy, NoCaddy
from bench.stack import Broken, Editor, Newsroom, a_newsroom
from bench.table import Chapter, Goal, Row, Size, Stand
from bench.wrk import Speed
from desk.parts.home import Home
from desk.parts.ports import free_ports

EDGE, OWN, PLAIN = "the edge", "render's own server", "a plain file server"
AS_BROWSERS: Mapping[str, str] = {"Accept-Encoding": "gzip, br, zstd"}
AS_IT_IS: Mapping[str, str] = {}
ASKINGS = {"compressed": AS_BROWSERS, "as it is": AS_IT_IS}
"""How the page is asked for, by the name of how it comes then."""
_SIBLINGS = {"": "", "br": ".br", "gzip": ".gz", "zstd": ".zst"}
"""By `Content-Encoding`: what a file is called that holds the page so."""
_CONNECTIONS = 32
_WARM_UP_SECONDS = 1.0
_SETTLE_SECONDS = 1.0
_ROUNDS = {Size.SMOKE: (1, 1.0), Size.TABLE: (3, 3.0), Size.LONG: (7, 10.0)}
"""How many rounds, of how many seconds for each server and asking."""
_NAME, _TITLE = "page-get", "A reader fetches a page"
_HOW = (
    "One article's page, asked for by wrk (one thread, {connections} connections that stay open) as fast as"
    " it is answered: with `Accept-Encoding: gzip, br, zstd`, and without. By turns, {rounds} rounds of"
    " {seconds:g} s each: the edge, which is Caddy {version} with compose/edge/Caddyfile, but for the folder"
    " and the ports; the own server of render, as `make up` has it; and the same Caddy with nothing but"
    " `file_server`, asked for the very file that the other two send, under its own name. All three send the"
    " same bytes, which is checked. Warm-up: {warm:g} s each. The driver is on the same machine."
)


@dataclass(frozen=True)
class Server:
    """Who is asked, which process that is, and where each asking leads: `urls` by its name."""

    name: str
    pid: int
    urls: Mapping[str, str]


@dataclass(frozen=True)
class Asked:
    """One server was asked in one way, in one round. `used`: processor seconds of its process meanwhile."""

    server: str
    asking: str
    speed: Speed
    used: float

    @property
    def used_each(self) -> float:
        """Microseconds of a processor for an answer."""
        return self.used / max(self.speed.count, 1) * 1e6


def measure_page_get(stand: Stand) -> Chapter:
    """Raises: Broken, PartFailed, Misconfigured, Away; psutil.Error when a process is gone."""
    if (program := wrk.find_wrk()) is None:
        return Chapter(_NAME, _TITLE, how="", skipped=wrk.NONE)
    try:
        caddy = edge.a_caddy(stand.folder, stand.say)
    except NoCaddy as error:
        return Chapter(_NAME, _TITLE, how="", skipped=str(error))
    rounds, seconds = _ROUNDS[stand.size]
    with a_newsroom(stand.folder / "home", stand.jars, stand.say) as newsroom:
        path = uvloop.run(_publish(newsroom))
        time.sleep(_SETTLE_SECONDS)
        with _servers(newsroom, stand, caddy, path) as servers:
            stand.say(f"asking {len(servers)} servers in {len(ASKINGS)} ways, {rounds} rounds")
            for _ in _take(program, servers, _WARM_UP_SECONDS):
                pass
            asked = [each for _ in range(rounds) for each in _take(program, servers, seconds)]
    how = _HOW.format(
        connections=_CONNECTIONS,
        rounds=rounds,
        seconds=seconds,
        version=edge.version_of(caddy),
        warm=_WARM_UP_SECONDS,
    )
    return chapter(asked, how)


async def _publish(newsroom: Newsroom) -> str:
    """The path of a page that stands."""
    editor = Editor(newsroom)
    try:
        answer = await editor.send("/articles", a_request("page-get", an_article("page-get")))
    finally:
        await editor.close()
    return urlsplit(str(answer["url"])).path


@contextmanager
def _servers(newsroom: Newsroom, stand: Stand, caddy: str, path: str) -> Iterator[list[Server]]:
    """The three of them, which send the same."""
    home = Home(stand.folder / "edge")
    home.make()
    *edge_ports, plain_port = free_ports(4)
    configurations = {
        "edge": edge.edge_configuration(home.root, newsroom.public, edge_ports),
        "plain": edge.plain_configuration(home.root, newsroom.public, plain_port),
    }
    by_edge, by_plain = (
        Caddy(name, home, caddy, configuration, port)
        for (name, configuration), port in zip(
            configurations.items(), (edge_ports[0], plain_port), strict=True
        )
    )
    try:
        for part in (by_edge, by_plain):
            part.start()
            part.wait_until_ready()
        urls = urls_of(by_edge.where + path, newsroom.site + path, by_plain.where + path)
        pids = {EDGE: by_edge.pid, OWN: newsroom.pids["render"], PLAIN: by_plain.pid}
        yield [Server(name, pid, urls[name]) for name, pid in pids.items() if pid is not None]
    finally:
        for part in (by_edge, by_plain):
            part.stop()


def urls_of(by_edge: str, own: str, plain: str) -> dict[str, dict[str, str]]:
    """Of each server, where each asking leads, from what it calls the page.

    Raises: Broken where one of them sends something else.
    """
    plain_urls: dict[str, str] = {}
    for asking, headers in ASKINGS.items():
        page, encoding = _fetch(by_edge, headers)
        plain_urls[asking] = f"{plain}index.html{_SIBLINGS[encoding]}"
        for url in (own, plain_urls[asking]):
            if _fetch(url, headers)[0] != page:
                raise Broken(f"{url} is not answered with the same page as {by_edge}")
    return {EDGE: dict.fromkeys(ASKINGS, by_edge), OWN: dict.fromkeys(ASKINGS, own), PLAIN: plain_urls}


def _fetch(url: str, headers: Mapping[str, str]) -> tuple[bytes, str]:
    """The body as it came, and its `Content-Encoding`. Raises: Broken."""
    asked = {"Accept-Encoding": "identity", **headers}
    with httpx.stream("GET", url, headers=asked, timeout=10) as response:
        if response.status_code != httpx.codes.OK:
            raise Broken(f"GET {url} answered {response.status_code}")
        return b"".join(response.iter_raw()), response.headers.get("content-encoding", "")


def _take(program: str, servers: Sequence[Server], seconds: float) -> Iterator[Asked]:
    """One round: every server in every way."""
    for asking, headers in ASKINGS.items():
        for server in servers:
            pids = {server.name: server.pid}
            before = processor_seconds(pids)
            speed = wrk.ask(program, server.urls[asking], headers, connections=_CONNECTIONS, seconds=seconds)
            used = processor_seconds(pids)[server.name] - before[server.name]
            yield Asked(server.name, asking, speed, used)


def chapter(asked: Sequence[Asked], how: str) -> Chapter:
    """What was asked, in the order of its rounds, as rows."""
    goals = {EDGE: Goal(1.0, is_most=False), OWN: Goal(0.5, is_most=False)}
    return Chapter(
        name=_NAME,
        title=_TITLE,
        how=how,
        rows=[
            *(
                Row(f"{name}, the page {asking}", _ratios(asked, name, asking), "x plain", goal)
                for name, goal in goals.items()
                for asking in ASKINGS
            ),
            *_rows(asked, "", "/s", lambda each: each.speed.rate),
            *_rows(asked, ", p99", "ms", lambda each: each.speed.p99_ms),
            *_rows(asked, ", processor time for each", "us", lambda each: each.used_each),
        ],
    )


def _rows(asked: Sequence[Asked], what: str, unit: str, value: Callable[[Asked], float]) -> list[Row]:
    """That value of every server, in each way."""
    return [
        Row(f"{name}, the page {asking}{what}", [value(each) for each in _of(asked, name, asking)], unit)
        for name in (EDGE, OWN, PLAIN)
        for asking in ASKINGS
    ]


def _ratios(asked: Sequence[Asked], server: str, asking: str) -> list[float]:
    """Of each round, how many times the plain server's answers a second."""
    pairs = zip(_of(asked, server, asking), _of(asked, PLAIN, asking), strict=True)
    return [own.speed.rate / plain.speed.rate for own, plain in pairs]


def _of(asked: Sequence[Asked], server: str, asking: str) -> list[Asked]:
    """One of each round."""
    return [each for each in asked if (each.server, each.asking) == (server, asking)]
