"""What the services of a newsroom in a folder of its own are told: where everything is, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from desk.machine import PORT_SETTINGS
from desk.parts.home import SOURCE
from desk.parts.ports import LOOPBACK

SITE_FILE = SOURCE / "site.toml"
SERVICES = tuple(PORT_SETTINGS)


def address(port: int) -> str:
    """Of an HTTP server on this machine."""
    return f"http://{LOOPBACK}:{port}"


def own_look(pages: Path) -> Path:
    """Where a newsroom has templates of its own, if it has any: beside its pages."""
    return pages.with_name("own")


def environment(
    *, kafka: str, mongo: str, key: str, pages: Path, ports: Mapping[str, int], **more: str
) -> dict[str, str]:
    """The environment of every service; settings of this process's own environment do not go with it.

    `ports`: where the first instance of each service listens, which is where the others look for it.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("NEWSROOM_")}
    return {
        **inherited,
        "PYTHONPATH": f"{SOURCE}:{SOURCE / 'shared'}",
        "NEWSROOM_KAFKA": kafka,
        "NEWSROOM_MONGO": mongo,
        "NEWSROOM_PUBLISHER_KEY": key,
        "NEWSROOM_PAGES": str(pages),
        "NEWSROOM_SITE_FILE": str(SITE_FILE),
        "NEWSROOM_SITE_FOLDER": str(own_look(pages)),
        "NEWSROOM_SITE_URL": address(ports["render"]),
        "NEWSROOM_STORE_URL": address(ports["store"]),
        **{setting: str(ports[service]) for service, setting in PORT_SETTINGS.items()},
        **more,
    }
