"""Articles in bulk, as a paper has them after months, and the fast way onto the log: past the door.

Same number, same article: words are cast with seeded dice. Sections are the site's own; there are many tags
and authors, and `A_DAY` articles a day, so that listings of every kind fill as they do in a paper.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random

from bench.articles import ZONE
from newsroom.addresses import article_path, publication_day, slugify
from newsroom.articles import ArticleText, Dateline
from newsroom.events import Event, EventKind, Published, event_message
from newsroom.ids import derive_event_id
from newsroom.kafka.producer import KafkaPublisher

A_DAY = 200
TAGS, AUTHORS = 120, 40
_FIRST = datetime(2025, 1, 1, 1, tzinfo=UTC)
_BETWEEN = timedelta(days=1) / A_DAY
_AT_ONCE = 200
_SENTENCES = 2_000
_VOCABULARY = """\
the a of in to and on at for with after before under over near that which who said told asked found
ministry court council police bank market school river border village capital region president deputy
witness engineer teacher farmer driver doctor railway bridge budget price tariff harvest winter spring
flood water power station mine factory road airport vote law talks strike storm report letter meeting
agreement decision question answer city people families workers students officials neighbours new old
large small first last early late public former local foreign open closed several many most opened
began ended agreed refused promised returned arrived reported explained denied built sold
"""
_WORDS = _VOCABULARY.split()


@dataclass(frozen=True)
class Story:
    """An article and when it was published."""

    article_id: str
    time: datetime
    text: ArticleText

    @property
    def day(self) -> str:
        """Of publication, as paths write it."""
        return publication_day(self.time, ZONE)

    @property
    def path(self) -> str:
        """Where its page stands."""
        return article_path(self.text.section, self.day, slugify(self.text.headline), self.article_id)


class Paper:
    """Writes the stories, by number. `sections`: those that it has."""

    def __init__(self, sections: Iterable[str]) -> None:
        self._sections = tuple(sections)
        dice = Random(8)
        self._said = [_sentence(dice) for _ in range(_SENTENCES)]

    def story(self, number: int) -> Story:
        """The one of that number, about 3 KB long."""
        dice = Random(number)
        paragraphs = (" ".join(dice.sample(self._said, 4)) for _ in range(dice.randint(6, 12)))
        text = ArticleText(
            headline=f"{dice.choice(self._said)[:50].rpartition(' ')[0]}: report {number}",
            deck=dice.choice(self._said),
            body="".join(f"<p>{paragraph}</p>" for paragraph in paragraphs),
            section=self._sections[number % len(self._sections)],
            tags=tuple(f"Topic {each}" for each in sorted(dice.sample(range(1, TAGS + 1), 3))),
            authors=(f"Reporter {dice.randint(1, AUTHORS)}",),
            dateline=Dateline(place="Astana, Kazakhstan", timezone=ZONE),
        )
        return Story(f"bulk-{number:07}", moment(number), text)


def moment(number: int) -> datetime:
    """When the event of that number happened, where there are `A_DAY` a day."""
    return _FIRST + number * _BETWEEN


def publication(story: Story) -> Event:
    """The event that publishes it. The same story gives the same event, id included."""
    return Event(
        id=derive_event_id("bench", story.article_id, "published"),
        kind=EventKind.PUBLISHED,
        article_id=story.article_id,
        time=story.time,
        data=Published(article=story.text, create=True),
        actor="bench",
        request_hash="0" * 64,
    )


async def put_on_log(bootstrap: str, events: Iterable[Event]) -> int:
    """Write them in their order, many at once, as durably as the door does; how many. Raises: Away."""
    publisher, written = KafkaPublisher(bootstrap, client_id="newsroom-bench"), 0
    await publisher.start()
    try:
        for batch in _batches(events):
            await publisher.publish_all([event_message(event) for event in batch])
            written += len(batch)
    finally:
        await publisher.stop()
    return written


def _batches(events: Iterable[Event]) -> Iterator[list[Event]]:
    left = iter(events)
    while batch := list(islice(left, _AT_ONCE)):
        yield batch


def _sentence(dice: Random) -> str:
    words = dice.choices(_WORDS, k=dice.randint(9, 18))
    return f"{' '.join(words).capitalize()}."
