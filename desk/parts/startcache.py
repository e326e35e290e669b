"""What Java works out at each start of Kafka, kept for the next: an ahead-of-time cache (JEP 483 and 514).

It is of one Java with one class path and one set of options, which its name tells, and lies beside the jars.
Without it Kafka starts as well, only slower; Java itself looks whether a cache fits, and leaves it alone if
not.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from desk.parts import jars
from desk.parts.part import PartFailed

OLDEST_JAVA = 25
"""The Java whose broker writes the cache by itself when it ends."""
LEARNING = "learning-"
"""How the folder is called, beside the caches, in which a broker runs to make one."""
_UNUSED_SECONDS = 30 * 24 * 3600
"""A cache that no start has used for so long is another Java's or Kafka's of former times."""


def place(parts: Path, options: Sequence[str], class_path: str, java: Path) -> Path | None:
    """Where the cache of such a start lies, or would lie. None: this Java is too old, or a jar is missing.

    `parts`: the folder with the jars' own. Only a Java that brings its `release` file is known well enough.
    """
    ours = [option for option in options if not option.startswith("-D")]  # what the virtual machine asks for
    try:
        release = (java.resolve().parent.parent / "release").read_text()
        entries = [(entry, Path(entry).stat()) for entry in class_path.split(":")]
    except OSError:
        return None
    versions = [_major(line) for line in release.splitlines() if line.startswith("JAVA_VERSION=")]
    if max(versions, default=0) < OLDEST_JAVA:
        return None
    seen = [f"{entry} {stat.st_size} {stat.st_mtime_ns}" for entry, stat in entries]
    name = hashlib.sha256("\n".join([release, *ours, *seen]).encode()).hexdigest()[:16]
    return parts / f"kafka-{jars.KAFKA_VERSION}-{name}.aot"


def is_settled(cache: Path) -> bool:
    """Whether it was made, or cannot be made."""
    return cache.exists() or _no_use(cache).exists()


def used(cache: Path) -> bool:
    """Whether it is there; it counts as used then."""
    if not cache.exists():
        return False
    with suppress(OSError):
        cache.touch()
    return True


def make(cache: Path, run: Callable[[Path], None], say: Callable[[str], None]) -> None:
    """Make a cache that is missing; that it cannot be made is told, and not tried again.

    `run` starts and ends a broker which writes its cache into the file it is given.
    """
    made = cache.with_suffix(".aot-made")
    try:
        with jars.one_at_a_time(cache.parent / "cache.lock"):
            if is_settled(cache):
                return
            _clean(cache.parent)
            say("Kafka is started once to learn to start faster (some 15 s)")
            run(made)
            made.replace(cache)
    except (OSError, PartFailed) as problem:
        reason = next(iter(str(problem).splitlines()), type(problem).__name__)
        with suppress(OSError):
            made.unlink(missing_ok=True)
            _no_use(cache).write_text(f"{problem}\n")
        say(f"Kafka did not learn it and starts as slowly as before: {reason} (see {_no_use(cache)})")


def _clean(parts: Path) -> None:
    """Remove what runs left that were killed, and what nobody uses any more."""
    for folder in parts.glob(f"{LEARNING}*"):
        shutil.rmtree(folder, ignore_errors=True)
    unused = time.time() - _UNUSED_SECONDS
    for file in parts.glob("kafka-*.aot*"):
        if file.suffix == ".aot-made" or file.stat().st_mtime < unused:
            file.unlink(missing_ok=True)


def _no_use(cache: Path) -> Path:
    """Tells why the cache cannot be made; remove it to have it tried again."""
    return cache.with_suffix(".aot-failed")


def _major(line: str) -> int:
    said = line.partition("=")[2].strip('"').split(".")[0]
    return int(said) if said.isdigit() else 0
