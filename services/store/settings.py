"""What the store can be told from outside."""

from __future__ import annotations

from pydantic import Field

from newsroom.settings import ConsumerSettings


class StoreSettings(ConsumerSettings):
    """Settings of the store."""

    store_port: int = Field(default=8002, ge=1, le=65535, description="Port that the store listens on")
    store_database: str = Field(
        default="newsroom_store",
        pattern=r"^[A-Za-z0-9_-]{1,60}$",
        description="Database of the store: every revision, and who it is on which log",
    )
