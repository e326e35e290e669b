"""`newsroom up` itself: from an empty folder to a page, through crashes, to an orderly end and on again."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from desk import welcome
from desk.parts.jars import jars_folder
from tests.e2e.newsroom_up import PATIENCE_SECONDS, STOP_BOUND_SECONDS, Up, until

if TYPE_CHECKING:
    from tests.conftest import RunningKafka, RunningMongo

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]

HEADLINE = str(welcome.FIRST_ARTICLE["headline"])
READY = r"Ctrl-C stops the newsroom"


@pytest.fixture
def up(tmp_path: Path, parts_home: Path) -> Iterator[Up]:
    """A newsroom that can be started in an empty folder."""
    newsroom = Up(tmp_path, parts_home)
    yield newsroom
    newsroom.end()


def paste_curl_line(up: Up) -> dict[str, object]:
    """Run the line that was printed, in a shell, as it stands; what ingest answered."""
    line = up.says(r"\n  (curl .*)\n")[1]
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True, cwd=up.home.parent)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def page_at(url: object) -> str:
    response = httpx.get(str(url), trust_env=False, timeout=30)
    assert response.status_code == 200
    return response.text


def memory_megabytes(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / 1024**2


def test_from_nothing_to_a_page_and_on_again(up: Up) -> None:
    up.start()
    up.says(READY)
    for step in ("python", "disk", "ports", "mongod", "kafka", "topics", "ingest", "store", "render"):
        assert re.search(rf"^{step} +(good|ready) .*\d s$", up.said(), re.MULTILINE), step
    assert f"site     http://127.0.0.1:{up.site_port}\n" in up.said()
    assert stat.S_IMODE((up.home / "publisher.key").stat().st_mode) == 0o600
    posted = paste_curl_line(up)
    assert posted["state"] == "rendered"
    assert HEADLINE in page_at(posted["url"])
    services = sum(memory_megabytes(up.pid(name)) for name in ("ingest", "store", "render"))
    whole = sum(memory_megabytes(process.pid) for process in up.processes())
    assert services < 300, "resident; shared pages counted three times"
    assert whole < 1024

    second = up.run_to_end()
    assert second.returncode == 2
    assert second.stderr.count("\n") == 1
    assert f"already runs in {up.home}" in second.stderr
    assert page_at(posted["url"])

    key = (up.home / "publisher.key").read_text()
    stop(up, signal.SIGINT)
    assert "stopping ingest, store, render, mongod, kafka" in up.said()

    up.start()
    up.says(READY)
    assert HEADLINE in page_at(posted["url"])
    assert (up.home / "publisher.key").read_text() == key
    assert paste_curl_line(up)["url"] != posted["url"]
    stop(up, signal.SIGTERM)


def stop(up: Up, number: signal.Signals) -> None:
    """Ask it to stop, and see that it ends well, in time, and leaves no process."""
    began = time.monotonic()
    up.signal(number)
    assert up.ends() == 0
    assert time.monotonic() - began < STOP_BOUND_SECONDS
    assert up.processes() == []
    assert list((up.home / "run").glob("*.pid")) == []


def test_what_is_killed_comes_back_by_itself(up: Up) -> None:
    up.start({"NEWSROOM_RENDERS": "2"})
    up.says(READY)
    posted = paste_curl_line(up)
    for name in ("store", "render-2", "mongod", "kafka"):
        former = up.pid(name)
        os.kill(former, signal.SIGKILL)
        up.says(rf"{name} ended \(signal 9\); it is started again in 1 s")
        up.says(rf"{name} is ready again after")
        assert up.pid(name) != former
    again = until(lambda: try_to_paste(up), "a post that goes through")
    assert again != posted["url"]
    assert page_at(posted["url"])
    assert page_at(again)
    stop(up, signal.SIGINT)


def try_to_paste(up: Up) -> object | None:
    return paste_curl_line(up).get("url")


def test_a_killed_newsroom_leaves_no_process_and_the_next_one_goes_on(up: Up) -> None:
    up.start()
    up.says(READY)
    posted = paste_curl_line(up)
    up.signal(signal.SIGKILL)
    assert up.ends() == -signal.SIGKILL
    until(lambda: not up.processes(), "its parts end with it")
    up.start()
    up.says(READY)
    assert page_at(posted["url"])
    assert paste_curl_line(up)["state"] == "rendered"
    stop(up, signal.SIGINT)


def test_it_can_be_stopped_while_it_starts(up: Up) -> None:
    up.start()
    up.says(r"jars +ready")
    until(lambda: (up.home / "run" / "kafka.pid").exists(), "Kafka is being started")
    stop(up, signal.SIGINT)
    assert "topics" not in up.said()


def test_it_can_be_stopped_while_it_downloads(up: Up, tmp_path: Path) -> None:
    """The repository it would download from accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        proxy = f"http://127.0.0.1:{silent.getsockname()[1]}"
        proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), proxy)
        up.start({"NEWSROOM_PARTS": str(tmp_path / "parts"), "NO_PROXY": "", "no_proxy": "", **proxies})
        up.says(r"Kafka is made ready, once, in ")
        until(lambda: (up.home / "run" / "jars.pid").exists(), "the download begins")
        stop(up, signal.SIGTERM)
    assert list(jars_folder(tmp_path / "parts").glob("*.jar")) == []


