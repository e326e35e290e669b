"""Check 4, the words: nobody saw a draft, what was refused or rejected, what is not due yet, or what was
taken down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from faults.checks.account import ENDINGS, ENTRIES, HELD, TEXTS, Account, Operation
from faults.history import Told, Violation

SLACK_SECONDS = 0.25
"""For times that were written in milliseconds, and two clocks of one machine."""
STREAM_SECONDS = 5.0
"""Each process reads the notices by itself: so long after the word of a withdrawal one may still tell, to who
connects to it, a notice from before."""
_GATHERING_SECONDS = 120.0


class Leaks:
    """Judges the words that were seen."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._taken_down = {
            article_id: [
                (operation, ended)
                for operation in group
                if operation.kind in ENDINGS and operation.revision is not None
                for ended in operation.ended
                if ended.result == "ok" and ended.state == "rendered"
            ]
            for article_id, group in account.by_article.items()
        }

    def in_reads(self) -> Iterator[Violation]:
        """No answer, of pages, listings, feeds or the public API, has a word that was not public then.

        No false alarm: what a reader asked for after the promise is judged by it, never what was under way.
        """
        for read in self._account.reads:
            for operation, why in self._unfit(read.tokens, read.begun, read.ended):
                yield _leak(f"{operation.name}, which {why}, was read by {read}")

    def on_the_stream(self) -> Iterator[Violation]:
        """No notice has such a word. What was taken down is judged with a grace, and not while a fault is on,
        for the processes read the notices each by itself.
        """
        calm = self._account.calm_at
        for told in self._account.history.of(Told):
            is_calm = calm is not None and told.at > calm
            begun = told.at if is_calm else told.at - STREAM_SECONDS
            for operation, why in self._unfit(told.tokens, begun, told.at, is_stream=not is_calm):
                yield _leak(f"{operation.name}, which {why}, was told on the stream: {told}")

    def in_files(self) -> Iterator[Violation]:
        """No file has such a word at rest. No false alarm: what falls due meanwhile is let pass."""
        calm = self._account.calm_at
        if calm is None:
            return
        for token, paths in self._account.evidence.tokens_in_files.items():
            for operation, why in self._unfit([token], calm, calm + _GATHERING_SECONDS):
                yield _leak(f"{operation.name}, which {why}, stands at rest in {paths[:3]}")

    def _unfit(
        self, tokens: Iterable[str], begun: float, ended: float, *, is_stream: bool = False
    ) -> Iterator[tuple[Operation, str]]:
        """Which operations may not be seen by who asks at `begun` and has the answer at `ended`, and why."""
        for token in tokens:
            operation = self._account.by_token.get(token)
            if operation is None:
                continue
            why = self._never(operation) or self._early(operation, ended)
            if not why and not (is_stream and self._is_disturbed(begun, ended)):
                why = self._late(operation, begun, ended)
            if why:
                yield operation, why

    def _never(self, operation: Operation) -> str:
        """Why it is for no reader at any time."""
        if not operation.is_filed:
            return "is not on the log"
        if operation.state in ("rejected", "dead_lettered"):
            return f"was {operation.state}"
        if operation.kind in ("drafted", "withdrawn") or operation.first.withheld == "draft":
            return "is not for the public"
        return ""

    def _early(self, operation: Operation, ended: float) -> str:
        """A text under embargo or schedule before the first moment at which anything can have freed it: its
        due time, that of a later text, or a later text that has none.
        """
        if operation.first.withheld not in HELD or not self._account.is_clock_true:
            return ""
        freed = [operation.first.due_at or 0.0]
        for other in self._account.by_article[operation.article_id]:
            answer = other.acknowledged
            is_before = answer is not None and answer.at < operation.first.at
            if other is not operation and other.kind in TEXTS and not is_before:
                freed.append((other.first.due_at or 0.0) if other.first.withheld in HELD else other.first.at)
        return (
            f"is {operation.first.withheld} until {min(freed):.3f}"
            if ended < min(freed) - SLACK_SECONDS
            else ""
        )

    def _late(self, operation: Operation, begun: float, ended: float) -> str:
        """A text after the word that nothing of it is public any more, or at rest.

        Only revisions before that word's. Texts never come back, but posts do with a later publication.
        """
        if operation.revision is None or operation.kind in ENDINGS:
            return ""
        for ending, word in self._taken_down[operation.article_id]:
            is_covered = word.at < begun and operation.revision < (ending.revision or 0)
            if is_covered and not self._may_be_back(operation, ending, ended):
                return f"was taken down by {ending.name}, told at {word.at:.3f}"
        calm, last = self._account.calm_at, self._account.taken_down_at(operation.article_id)
        if calm is not None and begun >= calm and operation.revision < last:
            is_post = operation.kind in ENTRIES
            if not (is_post and self._is_back_at_rest(operation.article_id, last)):
                return f"was taken down by revision {last}, at rest"
        return ""

    def _may_be_back(self, operation: Operation, ending: Operation, ended: float) -> bool:
        return operation.kind in ENTRIES and any(
            other.kind == "published"
            and other.first.at <= ended
            and (other.revision is None or other.revision > (ending.revision or 0))
            for other in self._account.by_article[operation.article_id]
        )

    def _is_back_at_rest(self, article_id: str, last: int) -> bool:
        revised = self._account.revised(article_id)
        return any(each.revision > last and each.kind in ("published", "released") for each in revised)

    def _is_disturbed(self, begun: float, ended: float) -> bool:
        """Whether a fault was on at that time, or until shortly before."""
        return any(since < ended and begun < until for since, until in self._account.faults)


def _leak(what: str) -> Violation:
    return Violation(4, what, "leaked")
