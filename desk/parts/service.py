"""One of the newsroom's own services as a part: `python -m services.NAME`, asked for its health over HTTP."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from desk.parts.home import SOURCE, Home
from desk.parts.part import Part, PartFailed
from desk.parts.process import Process, last_lines
from newsroom.errors import Misconfigured

EXIT_MISCONFIGURED = 2
HEALTH_SECONDS = 2.5
"""A little longer than a service gives each of its checks."""
_COMPLAINT = "newsroom: "
_TAKEN = frozenset({"/problems/busy", "/problems/too-many-requests"})


@dataclass(frozen=True)
class Answer:
    """What a service says of its health. `failing`: the checks that do not hold, by name. `is_full`: it has
    no place for one more connection, so that nothing of its health is known.
    """

    is_good: bool
    failing: tuple[str, ...] = field(default=())
    reached: bool = True
    is_full: bool = False


def ask_health(address: str, kind: str) -> Answer:
    """Ask `/health/{kind}` (`ready` or `live`), within three seconds. Being away is an answer too."""
    where = urlsplit(address)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=HEALTH_SECONDS)
    try:
        connection.request("GET", f"/health/{kind}")
        response = connection.getresponse()
        body = response.read()
    except (OSError, HTTPException):
        return Answer(is_good=False, reached=False)
    finally:
        connection.close()
    return Answer(is_good=response.status == 200, failing=_failing(body), is_full=is_no_place(body))


def is_no_place(body: bytes) -> bool:
    """Whether this is how a service refuses a connection that is one too many."""
    try:
        return json.loads(body)["type"] in _TAKEN
    except (ValueError, KeyError, TypeError):
        return False


def _failing(body: bytes) -> tuple[str, ...]:
    try:
        checks = json.loads(body)["checks"]
        return tuple(name for name, holds in checks.items() if not holds)
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()


def service_of(name: str) -> str:
    """The service that a process is of: of several, the further ones are numbered (`render-2`)."""
    return name.partition("-")[0]


class Service(Part):
    """A service. It listens at once and becomes ready when the log, its database and its consumers are."""

    def __init__(self, name: str, home: Home, address: str, environment: Mapping[str, str]) -> None:
        command = [sys.executable, "-m", f"services.{service_of(name)}"]
        super().__init__(Process(name, home, command, folder=SOURCE, environment=environment), address)

    def is_ready(self) -> bool:
        """Whether every check holds."""
        return ask_health(self.where, "ready").is_good

    def is_alive(self) -> bool:
        """Whether it gets on; what does not is helped by a restart. One that is full has much to do, and
        would lose all who are connected.
        """
        answer = ask_health(self.where, "live")
        return answer.is_good or answer.is_full

    def failing(self) -> tuple[str, ...]:
        """The checks that keep it from being ready."""
        return ask_health(self.where, "ready").failing

    def wait_until_ready(self, seconds: float = 60.0, meanwhile: Callable[[], None] = lambda: None) -> None:
        """As for any part. Raises: Misconfigured with the service's own line when it refused to start."""
        try:
            super().wait_until_ready(seconds, meanwhile)
        except PartFailed as error:
            if self.process.exit_code() == EXIT_MISCONFIGURED:
                raise Misconfigured(self.complaint()) from error
            raise

    def complaint(self) -> str:
        """The one line that a service leaves when it cannot be used as it is set up."""
        told = [line for line in last_lines(self.process.log, 200) if line.startswith(_COMPLAINT)]
        if told:
            return f"{self.name}: {told[-1].removeprefix(_COMPLAINT)}"
        return self.report(f"{self.name} refused to start (exit code {EXIT_MISCONFIGURED})")
