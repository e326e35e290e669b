"""Check 3: at rest the site is byte for byte what a rebuild makes, with nothing extra, and a replay of the
log into an empty database gives the same."""

from __future__ import annotations

from collections.abc import Iterator

from faults.checks.account import HELD, NOTELESS, TEXTS, Account
from faults.history import Files, Violation

_SHOWN = 5


def _found(what: str) -> Violation:
    return Violation(3, what)


def as_rebuilt(account: Account) -> Iterator[Violation]:
    """The files are those of a rebuild, and of a replay. No false alarm: all were looked at when at rest."""
    evidence = account.evidence
    for name, made in (("a rebuild", evidence.rebuilt), ("a replay of the log", evidence.replayed)):
        if made is not None:
            yield from _differences(name, evidence.files, made)


def _differences(name: str, files: Files, made: Files) -> Iterator[Violation]:
    extra, lacking = sorted(files.keys() - made.keys()), sorted(made.keys() - files.keys())
    other = sorted(path for path in files.keys() & made.keys() if files[path] != made[path])
    for what, paths in (
        (f"files that {name} does not make", extra),
        (f"files are missing that {name} makes", lacking),
        (f"files are not as {name} makes them", other),
    ):
        if paths:
            more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
            yield _found(f"{len(paths)} {what}: {', '.join(paths[:_SHOWN])}{more}")


def as_replayed(account: Account) -> Iterator[Violation]:
    """A replay gives every article the same revisions. No false alarm: the log is at rest."""
    after = account.evidence.revised_after_replay
    if after is None:
        return
    before = set(account.evidence.revised)
    for what, lost in (("are lost in", before - set(after)), ("come new with", set(after) - before)):
        if lost:
            some = sorted(lost, key=lambda each: (each.article_id, each.revision))[:_SHOWN]
            yield _found(f"{len(lost)} revisions {what} a replay of the log: {some}")


def with_fresh_siblings(account: Account) -> Iterator[Violation]:
    """A compressed file holds what stands beside it. No false alarm: at rest both are written."""
    for path in account.evidence.stale_siblings:
        yield _found(f"{path} does not hold the bytes of the file beside it")


def without_former_texts(account: Account) -> Iterator[Violation]:
    """The words of a public text are in no file once a later one took its place.

    No false alarm: only kinds without a note are looked at, for a note stays in the history, and only
    articles of which nothing was ever withheld and each page could be drawn.
    """
    for article_id, group in account.by_article.items():
        if any(each.first.withheld in HELD for each in group) or account.has_lettered_page(article_id):
            continue
        kinds = (*TEXTS, "retracted")
        newest = max((r.revision for r in account.revised(article_id) if r.kind in kinds), default=0)
        for operation in group:
            files = account.evidence.tokens_in_files.get(operation.first.token, ())
            if operation.kind in NOTELESS and operation.revision and operation.revision < newest and files:
                yield _found(
                    f"{operation.name}, revision {operation.revision}, was replaced by revision {newest}, "
                    f"and yet its words stand in {files[:_SHOWN]}"
                )
