"""What ingest can be told from outside."""

from __future__ import annotations

from pydantic import Field, SecretStr

from newsroom.settings import CommonSettings


class IngestSettings(CommonSettings):
    """Settings of the ingest service."""

    ingest_port: int = Field(default=8001, ge=1, le=65535, description="Port that ingest listens on")
    store_url: str = Field(
        default="http://127.0.0.1:8002",
        pattern=r"^https?://[^/\s]+$",
        description="Where the store answers, no path: asked about events that are no longer in memory",
    )
    publisher_key: SecretStr | None = Field(
        default=None,
        min_length=16,
        max_length=200,
        description="The first key, which may do everything; put on the log if it never was there",
    )
    max_in_flight: int = Field(
        default=256,
        ge=1,
        le=100_000,
        description="Most events on their way to the log; more are told to wait",
    )
