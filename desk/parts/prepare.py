"""`python -m desk.parts.prepare FOLDER`: fetch Kafka's jars and make its start fast, in a process of its own.

A download is the one step that may take minutes; as a process it can be ended at any moment, and its memory
goes with it. Progress goes to stdout, a line at a time; exit code 2 and one line on stderr when it fails.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from desk.parts import jars, startcache
from desk.parts.home import Home
from desk.parts.java import find_java
from desk.parts.kafka import BROKER, CACHE_OPTIONS, Kafka, cache_place, class_path_of, java_options
from desk.parts.part import PartFailed
from desk.parts.ports import free_ports
from newsroom.errors import Misconfigured

_SECONDS = 60.0
"""How long each step of learning may take: starting, ending with what was learned, trying it."""
_ENDED_BY_SIGTERM = 143


def is_prepared(parts: Path) -> bool:
    """Whether the jars are there, and so is the cache for faster starts, if there can be one."""
    if jars.missing(jars.jars_folder(parts), jars.read_list()):
        return False
    cache = cache_place(parts, find_java())
    return cache is None or startcache.is_settled(cache)


def prepare(parts: Path, say: Callable[[str], None] = lambda _: None) -> None:
    """Fetch and verify the jars, then make the cache for faster starts; `say` is told the progress.

    Raises: Misconfigured when the jars cannot be had.
    """
    jars.class_path(parts, say)
    cache = cache_place(parts, find_java())
    if cache is not None and not startcache.is_settled(cache):
        startcache.make(cache, lambda made: _learn(parts, made), say)


def _learn(parts: Path, made: Path) -> None:
    """Raises: PartFailed when the broker does not start, or end, in order; OSError when Java has no use for
    what it left.
    """
    with tempfile.TemporaryDirectory(prefix=startcache.LEARNING, dir=parts) as folder:
        home = Home(Path(folder))
        home.make()
        learner = _Learner(home, parts, made)
        try:
            learner.start()
            learner.wait_until_ready(_SECONDS)
            if learner.stop(_SECONDS) != _ENDED_BY_SIGTERM:
                raise PartFailed(learner.report("kafka did not end in order while it learned"))
        finally:
            learner.kill()
        learner.try_out()


class _Learner(Kafka):
    """A broker that writes the cache when it ends, in order."""

    def __init__(self, home: Home, parts: Path, made: Path) -> None:
        self._parts, self._made = parts, made
        port, controller_port = free_ports(2)
        super().__init__(home, port, controller_port, parts)

    def _command(self, main_class: str, *arguments: str | Path) -> list[str]:
        java, *rest = super()._command(main_class, *arguments)
        learning = (*CACHE_OPTIONS, f"-XX:AOTCacheOutput={self._made}")
        return [java, *(learning if main_class == BROKER else ()), *rest]

    def try_out(self) -> None:
        """Start Java with the cache and nothing to do. Raises: OSError."""
        java, *_ = self.process.command
        options = [*java_options(Path(java)), *CACHE_OPTIONS, "-XX:AOTMode=on", f"-XX:AOTCache={self._made}"]
        command = [java, *options, "-cp", class_path_of(self._parts), "-version"]
        try:
            tried = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)  # noqa: S603
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(f"Java did not start with its cache within {_SECONDS:.0f} s") from error
        if tried.returncode != 0:
            raise OSError(f"Java has no use for its cache: {(tried.stdout + tried.stderr)[:300]}")


def main() -> None:
    """Prepare the folder that the command line names. SIGTERM ends it, and what it has started, in order."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_ENDED_BY_SIGTERM))
    try:
        prepare(Path(sys.argv[1]), lambda line: print(line, flush=True))
    except Misconfigured as error:
        print(f"newsroom: {error}", file=sys.stderr, flush=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
