"""What the services are told from outside: variables, files of secrets, and what does not go together."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from newsroom.errors import Misconfigured
from newsroom.kafka import connecting
from newsroom.servers import Brokers
from newsroom.settings import CommonSettings, read

PASSWORD = "correct-horse-battery"


def told(monkeypatch: pytest.MonkeyPatch, **settings: str) -> CommonSettings:
    for name, value in settings.items():
        monkeypatch.setenv(f"NEWSROOM_{name}", value)
    return read(CommonSettings)


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """The PEM file of an authority."""
    path = tmp_path / "authority.pem"
    trustme.CA().cert_pem.write_to_path(path)
    return path


def test_a_bare_kafka_is_reached_without_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    brokers = told(monkeypatch, KAFKA="log.example:9092").brokers
    assert connecting.arguments(brokers) == {
        "bootstrap_servers": "log.example:9092",
        "security_protocol": "PLAINTEXT",
    }


def test_every_kafka_client_is_told_login_and_tls(monkeypatch: pytest.MonkeyPatch, authority: Path) -> None:
    login = {"KAFKA_USER": "newsroom", "KAFKA_PASSWORD": PASSWORD}
    brokers = told(monkeypatch, KAFKA_SECURITY="SASL_SSL", KAFKA_CA=str(authority), **login).brokers
    arguments = connecting.arguments(brokers)
    context = arguments.pop("ssl_context")
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert len(context.get_ca_certs()) == 1  # and none of the system's
    assert arguments == {
        "bootstrap_servers": "127.0.0.1:9192",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "newsroom",
        "sasl_plain_password": PASSWORD,
    }


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        ({"KAFKA_SECURITY": "SASL_SSL"}, "needs NEWSROOM_KAFKA_USER and NEWSROOM_KAFKA_PASSWORD"),
        ({"KAFKA_SECURITY": "SASL_PLAINTEXT", "KAFKA_USER": "a"}, "needs NEWSROOM_KAFKA_USER and"),
        ({"KAFKA_USER": "a", "KAFKA_PASSWORD": PASSWORD}, "PLAINTEXT does not log in: say SASL_SSL"),
        ({"KAFKA_SECURITY": "SSL", "KAFKA_PASSWORD": PASSWORD}, "SSL does not log in"),
        ({"KAFKA_CA": __file__}, "PLAINTEXT has no TLS"),
        ({"KAFKA_SECURITY": "SSL", "KAFKA_CERTIFICATE_KEY": __file__}, "needs NEWSROOM_KAFKA_CERTIFICATE"),
        ({"KAFKA_SECURITY": "TLS"}, "NEWSROOM_KAFKA_SECURITY: Input should be 'PLAINTEXT'"),
        ({"KAFKA_SECURITY": "SSL", "KAFKA_CA": "/nowhere.pem"}, "NEWSROOM_KAFKA_CA: Path does not point"),
    ],
)
def test_what_does_not_go_together_is_one_line_without_the_secret(
    settings: dict[str, str], advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A login that is never made, or TLS that is never spoken, would be believed in."""
    with pytest.raises(Misconfigured, match=advice) as refused:
        told(monkeypatch, **settings)
    assert "\n" not in str(refused.value)
    assert PASSWORD not in str(refused.value)


def test_a_file_that_is_no_certificate_is_told_by_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "kafka-ca.pem").write_text("no certificate")
    brokers = told(monkeypatch, KAFKA_SECURITY="SSL", KAFKA_CA=str(tmp_path / "kafka-ca.pem")).brokers
    with pytest.raises(Misconfigured, match=r"Kafka's TLS.*kafka-ca\.pem"):
        connecting.arguments(brokers)


def test_brokers_are_told_as_their_addresses_alone() -> None:
    brokers = Brokers("log.example:9092", user="newsroom")
    assert f"{brokers}" == "log.example:9092"


def test_no_secret_shows_when_the_settings_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    login = {"KAFKA_SECURITY": "SASL_PLAINTEXT", "KAFKA_USER": "newsroom", "KAFKA_PASSWORD": PASSWORD}
    settings = told(monkeypatch, MONGO=f"mongodb://a:{PASSWORD}@db.example", **login)
    assert PASSWORD not in f"{settings!r}{settings}{settings.brokers!r}{settings.model_dump_json()}"


def test_a_file_of_a_secret_wins_over_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Under compose each variable has a value, if only its default."""
    (tmp_path / "newsroom_mongo").write_text(f"mongodb://a:{PASSWORD}@db.example\n")
    settings = told(monkeypatch, SECRETS=str(tmp_path), MONGO="mongodb://mongo:27017")
    assert settings.mongo.get_secret_value() == f"mongodb://a:{PASSWORD}@db.example"


def test_a_folder_of_secrets_may_be_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("newsroom.settings.SECRETS", tmp_path / "none")
    assert told(monkeypatch).kafka == "127.0.0.1:9192"


def test_a_folder_of_secrets_that_is_named_must_be_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With a wrong name, the services would start without what is in it."""
    with pytest.raises(Misconfigured, match=r"NEWSROOM_SECRETS: .*/none is no folder"):
        told(monkeypatch, SECRETS=str(tmp_path / "none"))
