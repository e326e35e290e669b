"""Wagtail, started to be measured: an environment of its own, a database in a folder, a production server."""

from __future__ import annotations

import http.client
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.environments import Environment, run
from bench.machine import cores
from bench.stack import Broken
from desk.parts.home import SOURCE, Home
from desk.parts.part import Part
from desk.parts.ports import LOOPBACK, free_ports
from desk.parts.process import Process
from faults.stage.environment import address

ENVIRONMENT = Environment("wagtail", "Wagtail", "about 240 MB")
WORKERS, THREADS = max(2, cores()), 2
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
    try:
        python = ENVIRONMENT.made(say) / "python"
    except Broken as error:
        raise NoPeer(str(error)) from error
    home = Home(folder)
    home.make()
    (port,) = free_ports(1)
    told = _told(folder)
    run([str(python), "-m", "bench.wagtailsite.begin", str(port), *sections], _BEGIN_SECONDS, told)
    server = _Server(home, python, port, told)
    try:
        server.start()
        server.wait_until_ready()
        yield server.where, run([str(python), "-c", _VERSIONS], _BEGIN_SECONDS).strip()
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
