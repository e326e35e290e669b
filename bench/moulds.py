"""Documents of one article, cast anew for others: the same bytes but for ids, times, days and addresses.

All of these are of one width, so that the lengths which BSON keeps hold for every cast. Pure.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random

from newsroom.addresses import month_of, publication_day
from newsroom.ids import short_mark
from newsroom.times import rfc3339

_TIME = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@dataclass(frozen=True)
class Identity:
    """What tells one article from another that says the same: id, event of its publication, time and day."""

    article_id: str
    event_id: str
    time: datetime
    day: str

    @classmethod
    def thrown(cls, dice: Random, time: datetime, zone: str) -> Identity:
        """One published at that time, with ids as the newsroom gives them."""
        return cls(_letters(dice, 16), "evt_" + _letters(dice, 26), time, publication_day(time, zone))

    def words(self) -> Mapping[str, bytes]:
        """The words of its documents that no other article's have; by what they are."""
        month = month_of(self.day)
        said = {
            "id": self.article_id,
            "event": self.event_id,
            "time": rfc3339(self.time),
            "day": self.day,
            "month": month,
            "sitemap": f"{month.replace('/', '-')}.xml",
            "mark": f"-{short_mark(self.article_id)}/",
        }
        return {name: word.encode() for name, word in said.items()}


class Mould:
    """One document, in pieces between which the words of an article stand."""

    def __init__(self, document: bytes, of: Identity) -> None:
        """`of`: the article that it is of. Any time in it counts as the one of its publication."""
        words = of.words()
        others = sorted((word for name, word in words.items() if name != "time"), key=len, reverse=True)
        pattern = b"|".join([_TIME, *map(re.escape, others)])
        named = {word: name for name, word in words.items()}
        pieces = re.split(b"(" + pattern + b")", document)
        self._between = pieces[::2]
        self._names = [named.get(word, "time") for word in pieces[1::2]]

    def cast(self, words: Mapping[str, bytes]) -> bytes:
        """The document of an article with these words."""
        pieces = [self._between[0]]
        for name, piece in zip(self._names, self._between[1:], strict=True):
            pieces += words[name], piece
        return b"".join(pieces)


def _letters(dice: Random, count: int) -> str:
    """At random, as `newsroom.ids` writes them."""
    return base64.b32encode(dice.randbytes(count)).decode().lower()[:count]
