"""The catalogue of metrics and the code agree: nothing is measured unnamed, nothing named unmeasured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families

from desk.reference import SERVICES
from newsroom.telemetry import metrics
from newsroom.telemetry.folders import free_bytes, is_writable, tell_folder

ROOT = Path(__file__).parent.parent.parent
OTHER_NAMES = frozenset(
    f"newsroom_{name}"
    for names in (
        ("pages", "store", "render", "backup", "bench"),
        *(model.model_fields for model in SERVICES.values()),
    )
    for name in names
)
"""Databases, volumes, collections; and settings, as secrets are named for them."""
CATALOGUE_FILE = Path(metrics.__file__)
SUFFIXES = ("_bucket", "_sum", "_count", "_total", "")
_USE = re.compile(r"\bmetrics\.(\w+)\b")
_NAME = re.compile(r"\bnewsroom_[a-z_]+\b")


def of_the_code() -> str:
    """The code that measures: services and what they share, without the catalogue itself."""
    files = [file for name in ("shared", "services") for file in (ROOT / name).rglob("*.py")]
    return "\n".join(file.read_text(encoding="utf-8") for file in files if file != CATALOGUE_FILE)


def variables() -> dict[str, str]:
    """The catalogue's variables that hold a metric, with the name that it has on `/metrics`."""
    return {
        variable: f"{value._name}_total" if isinstance(value, Counter) else value._name
        for variable, value in vars(metrics).items()
        if isinstance(value, Counter | Gauge | Histogram)
    }


def test_every_metric_of_the_catalogue_is_measured_somewhere() -> None:
    used = set(_USE.findall(of_the_code())) | {"clock_seconds"}
    assert variables().keys() - used == set()


def test_every_metric_is_in_the_catalogue_with_kind_unit_and_meaning() -> None:
    assert sorted(variables().values()) == sorted(entry.name for entry in metrics.CATALOGUE)
    assert all(entry.unit and entry.meaning for entry in metrics.CATALOGUE)
    for entry in metrics.CATALOGUE:
        assert (entry.kind == "counter") is entry.name.endswith("_total")
        assert entry.name.endswith("_seconds") <= (entry.unit == "seconds")
        assert entry.name.endswith("_bytes") <= (entry.unit == "bytes")


def test_what_is_told_is_what_the_catalogue_says() -> None:
    """By the names and kinds on the wire."""
    families = text_string_to_metric_families(metrics.exposition().decode())
    told = {
        family.name: family.type
        for family in families
        if family.name.startswith("newsroom_") and not family.name.endswith("_created")
    }
    kinds = {entry.name.removesuffix("_total"): entry.kind for entry in metrics.CATALOGUE}
    assert told == kinds


@pytest.mark.parametrize("folder", ["docs", "desk", "compose", "bench", "faults"])
def test_nobody_speaks_of_a_metric_that_is_not_there(folder: str) -> None:
    """Documents, alert rules and the doctor name metrics of the catalogue only."""
    known = {
        f"{entry.name.removesuffix('_total')}{suffix}" for entry in metrics.CATALOGUE for suffix in SUFFIXES
    }
    named = {
        name
        for file in (ROOT / folder).rglob("*")
        if file.suffix in (".md", ".py", ".yaml", ".yml")
        for name in _NAME.findall(file.read_text(encoding="utf-8"))
        if name not in OTHER_NAMES
    }
    assert named - known == set()


def test_a_folder_tells_its_room_and_whether_it_can_be_written(tmp_path: Path) -> None:
    """Of one that is not made yet, that of the disk on which it will lie."""
    folder = tmp_path / "not" / "yet"
    tell_folder("tested", folder)
    room = metrics.registry.get_sample_value("newsroom_folder_free_bytes", {"folder": "tested"})
    assert room is not None
    assert room > 0
    assert metrics.registry.get_sample_value("newsroom_folder_writable", {"folder": "tested"}) == 1
    assert free_bytes(folder) > 0
    assert not is_writable(Path("/proc/sys/kernel/ostype"))


def test_the_clock_of_the_process_is_told() -> None:
    told = metrics.registry.get_sample_value("newsroom_clock_seconds")
    assert told is not None
    assert told > 1_700_000_000
