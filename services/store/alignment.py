"""Two sequences side by side: what stayed, went and came, within a given amount of work. Pure.

`difflib` finds the longest common stretch, then looks left and right of it, which reads well but may take the
cube of the length. Here each look is paid for before it is done, from one purse for a whole comparison; what
cannot be paid for any more counts as replaced. So the work is bounded whatever two editors wrote.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate

DEFAULT_STEPS = 2_000_000


@dataclass
class Purse:
    """Steps that a comparison may still take; a step looks at one pair of equal items, or at one item."""

    steps: int = DEFAULT_STEPS

    def pays(self, steps: int) -> bool:
        """Take that many steps out, if there are so many; False takes none."""
        if steps > self.steps:
            return False
        self.steps -= steps
        return True


@dataclass(frozen=True)
class Stretch:
    """What became of `old[old_from:old_to]`: it is `new[new_from:new_to]` now, the same if `is_equal`."""

    is_equal: bool
    old_from: int
    old_to: int
    new_from: int
    new_to: int

    @property
    def size(self) -> int:
        """Length of the longer side."""
        return max(self.old_to - self.old_from, self.new_to - self.new_from)


def align(old: Sequence[Hashable], new: Sequence[Hashable], purse: Purse) -> Iterator[Stretch]:
    """The stretches of both in order, without empty ones; equal and changed ones alternate.

    Equal beginnings and ends cost nothing but their length.
    """
    begin = _common(old, new)
    end = _common(old[begin:][::-1], new[begin:][::-1])
    middle = _matches(old[begin : len(old) - end], new[begin : len(new) - end], purse)
    matches = [(0, 0, begin)]
    matches += [(begin + at_old, begin + at_new, size) for at_old, at_new, size in middle]
    matches += [(len(old) - end, len(new) - end, end)]
    yield from _stretches(matches)


def without_islands(stretches: Iterable[Stretch], most: int = 2) -> Iterator[Stretch]:
    """The same with equal stretches of up to `most` items left out where more has changed on both sides.

    A single "the" that two sentences share only makes them harder to read.
    """
    waiting: list[Stretch] = []
    for stretch in stretches:
        waiting.append(stretch)
        if len(waiting) == 3 and _is_island(*waiting, most=most):
            waiting = [_joined(waiting[0], waiting[2])]
        elif len(waiting) == 3:
            yield waiting.pop(0)
            yield waiting.pop(0)
        elif len(waiting) == 1 and stretch.is_equal:
            yield waiting.pop()
    yield from waiting


def _is_island(before: Stretch, stretch: Stretch, after: Stretch, *, most: int) -> bool:
    return stretch.size <= most and min(before.size, after.size) >= max(2, stretch.size)


def _joined(first: Stretch, last: Stretch) -> Stretch:
    return Stretch(False, first.old_from, last.old_to, first.new_from, last.new_to)


def _common(old: Sequence[Hashable], new: Sequence[Hashable]) -> int:
    """How many items both begin with."""
    return next(
        (place for place, (before, after) in enumerate(zip(old, new, strict=False)) if before != after),
        min(len(old), len(new)),
    )


def _matches(old: Sequence[Hashable], new: Sequence[Hashable], purse: Purse) -> list[tuple[int, int, int]]:
    """Equal stretches as (in old, in new, length), in order. Looked for as `difflib` does: longest first."""
    if not old or not new:
        return []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    occurrences = Counter(new)
    prices = [0, *accumulate(1 + occurrences[item] for item in old)]
    found = []
    waiting = [(0, len(old), 0, len(new))]
    while waiting:
        old_from, old_to, new_from, new_to = waiting.pop()
        if old_from == old_to or new_from == new_to or not purse.pays(prices[old_to] - prices[old_from]):
            continue
        at_old, at_new, size = matcher.find_longest_match(old_from, old_to, new_from, new_to)
        if size:
            found.append((at_old, at_new, size))
            waiting.append((old_from, at_old, new_from, at_new))
            waiting.append((at_old + size, old_to, at_new + size, new_to))
    return sorted(found)


def _stretches(matches: Sequence[tuple[int, int, int]]) -> Iterator[Stretch]:
    """The matches with what is between them; matches that touch become one."""
    old_from = new_from = old_to = new_to = 0
    for at_old, at_new, size in matches:
        if (at_old, at_new) != (old_to, new_to):
            if old_from < old_to:
                yield Stretch(True, old_from, old_to, new_from, new_to)
            yield Stretch(False, old_to, at_old, new_to, at_new)
            old_from, new_from = at_old, at_new
        old_to, new_to = at_old + size, at_new + size
    if old_from < old_to:
        yield Stretch(True, old_from, old_to, new_from, new_to)
