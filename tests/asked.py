"""Everything that the three services answer, with what it is asked: for the tests that look at every output.

A route that is added has to be listed here, or those tests fail.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

PLAIN = ("",)
A_PLACE = r"id: .+\n(.+\n)*\n"
"""What a stream has sent once it waits for more."""
OF_EVERY_SERVICE = (
    "/docs", "/health/live", "/health/ready", "/metrics", "/openapi.json", "/problems/{slug}",
)  # fmt: skip

ASKED: Mapping[tuple[str, str, str], tuple[str, ...]] = {
    **{
        (service, "GET", path): PLAIN
        for service in ("ingest", "store", "render")
        for path in OF_EVERY_SERVICE
    },
    ("ingest", "POST", "/articles"): PLAIN,
    ("ingest", "POST", "/articles/{article_id}/publication"): PLAIN,
    ("ingest", "PUT", "/articles/{article_id}/draft"): PLAIN,
    ("ingest", "POST", "/articles/{article_id}/updates"): PLAIN,
    ("ingest", "POST", "/articles/{article_id}/corrections"): PLAIN,
    ("ingest", "POST", "/articles/{article_id}/amendments"): PLAIN,
    ("ingest", "POST", "/articles/{article_id}/retraction"): PLAIN,
    ("ingest", "POST", "/articles/{article_id}/withdrawal"): PLAIN,
    ("ingest", "POST", "/articles/{article_id}/entries"): PLAIN,
    ("ingest", "PUT", "/articles/{article_id}/entries/{entry_id}"): PLAIN,
    ("ingest", "GET", "/events/{event_id}"): PLAIN,
    ("ingest", "GET", "/keys"): PLAIN,
    ("ingest", "POST", "/keys"): PLAIN,
    ("ingest", "DELETE", "/keys/{name}"): PLAIN,
    ("store", "GET", "/articles"): (
        "", "?state=draft", "?state=scheduled", "?state=embargoed", "?section=kazakhstan", "?tag=astana",
        "?since=2020-01-01T00:00:00Z", "?limit=1",
    ),
    ("store", "GET", "/articles/{article_id}"): PLAIN,
    ("store", "GET", "/articles/{article_id}/revisions"): PLAIN,
    ("store", "GET", "/articles/{article_id}/revisions/{revision}"): PLAIN,
    ("store", "GET", "/articles/{article_id}/diff"): tuple(
        f"?from={older}&to={newer}{view}"
        for older, newer in itertools.combinations(range(1, 5), 2)
        for view in ("", "&view=public")
    ),
    ("store", "GET", "/articles/{article_id}/entries"): PLAIN,
    ("store", "GET", "/articles/{article_id}/entries/{entry_id}"): PLAIN,
    ("store", "GET", "/events/{event_id}"): PLAIN,
    ("store", "POST", "/republications"): PLAIN,
    ("store", "GET", "/republications/{republication_id}"): PLAIN,
    ("store", "GET", "/announcements"): PLAIN,
    ("store", "GET", "/announcements/{article_id}"): PLAIN,
    ("store", "GET", "/announcements/{article_id}/entries"): PLAIN,
    ("store", "GET", "/dead-letters"): ("", "?state=waiting"),
    ("store", "GET", "/dead-letters/{letter_id}"): PLAIN,
    ("store", "POST", "/dead-letters/{letter_id}/retry"): PLAIN,
    ("store", "DELETE", "/dead-letters/{letter_id}"): PLAIN,
    ("render", "POST", "/api/verification"): PLAIN,
    ("render", "GET", "/preview/{article_id}"): ("", *(f"?revision={number}" for number in range(1, 5))),
    ("render", "GET", "/oembed"): ("", "?url={url}", "?url={url}&format=json&maxwidth=300"),
    ("render", "GET", "/news-sitemap.xml"): PLAIN,
    ("render", "GET", "/articles/{article_id}/"): PLAIN,
    ("render", "GET", "/{place:path}/excerpt.json"): PLAIN,
    ("render", "GET", "/{place:path}/excerpt.html"): PLAIN,
    ("render", "GET", "/{path:often_asked}"): PLAIN,
    ("render", "GET", "/{path:path}"): PLAIN,
}  # fmt: skip
"""Everything that is answered at once, and the queries to ask it with."""

STREAMED = {("ingest", "GET", "/events"), ("render", "GET", "/live"), ("render", "GET", "/live/{article_id}")}


def addresses(
    template: str, queries: Iterable[str], values: Callable[[str], Iterable[object]]
) -> Iterator[str]:
    """Each path with each query, and in them each value of what stands in braces."""
    for query in queries:
        whole = template + query
        parts = re.findall(r"{([^}]+)}", whole)
        for chosen in itertools.product(*(values(part) for part in parts)):
            address = whole
            for part, value in zip(parts, chosen, strict=True):
                address = address.replace(f"{{{part}}}", str(value))
            yield address
