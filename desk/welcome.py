"""What stands on the screen once the newsroom runs: where it answers, and a first article to post."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from desk.machine import MachineSettings

FIRST_ARTICLE = {
    "headline": "First snow closes the mountain road",
    "deck": "Drivers are asked to wait until the ploughs have come through.",
    "section": "Kazakhstan",
    "dateline": {"place": "Almaty, Kazakhstan", "timezone": "Asia/Almaty"},
    "body": "<p>Snow fell overnight above the city. The mountain road is closed until noon.</p>",
}
WAIT_SECONDS = 10
_DEFAULT_PORTS = (8000, 8001, 8002)
_PROXIES = ("http_proxy", "all_proxy", "ALL_PROXY")


def curl_line(settings: MachineSettings, environ: Mapping[str, str] = os.environ) -> str:
    """A line for any shell, in this folder: posts an article and waits until its page stands."""
    direct = ["--noproxy '*'"] if any(environ.get(name) for name in _PROXIES) else []
    key_file = shlex.quote(str(_as_seen_from_here(settings.folder.key_file)))
    return " ".join(
        [
            "curl -sS",
            *direct,
            f"{settings.address('ingest')}/articles",
            f'-H "Authorization: Bearer $(cat {key_file})"',
            "-H 'Content-Type: application/json'",
            f"-H 'Prefer: wait={WAIT_SECONDS}'",
            f"-d {shlex.quote(json.dumps(FIRST_ARTICLE))}",
        ]
    )


def demo_line(settings: MachineSettings, environ: Mapping[str, str] = os.environ) -> str:
    """How the demonstration is started from another terminal, told what differs from the defaults."""
    told = {}
    if (settings.site_port, settings.ingest_port, settings.store_port) != _DEFAULT_PORTS:
        told = {
            "NEWSROOM_URL": settings.address("ingest"),
            "NEWSROOM_STORE_URL": settings.address("store"),
            "NEWSROOM_SITE_URL": settings.public_url,
        }
    if "home" in settings.model_fields_set:
        told["NEWSROOM_HOME"] = str(settings.home)
    command = "make demo" if "MAKELEVEL" in environ else "newsroom demo"
    return " ".join([*(f"{name}={shlex.quote(value)}" for name, value in told.items()), command])


def lines(settings: MachineSettings, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Everything a newcomer needs next."""
    return [
        "",
        f"  site     {settings.public_url}",
        f"  ingest   {settings.address('ingest')}   (its calls: {settings.address('ingest')}/docs)",
        f"  store    {settings.address('store')}",
        f"  logs     {_as_seen_from_here(settings.folder.logs)}/",
        "",
        "Post a first article from another terminal, in this folder:",
        "",
        f"  {curl_line(settings, environ)}",
        "",
        f"or watch a story unfold:  {demo_line(settings, environ)}",
        "Ctrl-C stops the newsroom; everything is kept.",
        "",
    ]


def _as_seen_from_here(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
