"""A newsroom on this machine as it is set up: where it lies, its ports, which servers it brings itself.

Read once by `up` and `doctor`; the services get what they need of it in their environment, and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Self

from pydantic import Field, model_validator

from desk.parts.home import SOURCE, Home
from desk.parts.ports import LOOPBACK
from newsroom.servers import Bootstrap
from newsroom.settings import CommonSettings
from newsroom.topics import PARTITIONS

PORT_SETTINGS = {
    "ingest": "NEWSROOM_INGEST_PORT",
    "store": "NEWSROOM_STORE_PORT",
    "render": "NEWSROOM_SITE_PORT",
}
"""Each service, and where it is told its port; in the order in which they are stopped: first the door."""
SERVICES = tuple(PORT_SETTINGS)
MORE_RENDERS = tuple(f"render-{number}" for number in range(2, PARTITIONS + 1))
"""The processes that may render beside the first; more than there are partitions have nothing to do."""
STOP_SECONDS = "4"
"""Of one service, unless told otherwise: all of them, mongod and Kafka have to stop within 20 s."""

_PASSED_ON = frozenset(
    {
        *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "PYTHONPATH"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR"),
    }
)
"""What a service needs besides its settings. No proxies: what the services ask is on this machine."""
_NOT_FOR_SERVICES = frozenset({"NEWSROOM_KEY", "NEWSROOM_URL", "NEWSROOM_HOME", "NEWSROOM_PARTS"})


class Listening(NamedTuple):
    """A port that is taken here, the address it is taken on, and the setting that changes it."""

    setting: str
    host: str
    port: int


class MachineSettings(CommonSettings):
    """What `newsroom up` can be told, besides everything that the services can be told."""

    home: Path = Field(default=Path(".newsroom"), description="Folder where everything is kept")
    parts: Path | None = Field(
        default=None,
        description="Folder of Kafka's jars, if several newsrooms share them; default: in the home",
    )
    pages: Path | None = Field(default=None, description="Pages folder; default: in the home")
    site_file: Path = Field(default=SOURCE / "site.toml", description="Description of the site")
    site_folder: Path = Field(default=SOURCE / "site", description="Own templates and drawings of the site")
    site_port: int = Field(default=8000, ge=1, le=65535, description="Port of the public site")
    ingest_port: int = Field(default=8001, ge=1, le=65535, description="Port of ingest")
    store_port: int = Field(default=8002, ge=1, le=65535, description="Port of the store's read API")
    kafka_port: int = Field(default=9192, ge=1, le=65535, description="Port of the embedded Kafka")
    kafka_controller_port: int = Field(
        default=9193, ge=1, le=65535, description="Port of the embedded Kafka's controller"
    )
    mongo_port: int = Field(default=27117, ge=1, le=65535, description="Port of the embedded mongod")
    renders: int = Field(
        default=1,
        ge=1,
        le=1 + len(MORE_RENDERS),
        description="Processes that render: each keeps a core busy in a rebuild and takes 100 to 230 MB",
    )
    renders_port: int = Field(
        default=8010,
        ge=1,
        le=65535 - len(MORE_RENDERS),
        description="Port of the second of them; further ones take the next ports",
    )

    @property
    def folder(self) -> Home:
        return Home(self.home.absolute())

    @property
    def parts_folder(self) -> Path:
        return (self.parts or self.home / "parts").absolute()

    @property
    def brings_kafka(self) -> bool:
        """Whether the embedded Kafka is started: not when somebody's own is named."""
        return "kafka" not in self.model_fields_set

    @property
    def brings_mongo(self) -> bool:
        return "mongo" not in self.model_fields_set

    @property
    def bootstrap(self) -> Bootstrap:
        return f"{LOOPBACK}:{self.kafka_port}" if self.brings_kafka else self.brokers

    @model_validator(mode="after")
    def _secures_servers_of_its_own(self) -> Self:
        """The embedded servers speak neither TLS nor logins: they listen on loopback alone."""
        if self.brings_kafka and self.kafka_security != "PLAINTEXT":
            raise ValueError("NEWSROOM_KAFKA_SECURITY is for a Kafka that NEWSROOM_KAFKA names")
        if self.brings_mongo and self.mongo_tls.is_given:
            raise ValueError("NEWSROOM_MONGO_CA and _CERTIFICATE are for a MongoDB that NEWSROOM_MONGO names")
        return self

    @property
    def services(self) -> Mapping[str, int]:
        """Every process of a service by its name, and its port."""
        return {name: self._port(name) for name in (*SERVICES, *MORE_RENDERS[: self.renders - 1])}

    def _port(self, name: str) -> int:
        if name in MORE_RENDERS:
            return self.renders_port + MORE_RENDERS.index(name)
        return {"ingest": self.ingest_port, "store": self.store_port, "render": self.site_port}[name]

    def address(self, service: str) -> str:
        """Where a service, or one of its processes, is reached from this machine."""
        anywhere = {"0.0.0.0": LOOPBACK, "::": "[::1]"}  # noqa: S104  (recognised, not listened on)
        host = anywhere.get(self.host, f"[{self.host}]" if ":" in self.host else self.host)
        return f"http://{host}:{self._port(service)}"

    @property
    def public_url(self) -> str:
        return self.site_url if "site_url" in self.model_fields_set else self.address("render")

    def ports(self) -> list[Listening]:
        """Every port that is taken here."""
        taken = [
            Listening(PORT_SETTINGS.get(name, "NEWSROOM_RENDERS_PORT"), self.host, port)
            for name, port in self.services.items()
        ]
        if self.brings_kafka:
            taken.append(Listening("NEWSROOM_KAFKA_PORT", LOOPBACK, self.kafka_port))
            taken.append(Listening("NEWSROOM_KAFKA_CONTROLLER_PORT", LOOPBACK, self.kafka_controller_port))
        if self.brings_mongo:
            taken.append(Listening("NEWSROOM_MONGO_PORT", LOOPBACK, self.mongo_port))
        return taken


def service_environment(
    settings: MachineSettings, mongo_url: str, publisher_key: str, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """What the services find in their environment: their settings, paths made absolute, and little else."""
    settings_given = {
        name: value
        for name, value in environ.items()
        if name.startswith("NEWSROOM_") and name not in _NOT_FOR_SERVICES
    }
    return {
        **{name: environ[name] for name in _PASSED_ON if name in environ},
        "NEWSROOM_STOP_SECONDS": STOP_SECONDS,
        **settings_given,
        "NEWSROOM_KAFKA": str(settings.bootstrap),
        "NEWSROOM_MONGO": mongo_url,
        "NEWSROOM_PUBLISHER_KEY": publisher_key,
        "NEWSROOM_SITE_URL": settings.public_url,
        "NEWSROOM_STORE_URL": settings.address("store"),
        "NEWSROOM_PAGES": str((settings.pages or settings.folder.site).absolute()),
        "NEWSROOM_SITE_FILE": str(settings.site_file.absolute()),
        "NEWSROOM_SITE_FOLDER": str(settings.site_folder.absolute()),
        "NEWSROOM_SITE_PORT": str(settings.site_port),
        "NEWSROOM_INGEST_PORT": str(settings.ingest_port),
        "NEWSROOM_STORE_PORT": str(settings.store_port),
    }
