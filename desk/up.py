"""`newsroom up`: the whole newsroom on this machine, in the foreground, until Ctrl-C.

The order of things: take the lock, end what a crashed run left, look at what must hold, bring the parts,
start them from the log to the pages, watch. Exit codes: 0 stopped as asked, 1 a part failed, 2 refused as it
is set up.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from desk import checks, firstkey, servers, welcome
from desk.bringing import bring_up, prepare_kafka
from desk.lock import only_one
from desk.machine import MORE_RENDERS, PORT_SETTINGS, SERVICES, MachineSettings, service_environment
from desk.parts import jars
from desk.parts.home import SOURCE
from desk.parts.kafka import Kafka
from desk.parts.mongod import Mongod
from desk.parts.part import Part, PartFailed
from desk.parts.prepare import is_prepared
from desk.parts.process import Process
from desk.parts.service import Service, service_of
from desk.screen import Screen
from desk.signals import Signals, Stopped, handling
from desk.supervision import Supervisor, in_stopping_order, stop_in_order
from newsroom.errors import Misconfigured
from newsroom.settings import read

EXIT_STOPPED = 0
EXIT_FAILED = 1
EXIT_NOT_STARTABLE = 2
EXIT_KILLED = 130

SERVER_PATIENCE_SECONDS = 180.0
"""A log or a database that was killed looks through its files first."""
SERVICE_PATIENCE_SECONDS = 24 * 3600.0
"""An empty database first reads the whole log; that it waits, and for what, is said meanwhile."""
_LOOK_SECONDS = 0.2


def command() -> int:
    """Run until told to stop; the exit code."""
    screen = Screen(sys.stdout)
    signals = Signals(at_once=lambda: None)
    try:
        with handling(signals):
            return Newsroom(read(MachineSettings), screen, signals).run()
    except Misconfigured as error:
        print(f"newsroom up: {error}", file=sys.stderr)
        return EXIT_NOT_STARTABLE
    except (PartFailed, OSError) as error:  # also a disk that is full
        print(f"newsroom up: {error}", file=sys.stderr)
        return EXIT_FAILED


class Newsroom:
    """One newsroom, from nothing to running to nothing."""

    def __init__(self, settings: MachineSettings, screen: Screen, signals: Signals) -> None:
        self._settings = settings
        self._home = settings.folder
        self._screen = screen
        self._signals = signals
        self._parts: list[Part] = []
        self._mongo_url = settings.mongo.get_secret_value()
        signals.at_once = self._kill_and_leave

    def run(self) -> int:
        """Start, watch, stop. Raises: Misconfigured, PartFailed, with everything stopped."""
        self._make_home()
        with only_one(self._home.lock_file, self._settings.public_url):
            self._end_leftovers()
            try:
                self._start()
                self._watch()
            except Stopped:
                return EXIT_STOPPED
            finally:
                self._stop()

    def _make_home(self) -> None:
        try:
            self._home.make()
            probe = self._home.run / "probe"
            probe.write_text("")
            probe.unlink()
        except OSError as error:
            raise Misconfigured(
                f"{self._home.root} cannot be written to ({error.strerror}): set NEWSROOM_HOME to another one"
            ) from error

    def _end_leftovers(self) -> None:
        for name in ("jars", *SERVICES, *MORE_RENDERS, "mongod", "kafka"):
            pid = Process(name, self._home, (), folder=SOURCE, environment={}).end_leftover()
            if pid is not None:
                self._screen.say(f"ended {name} (process {pid}), which a run that was killed had left")

    def _start(self) -> None:
        began = time.monotonic()
        self._screen.say(f"The newsroom starts; everything it keeps is in {self._home.root}")
        for name, check in checks.before_start(self._settings).items():
            self._signals.check()
            self._timed(name, check, state="good")
        self._start_servers()
        self._timed("topics", self._prepare_topics)
        self._start_services()
        self._screen.step("all", "ready", "", time.monotonic() - began)
        for line in welcome.lines(self._settings):
            self._screen.say(line)

    def _timed(self, name: str, step: Callable[[], str], state: str = "ready") -> None:
        began = time.monotonic()
        found = step()
        self._screen.step(name, state, found, time.monotonic() - began)
        self._signals.check()

    def _start_servers(self) -> None:
        embedded: list[Part] = []
        if self._settings.brings_kafka:
            self._timed("jars", self._bring_jars)
            ports = (self._settings.kafka_port, self._settings.kafka_controller_port)
            embedded.append(Kafka(self._home, *ports, self._settings.parts_folder))
        else:
            self._timed("kafka", self._reach_kafka)
        if self._settings.brings_mongo:
            mongod = Mongod(self._home, self._settings.mongo_port)
            self._mongo_url = mongod.url
            embedded.append(mongod)
        else:
            tls = self._settings.mongo_tls
            self._timed("mongodb", lambda: servers.mongo_server(self._mongo_url, tls))
        self._bring_up(embedded, SERVER_PATIENCE_SECONDS)

    def _bring_jars(self) -> str:
        folder = self._settings.parts_folder
        if not is_prepared(folder):
            prepare_kafka(self._home, folder, self._screen, self._signals)
        return f"Kafka {jars.KAFKA_VERSION}, {len(jars.read_list())} jars"

    def _reach_kafka(self) -> str:
        bootstrap = self._settings.brokers
        return f"{bootstrap}, cluster {servers.kafka_cluster(bootstrap, self._signals.check)}"

    def _prepare_topics(self) -> str:
        settings = self._settings
        count = servers.prepare_topics(
            settings.bootstrap,
            replication=settings.replication,
            min_insync=settings.min_insync,
            meanwhile=self._signals.check,
        )
        return f"{count} topics"

    def _start_services(self) -> None:
        key = firstkey.ensure(self._home.key_file)
        environment = service_environment(self._settings, self._mongo_url, key)
        services = [
            Service(
                name,
                self._home,
                self._settings.address(name),
                {**environment, PORT_SETTINGS[service_of(name)]: str(port)},
            )
            for name, port in self._settings.services.items()
        ]
        self._bring_up(services, SERVICE_PATIENCE_SECONDS)

    def _bring_up(self, parts: Sequence[Part], patience_seconds: float) -> None:
        """Start all at once and wait until all are ready."""
        self._parts.extend(parts)
        bring_up(parts, patience_seconds, self._screen, self._signals)

    def _watch(self) -> NoReturn:
        supervisor = Supervisor(self._parts, self._say_with_time)
        while True:
            supervisor.look(meanwhile=self._signals.check)
            time.sleep(_LOOK_SECONDS)

    def _say_with_time(self, line: str) -> None:
        self._screen.say(f"{time.strftime('%H:%M:%S')}  {line}")

    def _stop(self) -> None:
        running = in_stopping_order(part for part in self._parts if part.pid is not None)
        if not running:
            return
        began = time.monotonic()
        self._screen.say(
            f"stopping {', '.join(part.name for part in running)} (Ctrl-C again ends them at once)"
        )
        stop_in_order(running, self._screen.say)
        self._screen.say(f"stopped in {time.monotonic() - began:.1f} s")

    def _kill_and_leave(self) -> None:
        """From within a signal handler: nothing that waits."""
        for part in self._parts:
            part.process.signal(signal.SIGKILL)
        os._exit(EXIT_KILLED)
