"""What Java works out at each start of Kafka, kept for the next: an ahead-of-time cache (JEP 483 and 514).

It is of one Java with one class path and one set of options, which its name tells, and lies beside the jars.
Without it Kafka starts as well, only slower; Java itself looks whether a cache fits, and leaves it alone if
not.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from desk.parts import jars
from desk.parts.part import PartFailed

OLDEST = 25
"""The Java whose broker writes the cache by itself when it ends."""
MAKING_SECONDS = 120.0
LEARNING = "learning-"
"""How the folder is called, beside the caches, in which a broker runs to make one."""


def place(parts: Path, options: Sequence[str], class_path: str, java: Path) -> Path | None:
    """Where the cache of such a start lies, or would lie. None: this Java is too old, or a jar is missing.

    `parts`: the folder with the jars' own. Only a Java that brings its `release` file is known well enough.
    """
    ours = [option for option in options if not option.startswith("-D")]  # what the virtual machine asks for
    try:
        release = (java.parent.parent / "release").read_text()
        entries = [(entry, Path(entry).stat()) for entry in class_path.split(":")]
    except OSError:
        return None
    if not any(line.startswith("JAVA_VERSION=") and _major(line) >= OLDEST for line in release.splitlines()):
        return None
    seen = [f"{entry} {stat.st_size} {stat.st_mtime_ns}" for entry, stat in entries]
    name = hashlib.sha256("\n".join([release, *ours, *seen]).encode()).hexdigest()[:16]
    return parts / f"kafka-{jars.KAFKA_VERSION}-{name}.aot"


def make(cache: Path, run: Callable[[Path], None], say: Callable[[str], None]) -> None:
    """Make a cache that is missing; that it cannot be made is told and no harm.

    `run` starts and ends a broker which writes its cache into the file it is given.
    """
    with jars.only_one(cache.parent / "cache.lock"):
        if cache.exists():
            return
        for former in cache.parent.glob("kafka-*.aot*"):  # of another Java, or of a run that was killed
            former.unlink(missing_ok=True)
        for former in cache.parent.glob(f"{LEARNING}*"):
            shutil.rmtree(former, ignore_errors=True)
        say("Kafka is started once to learn to start faster (some 15 s)")
        made = cache.with_suffix(".aot-made")
        try:
            run(made)
            made.replace(cache)
        except (OSError, PartFailed) as problem:
            say(f"Kafka did not learn it and starts as slowly as before: {str(problem).splitlines()[0]}")


def _major(line: str) -> int:
    said = line.partition("=")[2].strip('"').split(".")[0]
    return int(said) if said.isdigit() else 0
