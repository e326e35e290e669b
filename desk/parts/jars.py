"""Kafka's jars: the exact list in `jars.txt` with a SHA-256 for each, fetched once by Maven coordinates.

The list is Maven's own (`dependency:list` with runtime scope, over `kafka_2.13`, `kafka-clients`,
`kafka-tools` and `log4j-slf4j-impl`). `jgo` only fetches: its own mediation of versions differs from Maven's,
so nothing is left for it to resolve. What is not on the list, or has other bytes, never reaches the class
path.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from newsroom.errors import Misconfigured

KAFKA_VERSION = "4.3.0"
LIST = Path(__file__).with_name("jars.txt")
TRIES = 3
PAUSE_SECONDS = 1.0
_DOWNLOADS_AT_ONCE = 6
_TIMEOUT_SECONDS = 60

Fetch = Callable[["Jar", Path], Path]
"""Brings one jar into a folder (which it may use as it likes) and says where it lies there."""


@dataclass(frozen=True)
class Jar:
    """One line of `jars.txt`: `group:artifact:version[:classifier] sha256`."""

    group: str
    artifact: str
    version: str
    classifier: str
    sha256: str

    @property
    def coordinate(self) -> str:
        return ":".join(part for part in (self.group, self.artifact, self.version, self.classifier) if part)

    @property
    def file_name(self) -> str:
        return "-".join(part for part in (self.artifact, self.version, self.classifier) if part) + ".jar"

    def is_at(self, path: Path) -> bool:
        """Whether the file there has exactly the bytes of the list."""
        try:
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256
        except OSError:
            return False


def read_list(path: Path = LIST) -> tuple[Jar, ...]:
    """The jars in the order of the list."""
    jars = []
    for line in path.read_text().splitlines():
        coordinate, sha256 = line.split()
        group, artifact, version, *classifier = coordinate.split(":")
        jars.append(Jar(group, artifact, version, "".join(classifier), sha256))
    return tuple(jars)


def missing(folder: Path, jars: Sequence[Jar]) -> list[Jar]:
    """Those that are not there, or have other bytes than the list says."""
    return [jar for jar in jars if not jar.is_at(folder / jar.file_name)]


def jars_folder(parts: Path) -> Path:
    """Where the jars of this Kafka lie."""
    return parts / f"kafka-{KAFKA_VERSION}"


def class_path(
    parts: Path,
    say: Callable[[str], None] = lambda _: None,
    *,
    jars: Sequence[Jar] = (),
    fetch: Fetch | None = None,
) -> str:
    """The class path of verified jars, after fetching what is missing. `say` is told the progress.

    A process that is killed halfway leaves no half jar: each is checked in a folder of its own, then renamed.
    Raises: Misconfigured when a jar cannot be had or keeps coming with other bytes.
    """
    jars = jars or read_list()
    folder = jars_folder(parts)
    folder.mkdir(parents=True, exist_ok=True)
    if missing(folder, jars):
        with one_at_a_time(parts / "fetch.lock"):
            _fetch_all(folder, missing(folder, jars), say, fetch or fetch_with_jgo)
    return ":".join(str(folder / jar.file_name) for jar in jars)


@contextmanager
def one_at_a_time(lock_file: Path) -> Iterator[None]:
    """Wait until no other process is in such a block: who fetches, or makes something of what was fetched."""
    with lock_file.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch_all(folder: Path, wanted: Sequence[Jar], say: Callable[[str], None], fetch: Fetch) -> None:
    for leftover in folder.glob("fetching-*"):  # of a run that was killed; we hold the lock
        shutil.rmtree(leftover, ignore_errors=True)
    began = last_said = time.monotonic()
    megabytes = 0.0
    pool = ThreadPoolExecutor(_DOWNLOADS_AT_ONCE, thread_name_prefix="jars")
    try:
        downloads = [pool.submit(_fetch_one, folder, jar, fetch) for jar in wanted]
        for done, download in enumerate(as_completed(downloads), start=1):
            megabytes += download.result() / 1e6
            now = time.monotonic()
            if now - last_said > 1 or done == len(wanted):
                say(f"fetched {done} of {len(wanted)} jars, {megabytes:.0f} MB in {now - began:.0f} s")
                last_said = now
    finally:
        pool.shutdown(cancel_futures=True)


def _fetch_one(folder: Path, jar: Jar, fetch: Fetch) -> int:
    """Fetch, check, move into place; its size in bytes. Raises: Misconfigured after several tries."""
    problem = ""
    for tried in range(TRIES):
        time.sleep(PAUSE_SECONDS * tried)
        with tempfile.TemporaryDirectory(prefix="fetching-", dir=folder) as workshop:
            try:
                fetched = fetch(jar, Path(workshop))
            except Exception as error:  # noqa: BLE001  (jgo: whatever its HTTP client raises)
                problem = f"{type(error).__name__}: {str(error)[:200]}"
                continue
            if jar.is_at(fetched):
                size = fetched.stat().st_size
                fetched.replace(folder / jar.file_name)
                return size
            problem = f"what came has not the SHA-256 of desk/parts/jars.txt ({fetched.stat().st_size} bytes)"
    raise Misconfigured(
        f"Kafka's jar {jar.coordinate} cannot be had after {TRIES} tries: {problem}. Is there a network, and "
        "room on the disk? What has come is kept, run it again; or point NEWSROOM_KAFKA to your own Kafka"
    )


def fetch_with_jgo(jar: Jar, workshop: Path) -> Path:
    """One artifact by its exact coordinate, from the Maven repository into the workshop: no resolving."""
    try:
        from jgo.maven import MavenContext
    except ImportError as error:
        raise Misconfigured("the package jgo is missing: install requirements/parts.txt") from error
    maven = MavenContext(repo_cache=workshop, local_repos=[], timeout=_TIMEOUT_SECONDS)
    component = maven.project(jar.group, jar.artifact).at_version(jar.version)
    return Path(component.artifact(classifier=jar.classifier).resolve())
