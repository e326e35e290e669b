"""Settings of the bounds that every service keeps at its HTTP door, for each address and for each key."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings


def networks(text: str) -> tuple[str, ...]:
    """Addresses and networks from a list with commas, each as a network. Raises: ValueError that says how."""
    try:
        return tuple(str(ip_network(part.strip())) for part in text.split(","))
    except ValueError as error:
        raise ValueError(f"{error}: write addresses or networks like 10.0.0.0/8, with commas") from error


def _checked(text: str) -> str:
    networks(text)
    return text


class DoorSettings(BaseSettings):
    """What a process takes at once, and in a minute."""

    trusted_proxies: Annotated[str, AfterValidator(_checked)] | None = Field(
        default=None,
        description="Addresses and networks of proxies, comma-separated, whose X-Forwarded-For is believed",
    )
    connections: int = Field(
        default=10_000, ge=10, le=1_000_000, description="Most connections to one process at once"
    )
    connections_per_address: int = Field(
        default=2_000, ge=1, le=1_000_000, description="Most connections from one address, proxies aside"
    )
    failed_logins_per_minute: int = Field(
        default=60, ge=1, le=1_000_000, description="Most keys that are no good, from one address in a minute"
    )
    key_requests_per_minute: int = Field(
        default=12_000, ge=1, le=10_000_000, description="Most requests of one key to one process in a minute"
    )
