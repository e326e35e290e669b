"""Everything that is pinned: Python packages, Kafka's jars, the images that containers stand on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from packageurl import PackageURL

from desk.parts import jars
from desk.parts.home import SOURCE

REQUIREMENTS = SOURCE / "requirements"
RUNTIME = REQUIREMENTS / "runtime.txt"
PARTS = REQUIREMENTS / "parts.txt"
DEV = REQUIREMENTS / "dev.txt"
PEER = REQUIREMENTS / "wagtail.txt"
EDGE = REQUIREMENTS / "caddy.txt"
"""These two of environments of their own: versions may be others than in the lists before."""
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)(?:\s*;\s*([^\\]+?))?\s*\\?$", re.MULTILINE)
_IMAGE = re.compile(r"^\s*(?:image:|FROM)\s+([a-z/]+):([\w.-]+)", re.MULTILINE)


@dataclass(frozen=True)
class Pin:
    """One thing in one version. `needs`: the machines it is installed on, as a marker (PEP 508)."""

    name: str
    version: str
    purl: PackageURL
    needs: str = ""
    sha256: str = ""


def packages(lock: Path) -> tuple[Pin, ...]:
    """The Python packages of a list, in its order."""
    return tuple(
        Pin(name, version, PackageURL("pypi", None, name, version), needs)
        for name, version, needs in _PIN.findall(lock.read_text())
    )


def kafka_jars() -> tuple[Pin, ...]:
    """The embedded Kafka, jar by jar."""
    return tuple(
        Pin(
            f"{jar.group}:{jar.artifact}",
            jar.version,
            PackageURL(
                "maven",
                jar.group,
                jar.artifact,
                jar.version,
                {"classifier": jar.classifier} if jar.classifier else None,
            ),
            sha256=jar.sha256,
        )
        for jar in jars.read_list()
    )


def images() -> tuple[Pin, ...]:
    """What the containers stand on."""
    texts = [(SOURCE / name).read_text() for name in ("docker-compose.yml", "Dockerfile")]
    named = dict.fromkeys(found for text in texts for found in _IMAGE.findall(text))
    return tuple(Pin(name, tag, _image_url(name, tag)) for name, tag in named)


def _image_url(name: str, tag: str) -> PackageURL:
    namespace, _, short = name.rpartition("/")
    return PackageURL("docker", namespace or "library", short, tag)
