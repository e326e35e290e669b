"""How the services of an arena find Kafka and MongoDB: straight, or each by proxies of its own."""

from __future__ import annotations

import pytest

from faults.stage.network import Network

STRAIGHT = "127.0.0.1:9192"


def test_without_proxies_everybody_goes_straight() -> None:
    network = Network(9192, 9193, 27117, is_proxied=False)
    assert network.kafka_settings() == {}
    assert network.kafka_of("store", STRAIGHT) == STRAIGHT
    with pytest.raises(KeyError):
        network.proxy("store", "kafka")


def test_each_service_has_a_listener_that_names_its_proxy() -> None:
    """Else a client would learn the broker's own address from it, and go round the proxy from then on."""
    network = Network(9192, 9193, 27117, is_proxied=True)
    settings = network.kafka_settings()
    told = dict(each.split("://") for each in settings["advertised.listeners"].split(","))
    assert told.pop("PLAINTEXT") == STRAIGHT
    assert told == {
        service.upper(): network.kafka_of(service, STRAIGHT) for service in ("ingest", "store", "render")
    }
    assert len(set(told.values())) == 3


def test_mongodb_is_reached_through_the_proxy_and_not_by_what_the_set_says_of_itself() -> None:
    network = Network(9192, 9193, 27117, is_proxied=True)
    proxy = network.proxy("render", "mongo")
    assert network.mongo_of("render", "unused") == f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true"
