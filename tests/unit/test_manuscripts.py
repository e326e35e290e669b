"""Manuscripts: a file becomes the article that ingest takes, or a line that says what to mend."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desk.frontmatter import MAX_FILE_BYTES, BadManuscript
from desk.manuscripts import Manuscript, read_manuscript
from desk.markdown import to_html

HEAD = "headline: Rain at last\nsection: Kazakhstan\n"


def written(folder: Path, text: str, name: str = "rain.md") -> Path:
    """A file with that text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def from_markdown(folder: Path, front_matter: str, body: str = "It rained.") -> Manuscript:
    """The manuscript of a Markdown file."""
    return read_manuscript(written(folder, f"---\n{front_matter}---\n{body}\n"))


def complaint(folder: Path, front_matter: str) -> str:
    """All that is said about a Markdown file that cannot be sent."""
    with pytest.raises(BadManuscript) as caught:
        from_markdown(folder, front_matter)
    fields = [f"{field.pointer}: {field.detail}" for field in caught.value.errors]
    return "\n".join([caught.value.detail, *fields])


def test_front_matter_and_body_become_an_article(tmp_path: Path) -> None:
    """Keys are fields, the rest is the body in HTML."""
    manuscript = from_markdown(
        tmp_path, HEAD + "tags: [rain, Astana]\nbreaking: true\n", "It *rained*.\n\n## More"
    )
    assert manuscript.as_json() == {
        "headline": "Rain at last",
        "section": "Kazakhstan",
        "tags": ["rain", "Astana"],
        "breaking": True,
        "body": "<p>It <em>rained</em>.</p>\n<h2>More</h2>",
    }


def test_a_rule_in_the_body_does_not_end_it(tmp_path: Path) -> None:
    """Only the first two lines of dashes belong to the front matter."""
    assert "second" in from_markdown(tmp_path, HEAD, "first\n\n---\n\nsecond").article.body


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    """Files from any editor are read."""
    path = tmp_path / "rain.md"
    path.write_bytes(b"\xef\xbb\xbf" + f"---\n{HEAD}---\nIt rained.\n".replace("\n", "\r\n").encode())
    assert read_manuscript(path).article.headline == "Rain at last"


@pytest.mark.parametrize(
    "dateline",
    [
        "dateline: Astana, Kazakhstan | Asia/Almaty\n",
        "dateline:\n  place: Astana, Kazakhstan\n  timezone: Asia/Almaty\n",
    ],
)
def test_a_dateline_is_written_short_or_long(tmp_path: Path, dateline: str) -> None:
    """Both say the same."""
    assert from_markdown(tmp_path, HEAD + dateline).as_json()["dateline"] == {
        "place": "Astana, Kazakhstan",
        "timezone": "Asia/Almaty",
    }


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2023-06-20T10:40:00+06:00", "2023-06-20T04:40:00.000Z"),
        ("2023-06-20 10:40 +06:00", "2023-06-20T04:40:00.000Z"),
        ("2023-06-20T04:40:00Z", "2023-06-20T04:40:00.000Z"),
        ('"2023-06-20 10:40"', "2023-06-20T04:40:00.000Z"),
        ("2023-06-20 10:40:30", "2023-06-20T04:40:30.000Z"),
    ],
)
def test_a_time_may_be_written_in_any_usual_way(tmp_path: Path, time: str, expected: str) -> None:
    """With a zone, or without one in the dateline's."""
    front_matter = f"{HEAD}dateline: Astana | Asia/Almaty\npublished_at: {time}\n"
    assert from_markdown(tmp_path, front_matter).as_json()["published_at"] == expected


def test_yaml_takes_nothing_for_anything_but_text(tmp_path: Path) -> None:
    """`no` is Norwegian, a number may be a tag, and Python objects are out of reach."""
    manuscript = from_markdown(
        tmp_path, HEAD + "language: no\ntags: [2023, 1.50]\ndeck: !!python/name:os.system\n"
    )
    assert manuscript.article.language == "no"
    assert manuscript.article.tags == ("2023", "1.50")
    assert not manuscript.article.deck


def test_lists_may_be_written_with_commas_and_sources_as_names(tmp_path: Path) -> None:
    """The short forms of tags, authors and sources."""
    article = from_markdown(
        tmp_path, HEAD + "tags: rain, Astana\nauthors: A. B.\nsources: [The ministry]\n"
    ).article
    assert article.tags == ("rain", "Astana")
    assert article.authors == ("A. B.",)
    assert article.sources[0].name == "The ministry"


