"""A Kafka and a MongoDB as an operator would secure them: TLS, a login, and one authority for both."""

from __future__ import annotations

import base64
import subprocess
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

from desk.parts.home import Home
from desk.parts.kafka import FIXED_SETTINGS, Kafka
from desk.parts.mongod import Mongod
from desk.parts.ports import LOOPBACK, free_ports
from tests.running import Running

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


def a_secured_kafka(folder: Path, parts: Path, papers: Papers) -> tuple[Running, SecuredKafka]:
    """It runs, and knows the user."""
    home = _a_home(folder)
    kafka = SecuredKafka(home, parts, papers)
    running = Running(kafka, home)
    running.start()
    kafka.add_user()
    return running, kafka


def a_secured_mongod(folder: Path, papers: Papers) -> tuple[Running, str]:
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


def _a_home(folder: Path) -> Home:
    home = Home(folder)
    home.make()
    return home
