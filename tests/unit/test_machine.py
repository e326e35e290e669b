"""What the environment says of a newsroom on this machine, and what its services are told of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from desk.machine import MachineSettings, service_environment
from desk.parts.home import SOURCE
from newsroom.errors import Misconfigured
from newsroom.settings import read
from services.ingest.settings import IngestSettings
from services.render.settings import RenderSettings
from services.store.settings import StoreSettings

MONGO = "mongodb://127.0.0.1:27117/?replicaSet=newsroom"
KEY = "nrk_0123456789abcdef"


def told(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the services are told where the environment of `up` is this."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return service_environment(read(MachineSettings), MONGO, KEY, environ)


def test_a_service_gets_its_settings_and_little_else(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {
        "PATH": "/bin",
        "http_proxy": "http://proxy:3128",
        "AWS_SECRET": "x",
        "NEWSROOM_LOG_LEVEL": "debug",
        "NEWSROOM_KEY": "somebody's own",
    }
    found = told(environ, monkeypatch)
    assert found["PATH"] == "/bin"
    assert found["NEWSROOM_LOG_LEVEL"] == "debug"
    assert found["NEWSROOM_PUBLISHER_KEY"] == KEY
    assert not {"http_proxy", "AWS_SECRET", "NEWSROOM_KEY"} & found.keys()


def test_everything_that_is_told_can_be_read_by_the_services(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"NEWSROOM_SITE_PORT": "9000", "NEWSROOM_STORE_PORT": "9002", "NEWSROOM_HOME": "here"}
    for name, value in told(environ, monkeypatch).items():
        monkeypatch.setenv(name, value)
    ingest, store, render = read(IngestSettings), read(StoreSettings), read(RenderSettings)
    assert store.store_port == 9002
    assert ingest.store_url == render.store_url == "http://127.0.0.1:9002"
    assert ingest.site_url == render.site_url == "http://127.0.0.1:9000"
    assert render.site_port == 9000
    assert render.pages == Path.cwd() / "here" / "site"
    assert render.site_file == SOURCE / "site.toml"


def test_relative_paths_become_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    found = told({"NEWSROOM_PAGES": "pages", "NEWSROOM_SITE_FILE": "mine.toml"}, monkeypatch)
    assert found["NEWSROOM_PAGES"] == str(tmp_path / "pages")
    assert found["NEWSROOM_SITE_FILE"] == str(tmp_path / "mine.toml")


def test_a_public_address_of_ones_own_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    found = told({"NEWSROOM_SITE_URL": "https://news.example", "NEWSROOM_SITE_PORT": "9000"}, monkeypatch)
    assert found["NEWSROOM_SITE_URL"] == "https://news.example"


def test_ones_own_servers_are_used_and_no_embedded_port_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"NEWSROOM_KAFKA": "log.example:9092", "NEWSROOM_MONGO": "mongodb://db.example/?replicaSet=a"}
    assert told(environ, monkeypatch)["NEWSROOM_KAFKA"] == "log.example:9092"
    settings = read(MachineSettings)
    assert not settings.brings_kafka
    assert not settings.brings_mongo
    assert {each.setting for each in settings.ports()} == {
        "NEWSROOM_SITE_PORT",
        "NEWSROOM_INGEST_PORT",
        "NEWSROOM_STORE_PORT",
    }


def test_an_empty_setting_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSROOM_KAFKA", "")
    assert read(MachineSettings).brings_kafka


def test_two_newsrooms_can_have_ports_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSROOM_RENDERS", "2")
    first = read(MachineSettings).ports()
    for number, each in enumerate(first):
        monkeypatch.setenv(each.setting, str(20_000 + number))
    second = read(MachineSettings).ports()
    assert len({each.setting for each in first}) == len(first) == 7
    assert not {each.port for each in first} & {each.port for each in second}


def test_further_renders_have_the_next_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSROOM_RENDERS", "3")
    settings = read(MachineSettings)
    assert settings.services == {
        "ingest": 8001,
        "store": 8002,
        "render": 8000,
        "render-2": 8010,
        "render-3": 8011,
    }
    assert settings.address("render-3") == "http://127.0.0.1:8011"
    assert settings.public_url == "http://127.0.0.1:8000"


@pytest.mark.parametrize("renders", ["0", "13"])
def test_nobody_renders_or_more_than_have_a_partition(renders: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSROOM_RENDERS", renders)
    with pytest.raises(Misconfigured, match="NEWSROOM_RENDERS"):
        read(MachineSettings)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8001"),
        ("0.0.0.0", "http://127.0.0.1:8001"),
        ("::1", "http://[::1]:8001"),
        ("::", "http://[::1]:8001"),
        ("10.1.2.3", "http://10.1.2.3:8001"),
    ],
)
def test_services_are_asked_where_they_listen(
    host: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSROOM_HOST", host)
    assert read(MachineSettings).address("ingest") == address


def test_a_port_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSROOM_KAFKA_PORT", "70000")
    with pytest.raises(Misconfigured, match="NEWSROOM_KAFKA_PORT"):
        read(MachineSettings)
