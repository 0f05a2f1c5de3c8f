"""Accuracy by source, subject, brightness, sharpness and face size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mien import figures, pages
from mien.evaluation.judged import Judged
from mien.evaluation.sections.section import Drawing, Section
from mien.evaluation.unvaried import wilson

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Group = tuple[str, int, int]
"""Its name, how many faces are right, and of how many."""

FEWEST = 10
"""Subjects with fewer faces are not listed, unless all have fewer."""

MOST = 12
"""Subjects listed: those with the lowest accuracy."""

PARTS = 4

SUBJECT = "subject"

UNITS = {
    "brightness": "mean grey value, 0 to 255",
    "sharpness": "variance of the Laplacian",
    "face_size": "pixels of the face's side",
}


def subgroups(judged: Judged) -> Section | None:
    """Return the section of the groups; None if the faces are all alike."""
    found = {by: groups for by, groups in _groups(judged) if len(groups) > 1}
    if not found:
        return None
    rows: list[list[str | int]] = [
        [by, name, of, f"{right / of:.3f} [{low:.3f}, {high:.3f}]"]
        for by, groups in found.items()
        for name, right, of in groups
        for low, high in [wilson(right, of)]
    ]
    return Section(
        name="groups",
        title="Where it works better and worse",
        drawings=(Drawing("groups", "Accuracy of each group of faces", _drawn(found)),),
        after=(
            pages.table(("by", "group", "faces", "accuracy"), rows),
            pages.paragraph(_note(found), note=True),
        ),
        data={
            by: [{"group": name, "faces": of, "right": right} for name, right, of in groups]
            for by, groups in found.items()
        },
    )


def _groups(judged: Judged) -> Iterator[tuple[str, list[Group]]]:
    """Give what the faces can be grouped by, with its groups."""
    faces = judged.faces
    hits = faces.probabilities.argmax(1) == faces.truth
    yield "source", _named(faces.sources, hits)
    if faces.people is not None:
        yield SUBJECT, _worst(_named(faces.subjects, hits))
    for name, values in faces.measures.items():
        yield f"{name.replace('_', ' ')} ({UNITS[name]})", _parts(values, hits)


def _note(found: Mapping[str, list[Group]]) -> str:
    note = (
        "Wilson's 95 % intervals; they take faces, also those of one subject, for independent."
        " Ranges are quarters of the faces"
    )
    if SUBJECT in found:
        enough = any(of >= FEWEST for _, _, of in found[SUBJECT])
        among = f"the subjects with {FEWEST} faces or more" if enough else "all subjects"
        note += f"; of {among} those with the lowest accuracy"
    return f"{note}."


def _named(names: NDArray[np.str_], hits: NDArray[np.bool_]) -> list[Group]:
    return [
        (str(name) or "unknown", int(hits[names == name].sum()), int((names == name).sum()))
        for name in np.unique(names)
    ]


def _worst(groups: list[Group]) -> list[Group]:
    enough = [group for group in groups if group[2] >= FEWEST] or groups
    return sorted(enough, key=lambda group: (group[1] / group[2], group[0]))[:MOST]


def _parts(values: NDArray[np.float64], hits: NDArray[np.bool_]) -> list[Group]:
    known = np.isfinite(values)
    if not known.any():
        return []
    edges = np.unique(np.quantile(values[known], np.linspace(0, 1, PARTS + 1)))
    part = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    return [
        (f"{edges[i]:.0f} to {edges[i + 1]:.0f}", int(hits[inside].sum()), int(inside.sum()))
        for i in range(len(edges) - 1)
        for inside in [known & (part == i)]
        if inside.any()
    ]


def _drawn(found: dict[str, list[Group]]) -> Figure:
    heights = [len(groups) + 1.2 for groups in found.values()]
    figure = figures.new_figure(7.2, 0.5 + 0.27 * sum(heights))
    panels = figure.subplots(
        len(found), 1, squeeze=False, sharex=True, gridspec_kw={"height_ratios": heights}
    )
    for axes, (by, groups) in zip(panels[:, 0], found.items()):
        for place, (_, right, of) in enumerate(groups):
            low, high = wilson(right, of)
            figures.interval_mark(axes, place, right / of, low, high)
        axes.set_yticks(range(len(groups)), [name for name, _, _ in groups], fontsize=8)
        axes.set_ylim(len(groups) - 0.5, -0.5)
        axes.set_title(f"by {by}", loc="left", fontsize=9)
        figures.light_grid(axes)
    panels[-1, 0].set_xlabel("accuracy, with 95 % interval")
    return figure
