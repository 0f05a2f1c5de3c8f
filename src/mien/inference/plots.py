"""The probabilities of each face as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mien.errors import MienError
from mien.files import whole_file
from mien.inference.face import Reading
from mien.inference.percent import percent
from mien.inference.pictures import as_picture
from mien.inference.render import COLOURS
from mien.preprocess import Image

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_FACES = 12
"""How many faces a figure shows; the largest ones."""

ROW_HEIGHT = 2.6
"""Inches per face."""


def probability_plot(picture: Image, readings: Sequence[Reading], path: Path) -> None:
    """Draw each face beside bars of its probabilities, and write the figure.

    Args:
        picture: uint8 (H, W, 3) in RGB order, (H, W, 4) or (H, W).
        readings: Its faces; of many the first `MOST_FACES` are drawn.
        path: The file to write, in the format its suffix names (PNG, PDF, SVG, …).

    Raises:
        MienError: If there is no reading, the suffix names no format, or the file cannot be
            written.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    if not readings:
        raise MienError(f"{path} would be an empty plot: no face was found.")
    picture, shown = as_picture(picture), readings[:MOST_FACES]
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12)
    figure = Figure(figsize=(7.2, ROW_HEIGHT * len(shown)), dpi=150, layout=layout)
    axes = figure.subplots(len(shown), 2, squeeze=False, width_ratios=(1, 2))
    for (left, right), reading in zip(axes, shown, strict=True):
        _draw_face(left, picture, reading)
        _draw_bars(right, reading)
    # Without a suffix another file than the one that was made here would be written.
    if path.suffix[1:].lower() not in figure.canvas.get_supported_filetypes():
        raise MienError(
            f"The plot {path} cannot be written: its name must end in .png, .pdf, .svg or another "
            f"format of figures. Got {path.suffix or 'no suffix'} instead."
        )
    try:
        with whole_file(path) as temporary:
            figure.savefig(temporary)
    except (OSError, ValueError) as error:
        raise MienError(f"The plot {path} cannot be written: {error}.") from error


def _draw_face(axes: Axes, picture: Image, reading: Reading) -> None:
    # Half a square more on each side shows whose face it is.
    square = reading.face.square
    margin = square.side * 0.25
    height, width = picture.shape[:2]
    left, top = max(0, int(square.x - margin)), max(0, int(square.y - margin))
    right = min(width, int(np.ceil(square.x + square.side + margin)))
    bottom = min(height, int(np.ceil(square.y + square.side + margin)))
    axes.imshow(picture[top:bottom, left:right])
    axes.set_axis_off()


def _title(reading: Reading) -> str:
    said = f"{reading.expression}, {percent(reading.confidence)}"
    return said if reading.verdict.outcome == "sure" else f"{reading.answer} ({said})"


def _draw_bars(axes: Axes, reading: Reading) -> None:
    names = reading.labels.expressions
    colours = [COLOURS[name] for name in names]
    bars = axes.barh(names, reading.probabilities, color=colours, height=0.72)
    axes.bar_label(bars, [f"{p:.1%}" for p in reading.probabilities], padding=4, fontsize=9)
    axes.set_title(_title(reading), loc="left", fontsize=12, weight="bold")
    axes.set_xlim(0, 1.12)
    axes.set_xticks([])
    axes.invert_yaxis()
    axes.spines["left"].set_color("#888888")
    axes.tick_params(axis="y", length=0, labelsize=10)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
