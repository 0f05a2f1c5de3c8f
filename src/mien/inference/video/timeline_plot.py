"""The probabilities of one person over time as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mien.inference.render import COLOURS
from mien.inference.video.episodes import Episode
from mien.inference.video.timeline import Timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

MOST_POINTS = 1500
"""Points drawn of a timeline; of longer ones the means of equal numbers of rows."""

LEAST_SECONDS = 0.04
"""Seconds that a stretch's last row is drawn at least: the last frame may have no length."""

MOST_EVENTS = 14
"""Episodes that are named above the curves: those with the highest peaks."""

SPACE = 2.0
"""Pixels that stay free on each side of a name."""


def timeline_plot(timeline: Timeline, found: Sequence[Episode], target: Path | IO[bytes]) -> None:
    """Draw a person's probabilities stacked over time, with the episodes marked above them.

    Args:
        timeline: The person's rows.
        found: The episodes to mark; neutral ones are left out.
        target: The file to write, in the format its suffix names, or an open one for PNG.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08)
    figure = Figure(figsize=(11, 3.6), dpi=150, layout=layout)
    axes = figure.subplots()
    for stretch in timeline.stretches():
        _draw_stretch(axes, timeline, stretch)
    names = _draw_episodes(axes, found)
    _finish(axes, timeline)
    _part(figure, names)
    figure.savefig(target)


def _draw_stretch(axes: Axes, timeline: Timeline, stretch: slice) -> None:
    per_point = max(1, -(-len(timeline) // MOST_POINTS))
    times, probabilities = timeline.times[stretch], timeline.probabilities[stretch]
    times = np.append(_means(times[:, None], per_point)[:, 0], _end(timeline, stretch.stop - 1))
    shown = _means(probabilities, per_point)
    shown = np.vstack([shown, shown[-1:]])
    colours = [COLOURS[expression] for expression in timeline.expressions]
    axes.stackplot(times, shown.T, colors=colours, linewidth=0)


def _end(timeline: Timeline, row: int) -> float:
    return float(timeline.times[row] + max(timeline.lengths[row], LEAST_SECONDS))


def _means(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Return the means of every `size` rows; of the last rows, of those there are."""
    starts = np.arange(0, len(values), size)
    counts = np.diff(np.append(starts, len(values)))
    return np.asarray(np.add.reduceat(values, starts, axis=0) / counts[:, None])


def _draw_episodes(axes: Axes, found: Sequence[Episode]) -> list[Annotation]:
    """Draw bars above the curves; return the names of the highest peaks, highest first."""
    events = [episode for episode in found if episode.expression != "neutral"]
    for episode in events:
        colour = COLOURS[episode.expression]
        span = (episode.onset, episode.offset)
        axes.plot(span, (1.05, 1.05), color=colour, linewidth=5, solid_capstyle="butt")
        axes.plot(episode.apex, 1.05, marker="v", color="#161616", markersize=4)
    named = sorted(events, key=lambda e: -e.peak)[:MOST_EVENTS]
    return [_name(axes, episode) for episode in named]


def _name(axes: Axes, episode: Episode) -> Annotation:
    return axes.annotate(
        episode.expression,
        (episode.apex, 1.08),
        ha="center",
        va="bottom",
        fontsize=8,
        color="#161616",
    )


def _part(figure: Figure, names: Sequence[Annotation]) -> None:
    """Take away the names that would stand over one with a higher peak."""
    if not names:
        return
    figure.draw_without_rendering()  # where names stand is not known before
    kept: list[Bbox] = []
    for name in names:
        box = name.get_window_extent().padded(SPACE)
        if any(box.overlaps(other) for other in kept):
            name.remove()
        else:
            kept.append(box)


def _finish(axes: Axes, timeline: Timeline) -> None:
    from matplotlib.patches import Patch

    axes.set_xlim(timeline.times[0], _end(timeline, -1))
    axes.set_ylim(0, 1.22)
    axes.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    axes.set_xlabel("time in seconds")
    axes.set_title(f"Person {timeline.track}", loc="left", fontsize=12, weight="bold")
    handles = [Patch(color=COLOURS[name], label=name) for name in reversed(timeline.expressions)]
    axes.legend(handles=handles, loc="center left", bbox_to_anchor=(1.005, 0.45), frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
