"""The MongoDB edge, and the only module that knows Motor: connections, and outages told as `Away`.

Motor is in maintenance; its successor is PyMongo's own async client. Whoever changes over changes this file.
Documents are models dumped as JSON, so a time is a fixed-width RFC 3339 text and sorts as one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias, cast

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pydantic import SecretStr
from pymongo import (
    ASCENDING,
    DESCENDING,
    DeleteOne,
    IndexModel,
    InsertOne,
    ReplaceOne,
    ReturnDocument,
    UpdateOne,
)
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    CursorNotFound,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)

from newsroom.errors import Away, Misconfigured
from newsroom.servers import NO_FILES, Tls

__all__ = [
    "ASCENDING", "DESCENDING", "BulkWriteError", "Client", "Collection", "Database", "DeleteOne", "Document",
    "DuplicateKeyError", "IndexModel", "InsertOne", "ReplaceOne", "ReturnDocument", "Undecoded", "UpdateOne",
    "answering", "bytes_of", "connect", "decoded", "failed", "only_duplicates", "ping", "refusal",
    "replace_older", "tls_options", "translating", "undecoded",
]  # fmt: skip

Document: TypeAlias = dict[str, Any]
Client: TypeAlias = "AsyncIOMotorClient[Document]"
Database: TypeAlias = "AsyncIOMotorDatabase[Document]"
Collection: TypeAlias = "AsyncIOMotorCollection[Document]"
Undecoded: TypeAlias = RawBSONDocument

SELECTION_TIMEOUT_MS = 2_000
SOCKET_TIMEOUT_MS = 10_000
WRITE_TIMEOUT_MS = 8_000
PING_TIMEOUT_SECONDS = 1.0
ANSWER_SECONDS = 4.0

_DUPLICATE_KEY = 11000
_REFUSALS = {
    13: "MongoDB does not let us read and write; see the user in NEWSROOM_MONGO and its roles",
    18: "MongoDB refuses the login; see user, password and authSource in NEWSROOM_MONGO",
}
_OUTAGE_CODES = frozenset(
    {
        6,  # HostUnreachable
        7,  # HostNotFound
        64,  # WriteConcernFailed
        89,  # NetworkTimeout
        91,  # ShutdownInProgress
        100,  # UnsatisfiableWriteConcern
        133,  # FailedToSatisfyReadPreference
        134,  # ReadConcernMajorityNotAvailableYet
        189,  # PrimarySteppedDown
        262,  # ExceededTimeLimit
        9001,  # SocketException
        10107,  # NotWritablePrimary
        11600,  # InterruptedAtShutdown
        11602,  # InterruptedDueToReplStateChange
        13435,  # NotPrimaryNoSecondaryOk
        13436,  # NotPrimaryOrSecondary
    }
)


def connect(url: SecretStr, *, app_name: str, tls: Tls = NO_FILES) -> Client:
    """A client of a replica set; nothing connects before its first use.

    Writes are acknowledged by a majority and journaled. Reads go to the primary and see only what a majority
    has, so that nothing is taken for decided that a failover would roll back.
    Raises: Misconfigured when the URL or the files for TLS cannot be used.
    """
    try:
        return AsyncIOMotorClient(
            url.get_secret_value(),
            **tls_options(tls),
            appname=app_name,
            w="majority",
            journal=True,
            wTimeoutMS=WRITE_TIMEOUT_MS,
            readConcernLevel="majority",
            readPreference="primary",
            serverSelectionTimeoutMS=SELECTION_TIMEOUT_MS,
            connectTimeoutMS=SELECTION_TIMEOUT_MS,
            socketTimeoutMS=SOCKET_TIMEOUT_MS,
        )
    except (InvalidURI, ConfigurationError, ValueError) as error:
        raise Misconfigured(
            "NEWSROOM_MONGO is no MongoDB URL: write one like mongodb://host:27017/?replicaSet=newsroom"
        ) from error


def undecoded(collection: Collection) -> AsyncIOMotorCollection[Undecoded]:
    """The same collection, whose documents come as the server sent them (`bytes_of`, `decoded`)."""
    options = CodecOptions(document_class=RawBSONDocument)
    return cast("AsyncIOMotorCollection[Undecoded]", collection.with_options(codec_options=options))


def bytes_of(document: Undecoded) -> bytes:
    """Of equal bytes the documents are equal, so what was made of them need not be made twice."""
    return bytes(document.raw)


def decoded(raw: bytes) -> Document:
    """A document from such bytes."""
    return bson.decode(raw)


def tls_options(tls: Tls) -> dict[str, Any]:
    """What tells a client of the files; nothing where none is given, and the URL says whether TLS is spoken.

    Raises: Misconfigured when one cannot be used.
    """
    if not tls.is_given:
        return {}
    tls.context("MongoDB")
    files = {"tlsCAFile": tls.ca, "tlsCertificateKeyFile": tls.certificate}
    return {"tls": True, **{name: str(file) for name, file in files.items() if file is not None}}


@contextmanager
def translating() -> Iterator[None]:
    """Tell an outage of MongoDB from a bug: its network errors come out as `Away`, a refusal of who we are as
    `Misconfigured`, all else as it is.
    """
    try:
        yield
    except PyMongoError as error:
        if (why := refusal(error)) is not None:
            raise Misconfigured(why) from error
        if is_outage(error):
            raise Away("mongodb", type(error).__name__) from error
        raise


@asynccontextmanager
async def answering() -> AsyncIterator[None]:
    """As `translating`, for somebody who waits: a server that is silent for long is away, too."""
    try:
        with translating():
            async with asyncio.timeout(ANSWER_SECONDS):
                yield
    except TimeoutError as error:
        raise Away("mongodb", f"silent for {ANSWER_SECONDS:.0f} s") from error


def refusal(error: PyMongoError) -> str | None:
    """Why MongoDB does not let us in, or we do not trust it, and what to do; None for every other error."""
    if isinstance(error, OperationFailure):
        return _REFUSALS.get(error.code or 0)
    if isinstance(error, ConnectionFailure) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "MongoDB's certificate is not believed; see NEWSROOM_MONGO_CA and the host in NEWSROOM_MONGO"
    return None


def is_outage(error: PyMongoError) -> bool:
    """Whether the same call may succeed later: no server, none that may write, too slow, or going down."""
    if isinstance(error, ConnectionFailure | ExecutionTimeout | CursorNotFound | WriteConcernError):
        return True
    if isinstance(error, BulkWriteError):
        return _is_bulk_outage(error)
    if isinstance(error, OperationFailure) and error.code in _OUTAGE_CODES:
        return True
    return error.has_error_label("RetryableWriteError")


def _is_bulk_outage(error: BulkWriteError) -> bool:
    details = error.details or {}
    if any(problem.get("code") in _OUTAGE_CODES for problem in details.get("writeErrors", [])):
        return True
    return bool(details.get("writeConcernErrors"))


async def replace_older(
    collection: Collection, documents: Sequence[Document], *, first: str = "revision"
) -> None:
    """Put each document in its place, unless one of its revision or a later one stands there.

    One with 1 in the field `first` is the first of its place, so that whatever stands there is not behind:
    it is inserted, which costs a server a fifth of a replacement that has to look. Raises: as `translating`.
    """
    new = [InsertOne(each) for each in documents if each[first] == 1]
    later = [
        ReplaceOne({"_id": each["_id"], "revision": {"$lt": each["revision"]}}, each, upsert=True)
        for each in documents
        if each[first] != 1
    ]
    await asyncio.gather(*(_written(collection, steps) for steps in (new, later) if steps))


async def _written(
    collection: Collection, steps: Sequence[InsertOne[Document]] | Sequence[ReplaceOne[Document]]
) -> None:
    """All steps at once, but for those whose place is taken."""
    with translating():
        try:
            await collection.bulk_write(steps, ordered=False)
        except BulkWriteError as error:
            if not only_duplicates(error):
                raise


def only_duplicates(error: BulkWriteError) -> bool:
    """Whether nothing but keys that stand already kept parts of a bulk from being written."""
    details = error.details or {}
    problems = details.get("writeErrors", [])
    if details.get("writeConcernErrors"):
        return False
    return bool(problems) and all(problem.get("code") == _DUPLICATE_KEY for problem in problems)


def failed(error: BulkWriteError) -> frozenset[int]:
    """Which steps of an unordered bulk failed, by their number; all others were done."""
    return frozenset(problem["index"] for problem in (error.details or {}).get("writeErrors", []))


async def ping(client: Client) -> bool:
    """Whether the primary answers, within a second."""
    try:
        await asyncio.wait_for(client.admin.command("ping"), PING_TIMEOUT_SECONDS)
    except (PyMongoError, TimeoutError):
        return False
    return True
