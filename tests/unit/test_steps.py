"""The named points between the steps of the services, as they are listed and as they are reached."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from desk.parts.home import SOURCE
from newsroom.steps import POINTS

REACHED = re.compile(r'\breached\("([^"]+)"\)')


def points_in(folder: Path) -> list[str]:
    return [point for file in folder.rglob("*.py") for point in REACHED.findall(file.read_text())]


@pytest.mark.parametrize("service", ["ingest", "store", "render"])
def test_the_list_has_every_point_that_the_code_reaches(service: str) -> None:
    """And none that it does not: a walk over the list would wait for it in vain."""
    assert sorted(points_in(SOURCE / "services" / service)) == sorted(POINTS.get(service, ()))
