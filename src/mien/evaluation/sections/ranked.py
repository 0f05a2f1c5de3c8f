"""ROC and precision-recall curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mien import figures, pages
from mien.evaluation.judged import Judged
from mien.evaluation.ranking import Curve, Kind, curves, macro, micro
from mien.evaluation.sections.section import Drawing, Section
from mien.evaluation.written import UNDEFINED, number
from mien.inference.render import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AXES: dict[Kind, tuple[str, str, str]] = {
    "roc": ("ROC", "false positive rate", "true positive rate"),
    "precision-recall": ("Precision and recall", "recall", "precision"),
}

AREAS: dict[Kind, str] = {"roc": "AUC", "precision-recall": "AP"}


def ranked(judged: Judged) -> Section:
    """Return the section of the curves; of one class only they are undefined."""
    faces, names = judged.faces, judged.faces.labels.expressions
    found = {kind: _found(judged, kind) for kind in AXES}
    if not found["roc"]:
        text = "Curves and their areas are undefined: all faces are of one class."
        return Section("curves", "Curves", (pages.paragraph(text),))
    figure = figures.new_figure(11, 4.8)
    left, right = figure.subplots(1, 2)
    for axes, kind in zip((left, right), AXES):
        _draw(axes, kind, found[kind])
    right.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    wanted = [*names, "macro", "micro"]
    rows = [
        [name, *(number(found[k][name].area) if name in found[k] else UNDEFINED for k in AXES)]
        for name in wanted
    ]
    note = (
        "One class against the rest. Macro is the mean over classes; micro takes all answers"
        " “is it this class?” together, so frequent classes count more."
    )
    return Section(
        name="curves",
        title="Curves",
        drawings=(Drawing("curves", "ROC and precision-recall curves of each class", figure),),
        after=(pages.table(("class", *AREAS.values()), rows), pages.paragraph(note, note=True)),
        data={
            AREAS[kind]: {
                name: found[kind][name].area if name in found[kind] else None for name in wanted
            }
            for kind in AXES
        }
        | {"faces": len(faces)},
    )


def _found(judged: Judged, kind: Kind) -> dict[str, Curve]:
    truth, shares = judged.faces.truth, judged.faces.probabilities
    single = curves(truth, shares, kind)
    mean = macro(single)
    if mean is None:
        return {}
    names = judged.faces.labels.expressions
    named = {names[c]: curve for c, curve in single.items()}
    return {**named, "macro": mean, "micro": micro(truth, shares, kind)}


def _draw(axes: Axes, kind: Kind, found: dict[str, Curve]) -> None:
    title, x, y = AXES[kind]
    styles = {"macro": (figures.INK, "--"), "micro": (figures.INK, ":")}
    for name, curve in found.items():
        colour, line = styles.get(name, (COLOURS.get(name), "-"))
        style = "steps-pre" if curve.stepped else "default"
        axes.plot(curve.x, curve.y, line, color=colour, linewidth=1.6, label=name, drawstyle=style)
    if kind == "roc":
        axes.plot([0, 1], [0, 1], color=figures.GREY, linewidth=0.8)
    axes.set(title=title, xlabel=x, ylabel=y, xlim=(0, 1), ylim=(0, 1.01))
    figures.light_grid(axes)
