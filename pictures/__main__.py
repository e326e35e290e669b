"""`python -m pictures`: starts a newsroom of its own, plays the demo's story on it and takes the pictures."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page
from pydantic import SecretStr

from bench.stack import Newsroom, a_newsroom
from desk.client import Addresses, Client
from desk.demo import Player
from desk.parts.home import SOURCE, Home
from desk.parts.part import PartFailed
from desk.storybook import STORIES, Story, load_story
from newsroom.errors import NewsroomError
from newsroom.telemetry import configure_logging
from pictures import album
from pictures.camera import Camera, a_camera, snap


def main() -> int:
    """Take every picture anew. Returns the exit code."""
    configure_logging(service="pictures", level="error", format="console")
    try:
        with tempfile.TemporaryDirectory(prefix="newsroom-pictures-", ignore_cleanup_errors=True) as folder:
            jars = Home(SOURCE / ".newsroom").parts
            with a_newsroom(Path(folder) / "home", jars, say) as newsroom, a_camera(newsroom.site) as camera:
                _play(newsroom, Photographer(camera, load_story(STORIES / "astana")))
    except (NewsroomError, PartFailed, BrowserError) as error:
        print(f"pictures: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    for picture in album.ALBUM:
        say(str(picture.file.relative_to(SOURCE)))
    return 0


class Photographer:
    """Takes the pictures while the story goes on: some before its last step, the others when it is over."""

    def __init__(self, camera: Camera, story: Story) -> None:
        self.story = story
        self._camera = camera
        self._steps = len(story.steps)
        self._open: Page | None = None

    def between_steps(self, _seconds: float) -> None:
        """Called before each step but the first."""
        self._steps -= 1
        if self._steps == 1:
            self._before_the_end()

    def _before_the_end(self) -> None:
        """While the story is breaking and the live article goes on. The article's page stays open."""
        self._camera.take(album.FRONT, "/")
        self._camera.take(album.FRONT_PHONE, "/")
        headline = self.story.live.article.headline
        for picture in (album.LIVE, album.LIVE_PHONE):
            snap(self._camera.follow(headline, picture.screen), picture)
        self._open = self._camera.follow(_headline_so_far(self.story), album.OFFER.screen)

    def after_the_end(self, path: str) -> None:
        """Once all is told: what the open page offers, and the rest of the site."""
        if self._open is not None:
            self._open.locator("[data-offer-show]").wait_for()
            snap(self._open, album.OFFER)
        self._camera.take(album.ARTICLE_PHONE, path)
        self._camera.take(album.CORRECTIONS, "/corrections/")
        changes = self._camera.open(path, album.CHANGES.screen)
        changes.locator(".corrections a.more").first.click()
        changes.locator("ins").first.wait_for()
        snap(changes, album.CHANGES)
        for picture, headline in zip(
            (album.KAZAKH_PHONE, album.ARABIC), _translated(self.story), strict=True
        ):
            snap(self._camera.follow(headline, picture.screen), picture)


def _headline_so_far(story: Story) -> str:
    return story.steps[-2].manuscript.article.headline


def _translated(story: Story) -> Iterator[str]:
    """The headline of one article in Kazakh, and of one in Arabic."""
    articles = [manuscript.article for manuscript in (*story.translations, *story.background)]
    for language in ("kk", "ar"):
        yield next(article.headline for article in articles if article.language == language)


def _play(newsroom: Newsroom, photographer: Photographer) -> None:
    """The whole story without a pause but for pictures."""
    addresses = Addresses(newsroom.ingest, newsroom.store, newsroom.site)
    with Client(addresses, SecretStr(newsroom.key)) as client:
        player = Player(client, lambda _line: None, photographer.between_steps, 0)
        say("playing the story")
        receipt = player.play(photographer.story)
    photographer.after_the_end(urlsplit(receipt.url or "").path)


def say(line: str) -> None:
    """Tell how far it is."""
    print(f"pictures: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