def test_a_second_ctrl_c_ends_everything_at_once(up: Up) -> None:
    up.start()
    up.says(READY)
    os.kill(up.pid("store"), signal.SIGSTOP)  # it would take its five seconds
    up.signal(signal.SIGINT)
    up.says(r"stopping ingest, store")
    time.sleep(1)  # two signals in the same moment count as one
    up.signal(signal.SIGINT)
    assert up.ends() == 130
    until(lambda: not up.processes(), "everything is gone")


def test_a_port_in_use_is_one_line_and_nothing_is_started(up: Up) -> None:
    with socket.create_server(("127.0.0.1", up.site_port)):
        refused = up.run_to_end()
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert f"port {up.site_port} is taken by " in refused.stderr
    assert "NEWSROOM_SITE_PORT" in refused.stderr
    assert not (up.home / "kafka").exists()
    assert not (up.home / "publisher.key").exists()


def test_a_log_that_is_not_the_databases_is_refused_with_the_stores_own_line(up: Up) -> None:
    up.start()
    up.says(READY)
    stop(up, signal.SIGINT)
    (up.home / "kafka").rename(up.home / "kafka-of-another")
    refused = up.run_to_end()
    assert refused.returncode == 2
    assert "belongs to the Kafka cluster" in refused.stderr
    assert up.processes() == []


def test_ones_own_servers_are_used_and_none_is_started_beside_them(
    up: Up, fresh_kafka: Callable[[], RunningKafka], fresh_mongo: Callable[[], RunningMongo]
) -> None:
    up.start({"NEWSROOM_KAFKA": fresh_kafka().bootstrap, "NEWSROOM_MONGO": fresh_mongo().url})
    up.says(READY)
    assert sorted(path.stem for path in (up.home / "run").glob("*.pid")) == ["ingest", "render", "store"]
    assert HEADLINE in page_at(paste_curl_line(up)["url"])
    stop(up, signal.SIGINT)
    assert not (up.home / "kafka").exists()
    assert not (up.home / "mongo").exists()


def test_a_log_that_takes_connections_and_never_answers_can_be_stopped(up: Up) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        up.start({"NEWSROOM_KAFKA": f"127.0.0.1:{silent.getsockname()[1]}"})
        up.says(r"mongod +good")
        silent.settimeout(PATIENCE_SECONDS)
        connection, _ = silent.accept()
        with connection:
            began = time.monotonic()
            up.signal(signal.SIGINT)
            assert up.ends() == 0
            assert time.monotonic() - began < 25


def test_ones_own_servers_that_do_not_answer_are_told(up: Up) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{probe.getsockname()[1]}"
    refused = up.run_to_end({"NEWSROOM_KAFKA": nobody})
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"newsroom up: no Kafka answers at {nobody}")
    assert up.processes() == []
