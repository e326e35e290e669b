"""The desk's way to a newsroom: HTTP to ingest, the store and the site. Answers come as models or errors.

Every change carries a random `Idempotency-Key`, so it may be repeated: after a broken connection and after
`503` (as long as `Retry-After` asks), a bounded number of times.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

import httpx
from pydantic import BaseModel, JsonValue, SecretStr, ValidationError

from desk.answers import Problem, Receipt
from desk.changes import Change
from newsroom.errors import (
    Away,
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    Misconfigured,
    NewsroomError,
    NotFound,
    RevisionMismatch,
    Unauthenticated,
)

MAX_ATTEMPTS = 4
MAX_PAUSE_SECONDS = 10.0
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0
ModelT = TypeVar("ModelT", bound=BaseModel)

_DIRECT = ("all://127.0.0.1", "all://localhost", "all://[::1]")
"""Never through a proxy of the environment: it would not find this machine."""
_REFUSALS: dict[int, type[NewsroomError]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    412: RevisionMismatch,
}
_BUSY = frozenset({429, 502, 503, 504})


@dataclass(frozen=True)
class Addresses:
    """Where the three services answer, without a slash at the end."""

    ingest: str
    store: str
    site: str


@dataclass(frozen=True)
class Request:
    """One HTTP request. `repeatable`: sending it twice has the effect of once."""

    method: str
    url: str
    body: bytes | None = None
    headers: Mapping[str, str] | None = None
    timeout_seconds: float = ANSWER_SECONDS
    repeatable: bool = True


class Client:
    """One newsroom, as one person with one key sees it. Use as a context manager."""

    def __init__(
        self,
        addresses: Addresses,
        key: SecretStr | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.addresses = addresses
        self._key = key
        self._pause = pause
        mounts = {pattern: httpx.HTTPTransport() for pattern in _DIRECT} if transport is None else {}
        self._http = httpx.Client(
            transport=transport,
            mounts=mounts,
            headers={"Accept": "application/json", "User-Agent": "newsroom-desk"},
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def send(self, change: Change, *, wait_seconds: int = 0, if_match: int | None = None) -> Receipt:
        """Make the change, waiting for its page at most so long. Raises: NewsroomError as it was refused."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": secrets.token_urlsafe(18)}
        if wait_seconds:
            headers["Prefer"] = f"wait={wait_seconds}"
        if if_match is not None:
            headers["If-Match"] = f'"{if_match}"'
        url = f"{self.addresses.ingest}{change.path}"
        patience = ANSWER_SECONDS + wait_seconds
        return self.ask(Receipt, Request(change.method, url, change.body, headers, patience))

    def ask(self, model: type[ModelT], request: Request) -> ModelT:
        """The answer as a model. Raises: NewsroomError as it was refused, Away where nobody answered."""
        response = self._exchange(request)
        try:
            return model.model_validate_json(response.content)
        except ValidationError as error:
            raise NewsroomError(
                f"{_origin(request.url)} answered {response.status_code} with something else than expected: "
                "is it the newsroom's address, and of this version?"
            ) from error

    def tell(self, request: Request) -> None:
        """A request whose answer has nothing to read. Raises: as `ask`."""
        self._exchange(request)

    def stream(
        self, method: str, url: str, headers: Mapping[str, str], idle_seconds: float, *, keyed: bool = False
    ) -> AbstractContextManager[httpx.Response]:
        """An open response, read as it comes. `keyed`: our key goes along."""
        timeout = httpx.Timeout(CONNECT_SECONDS, read=idle_seconds)
        sent = {**headers, **(self._authorization() if keyed else {})}
        return self._http.stream(method, url, headers=sent, timeout=timeout)

    def _exchange(self, request: Request) -> httpx.Response:
        """The response, once it is no error; repeated where that is safe and may help."""
        attempt = 0
        while True:
            attempt += 1
            is_last = attempt == MAX_ATTEMPTS
            try:
                response = self._send_once(request)
            except httpx.TransportError as error:
                if is_last or not (request.repeatable or isinstance(error, httpx.ConnectError)):
                    raise Away(_origin(request.url), _explain(error)) from error
                self._pause(min(2 ** (attempt - 2), MAX_PAUSE_SECONDS))
                continue
            if response.status_code in _BUSY and request.repeatable and not is_last:
                self._pause(_asked_pause(response))
                continue
            if not response.is_success:
                raise to_error(response)
            return response

    def _authorization(self) -> dict[str, str]:
        return {} if self._key is None else {"Authorization": f"Bearer {self._key.get_secret_value()}"}

    def _send_once(self, request: Request) -> httpx.Response:
        headers = {**(request.headers or {}), **self._authorization()}
        timeout = httpx.Timeout(request.timeout_seconds, connect=CONNECT_SECONDS)
        try:
            return self._http.request(
                request.method, request.url, content=request.body, headers=headers, timeout=timeout
            )
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise Misconfigured(
                f"{request.url} is no web address: write one like http://127.0.0.1:8001"
            ) from error


def to_error(response: httpx.Response) -> NewsroomError:
    """A refusal as our own error, in the words of its problem document."""
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        problem = Problem()
    detail = problem.detail or problem.title or f"answered {response.status_code} {response.reason_phrase}"
    if response.status_code in _BUSY:
        return Away(_origin(str(response.request.url)), detail)
    if response.status_code in _REFUSALS:
        return _REFUSALS[response.status_code](detail)
    if response.is_client_error:
        return Invalid(detail, tuple(FieldError(field.pointer, field.detail) for field in problem.errors))
    return NewsroomError(f"{_origin(str(response.request.url))}: {detail}")


def to_body(fields: Mapping[str, JsonValue]) -> bytes:
    """Fields as a JSON request body."""
    return httpx.Request("POST", "http://_", json=dict(fields)).content


def _origin(url: str) -> str:
    parts = httpx.URL(url)
    return f"{parts.scheme}://{parts.netloc.decode()}"


def _explain(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return str(error) or type(error).__name__


def _asked_pause(response: httpx.Response) -> float:
    """Seconds that `Retry-After` asks for, within bounds; a date there counts as one second."""
    asked = response.headers.get("Retry-After", "")
    return min(float(asked), MAX_PAUSE_SECONDS) if asked.isascii() and asked.isdigit() else 1.0
