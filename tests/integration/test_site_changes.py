"""The site's file changed under two instances that run: everything becomes what it says, by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from desk.parts.home import SOURCE
from faults.stage.environment import SERVICES
from tests.running import RunningKafka, RunningMongo
from tests.stack import Stack, free_port, until

pytestmark = pytest.mark.real


async def start(stack: Stack, site_file: Path) -> None:
    """All services, and a second render on the same pages, each following that file."""
    port = free_port()
    for service in SERVICES:
        stack.spawn(service, NEWSROOM_SITE_FILE=str(site_file))
    stack.spawn("render", name="render-2", NEWSROOM_SITE_FILE=str(site_file), NEWSROOM_SITE_PORT=str(port))
    for service in SERVICES:
        await stack.ready(service)
    await stack.ready("render", port)
    await stack.settled()


def pages_with(stack: Stack, words: str) -> set[str]:
    """The pages that stand, by path, with these words on them."""
    return {
        str(path.relative_to(stack.public))
        for path in stack.public.rglob("*.html")
        if words in path.read_text(encoding="utf-8")
    }


async def test_every_page_bears_the_new_name_and_nothing_else_is_left(
    fresh_kafka: Callable[[], RunningKafka], mongo: RunningMongo, tmp_path: Path
) -> None:
    """As a rebuild from nothing would make it, whichever instance draws which article."""
    site_file = tmp_path / "site.toml"
    text = (SOURCE / "site.toml").read_text(encoding="utf-8")
    site_file.write_text(text, encoding="utf-8")
    stack = Stack(fresh_kafka().bootstrap, mongo.url, tmp_path)
    try:
        await start(stack, site_file)
        for number in range(24):
            await stack.publish(f"story-{number}")
        await stack.settled()
        site_file.write_text(text.replace("Steppe Dispatch", "Morning Star"), encoding="utf-8")

        async def is_followed() -> bool:
            every = {str(path.relative_to(stack.public)) for path in stack.public.rglob("*.html")}
            return pages_with(stack, "Morning Star") == every

        await until(is_followed, "every page bears the new name")
        await stack.settled()
        assert pages_with(stack, "Steppe Dispatch") == set()
        assert "Morning Star" in (await stack.page("/nowhere/")).text
        changed = stack.files()
        for name in ("render", "render-2"):
            assert await stack.stop(name) == 0
        stack.delete_pages()
        stack.spawn("render", NEWSROOM_SITE_FILE=str(site_file))
        await stack.ready("render")
        await stack.settled()
        assert stack.files() == changed
    finally:
        await stack.close()
