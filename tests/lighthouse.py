"""`make lighthouse`: Lighthouse's four scores of a front, an article and a live page of a real newsroom.

The newsroom is one of its own, with the demo's story on it. Speed is measured as Lighthouse does by default:
a slow telephone on a slow network, simulated; it still depends on the machine that runs it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, SecretStr, TypeAdapter

from bench.stack import Newsroom, a_newsroom
from desk.client import Addresses, Client
from desk.demo import Player
from desk.parts.home import SOURCE, Home
from desk.parts.part import PartFailed
from desk.storybook import STORIES, load_story
from newsroom.errors import NewsroomError
from newsroom.telemetry import configure_logging
from tests.conftest import CHROMIUM_NAMES, NO_CHROMIUM, NO_NODE_TOOLS
from tests.node_tools import FOLDER, INSTALLED

PERFECT = 100


class Loss(BaseModel):
    """Something that cost points: an audit of Lighthouse, and what it found."""

    id: str
    title: str
    found: list[str]


class Score(BaseModel):
    """One category of one page, from 0 to 100; None where the tool could not tell."""

    category: str
    score: int | None
    lost: list[Loss]


_ANSWER = TypeAdapter(dict[str, list[Score]])


def scores(chromium: str, urls: Sequence[str], categories: str = "all") -> Mapping[str, Sequence[Score]]:
    """What Lighthouse says of each page. Raises: CalledProcessError with its output."""
    command = ["node", str(FOLDER / "lighthouse.mjs"), chromium, categories, *urls]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return _ANSWER.validate_json(answer.stdout)


def told(url: str, results: Sequence[Score]) -> Iterator[str]:
    """The lines that a person reads."""
    yield f"{url}  " + "  ".join(f"{each.category} {each.score}" for each in results)
    for each in results:
        for loss in each.lost:
            yield f"   {each.category}: {loss.title}: {', '.join(loss.found)[:300]}"


@dataclass
class Measuring:
    """Plays the story; looks at the live page before its coverage ends, at the others afterwards."""

    newsroom: Newsroom
    chromium: str
    is_perfect: bool = True

    def run(self) -> None:
        story = load_story(STORIES / "astana")
        steps_left = len(story.steps) - 1
        lines: list[str] = []

        def pause(_: float) -> None:
            nonlocal steps_left
            steps_left -= 1
            if steps_left == 0:
                self._look(_address_in(lines, "A live article runs beside it: "))

        addresses = Addresses(self.newsroom.ingest, self.newsroom.store, self.newsroom.site)
        with Client(addresses, SecretStr(self.newsroom.key)) as client:
            receipt = Player(client, lines.append, pause, 0).play(story)
        self._look(f"{self.newsroom.site}/")
        self._look(receipt.url or "")

    def _look(self, url: str) -> None:
        for page, results in scores(self.chromium, [url]).items():
            print("\n".join(told(page, results)), flush=True)
            self.is_perfect = self.is_perfect and all(each.score == PERFECT for each in results)


def _address_in(lines: Sequence[str], before: str) -> str:
    return next(line.partition(before)[2] for line in lines if before in line)


def main() -> int:
    """The exit code: 0 where every score is 100."""
    configure_logging(service="lighthouse", level="error", format="console")
    chromium = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if chromium is None or not INSTALLED.exists():
        print(NO_NODE_TOOLS if chromium else NO_CHROMIUM, file=sys.stderr)
        return 1
    jars = Home(SOURCE / ".newsroom").parts
    try:
        with (
            tempfile.TemporaryDirectory(prefix="newsroom-lighthouse-", ignore_cleanup_errors=True) as folder,
            a_newsroom(Path(folder) / "home", jars, lambda line: print(line, file=sys.stderr)) as newsroom,
        ):
            measuring = Measuring(newsroom, chromium)
            measuring.run()
    except subprocess.CalledProcessError as error:
        print(f"lighthouse: {error.stderr}", file=sys.stderr)
        return 1
    except (NewsroomError, PartFailed) as error:
        print(f"lighthouse: {error}", file=sys.stderr)
        return 1
    return 0 if measuring.is_perfect else 1


if __name__ == "__main__":
    sys.exit(main())
