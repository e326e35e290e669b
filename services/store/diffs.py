"""The words that changed between two texts of an article, field by field. Pure, and bounded in its work.

A body keeps its structure: its blocks are aligned first, then the words within a block that changed. What is
too different, or would cost too much to compare, is shown as taken out and put in whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pydantic import JsonValue

from newsroom.articles import ArticleText
from newsroom.bodies import clean, clean_marked
from newsroom.differences import FieldDifference, Segment
from services.store.alignment import Purse, align, without_islands
from services.store.markup import (
    Block,
    Known,
    Node,
    Run,
    Word,
    counted,
    parse,
    split_words,
    write,
    write_words,
)

LEAST_ALIKE = 0.3
"""Share of words that two blocks have in common, below which one is not told as a change of the other."""
_TEXT_FIELDS = ("headline", "deck", "body")
_IN_FIXED_PLACES = frozenset({"table", "tr", "figure", "dl"})
"""Blocks whose children have their places: what is in them is compared one by one, or not at all."""


def field_differences(
    old: ArticleText, new: ArticleText, purse: Purse | None = None, *, whole: bool = False
) -> tuple[FieldDifference, ...]:
    """What changed from the old text to the new, in the order of the article's fields.

    `whole`: headline, deck and body are told where they did not change, too.
    """
    purse = purse or Purse()
    return tuple(
        _difference(name, old, new, purse)
        for name in ArticleText.model_fields
        if getattr(old, name) != getattr(new, name) or (whole and name in _TEXT_FIELDS)
    )


def only_counts(difference: FieldDifference) -> FieldDifference:
    """The difference without a word of the texts."""
    return FieldDifference(field=difference.field, added=difference.added, removed=difference.removed)


def _difference(name: str, old: ArticleText, new: ArticleText, purse: Purse) -> FieldDifference:
    before, after = getattr(old, name), getattr(new, name)
    if name == "body":
        return body_difference(before, after, purse)
    if name in _TEXT_FIELDS:
        return _line_difference(name, before, after, purse)
    before, after = (text.model_dump(mode="json", include={name})[name] for text in (old, new))
    went, came = _values(before), _values(after)
    return FieldDifference(
        field=name,
        added=sum((came - went).values()),
        removed=sum((went - came).values()),
        before=before,
        after=after,
    )


def _values(value: JsonValue) -> Counter[str]:
    """The values of a field that is no text: those of a list one by one; none of what is not given."""
    if value is None:
        return Counter()
    return Counter(str(each) for each in (value if isinstance(value, list) else [value]))


# --- one line: headline and deck


def _line_difference(name: str, before: str, after: str, purse: Purse) -> FieldDifference:
    old, new = split_words(before), split_words(after)
    segments = []
    for stretch in without_islands(align(old, new, purse)):
        came = new[stretch.new_from : stretch.new_to]
        went = old[stretch.old_from : stretch.old_to]
        if stretch.is_equal:
            segments.append(Segment(op="equal", text=_plain(_stayed(went, came))))
            continue
        segments += [Segment(op="removed", text=_plain(went))] if went else []
        segments += [Segment(op="added", text=_plain(came))] if came else []
    return FieldDifference(
        field=name,
        segments=tuple(segments),
        added=_count(segments, "added"),
        removed=_count(segments, "removed"),
    )


def _stayed(old: Sequence[Word], new: Sequence[Word]) -> Sequence[Word]:
    """The words that both have. A gap that only one has behind the last is kept: what went may follow."""
    return [*new[:-1], replace(new[-1], gap=new[-1].gap or old[-1].gap)]


def _plain(words: Sequence[Word]) -> str:
    return "".join(word.text + word.gap for word in words)


def _count(segments: Sequence[Segment], op: str) -> int:
    return sum(len(split_words(segment.text)) for segment in segments if segment.op == op)


# --- the body


@dataclass
class _Tally:
    """Words that came and went so far."""

    added: int = 0
    removed: int = 0


def body_difference(before: str, after: str, purse: Purse) -> FieldDifference:
    """The newer body with what came in `<ins>` and what went in `<del>`, and how many words each."""
    known: Known = {}
    old, new = (parse(clean(body), known) for body in (before, after))
    tally = _Tally()
    html = clean_marked("".join(_Comparison(purse, tally).of(old, new)))
    return FieldDifference(field="body", html=html, added=tally.added, removed=tally.removed)


class _Comparison:
    """One walk through two bodies."""

    def __init__(self, purse: Purse, tally: _Tally) -> None:
        self._purse, self._tally = purse, tally

    def of(self, old: Sequence[Node], new: Sequence[Node]) -> Iterator[str]:
        """The children of two blocks, or of the bodies themselves."""
        for stretch in align(old, new, self._purse):
            came = new[stretch.new_from : stretch.new_to]
            if stretch.is_equal:
                yield from write(came)
            else:
                yield from self._changed(old[stretch.old_from : stretch.old_to], came)

    def _changed(self, old: Sequence[Node], new: Sequence[Node]) -> Iterator[str]:
        """Nodes that differ: each with the one that it was made from, the others whole."""
        old_from = new_from = 0
        for at_old, at_new in [*_pairs(old, new, self._purse), (len(old), len(new))]:
            yield from self._whole(old[old_from:at_old], new[new_from:at_new])
            if at_old < len(old):
                yield from self._pair(old[at_old], new[at_new])
            old_from, new_from = at_old + 1, at_new + 1

    def _pair(self, old: Node, new: Node) -> Iterator[str]:
        if isinstance(old, Run) and isinstance(new, Run):
            yield from self._words(old.words, new.words)
            return
        if isinstance(old, Block) and isinstance(new, Block) and old.name == new.name:
            if old.name not in _IN_FIXED_PLACES:
                yield new.start
                yield from self.of(old.children, new.children)
                yield f"</{new.name}>"
                return
            if _shape(old) == _shape(new):
                yield new.start
                for before, after in zip(old.children, new.children, strict=True):
                    yield from write([after]) if before is after else self._pair(before, after)
                yield f"</{new.name}>"
                return
        yield from self._whole([old], [new])

    def _whole(self, old: Sequence[Node], new: Sequence[Node]) -> Iterator[str]:
        self._tally.removed += counted(old)
        self._tally.added += counted(new)
        yield from write(old, "del")
        yield from write(new, "ins")

    def _words(self, old: Sequence[Word], new: Sequence[Word]) -> Iterator[str]:
        for stretch in without_islands(align(old, new, self._purse)):
            came = new[stretch.new_from : stretch.new_to]
            went = old[stretch.old_from : stretch.old_to]
            if stretch.is_equal:
                yield from write_words(_stayed(went, came))
                continue
            self._tally.removed += sum(word.is_counted for word in went)
            self._tally.added += sum(word.is_counted for word in came)
            if went:
                yield from write_words(went, "del")
                yield "" if went[-1].gap or not came else " "
            if came:
                yield from write_words(came, "ins")


def _shape(block: Block) -> list[str]:
    return [child.name if isinstance(child, Block) else "" for child in block.children]


def _pairs(old: Sequence[Node], new: Sequence[Node], purse: Purse) -> list[tuple[int, int]]:
    """Which new node was made from which old one, in order: so that they have the most words in common.

    None where looking would cost too much.
    """
    if not old or not new:
        return []
    before, after = ([_bag(node) for node in nodes] for nodes in (old, new))
    weights = sum(len(bag) for bag in before) * len(new) + sum(len(bag) for bag in after) * len(old)
    if not purse.pays(weights + len(old) * len(new)):
        return []
    alike = [
        [_likeness(old[i], new[j], before[i], after[j]) for j in range(len(new))] for i in range(len(old))
    ]
    return _best_in_order(alike)


def _best_in_order(alike: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """The pairs of rows and columns, both rising, whose likenesses add up to most."""
    rows, columns = len(alike), len(alike[0])
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            paired = alike[i][j] + best[i + 1][j + 1] if alike[i][j] else 0.0
            best[i][j] = max(best[i + 1][j], best[i][j + 1], paired)
    pairs, i, j = [], 0, 0
    while i < rows and j < columns:
        if alike[i][j] and best[i][j] == alike[i][j] + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _likeness(old: Node, new: Node, before: Counter[str], after: Counter[str]) -> float:
    """Share of their words that two nodes have in common; 0 where they cannot be told as one."""
    if isinstance(old, Block) != isinstance(new, Block):
        return 0.0
    if isinstance(old, Block) and isinstance(new, Block) and old.name != new.name:
        return 0.0
    total = before.total() + after.total()
    share = 2 * (before & after).total() / total if total else 1.0
    return share if share >= LEAST_ALIKE else 0.0


def _bag(node: Node) -> Counter[str]:
    if isinstance(node, Run):
        return Counter(word.text for word in node.words if word.is_counted)
    bag: Counter[str] = Counter()
    for child in node.children:
        bag += _bag(child)
    return bag
