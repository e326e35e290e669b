"""What the newsroom is made of: all pinned, all with a hash, all on the bill of materials."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from desk.parts import jars
from supply import audit
from supply.pinned import DEV, EDGE, PARTS, PEER, REQUIREMENTS, RUNTIME, images, packages
from supply.sbom import bill

LOCKS = (RUNTIME, PARTS, DEV)
ALL = (*LOCKS, PEER, EDGE)
CLEAN = {"name": "aiokafka", "version": "0.14.0", "vulns": []}
SKIPPED = {"name": "motor", "skip_reason": "not found"}
HOLE = {"name": "pyyaml", "version": "5.3", "vulns": [{"id": "PYSEC-2021-142", "fix_versions": ["5.4"]}]}


@cache
def components() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(bill())["components"]
    return found


def test_no_list_is_forgotten() -> None:
    assert set(REQUIREMENTS.glob("*.txt")) == set(ALL)


@pytest.mark.parametrize("lock", ALL, ids=lambda lock: lock.name)
def test_every_package_is_pinned_to_one_version_with_hashes(lock: Path) -> None:
    entries = re.split(r"\n(?=[A-Za-z0-9])", lock.read_text())
    pinned = packages(lock)
    assert len(pinned) == len(entries)
    assert all("--hash=sha256:" in entry for entry in entries)
    assert [pin.name for pin in pinned] == [re.split(r"[\[=]", entry)[0] for entry in entries]


@pytest.mark.parametrize("lock", ALL, ids=lambda lock: lock.name)
def test_every_package_that_is_asked_for_is_pinned(lock: Path) -> None:
    lines = lock.with_suffix(".in").read_text().splitlines()
    asked = {re.split(r"[\[=; ]", line)[0] for line in lines if line and line[0] not in "#-"}
    assert asked <= {pin.name for pin in packages(lock)}


def test_the_lists_never_disagree_on_a_version() -> None:
    """Where each is for one machine: what is shared by two lists is the same in both."""
    versions: dict[tuple[str, str], set[str]] = {}
    for lock in LOCKS:
        for pin in packages(lock):
            versions.setdefault((pin.name, pin.needs), set()).add(pin.version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_the_bill_of_materials_is_one_that_others_can_read() -> None:
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill())
    assert problem is None, str(problem)[:300]


def test_the_bill_has_all_that_ships_and_nothing_else() -> None:
    listed = {component["purl"] for component in components()}
    shipped = {str(pin.purl) for lock in (RUNTIME, PARTS) for pin in packages(lock)}
    assert listed >= shipped
    assert len([purl for purl in listed if purl.startswith("pkg:maven/")]) == len(jars.read_list())
    assert not any(purl.startswith("pkg:pypi/pytest@") for purl in listed)


def test_what_the_services_need_is_told_from_what_one_machine_brings() -> None:
    required = {each["name"] for each in components() if each["scope"] == "required"}
    assert required == {pin.name for pin in packages(RUNTIME)}


def test_the_jars_are_told_with_their_hashes() -> None:
    told = {each["hashes"][0]["content"] for each in components() if each["purl"].startswith("pkg:maven/")}
    assert told == {jar.sha256 for jar in jars.read_list()}


def test_the_images_that_containers_stand_on_are_told() -> None:
    assert {pin.name for pin in images()} == {"apache/kafka", "mongo", "caddy", "python"}
    assert {str(pin.purl) for pin in images()} <= {each["purl"] for each in components()}


def test_the_same_lists_make_the_same_bill() -> None:
    assert bill() == bill()


@pytest.mark.parametrize(
    ("told", "code", "line"),
    [
        ([CLEAN], 0, "Python: 1 asked about, 0 known holes"),
        ([CLEAN, HOLE], 1, "Python: pyyaml 5.3: PYSEC-2021-142, mended in 5.4"),
        ([CLEAN, SKIPPED], 2, "Python: NOT AUDITED: the advisory service knows 1 of them not at all"),
        ([SKIPPED, HOLE], 1, "Python: pyyaml 5.3: PYSEC-2021-142, mended in 5.4"),
    ],
)
def test_a_package_that_nobody_was_asked_about_is_never_told_as_clean(
    told: list[dict[str, Any]], code: int, line: str
) -> None:
    answer = audit.read_pip_audit(json.dumps({"dependencies": told}), "No known vulnerabilities found")
    assert answer.code == code
    assert line in list(answer.lines())


def test_a_service_that_is_not_reached_is_told_by_the_last_line_of_the_complaint() -> None:
    answer = audit.read_pip_audit("", "Traceback\n  ...\nConnectionError: name not known\n")
    assert answer.code == 2
    assert list(answer.lines()) == ["Python: NOT AUDITED: ConnectionError: name not known"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"vulnerabilities": {}, "metadata": {"dependencies": {"total": 300}}}, 0),
        ({"vulnerabilities": {"ws": {"severity": "high"}}, "metadata": {"dependencies": {"total": 3}}}, 1),
        ({"message": "405 Method Not Allowed"}, 2),
    ],
)
def test_npm_is_believed_only_where_it_counted(said: dict[str, Any], code: int) -> None:
    assert audit.read_npm_audit(json.dumps(said), "npm error audit endpoint returned an error").code == code


def test_npm_tells_itself_why_it_could_not_ask() -> None:
    answer = audit.read_npm_audit(
        json.dumps({"message": "405 Method Not Allowed"}), "npm error A log is in …"
    )
    assert list(answer.lines()) == ["Node: NOT AUDITED: 405 Method Not Allowed"]
