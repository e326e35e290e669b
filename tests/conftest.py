"""Real servers for tests marked `real`, a Chromium for those marked `browser`; started when a test asks.

Files of tests are spread over a few processes (pytest-xdist), for most of them wait most of the time. Each
process has servers of its own.

A server that a fixture here gave ends with the session (or the module), also after failures, and its folder
with it; should pytest itself be killed, the leash of `desk.parts` ends it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from desk.parts.home import SOURCE
from desk.parts.ports import keep_to_share
from desk.parts.prepare import prepare
from newsroom.errors import Misconfigured
from tests import canary, node_tools
from tests.running import RunningKafka, RunningMongo

__all__ = ["RunningKafka", "RunningMongo"]

settings.register_profile("on a busy machine", deadline=None)
settings.load_profile("on a busy machine")
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
NO_CHROMIUM = "no Chromium on this machine: `apt-get install chromium` (or Google Chrome on PATH)"
NO_NODE_TOOLS = "the checkers are not installed: `apt-get install nodejs npm`, then `make tools`"
FOR_THE_TESTS = ("NEWSROOM_TEST_PARTS", "NEWSROOM_NO_SKIPS", "NEWSROOM_TEST_ALL_BUGS")

_parts_folder = pytest.StashKey[Path]()
_parts_problem = pytest.StashKey[str]()
_no_skips = pytest.StashKey[bool]()
_leaked = pytest.StashKey[list[Path]]()


def pytest_configure(config: pytest.Config) -> None:
    """Read what is meant for the tests; forget every other setting of a newsroom in the environment."""
    worker, workers = os.environ.get("PYTEST_XDIST_WORKER"), os.environ.get("PYTEST_XDIST_WORKER_COUNT")
    if worker and workers:
        keep_to_share(int(worker.removeprefix("gw")), int(workers))
    canary.mark_new_secrets()
    parts = os.environ.get("NEWSROOM_TEST_PARTS")
    config.stash[_parts_folder] = Path(parts) if parts else SOURCE / ".newsroom" / "parts"
    config.stash[_no_skips] = bool(os.environ.get("NEWSROOM_NO_SKIPS"))
    for name in [name for name in os.environ if name.startswith("NEWSROOM_") and name not in FOR_THE_TESTS]:
        del os.environ[name]


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Fetch Kafka's jars before the first test, if one needs them: outside of its time limit, and seen.

    The process that only spreads the tests collects none, and fetches for the others.
    """
    is_spreading = session.config.getoption("dist", "no") != "no" and "PYTEST_XDIST_WORKER" not in os.environ
    are_needed = is_spreading or any(item.get_closest_marker("real") for item in session.items)
    if session.config.option.collectonly or not are_needed:
        return
    folder = session.config.stash[_parts_folder]
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    try:
        prepare(folder, terminal.write_line if terminal else lambda _: None)
    except (Misconfigured, OSError) as problem:
        session.config.stash[_parts_problem] = str(problem)


@pytest.fixture(scope="session")
def parts_home(pytestconfig: pytest.Config) -> Path:
    """The folder with the verified jars: the project's own, or `NEWSROOM_TEST_PARTS`."""
    problem = pytestconfig.stash.get(_parts_problem, None)
    if problem is not None:
        pytest.fail(problem, pytrace=False)
    return pytestconfig.stash[_parts_folder]


@pytest.fixture(scope="session")
def kafka(parts_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningKafka]:
    """The session's broker. A test that takes it away brings it back (`with kafka.away():`)."""
    with ExitStack() as ends:
        yield _a_kafka(ends, parts_home, tmp_path_factory)


@pytest.fixture(scope="session")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMongo]:
    """The session's mongod. A test that takes it away brings it back, and names its own databases."""
    with ExitStack() as ends:
        yield _a_mongo(ends, tmp_path_factory)


@pytest.fixture(scope="module")
def fresh_kafka(
    parts_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], RunningKafka]]:
    """Makes new, empty brokers that end with the module."""
    with ExitStack() as ends:
        yield lambda: _a_kafka(ends, parts_home, tmp_path_factory)


@pytest.fixture(scope="module")
def fresh_mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], RunningMongo]]:
    """Makes new, empty mongods that end with the module."""
    with ExitStack() as ends:
        yield lambda: _a_mongo(ends, tmp_path_factory)


def _a_kafka(ends: ExitStack, parts: Path, folders: pytest.TempPathFactory) -> RunningKafka:
    running = RunningKafka(folders.mktemp("kafka"), parts)
    ends.callback(running.end)
    running.start()
    return running


def _a_mongo(ends: ExitStack, folders: pytest.TempPathFactory) -> RunningMongo:
    running = RunningMongo(folders.mktemp("mongo"))
    ends.callback(running.end)
    running.start()
    return running


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium. Where there is none the test is skipped; the summary says what to install."""
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None:
        pytest.skip(NO_CHROMIUM)
    return found


@pytest.fixture(scope="session")
def checkers() -> None:
    """The tools of `tests/tools/`. Where they are not installed the test is skipped; the summary says how."""
    if not node_tools.INSTALLED.exists():
        pytest.skip(NO_NODE_TOOLS)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Search all that the run left behind for a secret; once, when every process that ran tests is done."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    folders: pytest.TempPathFactory = session.config._tmp_path_factory  # type: ignore[attr-defined]
    leaked = session.config.stash[_leaked] = canary.found_below(folders.getbasetemp())
    if leaked and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for file in terminalreporter.config.stash.get(_leaked, []):
        terminalreporter.write_line(f"an API key stands in {file}", red=True)
    reasons = [_reason(report.longrepr) for report in terminalreporter.getreports("skipped")]
    for kind, why in (("browser tests", NO_CHROMIUM), ("tests with a checker", NO_NODE_TOOLS)):
        skipped = sum(why in reason for reason in reasons)
        if skipped:
            terminalreporter.write_line(f"{skipped} {kind} were not run: {why}", yellow=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under `NEWSROOM_NO_SKIPS` a skip is a failure."""
    report = yield
    if report.skipped and item.config.stash[_no_skips] and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped: {_reason(report.longrepr)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Likewise for a whole module."""
    report = yield
    if report.skipped and collector.config.stash[_no_skips]:
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped: {_reason(report.longrepr)}"
    return report


def _reason(longrepr: object) -> str:
    return str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)