def test_an_empty_key_is_an_absent_one(tmp_path: Path) -> None:
    """So that a template can be left unfilled."""
    assert "slug" not in from_markdown(tmp_path, HEAD + "slug:\ndeck: ~\n").as_json()


@pytest.mark.parametrize("key", ["publish_at", "embargo_until", "breaking_until"])
def test_a_due_time_is_a_time_or_none(tmp_path: Path, key: str) -> None:
    """In the dateline's zone, if it has none of its own; `none` lifts it, and what is absent stays absent."""
    head = f"{HEAD}dateline: Astana | Asia/Almaty\n"
    assert from_markdown(tmp_path, f"{head}{key}: 2023-06-20 10:40\n").as_json()[key] == (
        "2023-06-20T04:40:00.000Z"
    )
    assert from_markdown(tmp_path, f"{head}{key}: none\n").as_json()[key] is None
    assert from_markdown(tmp_path, f"{head}{key}: null\n").as_json()[key] is None
    assert key not in from_markdown(tmp_path, f"{head}{key}:\n").as_json()
    assert key not in from_markdown(tmp_path, head).as_json()


def test_a_json_file_lifts_a_due_time_with_null(tmp_path: Path) -> None:
    article = {"headline": "Rain", "section": "World", "publish_at": None, "live": True}
    manuscript = read_manuscript(written(tmp_path, json.dumps(article), "rain.json"))
    assert manuscript.as_json() == article


@pytest.mark.parametrize("time", ["2026-10-25 02:30", "2026-03-29 02:30"])
def test_a_time_that_comes_twice_or_never_needs_its_zone(tmp_path: Path, time: str) -> None:
    """Where clocks are put back or forward nobody can tell which moment is meant."""
    berlin = f"{HEAD}dateline: Berlin | Europe/Berlin\n"
    assert "comes twice or never in Europe/Berlin" in complaint(tmp_path, f"{berlin}publish_at: {time}\n")
    zoned = from_markdown(tmp_path, f"{berlin}publish_at: {time} +02:00\n").as_json()
    assert zoned["publish_at"] == f"{time[:10]}T00:30:00.000Z"


def test_the_command_line_has_the_last_word_on_times(tmp_path: Path) -> None:
    manuscript = from_markdown(tmp_path, f"{HEAD}publish_at: 2030-01-01T00:00Z\n")
    told = manuscript.told({"publish_at": "none", "embargo_until": "2031-01-01T00:00Z"}, breaking=True)
    written_out = told.as_json()
    assert written_out["publish_at"] is None
    assert written_out["embargo_until"] == "2031-01-01T00:00:00.000Z"
    assert written_out["breaking"] is True
    with pytest.raises(BadManuscript, match=r"--embargo-until: 'soon' is no time"):
        manuscript.told({"embargo_until": "soon"})


def test_a_live_article_is_flagged_in_its_file(tmp_path: Path) -> None:
    assert from_markdown(tmp_path, HEAD + "live: true\n").as_json()["live"] is True


def test_a_translation_names_its_original_in_its_file(tmp_path: Path) -> None:
    manuscript = from_markdown(tmp_path, HEAD + "language: kk\ntranslation_of: bank-siege\n")
    assert manuscript.as_json()["translation_of"] == "bank-siege"


@pytest.mark.parametrize(
    ("front_matter", "expected"),
    [
        ("headline: Rain\n", "rain.md: section: is missing: add `section: …`"),
        (HEAD + "headlin: x\n", "headlin: is unknown: did you mean `headline`?"),
        (HEAD + "draft: true\n", "draft: is not written in the file: say `--draft` on the command line"),
        (HEAD + "body: x\n", "body: stands below the front matter"),
        (HEAD + "section: x\n", "section: stands twice: remove one"),
        (
            "headline: Rain: at last\n",
            "line 2: mapping values are not allowed here: put a value with a colon",
        ),
        (HEAD + "dateline: Astana\n", "dateline: is written as place and zone"),
        (HEAD + "dateline: Astana | Mars\n", "dateline.timezone: is no IANA time zone"),
        (HEAD + "published_at: 2023-06-20\n", "published_at: is a day without a time"),
        (HEAD + "published_at: 2023-06-20 10:40\n", "published_at: has no zone, and there is no dateline"),
        (HEAD + "published_at: soon\n", "published_at: is no time"),
        (HEAD + "publish_at: soon\n", "publish_at: is no time"),
        (HEAD + "publish_at: [2030]\n", "publish_at: is no time: write one, or `none`"),
        (HEAD + "id: a b\n", "id: is no article id"),
        (HEAD + "breaking: maybe\n", "breaking: input should be a valid boolean"),
        (HEAD + "deck: &a x\nslug: *a\n", "an alias (*name)"),
        ("- a\n- b\n", "the front matter has no keys"),
    ],
)
def test_a_complaint_names_file_key_and_remedy(tmp_path: Path, front_matter: str, expected: str) -> None:
    """Whatever is wrong is told in a way that can be acted on."""
    said = complaint(tmp_path, front_matter)
    assert expected in said
    assert "rain.md" in said


