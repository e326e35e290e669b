"""Every measure by its name, in the order of the table."""

from __future__ import annotations

from dataclasses import dataclass

from bench.door import measure_door
from bench.growth import measure_growth
from bench.live import measure_live
from bench.pageget import measure_page_get
from bench.publish import measure_publish
from bench.readers import measure_fan_out
from bench.rebuild import measure_rebuild
from bench.replaying import measure_replay
from bench.rest import measure_rest
from bench.soak import measure_memory
from bench.sustained import measure_sustained
from bench.table import Measure
from bench.wagtail import measure_wagtail


@dataclass(frozen=True)
class Entry:
    """A measure. `has_long`: it has rows of its own in `make bench-long`."""

    name: str
    what: str
    measure: Measure
    has_long: bool = False


MEASURES = (
    Entry("publish", "from a POST to its answer, page and notice, beside the bare floor", measure_publish),
    Entry("live", "a new entry in a long live article, beside the first of another", measure_live),
    Entry("sustained", "events of every kind in open load: how many a second are carried", measure_sustained),
    Entry("door", "ingest alone: how many a second are accepted", measure_door),
    Entry("rebuild", "all pages anew, beside Hugo with the same articles", measure_rebuild),
    Entry("replay", "pages and MongoDB deleted, the log read again", measure_replay),
    Entry("growth", "one publication where many articles stand already", measure_growth, has_long=True),
    Entry("fan-out", "one notice to ten thousand open streams, and many to a thousand", measure_fan_out),
    Entry("page-get", "pages from the edge and from render, beside a plain file", measure_page_get),
    Entry("wagtail", "a publication and articles a second, beside Wagtail", measure_wagtail),
    Entry("memory", "of each process, at rest and under load", measure_memory, has_long=True),
    Entry("rest", "memory and processor time while nobody posts or reads", measure_rest),
)
NAMES = tuple(entry.name for entry in MEASURES)
