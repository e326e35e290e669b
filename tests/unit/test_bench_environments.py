"""The environments of what the benchmark measures beside the newsroom."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import edge, environments, peer
from bench.environments import Environment, run
from bench.stack import Broken


def silent(_: str) -> None:
    """Nobody listens."""


def test_an_environment_is_made_once_for_a_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And anew where the list is another, or an installation failed."""
    ran: list[str] = []
    listed = tmp_path / "requirements" / "peer.txt"
    listed.parent.mkdir()
    listed.write_text("peer==1")
    made = Environment("peer", "A peer", "small")

    def run(command: list[str], *_: object) -> str:
        ran.append(command[2])
        if fails:
            raise Broken("no network")
        made.folder.mkdir(exist_ok=True, parents=True)
        return ""

    monkeypatch.setattr(environments, "SOURCE", tmp_path)
    monkeypatch.setattr(environments, "run", run)
    fails = False
    assert made.made(silent) == made.made(silent) == tmp_path / ".newsroom/peer/bin"
    assert ran == ["venv", "pip"]
    listed.write_text("peer==2")
    fails = True
    with pytest.raises(Broken, match=r"no network; it needs .* apt-get install .* requirements/peer.txt"):
        made.made(silent)
    fails = False
    made.made(silent)
    assert ran == ["venv", "pip", "venv", "venv", "pip"]


@pytest.mark.parametrize("made", [peer.ENVIRONMENT, edge.ENVIRONMENT], ids=lambda made: made.name)
def test_each_has_its_list(made: Environment) -> None:
    assert made.listed.is_file()


def test_a_command_that_fails_is_told_by_the_end_of_its_complaint() -> None:
    assert run(["sh", "-c", "echo $A"], 10, {"A": "b"}) == "b\n"
    with pytest.raises(Broken, match="`-c exit 3` ended with 3: it says nothing"):
        run(["sh", "-c", "exit 3"], 10)
    with pytest.raises(Broken, match="ended with 1: the end"):
        run(["sh", "-c", "echo begin >&2; echo the end >&2; exit 1"], 10)
    with pytest.raises(Broken, match="did not end"):
        run(["/nowhere", "x"], 10)