def test_every_bad_key_is_told_at_once(tmp_path: Path) -> None:
    """Not one after the other."""
    said = complaint(tmp_path, "deck: x\n")
    assert "2 keys to mend" in said
    assert "headline: is missing" in said
    assert "section: is missing" in said


def test_json_is_the_whole_article(tmp_path: Path) -> None:
    """Its body is HTML, its id may stand in it."""
    article = {"id": "rain", "headline": "Rain", "section": "World", "body": "<p>It rained.</p>"}
    manuscript = read_manuscript(written(tmp_path, json.dumps(article), "rain.json"))
    assert manuscript.id == "rain"
    assert manuscript.as_json() == {key: value for key, value in article.items() if key != "id"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"headline": ', "is no JSON: Expecting value at line 1, column 14"),
        ("[]", "is no JSON object"),
        ('{"headline": "a", "headline": "b"}', "headline: stands twice"),
        ("[" * 100_000, "is nested too deeply"),
    ],
)
def test_bad_json_is_told_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    """Line and column, or the key."""
    with pytest.raises(BadManuscript, match=r"rain\.json") as caught:
        read_manuscript(written(tmp_path, text, "rain.json"))
    assert expected in caught.value.detail


def test_a_file_that_is_no_manuscript_is_told(tmp_path: Path) -> None:
    """Missing, of another kind, not UTF-8, without front matter, or far too large."""
    (tmp_path / "latin.md").write_bytes(b"---\nheadline: \xe9\n---\n")
    cases = {
        tmp_path / "absent.md": "cannot be read: No such file",
        written(tmp_path, "x", "rain.txt"): "is neither .md nor .json",
        tmp_path / "latin.md": "is not UTF-8 (byte 15)",
        written(tmp_path, "Only text.", "bare.md"): "has no front matter: begin the file with",
        written(tmp_path, "---\nheadline: x\n", "open.md"): "has no front matter",
        written(tmp_path, "x" * (MAX_FILE_BYTES + 1), "large.md"): "is larger than 2 MiB",
    }
    for path, expected in cases.items():
        with pytest.raises(BadManuscript) as caught:
            read_manuscript(path)
        assert expected in caught.value.detail


@pytest.mark.parametrize("attribution", ["\n>\n> — The bank", "\n> -- The bank", "\n> – The bank"])
def test_an_attributed_quotation_becomes_a_figure(attribution: str) -> None:
    """The last line with a dash is its caption, with or without a paragraph of its own."""
    assert to_html(f"> Stay away.{attribution}") == (
        "<figure>\n<blockquote>\n<p>Stay away.</p>\n</blockquote>\n"
        "<figcaption>The bank</figcaption>\n</figure>"
    )


def test_the_address_linked_in_an_attribution_is_the_quotations_source() -> None:
    """As `cite`, for machines."""
    html = to_html("> Stay away.\n>\n> — [The bank](https://bank.example/news)")
    assert '<blockquote cite="https://bank.example/news">' in html
    assert '<figcaption><a href="https://bank.example/news">The bank</a></figcaption>' in html


@pytest.mark.parametrize("markdown", ["> Plain.", "> — Only a dash.", "> One\n> — dash\n> after"])
def test_other_quotations_stay_as_they_are(markdown: str) -> None:
    """No last line with a dash, or nothing but it: no figure."""
    assert "figure" not in to_html(markdown)


def test_a_quotation_within_a_quotation_keeps_its_own_attribution() -> None:
    """Inner and outer are each attributed."""
    html = to_html("> > Inner.\n> > — A\n>\n> — B")
    assert html.count("<figure>") == 2
    assert html.index("<figcaption>A") < html.index("<figcaption>B")
