"""What must hold before anything is started. Each check tells what is wrong and what to do, in one line."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from desk.machine import Listening, MachineSettings
from desk.parts import java, mongod, ports
from newsroom.errors import Misconfigured
from newsroom.settings import read
from services.ingest.settings import IngestSettings
from services.render.looks.sitefile import load_site
from services.render.settings import RenderSettings
from services.store.settings import StoreSettings

OLDEST_PYTHON = (3, 11)
FIRST_START_MB = 1024
LATER_MB = 300
_PORT_PATIENCE_SECONDS = 1.5

Check = Callable[[], str]
"""Says what was found. Raises: Misconfigured with one line."""


def before_start(settings: MachineSettings) -> dict[str, Check]:
    """Everything `up` looks at before it starts anything, by name, cheapest first."""
    checks: dict[str, Check] = {
        "python": check_python,
        "settings": check_settings,
        "site": lambda: check_site(settings),
        "disk": lambda: check_disk(settings),
        "ports": lambda: check_ports(settings.ports()),
    }
    if settings.brings_kafka:
        checks["java"] = check_java
    if settings.brings_mongo:
        checks["mongod"] = check_mongod
    return checks


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> str:
    """Whether this Python is new enough."""
    told = ".".join(str(number) for number in version)
    if version < OLDEST_PYTHON:
        oldest = ".".join(str(number) for number in OLDEST_PYTHON)
        raise Misconfigured(
            f"this is Python {told}, the newsroom needs {oldest} or newer: remove .venv and use a newer one"
        )
    return told


def check_settings() -> str:
    """Whether the services can read what the environment tells them."""
    for model in (IngestSettings, StoreSettings, RenderSettings):
        read(model)
    return "all can be used"


def check_site(settings: MachineSettings) -> str:
    """Whether the description of the site can be used."""
    return load_site(settings.site_file, settings.public_url).name


def check_disk(settings: MachineSettings, usage: Callable[[Path], int] | None = None) -> str:
    """Whether there is room for a start; `usage` tells the free bytes."""
    needed = LATER_MB if (settings.folder.kafka / "data").exists() else FIRST_START_MB
    folder = _nearest_existing(settings.folder.root)
    free = (usage or _free_bytes)(folder) // (1024 * 1024)
    if free < needed:
        raise Misconfigured(
            f"no room on the disk of {settings.folder.root}: {free} MB are free, {needed} MB are needed to "
            "start; free some, or set NEWSROOM_HOME to a folder on another disk"
        )
    return f"{free} MB free"


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _nearest_existing(folder: Path) -> Path:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def check_ports(
    wanted: Sequence[Listening],
    *,
    is_free: Callable[[int, str], bool] = ports.is_free,
    patience_seconds: float = _PORT_PATIENCE_SECONDS,
) -> str:
    """Whether every port can be taken. What was killed a moment ago may hold one a little longer."""
    _check_different(wanted)
    deadline = time.monotonic() + patience_seconds
    while busy := [each for each in wanted if not is_free(each.port, each.host)]:
        if time.monotonic() > deadline:
            raise Misconfigured(
                "; ".join(
                    f"port {port} is taken by {ports.holder(port)}: stop it, or set {setting} to another port"
                    for setting, _, port in busy
                )
            )
        time.sleep(0.1)
    return f"{len(wanted)} free: {' '.join(str(each.port) for each in wanted)}"


def _check_different(wanted: Sequence[Listening]) -> None:
    taken: dict[int, str] = {}
    for setting, _, port in wanted:
        if port in taken:
            raise Misconfigured(f"{taken[port]} and {setting} both lead to port {port}: give each its own")
        taken[port] = setting


def check_java() -> str:
    """Whether the Java that would be started can run; its version."""
    found = java.find_java()
    version = java.version(found)
    if version is None:
        raise Misconfigured(
            f"{found} cannot run: install requirements/parts.txt anew, or remove .venv and start again"
        )
    return version


def check_mongod() -> str:
    """Whether the mongod that would be started can run; its version."""
    return mongod.version(mongod.find_mongod())
