"""The demonstration: a developing story posted as it unfolds, step by step, with what readers are told.

A run makes new articles (ingest gives them fresh ids), so the demonstration can be run any number of times.
Those in the background have ids of their own and are posted by the first run only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from desk import changes
from desk.answers import Receipt
from desk.changes import Change
from desk.client import Client
from desk.manuscripts import Manuscript
from desk.posts import Post
from desk.storybook import Step, Story
from desk.watching import Reset, notices
from desk.wording import notice_line
from newsroom.errors import Away, Conflict, NewsroomError

WAIT_SECONDS = 20
HEAR_SECONDS = 5.0
HEAR_ATTEMPTS = 3


@dataclass(frozen=True)
class Player:
    """Plays a story on a newsroom. `say` prints a line, `pause` waits so many seconds."""

    client: Client
    say: Callable[[str], None]
    pause: Callable[[float], None]
    step_seconds: float

    def play(self, story: Story) -> Receipt:
        """Every step in turn; the receipt of the last. Raises: NewsroomError where a step is refused."""
        site = self.client.addresses.site
        self.say(f"{story.title}: {len(story.steps)} steps, one every {self.step_seconds:g} seconds.")
        self.say("The story keeps its own date; notices carry the time at which you post them.")
        self.say(f"Open {site}/ in a browser now.")
        self._post_background(story.background)
        receipt = self._take(1, story.steps[0], "", 0)
        self.say(f"   Open this page and leave it open: {receipt.url}")
        live = self._send(changes.create(story.live))
        self.say(f"   A live article runs beside it: {live.url}")
        self._add_posts(live.article_id, story.steps[0].posts)
        for number, step in enumerate(story.steps[1:], start=2):
            self.pause(self.step_seconds)
            self._add_posts(live.article_id, step.posts)
            receipt = self._take(number, step, receipt.article_id, receipt.revision or 0)
        self._close(live.article_id, story.live)
        self._translate(receipt.article_id, story.translations)
        self._say_goodbye(receipt)
        return receipt

    def _say_goodbye(self, receipt: Receipt) -> None:
        site = self.client.addresses.site
        self.say("")
        self.say(f"That is all. What changed and when: {receipt.url}history/")
        self.say(f"Every notice of the site: {site}/updates/   every correction: {site}/corrections/")
        self.say("Run it again for other articles; these stay.")

    def _post_background(self, background: Iterable[Manuscript]) -> None:
        """The other articles, unless an earlier run posted them."""
        count = 0
        for manuscript in background:
            with suppress(Conflict):
                self.client.send(changes.create(manuscript), wait_seconds=WAIT_SECONDS)
                count += 1
        if count:
            self.say(f"   {count} other articles fill fronts, tags, authors and archives.")

    def _take(self, number: int, step: Step, article_id: str, revision: int) -> Receipt:
        """One step, and then what readers are told, heard from the live stream that their pages hear."""
        self.say("")
        self.say(f"{number}. {step.tell}")
        receipt = self._send(step.change(article_id))
        if step.kind == "amend":
            self.say("   Readers are told nothing; the history has it.")
            return receipt
        self.say(f"   Readers see: {self._notice_after(receipt, revision)}")
        return receipt

    def _add_posts(self, live_id: str, posts: Iterable[Post]) -> None:
        """What goes into the live article meanwhile."""
        for post in posts:
            self._send(changes.add_entry(live_id, post))
            self.say(f"   Into the live article: {post.entry.headline}")

    def _close(self, live_id: str, manuscript: Manuscript) -> None:
        """The live article takes no more entries; nothing is told of that but on its page."""
        closed = Manuscript(manuscript.article.model_copy(update={"live": False}))
        self._send(changes.amend(live_id, closed))
        self.say("   The live article is closed.")

    def _translate(self, article_id: str, translations: Iterable[Manuscript]) -> None:
        """The story in other languages, each linked with it."""
        for manuscript in translations:
            linked = Manuscript(manuscript.article.model_copy(update={"translation_of": article_id}))
            receipt = self._send(changes.create(linked))
            self.say(f"   In another language ({manuscript.article.language}): {receipt.url}")

    def _send(self, change: Change) -> Receipt:
        """The receipt once the page stands. Raises: NewsroomError where it does not in time."""
        receipt = self.client.send(change, wait_seconds=WAIT_SECONDS)
        if receipt.revision is None or receipt.url is None:
            raise NewsroomError(
                f"no page within {WAIT_SECONDS} seconds: see `newsroom status {receipt.event_id}`"
            )
        return receipt

    def _notice_after(self, receipt: Receipt, revision: int) -> str:
        """The notice of this revision, from the stream of its page."""
        followed = notices(
            self.client,
            receipt.article_id,
            after_revision=revision,
            idle_seconds=HEAR_SECONDS,
            say=self.say,
            pause=self.pause,
        )
        for _ in range(HEAR_ATTEMPTS):
            with suppress(Away):
                for heard in followed.listen_once():
                    if isinstance(heard, Reset):
                        return "(open pages are asked to fetch again)"
                    if heard.revision >= (receipt.revision or 0):
                        return notice_line(heard)
        raise Away(f"the live stream of {receipt.url}", "the notice did not come")
