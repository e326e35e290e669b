"""Caddy on this machine, reached from it alone: as the edge of the newsroom, with the configuration that
compose gives it, and as a plain server of the same files.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.environments import Environment
from bench.stack import Broken
from desk.parts.home import SOURCE, Home
from desk.parts.part import Part
from desk.parts.ports import LOOPBACK
from desk.parts.process import Process
from faults.stage.environment import address

CONFIGURATION = SOURCE / "compose" / "edge" / "Caddyfile"
PORTS = (8000, 8001, 8002)
"""Of the edge under compose: the site, ingest, the store."""
_FILES = "/pages/public"
_ADMIN = "\tadmin off\n"
_BOUND = f"{_ADMIN}\tdefault_bind {LOOPBACK}\n"
_PLAIN = """{{
	admin off
	default_bind {host}
	auto_https off
	persist_config off
	servers {{
		protocols h1
	}}
	log {{
		level WARN
	}}
}}
:{port} {{
	root * {files}
	file_server
}}
"""
ENVIRONMENT = Environment("caddy", "Caddy", "about 70 MB")
_NONE = (
    "there is no Caddy that takes compose/edge/Caddyfile, neither beside Python nor on PATH (Debian's package"
    " `caddy` is too old for it), and none that can be installed"
)


class NoCaddy(Exception):
    """None can be had on this machine. Says why."""


class Caddy(Part):
    """One Caddy. It is ready once it answers at all."""

    def __init__(self, name: str, home: Home, program: str, configuration: Path, port: int) -> None:
        command = [program, "run", "--adapter", "caddyfile", "--config", str(configuration)]
        process = Process(name, home, command, folder=home.root, environment=_keeping(home.run))
        super().__init__(process, address(port))
        self._port = port

    def is_ready(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self._port), timeout=1):
                return True
        except OSError:
            return False


def a_caddy(folder: Path, say: Callable[[str], None]) -> str:
    """One that takes the edge's configuration: found, or else of an environment of its own. Writes to that
    folder. Raises: NoCaddy.
    """
    if found := find_caddy(folder):
        return found
    try:
        installed = str(ENVIRONMENT.made(say) / "caddy")
    except Broken as error:
        raise NoCaddy(f"{_NONE}: {error}") from error
    if found := find_caddy(folder, [installed]):
        return found
    raise NoCaddy(f"{_NONE}: the one of requirements/{ENVIRONMENT.listed.name} does not take it")


def find_caddy(folder: Path, programs: Sequence[str] | None = None) -> str | None:
    """The first of the programs that takes the edge's configuration; without any told, of those beside
    Python and on PATH. Writes to that folder.
    """
    configuration = edge_configuration(folder, folder, PORTS)
    for program in _programs() if programs is None else programs:
        command = [program, "validate", "--adapter", "caddyfile", "--config", str(configuration)]
        tried = subprocess.run(command, capture_output=True, env=_keeping(folder), timeout=60, check=False)  # noqa: S603
        if tried.returncode == 0:
            return program
    return None


def _keeping(folder: Path) -> dict[str, str]:
    """An environment in which it keeps all that it keeps in that folder."""
    return dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), str(folder))


def _programs() -> list[str]:
    beside = Path(sys.executable).with_name("caddy")
    found = [str(beside) if beside.exists() else None, shutil.which("caddy")]
    return [program for program in found if program]


def version_of(program: str) -> str:
    """As it tells it, without the checksum."""
    told = subprocess.run([program, "version"], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    return (told.stdout.split() or ["of unknown version"])[0]


def edge_configuration(folder: Path, files: Path, ports: Sequence[int]) -> Path:
    """The edge's own, but for where the pages lie, for its three ports, and that it listens on loopback."""
    text = _replaced(CONFIGURATION.read_text(), _ADMIN, _BOUND)
    for standing, port in zip(PORTS, ports, strict=True):
        text = _replaced(text, f"\n:{standing} {{", f"\n:{port} {{")
    place = folder / "edge.Caddyfile"
    place.write_text(_replaced(text, _FILES, str(files)))
    return place


def plain_configuration(folder: Path, files: Path, port: int) -> Path:
    """The least that serves files: no header of its own, no choice of encoding, no rule."""
    place = folder / "plain.Caddyfile"
    place.write_text(_PLAIN.format(host=LOOPBACK, files=files, port=port))
    return place


def _replaced(text: str, old: str, new: str) -> str:
    """Raises: ValueError where there is nothing to replace: the edge is no longer what this was made for."""
    if old not in text:
        raise ValueError(f"{CONFIGURATION} has no {old.strip()!r} any more")
    return text.replace(old, new)
