"""A Kafka and a MongoDB as an operator would secure them: TLS, a login, and one authority for both."""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from desk.parts.home import SOURCE, Home
from desk.parts.kafka import FIXED_SETTINGS, Kafka
from desk.parts.mongod import Mongod
from desk.parts.ports import LOOPBACK, free_ports
from tests.running import Running
from tests.stack import Stack

USER = "newsroom"
PASSWORD = "canary-correct-horse"
_PROTOCOLS = {name: name for name in ("PLAINTEXT", "SASL_SSL", "SSL")} | {"CONTROLLER": "PLAINTEXT"}


class Papers:
    """An authority, a certificate of a server on loopback, and one of a client, as PEM files in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        authority = trustme.CA()
        self.ca = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.ca)
        self.server = _with_key(authority.issue_cert(LOOPBACK), folder / "server.pem")
        self.client = _with_key(authority.issue_cert("newsroom.example"), folder / "client.pem")
        self.stranger = folder / "stranger.pem"
        trustme.CA().cert_pem.write_to_path(self.stranger)
        self.members = folder / "members.key"
        self.members.write_bytes(base64.b64encode(b"what the members of a replica set share"))
        self.members.chmod(0o600)


def _with_key(issued: trustme.LeafCert, path: Path) -> Path:
    """The key in PKCS #8, the one form that Kafka reads, then the certificate."""
    key = load_pem_private_key(issued.private_key_pem.bytes(), password=None)
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + chain)
    return path


class SecuredKafka(Kafka):
    """A broker with three doors: plain (for the test itself), TLS with a login, TLS with a certificate."""

    def __init__(self, home: Home, parts: Path, papers: Papers) -> None:
        port, controller_port, login_port, certificate_port = free_ports(4)
        self.with_login = f"{LOOPBACK}:{login_port}"
        self.with_certificate = f"{LOOPBACK}:{certificate_port}"
        doors = f"PLAINTEXT://{LOOPBACK}:{port},SASL_SSL://{self.with_login},SSL://{self.with_certificate}"
        more = {
            "listeners": f"{doors},CONTROLLER://{LOOPBACK}:{controller_port}",
            "advertised.listeners": doors,
            "listener.security.protocol.map": ",".join(":".join(pair) for pair in _PROTOCOLS.items()),
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(papers.server),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(papers.ca),
            "listener.name.ssl.ssl.client.auth": "required",
        }
        super().__init__(home, port, controller_port, parts, FIXED_SETTINGS | more)

    def add_user(self) -> None:
        """The login that the services have."""
        made = self._command(
            "kafka.admin.ConfigCommand",
            *("--bootstrap-server", self.bootstrap, "--alter", "--entity-type", "users"),
            *("--entity-name", USER, "--add-config", f"SCRAM-SHA-512=[password={PASSWORD}]"),
        )
        subprocess.run(made, check=True, capture_output=True, timeout=60)


class SecuredMongod(Mongod):
    """A member that takes nothing but TLS and logins."""

    def __init__(self, home: Home, port: int, papers: Papers) -> None:
        files = ["--tlsCertificateKeyFile", str(papers.server), "--tlsCAFile", str(papers.ca)]
        doors = ["--tlsMode", "requireTLS", "--tlsAllowConnectionsWithoutCertificates"]
        super().__init__(home, port, [*doors, *files, "--auth", "--keyFile", str(papers.members)])
        self._ca = papers.ca

    def is_ready(self) -> bool:
        """Whether it takes writes; it was made a replica set before it was secured."""
        try:
            with MongoClient[dict[str, Any]](
                self._member, directConnection=True, tlsCAFile=str(self._ca), serverSelectionTimeoutMS=500
            ) as client:
                return bool(client.admin.command("hello").get("isWritablePrimary"))
        except PyMongoError:
            return False


def _a_secured_kafka(folder: Path, parts: Path, papers: Papers) -> tuple[Running, SecuredKafka]:
    """It runs, and knows the user."""
    home = _a_home(folder)
    kafka = SecuredKafka(home, parts, papers)
    running = Running(kafka, home)
    running.start()
    kafka.add_user()
    return running, kafka


def _a_secured_mongod(folder: Path, papers: Papers) -> tuple[Running, str]:
    """It runs, and knows the user; with its URL, which says who that is. A first start, in the open, made it
    a replica set.
    """
    home = _a_home(folder)
    port = free_ports(1)[0]
    open_one = Mongod(home, port)
    open_running = Running(open_one, home)
    open_running.start()
    with MongoClient[dict[str, Any]](open_one.url) as client:
        client.admin.command("createUser", USER, pwd=PASSWORD, roles=["readWriteAnyDatabase"])
    open_running.stop()
    running = Running(SecuredMongod(home, port, papers), home)
    running.start()
    return running, open_one.url.replace("mongodb://", f"mongodb://{USER}:{PASSWORD}@") + "&authSource=admin"


@dataclass(frozen=True)
class Secured:
    """Both servers, with what a service is told to reach them."""

    papers: Papers
    broker: Running
    kafka: SecuredKafka
    mongod: Running
    mongo_url: str

    @property
    def told(self) -> dict[str, str]:
        return {
            "NEWSROOM_KAFKA": self.kafka.with_login,
            "NEWSROOM_KAFKA_SECURITY": "SASL_SSL",
            "NEWSROOM_KAFKA_USER": USER,
            "NEWSROOM_KAFKA_PASSWORD": PASSWORD,
            "NEWSROOM_KAFKA_CA": str(self.papers.ca),
            "NEWSROOM_MONGO": self.mongo_url,
            "NEWSROOM_MONGO_CA": str(self.papers.ca),
        }

    def stack(self, folder: Path) -> Stack:
        """For services that come through the secured doors (`spawn(…, **told)`); the test itself takes the
        broker's plain one.
        """
        return Stack(self.kafka.bootstrap, f"{self.mongo_url}&tls=true&tlsCAFile={self.papers.ca}", folder)

    async def desk(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`newsroom …` on these servers."""
        environment = {**os.environ, **self.told, "NEWSROOM_HOME": str(folder / "home")}
        environment["PYTHONPATH"] = f"{SOURCE}:{SOURCE / 'shared'}"
        command = [sys.executable, "-m", "desk", *arguments]
        return await asyncio.to_thread(
            subprocess.run, command, env=environment, capture_output=True, text=True, timeout=120
        )


@contextmanager
def secured_servers(folder: Path, parts: Path) -> Iterator[Secured]:
    """They run for as long as the block lasts."""
    papers = Papers(folder / "papers")
    with ExitStack() as ends:
        broker, kafka = _a_secured_kafka(folder / "kafka", parts, papers)
        ends.callback(broker.end)
        mongod, url = _a_secured_mongod(folder / "mongo", papers)
        ends.callback(mongod.end)
        yield Secured(papers, broker, kafka, mongod, url)


def _a_home(folder: Path) -> Home:
    home = Home(folder)
    home.make()
    return home
