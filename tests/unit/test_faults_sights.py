"""What a reader of the experiment makes of headers and raw bytes."""

from __future__ import annotations

import gzip

import brotli  # type: ignore[import-untyped]
import pytest

from faults.load.sights import see

TOKEN = "zq0123456789"
PAGE = (
    "<!doctype html>\n<html lang='en'><head><title>T</title></head>\n"
    '<body data-page="article" data-article="a-1" data-revision="7">\n'
    f'<a href="/economy/">Economy</a> <a href="/economy/#top">again</a> <p>Told {TOKEN} here</p>\n'
    "</body>\n</html>\n"
)
PACKED = {
    "identity": PAGE.encode(),
    "gzip": gzip.compress(PAGE.encode()),
    "br": bytes(brotli.compress(PAGE.encode())),
}
FEED = '<?xml version="1.0"?><feed><entry><link href="http://127.0.0.1:1/a/b/"/></entry></feed>'


def told(media_type: str, encoding: str = "identity", **more: str) -> dict[str, str]:
    named = {name.replace("_", "-"): value for name, value in more.items()}
    packed = {} if encoding == "identity" else {"content-encoding": encoding}
    return {"content-type": f"{media_type}; charset=utf-8", **packed, **named}


@pytest.mark.parametrize("encoding", PACKED)
def test_a_whole_page_tells_whose_it_is_and_what_stands_there(encoding: str) -> None:
    raw = PACKED[encoding]

    sight = see(told("text/html", encoding, content_length=str(len(raw))), raw)

    assert (sight.article_id, sight.revision, sight.tokens) == ("a-1", 7, (TOKEN,))
    assert (sight.encoding, sight.torn) == (encoding, "")


@pytest.mark.parametrize("encoding", PACKED)
@pytest.mark.parametrize("missing", [1, 20])
def test_a_page_without_its_end_is_torn_in_every_encoding(encoding: str, missing: int) -> None:
    """A line feed behind the last tag is all that may be missing of a page that is not packed."""
    raw = PACKED[encoding].rstrip(b"\n")[:-missing]

    sight = see(told("text/html", encoding), raw)

    assert sight.torn
    assert (sight.text, sight.tokens, sight.revision) == ("", (), None)


def test_a_body_of_another_length_than_was_announced_is_torn() -> None:
    assert see(told("text/html", content_length=str(len(PAGE) + 1)), PAGE.encode()).torn


def test_more_behind_the_end_of_a_packed_body_is_torn() -> None:
    assert see(told("text/html", "gzip"), PACKED["gzip"] + b"x").torn


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_a_page_that_is_packed_otherwise_than_it_says_is_torn(encoding: str) -> None:
    assert see(told("text/html", encoding), PAGE.encode()).torn


def test_an_encoding_that_nobody_asked_for_is_torn() -> None:
    assert "zstd" in see(told("text/html", "zstd"), b"").torn


@pytest.mark.parametrize(
    ("media_type", "whole"),
    [
        ("application/atom+xml", FEED),
        ("application/rss+xml", "<rss><channel/></rss>"),
        ("application/xml", "<urlset></urlset>"),
        ("application/json", '{"items": []}'),
        ("application/feed+json", '{"items": []}'),
    ],
)
def test_a_document_ends_as_one_of_its_kind_must(media_type: str, whole: str) -> None:
    assert not see(told(media_type), whole.encode()).torn
    assert see(told(media_type), whole[:-1].encode()).torn


def test_the_history_of_an_article_tells_the_revision_and_other_pages_none() -> None:
    history = PAGE.replace('data-page="article" data-article="a-1"', 'data-page="history"')
    listing = PAGE.replace('data-page="article"', 'data-page="listing"')

    assert see(told("text/html"), history.encode()).revision == 7
    assert see(told("text/html"), listing.encode()).revision is None


def test_the_store_tells_an_article_and_its_revision() -> None:
    sight = see(told("application/json"), b'{"id":"a-1","revision":3,"status":"public"}')

    assert (sight.article_id, sight.revision) == ("a-1", 3)


def test_a_page_leads_to_each_address_once_and_a_feed_to_those_of_this_site() -> None:
    assert see(told("text/html"), PAGE.encode()).links == ("/economy/",)
    assert see(told("application/atom+xml"), FEED.encode()).links == ("/a/b/",)


def test_what_is_no_text_is_whole_by_its_length_alone() -> None:
    assert not see(told("image/png", content_length="3"), b"\x89PN").torn
