"""The colours of a site by their meaning, light and dark: defaults, and what is checked of others.

Between the site's file and the style sheet, which knows colours by these names only (`--ground`, `--text`
…). Text stays readable whatever a newsroom chooses: 4.5:1 (WCAG 2.2, 1.4.3) on both grounds, or the file is
refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

LEAST_CONTRAST = 4.5
_GROUNDS = ("ground", "raised")
_OF_TEXT = ("text", "muted", "accent", "notice", "correction", "breaking")

Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$", to_lower=True)]


def contrast(one: str, other: str) -> float:
    """How far two colours are apart, from 1 to 21, as WCAG 2.2 measures it."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[place : place + 2], 16) / 255) for place in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


class Palette(BaseModel):
    """One set of colours. `raised` is the ground of what stands out from it; `line` carries no text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ground: Colour
    raised: Colour
    text: Colour
    muted: Colour
    line: Colour
    accent: Colour
    notice: Colour
    correction: Colour
    breaking: Colour

    @model_validator(mode="after")
    def _is_readable(self) -> Self:
        if faint := list(self._faint()):
            raise ValueError(f"text needs a contrast of {LEAST_CONTRAST}:1, but {'; '.join(faint)}")
        return self

    def _faint(self) -> Iterator[str]:
        for name in _OF_TEXT:
            for ground in _GROUNDS:
                colour, behind = getattr(self, name), getattr(self, ground)
                if (reached := contrast(colour, behind)) < LEAST_CONTRAST:
                    yield f"{name} {colour} on {ground} {behind} has {reached:.1f}:1"

    def tokens(self) -> str:
        """The palette as custom properties, as they stand in a rule of the style sheet."""
        return " ".join(f"--{name}: {getattr(self, name)};" for name in type(self).model_fields)


class LightPalette(Palette):
    """By day; what the file leaves out stays as it is here."""

    ground: Colour = "#fdfcf9"
    raised: Colour = "#f4f0e7"
    text: Colour = "#1c1b19"
    muted: Colour = "#5d594f"
    line: Colour = "#dcd6c9"
    accent: Colour = "#8a4a0c"
    notice: Colour = "#0c5673"
    correction: Colour = "#7d4a00"
    breaking: Colour = "#a81c18"


class DarkPalette(Palette):
    """By night; what the file leaves out stays as it is here."""

    ground: Colour = "#15171a"
    raised: Colour = "#1f2226"
    text: Colour = "#e9e5dc"
    muted: Colour = "#a8a398"
    line: Colour = "#383b40"
    accent: Colour = "#e39a52"
    notice: Colour = "#83c5e2"
    correction: Colour = "#e5b566"
    breaking: Colour = "#ff8d83"


class Colours(BaseModel):
    """Both palettes of a site; the reader's system chooses."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    light: LightPalette = Field(default_factory=LightPalette)
    dark: DarkPalette = Field(default_factory=DarkPalette)

    def style_sheet(self) -> str:
        """The rules that give every colour its value, light and dark."""
        return (
            f":root {{ {self.light.tokens()} }}\n"
            f"@media (prefers-color-scheme: dark) {{ :root {{ {self.dark.tokens()} }} }}\n"
        )
