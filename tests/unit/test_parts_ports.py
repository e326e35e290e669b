"""Ports: which are free, and who holds one that is not."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from desk.parts import ports


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((ports.LOOPBACK, ports.free_ports(1)[0])) as server:
        yield server.getsockname()[1]


def test_a_port_that_somebody_listens_on_is_not_free_and_its_holder_is_named(taken: int) -> None:
    assert not ports.is_free(taken)
    assert ports.holder(taken).startswith(f"process {os.getpid()} (")


def test_a_port_of_a_server_that_has_gone_is_free_although_its_connections_linger() -> None:
    port = ports.free_ports(1)[0]
    with socket.create_server((ports.LOOPBACK, port)) as server:
        client = socket.create_connection((ports.LOOPBACK, port))
        accepted, _ = server.accept()
        accepted.close()  # the server closes first: its side waits in TIME_WAIT
        client.close()
    assert ports.is_free(port)
    assert ports.holder(port) == "another process"


def test_free_ports_are_different_and_outside_of_those_for_outgoing_connections() -> None:
    found = ports.free_ports(20)
    assert len(set(found)) == 20
    assert all(ports.is_free(port) for port in found)
    with socket.create_server((ports.LOOPBACK, 0)) as server:
        assert max(found) < server.getsockname()[1]


def test_a_port_is_not_given_again_while_its_taker_may_not_listen_yet() -> None:
    given = [ports.free_ports(1)[0] for _ in range(2000)]
    assert len(set(given)) == len(given)
