"""`schedule`: due times moved or lifted without the file.

An event carries the whole article, so the text that stands is read first and sent again, on condition that
nobody changed it meanwhile.
"""

from __future__ import annotations

import click

from desk import changes, dues
from desk.answers import Head
from desk.changes import Change
from desk.client import Request
from desk.editing import Said, article_argument, said, send, time_options, waiting_options
from desk.manuscripts import Manuscript
from desk.options import given
from newsroom.articles import ArticleText
from newsroom.errors import Conflict


@click.command()
@article_argument
@time_options
@waiting_options
def schedule(article_id: str, wait: int) -> None:
    """Say when an article is to be public, or end being breaking: move, lift or set its times.

    What waits for its release goes on with the new times; a draft is published when they are due. To cancel,
    `withdraw` it: then it is a draft again.

    \b
    Examples:
      newsroom schedule rain --publish-at "2026-11-25 18:00"
      newsroom schedule rain --embargo-until none
    """
    told = said()
    if not told.times:
        raise click.UsageError("say at least one of --publish-at, --embargo-until, --breaking-until")
    with given().client(key_needed=True) as client:
        head = client.ask(Head, Request("GET", f"{client.addresses.store}/articles/{article_id}"))
    send(change_of(head, told), wait, head.revision)


def change_of(head: Head, told: Said) -> Change:
    """The text that stands, sent again with these times. Raises: Conflict where that would not be it."""
    text = _text_to_send(head, told)
    manuscript = told.of(Manuscript(text))
    if head.status == "public":
        return changes.amend(head.id, manuscript)
    return changes.publish(head.id, manuscript)


def _text_to_send(head: Head, told: Said) -> ArticleText:
    is_public, is_waiting = head.status == "public", head.waiting is not None
    if head.article is None:
        raise Conflict(f"article {head.id} was retracted, which is final: it has no times any more.")
    if head.draft_revision is not None and (is_public or is_waiting):
        raise Conflict(
            f"a draft (revision {head.draft_revision}) stands over article {head.id}: send the text that is "
            "meant, with its times, by `newsroom publish` or `newsroom update`."
        )
    if is_public and not is_waiting and _sets_release(told):
        raise Conflict(
            f"article {head.id} is public, and nothing of it waits: send the text that is to wait, as "
            f"`newsroom update {head.id} FILE --note … --publish-at …`."
        )
    if not is_public and not is_waiting and not _sets_release(told):
        raise Conflict(
            f"article {head.id} is no public one, and nothing of it waits: say when it is to be public "
            f"(--publish-at), or `newsroom publish {head.id} FILE` now."
        )
    return head.article


def _sets_release(told: Said) -> bool:
    """Whether a schedule or an embargo is set, not only lifted."""
    times = (told.times.get("publish_at"), told.times.get("embargo_until"))
    return any(time is not None and time.strip().lower() not in dues.LIFTED for time in times)


COMMANDS = (schedule,)
