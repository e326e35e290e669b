"""A cleaned body as a tree of blocks with runs of words in them, and back: what diffs compare. Pure."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser
from itertools import groupby
from typing import Literal

from newsroom.bodies import BLOCKS

Mark = Literal["ins", "del"]
LINE_BREAK = "<br>"
MOST_DEPTH = 40
_ALONE = frozenset({"hr"})
_CONTAINERS = BLOCKS - {"br"}
_SCRIPTS_WITHOUT_SPACES = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"([{_SCRIPTS_WITHOUT_SPACES}]|[^\s{_SCRIPTS_WITHOUT_SPACES}]+)(\s*)")
_PREFORMATTED = re.compile(r"(\s+|\S+)()")


@dataclass(frozen=True, slots=True)
class Word:
    """A word, with the start tags of the inline elements it stands in. `gap`: the white space behind it,
    which does not count where words are compared.
    """

    text: str
    inside: tuple[str, ...] = ()
    gap: str = field(default="", compare=False)

    @property
    def is_counted(self) -> bool:
        return self.text != LINE_BREAK and not self.text.isspace()


@dataclass(frozen=True, eq=False, slots=True)
class Run:
    """Words that stand together in a block."""

    words: tuple[Word, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Block:
    """A block element: its name, its start tag as written, and what is in it."""

    name: str
    start: str
    children: tuple[Node, ...]


Node = Run | Block
Known = dict[Hashable, Node]
"""The nodes seen so far: in bodies parsed with the same one, nodes that are equal are the same."""


def split_words(text: str, inside: tuple[str, ...] = (), *, is_preformatted: bool = False) -> list[Word]:
    """A text's words. In scripts that set no spaces each character is one; preformatted white space too."""
    pattern = _PREFORMATTED if is_preformatted else _WORD
    return [Word(word, inside, " " if gap else "") for word, gap in pattern.findall(text)]


class _Builder(HTMLParser):
    """Reads cleaned HTML, in which every element is closed in order.

    A block inside an inline element takes that into itself, so that a run's markup never crosses a block.
    """

    def __init__(self, known: Known) -> None:
        super().__init__(convert_charrefs=True)
        self._known = known
        self._open: list[tuple[str, str, list[Node]]] = [("", "", [])]
        self._flattened = 0
        self._inline: list[str] = []
        self._words: list[Word] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        start = self.get_starttag_text() or f"<{tag}>"
        if tag == "br":
            self._words.append(Word(LINE_BREAK, tuple(self._inline)))
        elif tag in _ALONE:
            self._end_run()
            self._add_block(tag, start, [])
        elif tag not in _CONTAINERS:
            self._inline.append(start)
        else:
            self._end_run()
            if len(self._open) > MOST_DEPTH:
                self._flattened += 1
            else:
                self._open.append((tag, start, []))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _CONTAINERS:
            if tag != "br":
                self._inline.pop()
            return
        self._end_run()
        if self._flattened:
            self._flattened -= 1
        else:
            self._add_block(*self._open.pop())

    def handle_data(self, data: str) -> None:
        is_preformatted = any(name == "pre" for name, _, _ in self._open)
        words = split_words(data, tuple(self._inline), is_preformatted=is_preformatted)
        if data[:1].isspace() and not is_preformatted and self._words:
            last = self._words[-1]
            self._words[-1] = Word(last.text, last.inside, " ")
        self._words += words

    def _end_run(self) -> None:
        if self._words:
            words = tuple(self._words)
            self._add((words, tuple(word.gap for word in words)), Run(words))
            self._words = []

    def _add_block(self, name: str, start: str, children: list[Node]) -> None:
        within = tuple(children)
        self._add((start, within), Block(name, start, within))

    def _add(self, told_apart_by: Hashable, node: Node) -> None:
        self._open[-1][2].append(self._known.setdefault(told_apart_by, node))

    def built(self) -> tuple[Node, ...]:
        self.close()
        self._end_run()
        return tuple(self._open[0][2])


def parse(body: str, known: Known) -> tuple[Node, ...]:
    """The nodes of a cleaned body (`newsroom.bodies.clean`); what is nested too deep is flattened."""
    builder = _Builder(known)
    builder.feed(body)
    return builder.built()


def write(nodes: Sequence[Node], mark: Mark | None = None) -> Iterator[str]:
    """The nodes as HTML. With a mark, each run of words is in one, so no element stands where it may not."""
    for node in nodes:
        if isinstance(node, Run):
            yield from write_words(node.words, mark)
        else:
            yield node.start
            yield from write(node.children, mark)
            if node.name not in _ALONE:
                yield f"</{node.name}>"


def write_words(words: Sequence[Word], mark: Mark | None = None) -> Iterator[str]:
    """Words as HTML. A gap stands outside of the inline elements and of the mark that end before it."""
    groups = [tuple(group) for _, group in groupby(words, lambda word: word.inside)]
    if mark:
        yield f"<{mark}>"
    for place, group in enumerate(groups):
        if place:
            yield groups[place - 1][-1].gap
        yield from group[0].inside
        yield "".join(_written(word) + word.gap for word in group[:-1]) + _written(group[-1])
        yield from (f"</{_name(start)}>" for start in reversed(group[0].inside))
    if mark:
        yield f"</{mark}>"
    if words:
        yield words[-1].gap


def counted(nodes: Sequence[Node]) -> int:
    """How many words there are in the nodes."""
    return sum(
        sum(word.is_counted for word in node.words) if isinstance(node, Run) else counted(node.children)
        for node in nodes
    )


def _written(word: Word) -> str:
    return LINE_BREAK if word.text == LINE_BREAK else escape(word.text, quote=False)


def _name(start: str) -> str:
    found = re.match(r"<([a-z0-9]+)", start)
    return found[1] if found else "span"
