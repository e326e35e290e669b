"""Where the log and the documents stand, and how they are reached: addresses, TLS, who we are to them."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import SecretStr

from newsroom.errors import Misconfigured

Security: TypeAlias = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism: TypeAlias = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]


@dataclass(frozen=True)
class Tls:
    """PEM files: the authority that is believed, our own certificate, and its key if in a file of its own."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @property
    def is_given(self) -> bool:
        return self != NO_FILES

    def context(self, what: str) -> ssl.SSLContext:
        """Verifies certificates and host names. Raises: Misconfigured when a file is none of that kind."""
        try:
            made = ssl.create_default_context(cafile=self.ca)
            if self.certificate is not None:
                made.load_cert_chain(self.certificate, self.key, password="")  # an encrypted key must not ask
        except OSError as error:  # which an SSLError is
            files = ", ".join(str(file) for file in (self.ca, self.certificate, self.key) if file)
            raise Misconfigured(
                f"the files for {what}'s TLS cannot be used ({files}): certificates and an unencrypted key "
                f"in PEM are needed ({error})"
            ) from error
        return made


NO_FILES = Tls()


@dataclass(frozen=True)
class Brokers:
    """A Kafka cluster: its bootstrap servers, and what they ask for. Told, it is its addresses alone."""

    bootstrap: str
    security: Security = "PLAINTEXT"
    mechanism: Mechanism = "SCRAM-SHA-512"
    user: str | None = None
    password: SecretStr | None = None
    tls: Tls = NO_FILES

    def __str__(self) -> str:
        return self.bootstrap

    @property
    def has_tls(self) -> bool:
        return self.security in ("SSL", "SASL_SSL")

    @property
    def has_login(self) -> bool:
        return self.security in ("SASL_PLAINTEXT", "SASL_SSL")

    def problem(self) -> str | None:
        """What of it does not go together, in the words of the settings."""
        said = f"NEWSROOM_KAFKA_SECURITY={self.security}"
        if self.has_login and not (self.user and self.password):
            return f"{said} needs NEWSROOM_KAFKA_USER and NEWSROOM_KAFKA_PASSWORD"
        if not self.has_login and (self.user or self.password):
            return f"{said} does not log in: say SASL_SSL, or leave out NEWSROOM_KAFKA_USER and _PASSWORD"
        if not self.has_tls and self.tls.is_given:
            return f"{said} has no TLS: say SSL or SASL_SSL, or leave out the NEWSROOM_KAFKA_ files"
        if self.tls.key is not None and self.tls.certificate is None:
            return "NEWSROOM_KAFKA_CERTIFICATE_KEY needs NEWSROOM_KAFKA_CERTIFICATE"
        return None


Bootstrap: TypeAlias = str | Brokers
"""A bare address is a cluster that is open to all who reach it, as the embedded one is."""
