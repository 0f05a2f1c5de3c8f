"""Comparisons as a page, a figure and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien import figures, pages
from mien.evaluation.bootstrap import CALIBRATION_NOTE
from mien.evaluation.comparison import PAIRED, Compared, Comparison
from mien.evaluation.origin import READ, as_data, is_read, learnt, remarks
from mien.evaluation.sections.headline import HEADLINE, NAMES
from mien.evaluation.written import known, p_value, within
from mien.files import whole_file, write_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE, DATA = "compare.html", "compare.json"

SHOWN = ("accuracy", "balanced_accuracy", "macro_f1", "nll", "ece")

ABOUT = (
    "Differences are to the first model, with paired 95 % bootstrap intervals: chance alone makes"
    " one in twenty that leaves 0 out, so among many models, figures and datasets some will; where"
    " few faces decide, believe McNemar's p, which is exact. It is of the faces on which only one"
    " of the two is right, and takes faces, also those of one subject, for independent. Neither"
    " contains the spread between trainings of the same recipe."
)


def write_comparisons(found: Sequence[Comparison], folder: Path) -> Path:
    """Write `compare.html`, self-contained, `compare.json` and figures; return the page."""
    sections: list[str] = []
    with figures.style():
        if len({(c.dataset, c.labels.name) for c in found}) > 1:
            sections.append(_matrix(found))
        for number, comparison in enumerate(found):
            path = folder / "figures" / f"compare-{number + 1}"
            alt = "Accuracy of each model with its interval"
            sections.append(_section(comparison, figures.on_page(_drawn(comparison), path, alt)))
    write_json(folder / DATA, [_data(comparison) for comparison in found])
    with whole_file(folder / PAGE) as temporary:
        temporary.write_text(pages.page("Models compared", sections), encoding="utf-8")
    return folder / PAGE


def title(comparison: Comparison) -> str:
    """Return what was compared on what, as a heading."""
    read = f" ({READ})" if is_read([model.origin for model in comparison.models]) else ""
    return (
        f"{comparison.dataset or 'faces'}, {comparison.labels.name}{read}: {comparison.faces:,}"
        f" faces of {comparison.split}"
    )


def notes(comparison: Comparison) -> list[str]:
    """Return what is to be known of the faces and of the models, a sentence each."""
    left_out = [learnt(name, n, comparison.found) for name, n in comparison.learnt.items()]
    models = [(model.model, model.origin) for model in comparison.models]
    told = [*left_out, *remarks(models, comparison.dataset)]
    return [*told, unshared(comparison)] if comparison.unshared else told


def difference_cells(model: Compared) -> list[str]:
    """Return differences and McNemar's p of a model as text; empty for the first."""
    if model.test is None:
        return ["", "", ""]
    cells = [_signed(model, metric) for metric in PAIRED]
    p = p_value(model.test.p)
    return [*cells, f"{p} ({model.test.first_only:,} : {model.test.second_only:,})"]


DIFFERENCE_HEADER = ("accuracy, difference", "macro F1, difference", "McNemar's p")


def _signed(model: Compared, metric: str) -> str:
    found = model.differences[metric]
    between = f" [{found.low:+.3f}, {found.high:+.3f}]" if known(found.low) is not None else ""
    return f"{found.value:+.3f}{between}"


def _section(comparison: Comparison, picture: str) -> str:
    figures, differences = _tables(comparison.models)
    return pages.section(
        title(comparison),
        figures,
        picture,
        differences,
        *_without_leaked(comparison),
        pages.paragraph(f"{_drawn_over(comparison)} {CALIBRATION_NOTE}", note=True),
        *(pages.paragraph(note, note=True) for note in notes(comparison)),
        pages.paragraph(ABOUT, note=True) if differences else "",
    )


def _tables(models: Sequence[Compared]) -> tuple[str, str]:
    """Return the tables of figures and of differences; the latter is empty for a single model."""
    rows = [[m.model, *(within(*m.figures[name]) for name in SHOWN)] for m in models]
    differences = [[m.model, *difference_cells(m)] for m in models[1:]]
    return (
        pages.table(("model", *(NAMES[name] for name in SHOWN)), rows),
        pages.table(("model", *DIFFERENCE_HEADER), differences) if differences else "",
    )


def _without_leaked(comparison: Comparison) -> list[str]:
    if not comparison.unleaked:
        return []
    text = (
        f"The same without the {comparison.leaked:,} faces that have a pixel-identical twin in"
        " another split, from which a model may know them:"
    )
    return [pages.paragraph(text), *_tables(comparison.unleaked)]


def unshared(comparison: Comparison) -> str:
    """Return a sentence about the faces that not all models predict."""
    return (
        f"{comparison.unshared:,} more faces of {comparison.split} are left out, as not all of the"
        " models predict them: figures on what the others could be compared on may be other ones."
    )


def _drawn_over(comparison: Comparison) -> str:
    of = "subjects, each with all of its faces" if comparison.people else "faces"
    return f"In brackets: 95 % bootstrap intervals over {of}."


def _matrix(found: Sequence[Comparison]) -> str:
    names = list(dict.fromkeys(m.model for c in found for m in c.models))
    header = ["model", *(f"{c.dataset}, {c.labels.name}" for c in found)]
    rows = [[name, *(_accuracy(comparison, name) for comparison in found)] for name in names]
    note = "Accuracy with its 95 % interval, of faces that show one of the compared expressions."
    return pages.section(
        "Across datasets", pages.table(header, rows), pages.paragraph(note, note=True)
    )


def _accuracy(comparison: Comparison, model: str) -> str:
    for compared in comparison.models:
        if compared.model == model:
            return within(*compared.figures["accuracy"])
    return "–"


def _drawn(comparison: Comparison) -> Figure:
    models = comparison.models
    figure = figures.new_figure(6.6, 1.2 + 0.4 * len(models))
    axes = figure.subplots()
    for place, model in enumerate(models):
        value, low, high = model.figures["accuracy"]
        figures.interval_mark(axes, place, value, low, high)
        figures.value_above(axes, place, value, digits=3)
    axes.set_yticks(range(len(models)), [model.model for model in models])
    axes.set_ylim(len(models) - 0.4, -0.6)
    axes.set_xlabel(f"accuracy on {comparison.dataset}, {comparison.labels.name}; 95 % interval")
    figures.light_grid(axes)
    return figure


def _data(comparison: Comparison) -> dict[str, Any]:
    return {
        "dataset": comparison.dataset,
        "labels": comparison.labels.name,
        "expressions": list(comparison.labels.expressions),
        "split": comparison.split,
        "faces": comparison.faces,
        "leaked": comparison.leaked,
        "unshared": comparison.unshared,
        "trained_on": {"of": comparison.found, "left_out": dict(comparison.learnt)},
        "intervals_over": "subjects" if comparison.people else "faces",
        "models": [_model(model) for model in comparison.models],
        "without_leaked": [_model(model) for model in comparison.unleaked],
    }


def _model(model: Compared) -> dict[str, Any]:
    bounds = ("value", "low", "high")
    return {
        "model": model.model,
        **as_data(model.origin),
        "figures": {m: dict(zip(bounds, map(known, model.figures[m]))) for m in HEADLINE},
        "differences": {
            name: {"value": d.value, "low": known(d.low), "high": known(d.high)}
            for name, d in model.differences.items()
        },
        "mcnemar": None
        if model.test is None
        else {
            "first_only": model.test.first_only,
            "second_only": model.test.second_only,
            "p": model.test.p,
        },
    }
