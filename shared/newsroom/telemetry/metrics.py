"""The catalogue of metrics: every number that `GET /metrics` tells, in one place, each with its meaning.

A registry of our own, so that a test or a library cannot add to it by accident. Labels are bounded sets (a
route template, a topic, a step), never ids.
"""

from __future__ import annotations

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

registry = CollectorRegistry(auto_describe=True)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LONG = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

ProcessCollector(registry=registry)
PlatformCollector(registry=registry)
GCCollector(registry=registry)

# HTTP, every service
requests = Counter(
    "newsroom_http_requests", "Requests answered", ["method", "route", "status"], registry=registry
)
request_seconds = Histogram(
    "newsroom_http_request_seconds", "Time from the request to the end of its answer", ["method", "route"],
    buckets=_QUICK, registry=registry,
)  # fmt: skip
bugs = Counter("newsroom_bugs", "Exceptions that nobody meant to raise", ["where"], registry=registry)

# The log, every service
records_produced = Counter(
    "newsroom_records_produced", "Records acknowledged by the log", ["topic"], registry=registry
)
produce_seconds = Histogram(
    "newsroom_produce_seconds",
    "Time until the log acknowledged a record",
    ["topic"],
    buckets=_QUICK,
    registry=registry,
)
records_consumed = Counter(
    "newsroom_records_consumed", "Records whose effect is done", ["consumer"], registry=registry
)
batch_seconds = Histogram(
    "newsroom_batch_seconds",
    "Time to handle one batch of records",
    ["consumer"],
    buckets=_LONG,
    registry=registry,
)
commits = Counter("newsroom_commits", "Commits of offsets", ["consumer", "result"], registry=registry)
consumer_lag = Gauge(
    "newsroom_consumer_lag_records",
    "Records on the log that are not handled yet",
    ["consumer"],
    registry=registry,
)
dead_letters = Counter(
    "newsroom_dead_letters",
    "Records parked because they can never be processed",
    ["consumer"],
    registry=registry,
)
dead_letters_waiting = Gauge(
    "newsroom_dead_letters_waiting", "Dead letters that nobody has retried or dropped yet", registry=registry
)
outages = Counter(
    "newsroom_outages", "Times that a dependency did not answer", ["dependency"], registry=registry
)

# Steps on the way from the POST to the page, every service
step_seconds = Histogram(
    "newsroom_step_seconds", "Time of one named step, such as store.insert_revisions", ["step"],
    buckets=_QUICK, registry=registry,
)  # fmt: skip
event_to_page_seconds = Histogram(
    "newsroom_event_to_page_seconds",
    "Time from an event's acceptance to its page",
    buckets=_LONG,
    registry=registry,
)

# ingest
events_accepted = Counter("newsroom_events_accepted", "Events put on the log", ["kind"], registry=registry)
events_in_flight = Gauge("newsroom_events_in_flight", "Events on their way to the log now", registry=registry)
waits = Counter(
    "newsroom_waits",
    "Requests that waited for the page, by how the wait ended",
    ["result"],
    registry=registry,
)

# store
events_decided = Counter(
    "newsroom_events_decided", "Events folded, by what became of them", ["state"], registry=registry
)
announcements = Counter("newsroom_announcements", "Article updates announced", ["again"], registry=registry)
due_events = Counter(
    "newsroom_due_events", "Events that fell due and were put on the log", ["kind"], registry=registry
)
due_lateness_seconds = Histogram(
    "newsroom_due_lateness_seconds",
    "Time from when something fell due to when it was noticed",
    buckets=_LONG,
    registry=registry,
)

# render
pages_written = Counter("newsroom_pages_written", "Files put in place", ["kind"], registry=registry)
notices_published = Counter(
    "newsroom_notices_published", "Notices told to readers", ["kind"], registry=registry
)
open_streams = Gauge("newsroom_open_streams", "Readers connected to the live stream", registry=registry)
streams_ended = Counter(
    "newsroom_streams_ended", "Live streams that ended, by why", ["reason"], registry=registry
)


def exposition() -> bytes:
    """Every metric in Prometheus' text format."""
    return generate_latest(registry)
