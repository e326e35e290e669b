"""The pictures of the documentation are those that `make pictures` takes, and no others."""

from __future__ import annotations

import re

from desk.parts.home import SOURCE
from pictures.album import ALBUM, FOLDER


def test_every_picture_that_is_taken_stands_and_no_other() -> None:
    assert {file.name for file in FOLDER.iterdir()} == {picture.file.name for picture in ALBUM}


def test_the_readme_shows_only_pictures_that_are_taken() -> None:
    shown = set(re.findall(r"docs/pictures/([\w-]+\.png)", (SOURCE / "README.md").read_text()))
    assert shown
    assert shown <= {picture.file.name for picture in ALBUM}


def test_each_picture_has_a_name_of_its_own() -> None:
    assert len({picture.name for picture in ALBUM}) == len(ALBUM)
