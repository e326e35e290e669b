"""Wagtail, started to be measured: an environment of its own, a database in a folder, a production server."""

from __future__ import annotations

import hashlib
import http.client
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.machine import cores
from bench.stack import Broken
from desk.parts.home import SOURCE, Home
from desk.parts.part import Part
from desk.parts.ports import LOOPBACK, free_ports
from desk.parts.process import Process
from faults.stage.environment import address

ENVIRONMENT = Home(SOURCE / ".newsroom").root / "wagtail"
LIST = SOURCE / "requirements" / "wagtail.txt"
WORKERS, THREADS = max(2, cores()), 2
_INSTALL_SECONDS = 900
_BEGIN_SECONDS = 120
_ANSWER_SECONDS = 1.0
_SERVER = (
    *("-m", "gunicorn", "--workers", str(WORKERS), "--worker-class", "gthread", "--threads", str(THREADS)),
    *("--keep-alive", "75", "--backlog", "2048", "--preload", "--no-control-socket"),
    "django.core.wsgi:get_wsgi_application()",
)
_VERSIONS = (
    "import importlib.metadata as m, sqlite3; print(*(f'{n} {m.version(n)}' for n in ('wagtail', 'django', "
    "'gunicorn')), f'SQLite {sqlite3.sqlite_version}', sep=', ')"
)


class NoPeer(Exception):
    """Wagtail cannot be had on this machine. Says why, and how to get it."""


@contextmanager
def a_wagtail(folder: Path, sections: Sequence[str], say: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    """Its address and its versions. Everything it keeps is in the folder; stopped at the end.

    Raises: NoPeer; PartFailed, Broken when it does not start.
    """
    python = interpreter(say)
    home = Home(folder)
    home.make()
    (port,) = free_ports(1)
    told = _told(folder)
    _run([str(python), "-m", "bench.wagtailsite.begin", str(port), *sections], _BEGIN_SECONDS, told)
    server = _Server(home, python, port, told)
    try:
        server.start()
        server.wait_until_ready()
        yield server.where, _run([str(python), "-c", _VERSIONS], _BEGIN_SECONDS).strip()
    finally:
        server.stop()


def _told(folder: Path) -> dict[str, str]:
    """The environment of its processes."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": f"{SOURCE}:{folder}",
        "DJANGO_SETTINGS_MODULE": "bench.wagtailsite.settings",
        "WAGTAIL_FOLDER": str(folder),
    }


class _Server(Part):
    """The web server with its workers."""

    def __init__(self, home: Home, python: Path, port: int, told: dict[str, str]) -> None:
        self._port = port
        command = [str(python), *_SERVER, "--bind", f"{LOOPBACK}:{port}"]
        process = Process("wagtail", home, command, folder=home.root, environment=told)
        super().__init__(process, address(port))

    def is_ready(self) -> bool:
        """Whether the front is there."""
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=_ANSWER_SECONDS)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def interpreter(say: Callable[[str], None]) -> Path:
    """The Python of Wagtail's environment, which is made anew where the list, the folder or our own Python is
    another. Raises: NoPeer.
    """
    python, stamp = ENVIRONMENT / "bin" / "python", ENVIRONMENT / ".made"
    wanted = f"{ENVIRONMENT} {sys.version} {hashlib.sha256(LIST.read_bytes()).hexdigest()}"
    if stamp.is_file() and stamp.read_text() == wanted:
        return python
    say("Wagtail gets an environment of its own (about 240 MB, the first time)")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    try:
        _run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], _INSTALL_SECONDS)
        _run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(LIST)], _INSTALL_SECONDS)
    except Broken as error:
        raise NoPeer(
            f"{error}; it needs python3-venv (Debian, Ubuntu: apt-get install python3-venv) and, the first "
            "time, a network to fetch requirements/wagtail.txt"
        ) from error
    stamp.write_text(wanted)
    return python


def _run(command: Sequence[str], seconds: float, told: dict[str, str] | None = None) -> str:
    """What it says. Raises: Broken with the end of its complaint."""
    named = " ".join(command[1:3])
    try:
        done = subprocess.run(  # noqa: S603  (ours, word by word)
            command, env=told, capture_output=True, text=True, timeout=seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Broken(f"`{named}` did not end: {error}") from error
    if done.returncode != 0:
        last = next(iter(done.stderr.strip().splitlines()[-1:]), "it says nothing")
        raise Broken(f"`{named}` ended with {done.returncode}: {last[:200]}")
    return done.stdout
