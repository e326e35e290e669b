"""Ports of this machine: which are free, and who holds one that is not."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from itertools import cycle, islice

LOOPBACK = "127.0.0.1"
FOR_SERVERS = range(20_000, 32_000)


def _shuffled(ports: range) -> Iterator[int]:
    return cycle(random.SystemRandom().sample(ports, len(ports)))


_in_turn = _shuffled(FOR_SERVERS)


def keep_to_share(number: int, shares: int) -> None:
    """Give only every so-manieth port from now on: that of processes which choose at the same time."""
    global _in_turn
    _in_turn = _shuffled(FOR_SERVERS[number::shares])


def free_ports(count: int) -> list[int]:
    """So many different ports that nobody listens on right now.

    They lie below those that systems give to outgoing connections: a restarted server gets its own again.
    None is given a second time before all others were: who got it may not listen yet.
    """
    return list(islice((port for port in _in_turn if is_free(port)), count))


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there now (a former server's connections in TIME_WAIT do not count)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """Who listens on that port, for a message: `process 123 (nginx)`, or `another process` if unknown."""
    import psutil  # not where only the log of others is used, as in a container

    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,) and connection.pid:
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except (psutil.Error, OSError):
        pass
    return "another process"
