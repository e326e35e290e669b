"""From a plot of a chapter to a picture: SVG that stands alone, the same for the same points."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import pygal  # type: ignore[import-untyped]
from pygal.style import Style  # type: ignore[import-untyped]

from bench.table import Plot

# The library leaves a finder of an old kind behind, of which Python would warn at every import from now on.
sys.meta_path[:] = [finder for finder in sys.meta_path if hasattr(finder, "find_spec")]

_SVG = "http://www.w3.org/2000/svg"
_FEW = 30
"""Of so many points each is marked; of more only the line is drawn."""
_FONT = "system-ui, sans-serif"
_STYLE = Style(
    background="white",
    plot_background="white",
    colors=("#0b62a3", "#c2410c", "#15803d", "#6b21a8", "#525252", "#b91c8c"),
    font_family=_FONT,
    label_font_family=_FONT,
    major_label_font_family=_FONT,
    legend_font_family=_FONT,
    title_font_family=_FONT,
    label_font_size=12,
    major_label_font_size=12,
    legend_font_size=13,
    title_font_size=17,
    stroke_width="2",
    guide_stroke_color="#d4d4d4",
    guide_stroke_dasharray="none",
    major_guide_stroke_color="#d4d4d4",
    major_guide_stroke_dasharray="none",
)


def drawn(plot: Plot) -> str:
    """The picture. Nothing in it leads outside, and no script runs."""
    chart = pygal.XY(
        style=_STYLE,
        js=[],
        width=900,
        height=480,
        title=plot.title,
        x_title=plot.x,
        y_title=plot.y,
        **_axes(plot),
        show_dots=max((len(series.points) for series in plot.series), default=0) <= _FEW,
        legend_at_bottom=True,
        truncate_legend=-1,
        value_formatter=number,
        x_value_formatter=number,
    )
    chart.uuid = plot.name
    for series in plot.series:
        chart.add(series.name, [tuple(point) for point in series.points])
    return _plain(chart.render(is_unicode=True))


def _axes(plot: Plot) -> dict[str, Any]:
    """From nothing on; where they are logarithmic, x is marked where something was measured."""
    if not plot.is_logarithmic:
        return {"include_x_axis": True}
    points = [point for series in plot.series for point in series.points]
    return {
        "logarithmic": True,
        "x_labels": sorted({x for x, _ in points}),
        "y_labels": ticks([y for _, y in points]),
    }


def ticks(values: Sequence[float]) -> list[float]:
    """Round figures for a logarithmic axis, 1, 2 and 5 of each power of ten, around those above 0."""
    seen = [value for value in values if value > 0]
    if not seen:
        return []
    powers = range(math.floor(math.log10(min(seen))), math.ceil(math.log10(max(seen))) + 1)
    figures = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    first = max((number for number, figure in enumerate(figures) if figure <= min(seen)), default=0)
    last = next((number for number, figure in enumerate(figures) if figure >= max(seen)), len(figures) - 1)
    return figures[first : last + 1]


def number(value: float) -> str:
    """As short as it can be told: 0.05, 1.2, 25, 1,000,000."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:.3g}"


def _plain(svg: str) -> str:
    """Without the chart's comments, which tell the day and link to the library, and without its script."""
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(svg)  # noqa: S314  (of our own making; comments are left out in reading)
    for parent in root.iter():
        for script in parent.findall(f"{{{_SVG}}}script"):
            parent.remove(script)
    return ElementTree.tostring(root, encoding="unicode") + "\n"
