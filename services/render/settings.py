"""Settings of render, read once at start."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from newsroom.settings import ConsumerSettings


class RenderSettings(ConsumerSettings):
    """What render needs besides the common ones."""

    site_port: int = Field(default=8000, ge=1, le=65535, description="Port of the public site")
    store_url: str = Field(
        default="http://127.0.0.1:8002",
        pattern=r"^https?://[^/\s]+$",
        description="Address of the store, no path",
    )
    publisher_key: SecretStr | None = Field(
        default=None, description="API key of a publisher, with which render asks the store for a rebuild"
    )
    render_database: str = Field(
        default="newsroom_render",
        pattern=r"^[A-Za-z0-9_-]{1,60}$",
        description="Database of render's read model",
    )
    pages: Path = Field(
        default=Path(".newsroom/site"), description="Pages folder: public/ in it is what is served"
    )
    site_file: Path = Field(default=Path("site.toml"), description="Description of the site")
    site_folder: Path = Field(
        default=Path("site"), description="Own templates and drawings of the site; need not exist"
    )
    serve_pages: bool = Field(default=True, description="Serve the pages too; false behind an edge server")
    live_streams: int = Field(
        default=5_000, ge=1, le=100_000, description="Most readers of the live stream at once"
    )
    live_streams_per_address: int = Field(
        default=1_000, ge=1, le=100_000, description="Most readers of the live stream from one address"
    )
    live_ring: int = Field(default=10_000, ge=1, le=1_000_000, description="Notices kept to resume from")
    live_age_seconds: float = Field(
        default=900,
        ge=1,
        le=86_400,
        description="Age at which a live stream ends and the reader connects anew, seconds",
    )
