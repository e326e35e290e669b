"""How each Kafka client of ours connects: the one place that knows of TLS and logins."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

from aiokafka.conn import collect_hosts, create_conn  # type: ignore[import-untyped]
from aiokafka.errors import (  # type: ignore[import-untyped]
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from newsroom.servers import Bootstrap, Brokers

_ASK_SECONDS = 5.0


def arguments(bootstrap: Bootstrap) -> dict[str, Any]:
    """What tells an aiokafka client where to connect and as whom; the same for each kind of client.

    Raises: Misconfigured when the files for TLS cannot be used.
    """
    return {"bootstrap_servers": str(bootstrap), **_security(bootstrap)}


def _security(bootstrap: Bootstrap) -> dict[str, Any]:
    if not isinstance(bootstrap, Brokers):
        return {}
    made: dict[str, Any] = {"security_protocol": bootstrap.security}
    if bootstrap.has_tls:
        made["ssl_context"] = bootstrap.tls.context("Kafka")
    if bootstrap.has_login and bootstrap.password is not None:
        made |= {
            "sasl_mechanism": bootstrap.mechanism,
            "sasl_plain_username": bootstrap.user,
            "sasl_plain_password": bootstrap.password.get_secret_value(),
        }
    return made


async def refusal(bootstrap: Bootstrap) -> str | None:
    """Why a broker that answers does not let us in, and what to do; None if it does or nobody answers.

    A client only says that it cannot bootstrap, so a connection of its own asks again.
    """
    for host, port, _ in collect_hosts(str(bootstrap)):
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                connection = await create_conn(host, port, **_security(bootstrap))
        except (KafkaError, OSError, TimeoutError) as error:
            if (why := _reason(error)) is not None:
                return f"Kafka at {host}:{port} is not to be used: {why}"
        else:
            connection.close()
    return None


def _reason(error: Exception) -> str | None:
    if isinstance(error, SaslAuthenticationFailed):
        return "it refuses the login; see NEWSROOM_KAFKA_USER, _PASSWORD and _MECHANISM"
    if isinstance(error, UnsupportedSaslMechanismError | IllegalSaslStateError):
        return "it knows no such login; see NEWSROOM_KAFKA_SECURITY and _MECHANISM"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not believed ({error.verify_message}); see NEWSROOM_KAFKA_CA"
    if isinstance(error, ssl.SSLError):
        return f"TLS fails ({error.reason}); see NEWSROOM_KAFKA_SECURITY and _CERTIFICATE"
    return None
