"""How far each article's public outputs have come, as render tells it."""

from __future__ import annotations

from collections.abc import Sequence

from newsroom.kafka.consumer import Delivery
from newsroom.outcomes import EventOutcome, EventState, Outcome, Rendering
from newsroom.records import Record
from services.store.renderings import RenderingKeeper


class FakeRenderings:
    """Keeps every call."""

    def __init__(self) -> None:
        self.noted: list[list[Rendering]] = []

    async def note(self, renderings: Sequence[Rendering]) -> None:
        self.noted.append(list(renderings))


def told(*outcomes: Outcome) -> list[Delivery[Outcome]]:
    record = Record("newsroom.outcomes", 0, 0, b"a", b"", (), 0)
    return [Delivery(record, outcome) for outcome in outcomes]


def rendered(article_id: str, revision: int) -> Rendering:
    return Rendering(article_id=article_id, revision=revision)


async def test_only_the_furthest_of_a_batch_is_kept() -> None:
    renderings = FakeRenderings()
    batch = told(rendered("a", 2), rendered("b", 1), rendered("a", 3), rendered("a", 1))
    await RenderingKeeper(renderings).handle(batch)
    assert renderings.noted == [[rendered("a", 3), rendered("b", 1)]]


async def test_ends_of_events_are_known_already() -> None:
    """They are the store's own: a batch of them writes nothing."""
    renderings = FakeRenderings()
    outcome = EventOutcome(event_id="evt_x", article_id="a", state=EventState.STORED, revision=1)
    await RenderingKeeper(renderings).handle(told(outcome))
    assert renderings.noted == []
