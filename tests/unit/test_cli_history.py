"""What happened to an article, on the command line: how it stands, its revisions, the words that changed."""

from __future__ import annotations

import json

from desk import wording
from tests.unit.desk_newsroom import Newsroom, an_answer, run

TIME = "2023-06-20T04:40:00.000Z"
HISTORY = {
    "article_id": "rain",
    "revisions": [
        {"revision": 1, "kind": "drafted", "time": TIME, "is_public": False, "actor": "desk"},
        {"revision": 2, "kind": "published", "time": TIME},
        {"revision": 3, "kind": "editors_note", "time": TIME, "note": "Less.", "changed": ["deck", "body"]},
        {"revision": 4, "kind": "entry_added", "time": TIME, "entry_id": "e1"},
    ],
}
DIFFERENCE = {
    "article_id": "rain",
    "older": {"revision": 2, "kind": "published", "time": TIME},
    "newer": {"revision": 3, "kind": "editors_note", "time": TIME, "note": "Less."},
    "fields": [
        {
            "field": "deck",
            "added": 1,
            "removed": 1,
            "segments": [
                {"op": "equal", "text": "It was "},
                {"op": "removed", "text": "much"},
                {"op": "added", "text": "little"},
                {"op": "equal", "text": "."},
            ],
        },
        {
            "field": "body",
            "added": 2,
            "removed": 2,
            "html": "<p>Same.</p><p>As before.</p><p>It <em>rained</em> <del>all day</del>"
            "<ins>an hour</ins>.</p><ul><li>Same.</li></ul>",
        },
        {"field": "tags", "added": 1, "removed": 0, "before": [], "after": ["rain"]},
    ],
}


def test_a_history_is_a_table() -> None:
    """What is not for the public stands in brackets."""
    newsroom = Newsroom([an_answer(200, HISTORY)])
    lines = run(newsroom, "history", "rain").stdout.splitlines()
    assert lines[0].split() == ["REVISION", "TIME", "KIND", "CHANGED", "NOTE"]
    assert "(drafted)" in lines[1]
    assert lines[3].split()[3:] == ["editors", "note", "deck,", "body", "Less."]
    assert lines[4].split()[-1] == "e1"
    assert lines[5] == "(in brackets: not for the public)"
    assert newsroom.last.url.path == "/articles/rain/revisions"


def test_a_diff_shows_the_words_that_changed() -> None:
    """Of a body only the blocks in which one did; readable without colours."""
    newsroom = Newsroom([an_answer(200, DIFFERENCE)])
    result = run(newsroom, "diff", "rain", "2", "3")
    assert result.stdout.splitlines() == [
        "article rain: revision 2 to 3",
        "  Less.",
        "",
        "deck (+1 -1)",
        "  It was [-much-]{+little+}.",
        "",
        "body (+2 -2)",
        "  …",
        "  It rained [-all day-]{+an hour+}.",
        "  …",
        "",
        "tags (+1 -0)",
        "  [-[]-] {+['rain']+}",
    ]
    assert dict(newsroom.last.url.params) == {"from": "2", "to": "3"}
    assert json.loads(run(newsroom, "diff", "rain", "2", "3", "--json").stdout)["fields"][0]["added"] == 1


def test_without_revisions_the_newest_change_is_shown() -> None:
    """An entry brought no text of the article."""
    newsroom = Newsroom([an_answer(200, HISTORY), an_answer(200, DIFFERENCE)])
    assert run(newsroom, "diff", "rain").exit_code == wording.OK
    assert dict(newsroom.last.url.params) == {"from": "2", "to": "3"}


def test_without_a_key_there_are_counts_only() -> None:
    counts = DIFFERENCE | {"fields": [{"field": "body", "added": 2, "removed": 1}]}
    result = run(Newsroom([an_answer(200, counts)]), "diff", "rain", "2", "3")
    assert result.stdout.splitlines()[-1] == "body (+2 -1)"


def test_an_article_of_one_text_has_nothing_to_compare() -> None:
    only = HISTORY | {"revisions": HISTORY["revisions"][1:2]}
    result = run(Newsroom([an_answer(200, only)]), "diff", "rain")
    assert result.exit_code == wording.FAILED
    assert "no two texts to compare" in result.stderr


def test_one_revision_alone_is_a_usage_error() -> None:
    newsroom = Newsroom([an_answer(200, DIFFERENCE)])
    assert run(newsroom, "diff", "rain", "2").exit_code == wording.USAGE
    assert not newsroom.requests


def test_show_tells_how_an_article_stands() -> None:
    """What is public, what waits and until when, whether it is live."""
    head = {
        "id": "rain",
        "revision": 5,
        "status": "public",
        "url": "http://127.0.0.1:8000/rain/",
        "article": {"headline": "Rain", "section": "World"},
        "waiting": "embargoed",
        "due_at": TIME,
        "withheld_revision": 5,
        "breaking_until": TIME,
        "live": {"entries": 7, "pages": 1, "closed_at": TIME},
    }
    lines = run(Newsroom([an_answer(200, head)]), "show", "rain").stdout.splitlines()
    assert lines[0] == "article rain: public, revision 5"
    assert any("waits     revision 5, embargoed until 2023-06-20" in line for line in lines)
    assert any("live      7 entries, closed 2023-06-20" in line for line in lines)


def test_a_list_of_what_waits_says_until_when() -> None:
    waiting = {
        "id": "rain",
        "revision": 2,
        "status": "unpublished",
        "article": {"headline": "Rain", "section": "World"},
        "waiting": "scheduled",
        "due_at": TIME,
        "time": TIME,
    }
    newsroom = Newsroom([an_answer(200, {"articles": [waiting]})])
    lines = run(newsroom, "list", "--state", "scheduled").stdout.splitlines()
    assert lines[0].split() == ["ID", "REVISION", "WAITS", "UNTIL", "UPDATED", "HEADLINE"]
    assert "scheduled until 2023-06-20" in lines[1]
    assert newsroom.last.url.params["state"] == "scheduled"
    assert run(newsroom, "list", "--state", "embargoed", key=None, newsroom_home="/nowhere").exit_code == 2
