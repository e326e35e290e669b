"""Bringing parts up, what is shown meanwhile, and how a stop is asked for."""

from __future__ import annotations

import io
import json
import shlex
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from desk import welcome
from desk.bringing import bring_up
from desk.machine import MachineSettings
from desk.parts.home import Home
from desk.parts.part import PartFailed
from desk.parts.service import Answer, Service, ask_health
from desk.screen import Screen
from desk.signals import Signals, Stopped, handling
from newsroom.errors import Misconfigured
from newsroom.settings import read
from services.ingest.requests import NewArticle
from tests.unit.fake_parts import Clock, FakePart, FakeService


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Closed(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError(text)


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def signals() -> Signals:
    return Signals(at_once=lambda: None)


def test_each_part_that_is_ready_is_said_with_its_address_and_time(
    tmp_path: Path, out: io.StringIO, signals: Signals
) -> None:
    parts = [FakePart(name, tmp_path, Clock()) for name in ("kafka", "mongod")]
    bring_up(parts, 5, Screen(out), signals)
    lines = sorted(out.getvalue().splitlines())
    assert [line.split()[:2] for line in lines] == [["kafka", "ready"], ["mongod", "ready"]]
    assert "address of kafka" in lines[0]
    assert lines[0].endswith(" s")


def test_a_part_that_ends_while_it_starts_fails_the_start_at_once(
    tmp_path: Path, out: io.StringIO, signals: Signals
) -> None:
    kafka, mongod = FakePart("kafka", tmp_path, Clock()), FakePart("mongod", tmp_path, Clock())
    mongod.ready = lambda: False

    def dies() -> bool:
        kafka.fake.ends(1)
        return False

    kafka.ready = dies
    kafka.fake.lines = ["java.lang.NoSuchMethodError"]
    with pytest.raises(
        PartFailed, match=r"kafka ended while it started \(exit code 1\)(?s:.*)NoSuchMethodError"
    ):
        bring_up([mongod, kafka], 60, Screen(out), signals)


def test_a_service_that_refuses_its_setup_fails_the_start_with_its_own_line(
    tmp_path: Path, out: io.StringIO, signals: Signals
) -> None:
    store = FakeService("store", tmp_path, Clock())
    (tmp_path / "logs").mkdir()
    store.process.log.write_text("newsroom: database a belongs to another log\n")
    store.asked = lambda: store.fake.ends(2)
    store.ready = False
    with pytest.raises(Misconfigured, match=r"^store: database a belongs to another log$"):
        bring_up([store], 60, Screen(out), signals)


def test_a_stop_ends_the_waiting(tmp_path: Path, out: io.StringIO, signals: Signals) -> None:
    kafka = FakePart("kafka", tmp_path, Clock())

    def interrupted() -> bool:
        signals.handle(signal.SIGTERM)
        return False

    kafka.ready = interrupted
    with pytest.raises(Stopped):
        bring_up([kafka], 60, Screen(out), signals)
    assert kafka.pid is not None, "who stops the parts is another's business"


def test_a_signal_is_noted_and_a_second_ctrl_c_ends_at_once() -> None:
    clock, ended = Clock(), list[str]()
    signals = Signals(lambda: ended.append("at once"), clock)
    with handling(signals):
        signals.check()
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(Stopped):
            signals.check()
        signal.raise_signal(signal.SIGINT)
        assert ended == [], "two in the same moment are one, sent twice"
        clock.forward(2)
        signal.raise_signal(signal.SIGTERM)
        assert ended == []
        signal.raise_signal(signal.SIGINT)
    assert ended == ["at once"]


def test_the_former_signal_handlers_come_back(signals: Signals) -> None:
    former = signal.getsignal(signal.SIGTERM)
    with handling(signals):
        assert signal.getsignal(signal.SIGTERM) != former
    assert signal.getsignal(signal.SIGTERM) == former


def test_without_a_terminal_progress_is_a_plain_line_now_and_then(out: io.StringIO) -> None:
    clock = Clock()
    screen = Screen(out, clock)
    for second in range(11):
        screen.progress(f"{second} of 10")
        clock.forward(1)
    assert out.getvalue() == "5 of 10\n10 of 10\n"


def test_on_a_terminal_progress_passes_and_steps_stay() -> None:
    clock, out = Clock(), Terminal()
    screen = Screen(out, clock)
    clock.forward(1)
    screen.progress("half")
    screen.step("jars", "ready", "92 jars", 1.25)
    assert out.getvalue().split("\x1b[K")[-1].split() == ["jars", "ready", "92", "jars", "1.2", "s"]
    assert out.getvalue().startswith("\r\x1b[Khalf\r\x1b[K")


def test_a_closed_terminal_is_no_error() -> None:
    Screen(Closed()).say("nobody reads this")


def a_machine(monkeypatch: pytest.MonkeyPatch, folder: Path, **environ: str) -> MachineSettings:
    monkeypatch.chdir(folder)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return read(MachineSettings)


def test_the_curl_line_posts_an_article_that_the_door_takes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    words = shlex.split(welcome.curl_line(a_machine(monkeypatch, tmp_path), {}))
    assert words[:3] == ["curl", "-sS", "http://127.0.0.1:8001/articles"]
    assert "Authorization: Bearer $(cat .newsroom/publisher.key)" in words
    assert "Prefer: wait=10" in words
    body = json.loads(words[words.index("-d") + 1])
    assert NewArticle.model_validate(body).headline == welcome.FIRST_ARTICLE["headline"]


def test_the_curl_line_finds_a_key_in_another_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = tmp_path / "a folder"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    line = welcome.curl_line(a_machine(monkeypatch, elsewhere, NEWSROOM_HOME=str(home)), {})
    assert f"$(cat '{home}/publisher.key')" in line


def test_the_curl_line_goes_past_a_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = a_machine(monkeypatch, tmp_path)
    assert "--noproxy" not in welcome.curl_line(settings, {})
    assert "--noproxy '*'" in welcome.curl_line(settings, {"http_proxy": "http://proxy:3128"})


def test_the_demo_is_told_where_a_newsroom_on_other_ports_answers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert welcome.demo_line(a_machine(monkeypatch, tmp_path), {"MAKELEVEL": "1"}) == "make demo"
    assert welcome.demo_line(a_machine(monkeypatch, tmp_path), {}) == "newsroom demo"
    line = welcome.demo_line(a_machine(monkeypatch, tmp_path, NEWSROOM_INGEST_PORT="9001"), {})
    assert "NEWSROOM_URL=http://127.0.0.1:9001 " in line


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that answers everything with this; its address."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        log_message: Callable[..., None] = lambda *_: None

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


def test_a_service_says_which_checks_keep_it_from_being_ready(tmp_path: Path) -> None:
    report = {"status": "failing", "service": "store", "checks": {"kafka": True, "mongodb": False}}
    with answering(503, json.dumps(report).encode()) as address:
        store = Service("store", Home(tmp_path), address, {})
        assert not store.is_ready()
        assert store.failing() == ("mongodb",)


@pytest.mark.parametrize(
    ("status", "problem"), [(503, "/problems/busy"), (429, "/problems/too-many-requests")]
)
def test_a_service_that_has_no_place_for_us_is_not_ready_and_yet_alive(
    tmp_path: Path, status: int, problem: str
) -> None:
    """To end it would take the connections of all who have one."""
    with answering(status, json.dumps({"type": problem, "status": status}).encode()) as address:
        render = Service("render", Home(tmp_path), address, {})
        assert not render.is_ready()
        assert render.is_alive()


def test_a_service_that_does_not_get_on_is_not_alive(tmp_path: Path) -> None:
    report = {"status": "failing", "service": "store", "checks": {"events": False}}
    with answering(503, json.dumps(report).encode()) as address:
        assert not Service("store", Home(tmp_path), address, {}).is_alive()


@pytest.mark.parametrize("body", [b"", b"[]", b"not JSON", b'{"checks": 3}'])
def test_something_else_on_the_port_is_not_ready(body: bytes) -> None:
    with answering(404, body) as address:
        assert ask_health(address, "ready") == Answer(is_good=False)


def test_a_service_that_is_away_is_not_ready() -> None:
    with answering(200, b"") as address:
        pass
    assert ask_health(address, "ready") == Answer(is_good=False, reached=False)
