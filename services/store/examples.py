"""Answers as the API's documentation shows them: one story, as a caller without a key sees it."""

from __future__ import annotations

from typing import Any

_ARTICLE: dict[str, Any] = {
    "headline": "Police free hostages at a bank in Astana",
    "deck": "Nobody was hurt, the interior ministry says.",
    "section": "Kazakhstan",
    "tags": ["Astana"],
    "authors": [],
    "dateline": {"place": "Astana, Kazakhstan", "timezone": "Asia/Almaty"},
    "language": "en",
    "breaking": True,
    "live": False,
    "sources": [],
}

HEAD: dict[str, Any] = {
    "id": "bank-siege",
    "revision": 3,
    "status": "public",
    "url": "http://127.0.0.1:8000/kazakhstan/2023/06/20/bank-siege-k3x7qa/",
    "article": _ARTICLE,
    "excerpt": "Police have freed all hostages.",
    "published_at": "2023-06-20T04:40:00.000Z",
    "updated_at": "2023-06-20T05:31:00.000Z",
}

LIST: dict[str, Any] = {"articles": [HEAD], "next": "WyIyMDIzLTA2LTIwVDA0OjQwOjAwLjAwMFoiLCJiYW5rLXNpZWdlIl0"}

REVISION: dict[str, Any] = {
    "revision": 3,
    "kind": "correction",
    "time": "2023-06-20T05:31:00.000Z",
    "note": "An earlier version gave the number of hostages as eight. It was seven.",
    "breaking": False,
    "changed": ["body"],
    "is_public": True,
}

HISTORY: dict[str, Any] = {
    "article_id": "bank-siege",
    "revisions": [
        {
            "revision": 1,
            "kind": "published",
            "time": "2023-06-20T04:40:00.000Z",
            "breaking": True,
            "changed": [],
            "is_public": True,
        },
        REVISION,
    ],
}

ENTRY: dict[str, Any] = {
    "id": "third-hostage",
    "article_id": "bank-siege",
    "number": 12,
    "revision": 15,
    "url": "http://127.0.0.1:8000/kazakhstan/2023/06/20/bank-siege-k3x7qa/entries/1/#entry-third-hostage",
    "entry": {
        "headline": "A third hostage is free",
        "key_event": True,
        "pinned": False,
        "author": "A. Reporter",
    },
    "excerpt": "She walked out at 10:20.",
    "is_on_top": False,
    "added_at": "2023-06-20T04:21:00.000Z",
}

ENTRIES: dict[str, Any] = {"article_id": "bank-siege", "entries": [ENTRY], "next": "IzEy"}

REBUILD: dict[str, Any] = {
    "id": "rep_00c0ffee00c0ffee",
    "state": "running",
    "all": True,
    "article_ids": [],
    "announced": 150,
    "total": 412,
    "asked_at": "2023-06-20T06:00:00.000Z",
}

_LETTER_FACTS: dict[str, Any] = {
    "id": "dl_abcdefghijklmnopqrstuvwxyz",
    "state": "waiting",
    "topic": "newsroom.events",
    "partition": 3,
    "offset": 1041,
    "time": "2023-06-20T05:40:00.000Z",
    "reason": "no JSON: Expecting value: line 1 column 1 (char 0)",
    "consumer": "store",
    "article_id": "bank-siege",
    "event_id": "evt_abcdefghijklmnopqrstuvwxyz",
    "attempts": 1,
    "size": 9,
    "is_whole": True,
}
LETTERS: dict[str, Any] = {"dead_letters": [_LETTER_FACTS]}
LETTER: dict[str, Any] = {
    **_LETTER_FACTS,
    "key": {"base64": "YmFuay1zaWVnZQ==", "text": "bank-siege"},
    "headers": [
        {
            "name": "ce_id",
            "value": {
                "base64": "ZXZ0X2FiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6",
                "text": "evt_abcdefghijklmnopqrstuvwxyz",
            },
        }
    ],
    "value": {"base64": "bm90IGpzb24h", "text": "not json!"},
}
