"""The folder where a newsroom on one machine keeps everything: data, pages, logs, parts, keys."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent.parent
"""The project's folder: what the services are started from."""


@dataclass(frozen=True)
class Home:
    """Where things lie below one folder (`NEWSROOM_HOME`). Nothing is written outside of it."""

    root: Path

    @property
    def parts(self) -> Path:
        """Jars, downloaded once, and what Java learned of them; shared by `make up` and `make test`."""
        return self.root / "parts"

    @property
    def kafka(self) -> Path:
        return self.root / "kafka"

    @property
    def mongo(self) -> Path:
        return self.root / "mongo"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """Pid files and other things that mean something only while a newsroom runs."""
        return self.root / "run"

    @property
    def site(self) -> Path:
        return self.root / "site"

    @property
    def lock_file(self) -> Path:
        return self.root / "up.lock"

    @property
    def key_file(self) -> Path:
        return self.root / "publisher.key"

    def make(self) -> None:
        """Make the folders that every part writes to. Private: keys and drafts lie below."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self.logs, self.run):
            folder.mkdir(exist_ok=True)
