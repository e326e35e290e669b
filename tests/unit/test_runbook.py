"""The runbook has an entry for everything that can be found wrong, and for every fault of the experiment."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from desk.reference import FILE
from desk.troubles import ENTRIES, Trouble
from faults.catalogue import ALL

SECTION = re.compile(r"^## What to do when…$(.*?)^## ", re.DOTALL | re.MULTILINE)
ALERTS = FILE.parent / "alerts.yaml"


def runbook() -> str:
    found = SECTION.search(FILE.read_text(encoding="utf-8"))
    assert found is not None
    return found[1]


def entries() -> dict[str, str]:
    """The text of each entry by its heading."""
    parts = re.split(r"^### (.+)$", runbook(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rules(file: Path = ALERTS) -> list[dict[str, Any]]:
    told: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return [rule for group in told["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("trouble", Trouble)
def test_every_trouble_has_an_entry_that_names_it(trouble: Trouble) -> None:
    """It says what is seen, what happens by itself, and what to do."""
    entry = " ".join(entries()[ENTRIES[trouble]].split())
    assert f"`{trouble.value}`" in entry.partition("]")[0]
    for part in ("**Seen:**", "**By itself:**", "**Do:**"):
        assert part in entry


def test_every_fault_of_the_experiment_has_an_entry_and_no_other_is_named() -> None:
    table = re.findall(r"^\| `([a-z-]+)` \| \[([^]]+)\]", entries()["Which entry is it?"], re.MULTILINE)
    assert {entry for _, entry in table} <= entries().keys()
    named = [fault for fault, _ in table]
    assert len(named) == len(set(named))
    assert set(named) == {fault.name for fault in ALL}


def test_the_document_of_the_experiment_tells_every_fault_and_no_other() -> None:
    told = (FILE.parent / "faults.md").read_text(encoding="utf-8")
    broken = re.search(r"^## What is broken$(.*?)^## ", told, re.DOTALL | re.MULTILINE)
    assert broken is not None
    named = [name for row in re.findall(r"\| (`[^|]+) \|$", broken[1], re.MULTILINE) for name in row.split()]
    assert sorted(named) == sorted(f"`{fault.name}`" for fault in ALL)


def test_every_alert_names_its_entry() -> None:
    """Metrics that it asks for are held to the catalogue with those of all documents."""
    assert len(rules()) > 10
    for rule in rules():
        assert rule["annotations"]["entry"] in entries(), rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["expr"].count("(") == rule["expr"].count(")")
