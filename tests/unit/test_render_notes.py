"""Notes that outlast a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.render import notes as module
from services.render.notes import NAME, Notes, noted_in


def test_what_was_noted_and_not_forgotten_is_found_again(tmp_path: Path) -> None:
    """Whatever a subject is made of."""
    notes = Notes(tmp_path)
    assert (noted_in(tmp_path), bool(notes)) == ([], False)
    for subject in ("a1", "/kazakhstan/", "+odd;\n-ü"):
        notes.add(subject)
        notes.add(subject)
    notes.remove("a1")
    notes.remove("never noted")
    assert (noted_in(tmp_path), bool(notes)) == (["/kazakhstan/", "+odd;\n-ü"], True)
    notes.add("a1")
    assert "a1" in noted_in(tmp_path)


def test_a_line_that_was_cut_off_is_no_note_and_spoils_none(tmp_path: Path) -> None:
    """The disk was full in the middle of it."""
    notes = Notes(tmp_path)
    notes.add("a1")
    with (tmp_path / NAME).open("ab") as file:
        file.write(b"\n+a2-and-th")
    notes.add("a3")
    assert noted_in(tmp_path) == ["a1", "a3"]


def test_the_file_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was forgotten goes from it; what stands stays."""
    monkeypatch.setattr(module, "_MOST_BYTES", 400)
    notes = Notes(tmp_path)
    notes.add("stays")
    sizes = []
    for number in range(200):
        notes.add(f"subject-{number}")
        notes.remove(f"subject-{number}")
        sizes.append((tmp_path / NAME).stat().st_size)
    assert max(sizes) <= 400
    assert noted_in(tmp_path) == ["stays"]


def test_what_is_forgotten_makes_no_file(tmp_path: Path) -> None:
    """The folder may have been taken away meanwhile, with all that was noted in it."""
    notes = Notes(tmp_path)
    notes.add("a1")
    (tmp_path / NAME).unlink()
    with pytest.raises(FileNotFoundError):
        notes.remove("a1")
    assert list(tmp_path.iterdir()) == []
