"""Settings that every service has. Each service adds its own in `services/*/settings.py`; all are read once,
at start.

Names in the environment are `NEWSROOM_` and the field's name in capitals. A file of that name in small
letters in the folder of secrets stands for the variable, and wins over it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, Self, TypeVar

from pydantic import Field, FilePath, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from newsroom.doorsettings import DoorSettings
from newsroom.errors import Misconfigured
from newsroom.servers import Brokers, Mechanism, Security, Tls

SettingsT = TypeVar("SettingsT", bound="CommonSettings")
SECRETS = Path("/run/secrets")
"""Where Docker and Kubernetes put the files of secrets."""


class CommonSettings(DoorSettings):
    """What all three services need to find the log, the documents and each other."""

    model_config = SettingsConfigDict(
        env_prefix="NEWSROOM_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    kafka: str = Field(
        default="127.0.0.1:9192", description="Kafka bootstrap servers, host:port, comma-separated"
    )
    kafka_security: Security = Field(
        default="PLAINTEXT",
        description="How Kafka is reached: PLAINTEXT, SSL (TLS), SASL_PLAINTEXT (login), SASL_SSL (both)",
    )
    kafka_mechanism: Mechanism = Field(
        default="SCRAM-SHA-512", description="Kind of Kafka login: SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN"
    )
    kafka_user: str | None = Field(default=None, description="Who the services are to Kafka")
    kafka_password: SecretStr | None = Field(default=None, description="Password of that Kafka user")
    kafka_ca: FilePath | None = Field(
        default=None,
        description="PEM file of the authority that signed Kafka's certificates; none: those of the system",
    )
    kafka_certificate: FilePath | None = Field(
        default=None, description="PEM file of our own certificate, where Kafka asks for one"
    )
    kafka_certificate_key: FilePath | None = Field(
        default=None, description="PEM file of its key, where it is not in the same file"
    )
    mongo: SecretStr = Field(
        default=SecretStr("mongodb://127.0.0.1:27117/?replicaSet=newsroom"),
        description="MongoDB URL of a replica set (one member is enough)",
    )
    mongo_ca: FilePath | None = Field(
        default=None, description="PEM file of the authority that signed MongoDB's certificates (means TLS)"
    )
    mongo_certificate: FilePath | None = Field(
        default=None,
        description="PEM file of our own certificate and its key, where MongoDB asks for one (means TLS)",
    )
    secrets: Path = Field(
        default=SECRETS,
        description="Folder of files that stand for settings, named like them in small letters",
    )
    replication: int = Field(
        default=1, ge=1, le=7, description="Copies of each topic: 1 on one machine, 3 on a cluster"
    )
    min_insync: int = Field(
        default=1, ge=1, le=7, description="Copies that must have a record before it is accepted"
    )
    site_url: str = Field(
        default="http://127.0.0.1:8000",
        pattern=r"^https?://[^/\s]+$",
        description="Public address of the site, no path",
    )
    host: str = Field(default="127.0.0.1", description="Address that the services listen on")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is logged"
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="json for machines, console for people"
    )
    stop_seconds: float = Field(default=15, ge=1, le=300, description="Longest graceful stop, seconds")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """A file that somebody put there says more than a variable, which may be a default of compose."""
        return init_settings, file_secret_settings, env_settings

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        """What is said about Kafka's security must be of use: a login that is never made would be believed
        in.
        """
        problem = self.brokers.problem()
        if problem is not None:
            raise ValueError(problem)
        return self

    @property
    def brokers(self) -> Brokers:
        """Kafka, and how it is reached."""
        return Brokers(
            self.kafka,
            security=self.kafka_security,
            mechanism=self.kafka_mechanism,
            user=self.kafka_user,
            password=self.kafka_password,
            tls=Tls(self.kafka_ca, self.kafka_certificate, self.kafka_certificate_key),
        )

    @property
    def mongo_tls(self) -> Tls:
        """The files for MongoDB's TLS."""
        return Tls(self.mongo_ca, self.mongo_certificate)


class ConsumerSettings(CommonSettings):
    """What the services need that consume records and park the bad ones."""

    dead_letters_in_row: int = Field(
        default=50,
        ge=1,
        le=1_000_000,
        description="Bad records in a row that are parked; one more stops the consumer",
    )


def read(model: type[SettingsT]) -> SettingsT:
    """The settings from the environment. Raises: Misconfigured with one line that names each bad variable."""
    try:
        return model(_secrets_dir=_folder_of_secrets())
    except OSError as error:
        raise Misconfigured(f"a file of a secret cannot be read: {error}") from error
    except ValidationError as error:
        prefix = str(model.model_config.get("env_prefix", ""))
        problems = "; ".join(
            _told(prefix, problem["loc"], problem["msg"])
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise Misconfigured(f"settings cannot be used: {problems}") from error


def _folder_of_secrets() -> Path | None:
    """Raises: Misconfigured where the one that was named is none: what should be secured would not be."""
    named = os.environ.get("NEWSROOM_SECRETS")
    folder = Path(named or SECRETS)
    if folder.is_dir():
        return folder
    if named:
        raise Misconfigured(f"NEWSROOM_SECRETS: {folder} is no folder: make it, or unset the variable")
    return None


def _told(prefix: str, place: tuple[int | str, ...], message: str) -> str:
    if not place:  # several settings do not go together, and the message names them
        return message.removeprefix("Value error, ")
    return f"{prefix}{'_'.join(str(part) for part in place).upper()}: {message}"
