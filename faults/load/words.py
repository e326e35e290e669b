"""What the editors of the experiment write: own words, and in each text a token that stands nowhere else.

A token is a word of its own with spaces around it, so it is found again in any form that a text takes: HTML,
XML, JSON, plain.
"""

from __future__ import annotations

import re
from random import Random
from string import ascii_lowercase, digits
from typing import Any

Fields = dict[str, Any]
"""Of an article or an entry, as the door takes them."""

SECTIONS = ("Kazakhstan", "Economy", "Harbour")
_TAGS = ("Astana", "Ferries", "Rail", "Weather", "Grain")
_AUTHORS = ("A. Reporter", "B. Writer", "C. Correspondent")
_TOKEN = re.compile(r"(?<![A-Za-z0-9])zq[a-z0-9]{10}(?![A-Za-z0-9])")
_SENTENCES = (
    "The morning ferry left the harbour with half of its seats empty.",
    "Officials said that the bridge would open again before the frost.",
    "Two trains waited at the border until the papers had been read.",
    "Nobody was hurt, and the road was clear by noon.",
    "Farmers expect less grain than last year, but of a better kind.",
    "The council met for three hours and put off its decision.",
    "A spokeswoman called the figures preliminary.",
    "Rain is forecast for the steppe until the end of the week.",
)
_LONG_PARAGRAPHS = 200


class Words:
    """Writes by dice: the same seed gives the same words."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice

    def token(self) -> str:
        """A word that is in no other text of this run (36 letters and digits to the power of ten)."""
        return "zq" + "".join(self._dice.choices(ascii_lowercase + digits, k=10))

    def note(self, token: str) -> str:
        """One line that says what is new."""
        return f"What is new {token} in this story. {self._sentence()}"

    def headline(self, number: int, token: str = "") -> str:
        """With the token, or without where the address is to be made of it."""
        said = f" {token} " if token else " "
        return f"Story {number}:{said}{self._sentence(5)}"

    def article(self, number: int, token: str, *, has_slug: bool) -> Fields:
        """A whole article. The token stands in headline, deck and body, but never in what makes an address:
        an address outlives the text that it was made of.
        """
        dateline = {"place": "Astana, Kazakhstan", "timezone": "Asia/Almaty"}
        made: Fields = {
            "headline": self.headline(number, token if has_slug else ""),
            "deck": f"In short {token} this is it. {self._sentence()}",
            "body": self._body(token, _LONG_PARAGRAPHS if self._dice.random() < 0.08 else 4),
            "section": SECTIONS[number % len(SECTIONS)],
            "tags": self._dice.sample(_TAGS, 2),
            "authors": self._dice.sample(_AUTHORS, 1),
        }
        if number % 2:
            made["dateline"] = dateline
        return made | ({"slug": f"story-{number}"} if has_slug else {})

    def entry(self, number: int, token: str) -> Fields:
        """A post in a live article, as it reads now."""
        is_key = self._dice.random() < 0.3
        return {
            "headline": f"Post {number} {token} at this hour",
            "body": self._body(token, 1),
            "key_event": is_key,
            "pinned": self._dice.random() < 0.1,
        }

    def _sentence(self, words: int | None = None) -> str:
        return " ".join(self._dice.choice(_SENTENCES).split()[:words])

    def _body(self, token: str, paragraphs: int) -> str:
        """The token stands in the first paragraph and in the last."""
        middle = [f"{self._sentence()} {self._sentence()}" for _ in range(paragraphs)]
        told = [f"It begins {token} here. {self._sentence()}", *middle, f"It ends {token} here."]
        return "".join(f"<p>{paragraph}</p>" for paragraph in told)


def find(text: str) -> tuple[str, ...]:
    """Every token in a text, each once, in the order of the alphabet."""
    return tuple(sorted(set(_TOKEN.findall(text))))
