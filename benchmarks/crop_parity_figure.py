"""The figure of `crop_parity.py`: accuracy against face size, margin and tilt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from crop_parity_choice import SCALES, SHIFTS, Choice
from crop_parity_measures import SHIPPED, Row
from crop_parity_scenes import SIZES, TILTS
from matplotlib.axes import Axes

from mien import figures
from mien.evaluation.paired import Difference
from mien.files import whole_file

COLOURS = {"haar": figures.ORANGE, "yunet": figures.BLUE}
MARKS = {"shipped": "o", "chosen": "^", "shipped, level": "s", "chosen, level": "D"}
LINES = {"shipped": "-", "chosen": "--", "shipped, level": "-.", "chosen, level": ":"}
APART = 0.06
"""How far marks of the same place stand apart, over the distance of two places."""


def draw(choices: Mapping[str, Choice], rows: Sequence[Row], path: Path) -> None:
    """Write the figure as PNG."""
    with figures.style():
        figure = figures.new_figure(13, 5)
        sizes, margins, tilts = figure.subplots(1, 3)
        _sizes(sizes, [row for row in rows if row.faces == "PrivateTest"])
        _margins(margins, choices)
        _tilts(tilts, [row for row in rows if row.faces == "PrivateTest"])
        content = figures.png(figure)
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


def _sizes(axes: Axes, rows: Sequence[Row]) -> None:
    """Draw accuracy against the face's size; the same faces' own crops are the dotted lines."""
    for place, name in enumerate(COLOURS):
        for cut in ("shipped", "chosen"):
            found = [_row(rows, name, cut, side, 0) for side in SIZES]
            offset = APART * (2 * place - 1 + (0.5 if cut == "chosen" else 0))
            places = np.arange(len(SIZES)) + offset
            values = np.array([(row.accuracy, *row.interval) for row in found]).T
            _line(axes, places, values, name, cut)
        own = [_row(rows, name, "shipped", side, 0).own for side in SIZES]
        axes.plot(np.arange(len(SIZES)), own, ":", color=COLOURS[name], label=f"{name}, own crops")
    axes.set_xticks(range(len(SIZES)), [str(side) for side in SIZES])
    axes.set(xlabel="side of the pasted crop, pixels", ylabel="accuracy, faces found")
    _finish(axes, "Face size (PrivateTest)")


def _margins(axes: Axes, choices: Mapping[str, Choice]) -> None:
    """Draw what is lost against the square's side, at the shipped and at the chosen shift."""
    for place, (name, choice) in enumerate(choices.items()):
        best = int(np.argmin([abs(choice.framing.shift - SHIPPED[name].shift - s) for s in SHIFTS]))
        for cut, column in (("shipped", SHIFTS.index(0.0)), ("chosen", best)):
            if cut == "chosen" and best == SHIFTS.index(0.0):
                continue
            values = _points([figures_of_scale[column] for figures_of_scale in choice.grid])
            places = np.array(SCALES) + 0.006 * (2 * place - 1 + (0.5 if cut == "chosen" else 0))
            _line(axes, places, values, name, f"{cut} shift", cut)
    axes.axhline(0, color=figures.GREY, linewidth=1)
    axes.axvline(1, color=figures.GREY, linewidth=1)
    axes.set(xlabel="side of the square / shipped side", ylabel="accuracy less own crops', points")
    _finish(axes, "Margin (PublicTest)")


def _tilts(axes: Axes, rows: Sequence[Row]) -> None:
    """Draw what is lost against the tilt, with and without rotation to level eyes."""
    tilts = (0, *TILTS)
    cuts = list(dict.fromkeys(row.cut for row in rows if row.detector == "yunet"))
    for place, cut in enumerate(cuts):
        values = _points([_row(rows, "yunet", cut, None, tilt).difference for tilt in tilts])
        places = np.arange(len(tilts)) + APART * (place - (len(cuts) - 1) / 2)
        _line(axes, places, values, "yunet", cut)
    axes.axhline(0, color=figures.GREY, linewidth=1)
    axes.set_xticks(range(len(tilts)), [f"±{tilt}°" if tilt else "0°" for tilt in tilts])
    axes.set(xlabel="tilt of the pasted crop", ylabel="accuracy less upright own crops', points")
    _finish(axes, "Tilt, yunet (PrivateTest)")


def _line(
    axes: Axes, places: np.ndarray, values: np.ndarray, name: str, label: str, cut: str = ""
) -> None:
    """Draw values (3, N), each with its interval's bounds."""
    middle, low, high = values
    axes.errorbar(
        places,
        middle,
        [middle - low, high - middle],
        color=COLOURS[name],
        marker=MARKS[cut or label],
        linestyle=LINES[cut or label],
        markersize=5,
        elinewidth=1,
        label=f"{name}, {label}",
    )


def _row(rows: Sequence[Row], name: str, cut: str, side: int | None, tilt: int) -> Row:
    wanted = (name, cut, side, tilt)
    return next(r for r in rows if (r.detector, r.cut, r.side, r.tilt) == wanted)


def _points(found: Sequence[Difference]) -> np.ndarray:
    return 100 * np.array([(d.value, d.low, d.high) for d in found]).T


def _finish(axes: Axes, title: str) -> None:
    axes.set_title(title)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
    figures.light_grid(axes)
