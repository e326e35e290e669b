"""How the services of an arena reach Kafka, MongoDB and the store: straight, or each through its proxies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from desk.parts.ports import LOOPBACK, free_ports
from faults.stage.environment import SERVICES, address
from faults.stage.proxies import Proxy

Target: TypeAlias = Literal["kafka", "mongo"]


class Network:
    """Addresses, and the proxies behind them where the plan asks for some.

    The store's address always is a proxy's, which leads to an instance that is awake, as a name of compose
    leads to one.
    """

    def __init__(self, kafka_port: int, controller_port: int, mongo_port: int, *, is_proxied: bool) -> None:
        self._kafka_port, self._controller_port = kafka_port, controller_port
        self._listeners = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True)) if is_proxied else {}
        self._proxies: dict[tuple[str, Target], Proxy] = {}
        for service, port in self._listeners.items():
            to_kafka, to_mongo = free_ports(2)
            self._proxies[service, "kafka"] = Proxy(to_kafka, _always(port), speaks_kafka=True)
            self._proxies[service, "mongo"] = Proxy(to_mongo, _always(mongo_port))
        self._store = Proxy(free_ports(1)[0], self._an_awake_store)
        self.find_store: Callable[[], int | None] = lambda: None
        """The port of an awake instance of the store."""

    async def open(self) -> None:
        """Listen everywhere, and pass everything."""
        await asyncio.gather(*(proxy.open() for proxy in (self._store, *self._proxies.values())))

    def close(self) -> None:
        """Every connection and every port."""
        for proxy in (self._store, *self._proxies.values()):
            proxy.close()

    @property
    def store_url(self) -> str:
        """Where services ask the store."""
        return address(self._store.port)

    def proxy(self, service: str, target: Target) -> Proxy:
        """Between a service and Kafka or MongoDB. Raises: KeyError where the plan has none."""
        return self._proxies[service, target]

    def kafka_of(self, service: str, straight: str) -> str:
        """The bootstrap server that a service is told."""
        proxy = self._proxies.get((service, "kafka"))
        return f"{LOOPBACK}:{proxy.port}" if proxy else straight

    def mongo_of(self, service: str, straight: str) -> str:
        """The URL that a service is told."""
        proxy = self._proxies.get((service, "mongo"))
        return f"mongodb://{LOOPBACK}:{proxy.port}/?directConnection=true" if proxy else straight

    def kafka_settings(self) -> Mapping[str, str]:
        """A listener for each service that tells its clients the proxy's port; nothing without proxies."""
        if not self._listeners:
            return {}
        listeners = {"PLAINTEXT": self._kafka_port, "CONTROLLER": self._controller_port}
        told = {"PLAINTEXT": self._kafka_port}
        for service, port in self._listeners.items():
            listeners[service.upper()], told[service.upper()] = port, self._proxies[service, "kafka"].port
        return {
            "listeners": _written(listeners),
            "advertised.listeners": _written(told),
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in listeners),
        }

    def _an_awake_store(self) -> int:
        port = self.find_store()
        if port is None:
            raise ConnectionRefusedError("no store is awake")
        return port


def _always(port: int) -> Callable[[], int]:
    return lambda: port


def _written(ports: Mapping[str, int]) -> str:
    return ",".join(f"{name}://{LOOPBACK}:{port}" for name, port in ports.items())
