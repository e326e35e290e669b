"""Virtual environments for what the benchmark measures beside the newsroom, each of a pinned list."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.stack import Broken
from desk.parts.home import SOURCE, Home

_INSTALL_SECONDS = 900


@dataclass(frozen=True)
class Environment:
    """One of them. `name`: of its list in `requirements` and of its folder; `what` it holds; its `size`."""

    name: str
    what: str
    size: str

    @property
    def folder(self) -> Path:
        return Home(SOURCE / ".newsroom").root / self.name

    @property
    def listed(self) -> Path:
        return SOURCE / "requirements" / f"{self.name}.txt"

    def made(self, say: Callable[[str], None]) -> Path:
        """The folder of its programs. Made anew where the list, the folder or our own Python is another.

        Raises: Broken, saying what it needs.
        """
        programs, stamp = self.folder / "bin", self.folder / ".made"
        wanted = f"{self.folder} {sys.version} {hashlib.sha256(self.listed.read_bytes()).hexdigest()}"
        if stamp.is_file() and stamp.read_text() == wanted:
            return programs
        say(f"{self.what} gets an environment of its own ({self.size}, the first time)")
        pip = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        listed = ["--no-input", "--require-hashes", "--only-binary", ":all:", "-r", str(self.listed)]
        try:
            run([sys.executable, "-m", "venv", "--clear", str(self.folder)], _INSTALL_SECONDS)
            run([*pip, *listed], _INSTALL_SECONDS)
        except Broken as error:
            raise Broken(
                f"{error}; it needs python3-venv (Debian, Ubuntu: apt-get install python3-venv) and, the"
                f" first time, a network to fetch requirements/{self.listed.name}"
            ) from error
        stamp.write_text(wanted)
        return programs


def run(command: Sequence[str], seconds: float, told: dict[str, str] | None = None) -> str:
    """What it says. `told`: its environment. Raises: Broken with the end of its complaint."""
    named = " ".join(command[1:3])
    try:
        done = subprocess.run(  # noqa: S603  (ours, word by word)
            command, env=told, capture_output=True, text=True, timeout=seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Broken(f"`{named}` did not end: {error}") from error
    if done.returncode != 0:
        last = next(iter(done.stderr.strip().splitlines()[-1:]), "it says nothing")
        raise Broken(f"`{named}` ended with {done.returncode}: {last[:200]}")
    return done.stdout
