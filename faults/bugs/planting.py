"""Puts an erring piece in the place of a sound one, and fails where there is no such place: a bug that
patches nothing would prove nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

Wrap = Callable[[Any], Any]
planted: list[tuple[Any, str, Any]] = []
"""What stood before: owner, name, the sound piece. For a test that takes all bugs out again."""


def instead(where: str, wrap: Wrap) -> None:
    """Let `wrap` make what stands at `module:Class.name` or `module:name` from what stood there.

    Raises: LookupError when nothing does.
    """
    module, _, path = where.partition(":")
    *owners, name = path.split(".")
    owner: Any = importlib.import_module(module)
    try:
        for each in owners:
            owner = vars(owner)[each]
        sound = vars(owner)[name]
    except KeyError as error:
        raise LookupError(
            f"there is nothing at {where} any more: the planted bug has to be mended"
        ) from error
    planted.append((owner, name, sound))
    setattr(owner, name, wrap(sound))


def take_out() -> None:
    """Put every sound piece back."""
    while planted:
        owner, name, sound = planted.pop()
        setattr(owner, name, sound)
