"""The catalogue of metrics: every number that `GET /metrics` tells, with its kind, unit and meaning.

A registry of our own, so that a test or a library cannot add to it by accident. Labels are bounded sets (a
route template, a topic, a step), never ids. `docs/operations.md` prints the catalogue, and a test holds the
code to it in both directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from newsroom import times

registry = CollectorRegistry(auto_describe=True)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LONG = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

ProcessCollector(registry=registry)
PlatformCollector(registry=registry)
GCCollector(registry=registry)


@dataclass(frozen=True)
class Entry:
    """One metric of the newsroom's own. `name` as it stands on `/metrics`."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    unit: str
    meaning: str
    labels: tuple[str, ...]


CATALOGUE: list[Entry] = []
"""In the order of this file."""


def _counter(name: str, unit: str, meaning: str, *labels: str) -> Counter:
    """A number that only grows; Prometheus puts `_total` behind its name."""
    CATALOGUE.append(Entry(f"newsroom_{name}_total", "counter", unit, meaning, labels))
    return Counter(f"newsroom_{name}", meaning, labels, registry=registry)


def _gauge(name: str, unit: str, meaning: str, *labels: str) -> Gauge:
    CATALOGUE.append(Entry(f"newsroom_{name}", "gauge", unit, meaning, labels))
    return Gauge(f"newsroom_{name}", meaning, labels, registry=registry)


def _histogram(name: str, buckets: Sequence[float], meaning: str, *labels: str) -> Histogram:
    """Times, in seconds."""
    CATALOGUE.append(Entry(f"newsroom_{name}", "histogram", "seconds", meaning, labels))
    return Histogram(f"newsroom_{name}", meaning, labels, buckets=buckets, registry=registry)


# --- HTTP, every service

requests = _counter("http_requests", "requests", "Requests answered", "method", "route", "status")
request_seconds = _histogram(
    "http_request_seconds", _QUICK, "Time from the request to the end of its answer", "method", "route"
)
bugs = _counter("bugs", "exceptions", "Exceptions that nobody meant to raise", "where")
open_streams = _gauge("open_streams", "readers", "Readers connected to a live stream")
stream_places = _gauge("stream_places", "readers", "Most readers of the live stream at once")
streams_ended = _counter("streams_ended", "streams", "Live streams that ended, by why", "reason")
logins_refused = _counter("logins_refused", "logins", "Keys that were no good, by why", "reason")
access_refused = _counter("access_refused", "requests", "Good keys whose role was not enough")
requests_limited = _counter(
    "requests_limited", "requests", "Refused by a bound for each address or key, by which", "limit"
)
connections = _gauge("connections", "connections", "Open HTTP connections")

# --- the process and its folders, every service

clock_seconds = _gauge("clock_seconds", "seconds", "This process's wall clock, as Unix time")
clock_seconds.set_function(lambda: times.now().timestamp())
folder_free_bytes = _gauge(
    "folder_free_bytes", "bytes", "Room that is left on the disk of a folder", "folder"
)
folder_writable = _gauge(
    "folder_writable", "yes or no", "1 while a folder can be written, 0 where it is read-only", "folder"
)

# --- the log, every service

records_produced = _counter("records_produced", "records", "Records acknowledged by the log", "topic")
produce_seconds = _histogram("produce_seconds", _QUICK, "Time until the log acknowledged a record", "topic")
outages = _counter("outages", "times", "Times that a dependency did not answer", "dependency")

# --- the consumers of store and render

records_consumed = _counter("records_consumed", "records", "Records whose effect is done", "consumer")
batch_seconds = _histogram("batch_seconds", _LONG, "Time to handle one batch of records", "consumer")
consumer_lag = _gauge(
    "consumer_lag_records",
    "records",
    "Records on the log that are not handled yet; of render-listings: marks that wait for their listing",
    "consumer",
)
consumer_partitions = _gauge(
    "consumer_partitions", "partitions", "Partitions that a consumer has now", "consumer"
)
consumer_restarts = _counter(
    "consumer_restarts", "times", "Times that a consumer's client was given up and made anew", "topic"
)
assignments = _counter(
    "assignments", "times", "Times that a consumer was given partitions, one for each rebalance", "consumer"
)
retries = _counter(
    "retries", "tries", "Tries that ended because something was away, each followed by another", "consumer"
)
paused = _gauge("paused", "yes or no", "1 while a consumer waits for what is away", "consumer", "dependency")
paused_seconds = _counter(
    "paused_seconds", "seconds", "Time that a consumer has waited for what was away", "consumer"
)
commits = _counter("commits", "commits", "Commits of offsets", "consumer", "result")
uncommitted_seconds = _gauge(
    "uncommitted_seconds",
    "seconds",
    "Time for which finished work could not be committed, up to now",
    "consumer",
)
dead_letters = _counter(
    "dead_letters", "records", "Records parked because they can never be processed", "consumer"
)
bad_records_in_row = _gauge(
    "bad_records_in_row", "records", "Records in a row, up to now, that could not be processed", "consumer"
)
dead_letters_waiting = _gauge(
    "dead_letters_waiting", "letters", "Dead letters that nobody has retried or dropped yet"
)

# --- steps on the way from the POST to the page, every service

step_seconds = _histogram(
    "step_seconds", _QUICK, "Time of one named step, such as store.insert_revisions", "step"
)
event_to_page_seconds = _histogram(
    "event_to_page_seconds", _LONG, "Time from an event's acceptance to its page, published and readable"
)

# --- ingest

events_accepted = _counter("events_accepted", "events", "Events put on the log", "kind")
events_in_flight = _gauge("events_in_flight", "events", "Events on their way to the log now")
waits = _counter("waits", "requests", "Requests that waited for the page, by how the wait ended", "result")

# --- store

events_decided = _counter("events_decided", "events", "Events folded, by what became of them", "state")
announcements = _counter("announcements", "updates", "Article updates announced", "again")
due_events = _counter("due_events", "events", "Events that fell due and were put on the log", "kind")
due_lateness_seconds = _histogram(
    "due_lateness_seconds", _LONG, "Time from when something fell due to when it was noticed"
)

# --- render

pages_written = _counter("pages_written", "files", "Files put in place", "kind")
listings_waiting = _gauge(
    "listings_waiting", "listings", "Listings that are marked in the batch in hand and not written yet"
)
notices_published = _counter("notices_published", "notices", "Notices told to readers", "kind")


def exposition() -> bytes:
    """Every metric in Prometheus' text format."""
    return generate_latest(registry)
