"""Settings that every service has. Each service adds its own in `services/*/settings.py`; all are read once,
at start.

Names in the environment are `NEWSROOM_` and the field's name in capitals.
"""

from __future__ import annotations

from typing import Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from newsroom.errors import Misconfigured

SettingsT = TypeVar("SettingsT", bound="CommonSettings")


class CommonSettings(BaseSettings):
    """What all three services need to find the log, the documents and each other."""

    model_config = SettingsConfigDict(
        env_prefix="NEWSROOM_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    kafka: str = Field(
        default="127.0.0.1:9192", description="Kafka bootstrap servers, host:port, comma-separated"
    )
    mongo: SecretStr = Field(
        default=SecretStr("mongodb://127.0.0.1:27117/?replicaSet=newsroom"),
        description="MongoDB URL of a replica set (one member is enough)",
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
        return model()
    except ValidationError as error:
        prefix = model.model_config.get("env_prefix", "")
        problems = "; ".join(
            f"{prefix}{'_'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise Misconfigured(f"settings cannot be used: {problems}") from error
