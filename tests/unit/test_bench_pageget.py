"""The bench of page fetches: what wrk says, the two Caddys, and what is made of them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import pytest

from bench import edge, pageget, wrk
from bench.environments import Environment
from bench.pageget import EDGE, OWN, PLAIN, Asked, chapter
from bench.stack import Broken
from bench.table import Size, Stand
from bench.wrk import Speed

TOLD = """Running 3s test @ http://127.0.0.1:8000/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     3.02ms    1.49ms  26.46ms   92.94%
    Req/Sec    10.87k   712.51    12.04k    73.33%
  Latency Distribution
     50%    2.73ms
     75%    3.37ms
     90%    4.23ms
     99%  {p99}
  32457 requests in 3.00s, 121.11MB read
{failed}Requests/sec:  10811.66
Transfer/sec:     40.34MB
"""


def told(p99: str = "9.50ms", failed: str = "") -> str:
    return TOLD.format(p99=p99, failed=failed)


@pytest.mark.parametrize(("p99", "milliseconds"), [("9.50ms", 9.5), ("870.00us", 0.87), ("1.25s", 1250)])
def test_the_speed_is_read_from_what_wrk_prints(p99: str, milliseconds: float) -> None:
    found = wrk.read(told(p99))
    assert (found.rate, found.count, found.p99_ms) == pytest.approx((10811.66, 32457, milliseconds))


@pytest.mark.parametrize(
    "failed",
    ["  Non-2xx or 3xx responses: 7\n", "  Socket errors: connect 0, read 3, write 0, timeout 0\n"],
)
def test_answers_that_are_no_good_are_no_speed(failed: str) -> None:
    with pytest.raises(Broken, match=failed.strip()[:10]):
        wrk.read(told(failed=failed))


def test_what_is_no_report_of_wrk_is_no_speed() -> None:
    with pytest.raises(Broken, match="no speed"):
        wrk.read("usage: wrk")


def test_the_edge_is_that_of_compose_but_for_place_ports_and_listening(tmp_path: Path) -> None:
    made = edge.edge_configuration(tmp_path, Path("/some/pages"), [18000, 18001, 18002]).read_text()
    back = made.replace("\tdefault_bind 127.0.0.1\n", "").replace("/some/pages", "/pages/public")
    for port in (8000, 8001, 8002):
        back = back.replace(f"\n:1{port} {{", f"\n:{port} {{")
    assert made != edge.CONFIGURATION.read_text()
    assert back == edge.CONFIGURATION.read_text()


def test_an_edge_that_was_changed_is_not_measured_by_guess(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = tmp_path / "Caddyfile"
    changed.write_text(edge.CONFIGURATION.read_text().replace("/pages/public", "/pages/elsewhere"))
    monkeypatch.setattr(edge, "CONFIGURATION", changed)
    with pytest.raises(ValueError, match="/pages/public"):
        edge.edge_configuration(tmp_path, tmp_path, edge.PORTS)


def test_a_caddy_that_does_not_take_the_configuration_is_none(tmp_path: Path) -> None:
    takes, refuses = (str(shutil.which(name)) for name in ("true", "false"))
    assert edge.find_caddy(tmp_path, []) is None
    assert edge.find_caddy(tmp_path, [refuses]) is None
    assert edge.find_caddy(tmp_path, [refuses, takes]) == takes


def test_without_its_tools_the_measure_is_skipped_and_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand = Stand(tmp_path, tmp_path, lambda _: None, Size.SMOKE)
    monkeypatch.setattr(wrk, "find_wrk", lambda: None)
    found = pageget.measure_page_get(stand)
    assert not found.rows
    assert "package `wrk`" in found.skipped

    def fails(*_: object) -> NoReturn:
        raise Broken("no network")

    monkeypatch.setattr(wrk, "find_wrk", lambda: "/usr/bin/wrk")
    monkeypatch.setattr(edge, "_programs", list)
    monkeypatch.setattr(Environment, "made", fails)
    found = pageget.measure_page_get(stand)
    assert not found.rows
    assert "none that can be installed: no network" in found.skipped
    assert "\n" not in found.skipped


@pytest.mark.parametrize(("on_path", "installed"), [("true", "false"), ("false", "true"), (None, "true")])
def test_a_caddy_is_installed_where_none_on_path_takes_the_configuration(
    on_path: str | None, installed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(folder: Path, program: str) -> str:
        folder.mkdir()
        (folder / "caddy").symlink_to(str(shutil.which(program)))
        return str(folder / "caddy")

    there = [link(tmp_path / "there", on_path)] if on_path else []
    own = link(tmp_path / "own", installed)
    monkeypatch.setattr(edge, "_programs", lambda: there)
    monkeypatch.setattr(Environment, "made", lambda *_: tmp_path / "own")
    assert edge.a_caddy(tmp_path, lambda _: None) == (there[0] if on_path == "true" else own)


def test_an_installed_caddy_that_does_not_take_the_configuration_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "caddy").symlink_to(str(shutil.which("false")))
    monkeypatch.setattr(edge, "_programs", list)
    monkeypatch.setattr(Environment, "made", lambda *_: tmp_path)
    with pytest.raises(edge.NoCaddy, match=r"requirements/caddy.txt does not take it"):
        edge.a_caddy(tmp_path, lambda _: None)


SENT = {"http://edge/a/": b"packed", "http://own/a/": b"packed", "http://plain/a/index.html.br": b"packed"}
PLAIN_SENT = {"http://edge/a/": b"page", "http://own/a/": b"page", "http://plain/a/index.html": b"page"}


def sending(monkeypatch: pytest.MonkeyPatch, **changed: bytes) -> None:
    def fetch(url: str, headers: Mapping[str, str]) -> tuple[bytes, str]:
        sent = SENT if headers else PLAIN_SENT
        server = url.removeprefix("http://").partition("/")[0]
        return changed.get(server, sent[url]), "br" if headers else ""

    monkeypatch.setattr(pageget, "_fetch", fetch)


def test_the_plain_server_is_asked_for_the_very_file_that_the_edge_sends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sending(monkeypatch)
    urls = pageget.urls_of("http://edge/a/", "http://own/a/", "http://plain/a/")
    assert urls[PLAIN] == {
        "compressed": "http://plain/a/index.html.br",
        "as it is": "http://plain/a/index.html",
    }
    assert set(urls[OWN].values()) == {"http://own/a/"}


@pytest.mark.parametrize("server", ["own", "plain"])
def test_servers_that_do_not_send_the_same_are_not_compared(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending(monkeypatch, **{server: b"another page"})
    with pytest.raises(Broken, match=f"http://{server}/a/"):
        pageget.urls_of("http://edge/a/", "http://own/a/", "http://plain/a/")


def asked(rates: Mapping[str, float]) -> list[Asked]:
    return [
        Asked(server, asking, Speed(rate, 1000, 1.0), used=0.5)
        for asking in pageget.ASKINGS
        for server, rate in rates.items()
    ]


def test_servers_are_told_beside_the_plain_one_of_their_own_round() -> None:
    rounds = asked({EDGE: 100, OWN: 50, PLAIN: 100}) + asked({EDGE: 30, OWN: 9, PLAIN: 20})
    found = {row.what: row for row in chapter(rounds, "how").rows if row.unit == "x plain"}
    assert found[f"{EDGE}, the page compressed"].values == pytest.approx([1.0, 1.5])
    assert found[f"{OWN}, the page as it is"].values == pytest.approx([0.5, 0.45])
    assert [row.value for row in chapter(rounds, "how").rows if row.unit == "us"] == [500] * 6
    assert {row.what for row in found.values() if row.is_met} == {
        f"{EDGE}, the page {asking}" for asking in pageget.ASKINGS
    }
