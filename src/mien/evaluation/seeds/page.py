"""A recipe's seeds as a page, a figure, a table and JSON."""

from __future__ import annotations

import csv
import html
from collections.abc import Iterator
from pathlib import Path

from mien import figures, pages
from mien.evaluation.bootstrap import CALIBRATION_NOTE
from mien.evaluation.metrics import METRICS
from mien.evaluation.sections.headline import NAMES
from mien.evaluation.seeds.figures import ALL, VAL_ACCURACY, HeadOverSeeds, OverSeeds
from mien.evaluation.seeds.picture import draw_seeds
from mien.evaluation.seeds.run import SeedsDone
from mien.evaluation.written import UNDEFINED, number
from mien.files import whole_file, write_json

PAGE, DATA, TABLE = "seeds.html", "seeds.json", "seeds.csv"

HEADER = ("figure", "mean", "deviation", "95 % over seeds", "95 % with faces")
"""Columns of `figure_rows`, behind the name."""

LONG = {VAL_ACCURACY: "accuracy on val", **NAMES}

ABOUT = (
    "Mean and standard deviation are of the seeds, with k - 1 degrees of freedom; their interval is"
    " Student's. Few seeds tell little of their own spread, which makes it wide."
)

SAME_FACES = (
    "All seeds judge the same faces: over seeds an interval has the chance of training and not that"
    " of the faces. With faces it has both: Student's and the seeds' mean bootstrap interval (over"
    " people where they are known, else over faces), added in squares. Quote that one where the"
    " figure is to hold for other faces like these."
)

OTHER_FACES = (
    "Each seed judges other faces: over seeds an interval has the chance of training, of the"
    " division and of the faces. With faces it is the wider of that and the seeds' mean bootstrap"
    " interval (over people where they are known, else over faces). The same pictures are divided"
    " each time, so that the seeds are not independent."
)

ON_VAL = (
    "These figures are of val, for there are no test faces whose truth is known: each epoch was"
    " selected by them, so they are too good."
)

VAL_NOTE = (
    "Accuracy on val is that of the selected epoch in training, without calibration; it is too good"
    " where it selected."
)

BEGINS_ALIKE = (
    "Each training begins with, or learns from, the same finished network. The chance of that one's"
    " own training is in no interval here; and if it has seen faces that are judged here, the"
    " figures are too good."
)


def write_seeds(done: SeedsDone) -> Path:
    """Write `seeds.html`, self-contained, `seeds.json`, `seeds.csv`, figures; return the page."""
    with figures.style():
        sections = [*_before(done), *(_section(head, done) for head in done.heads)]
    write_json(done.folder / DATA, done.as_dict())
    _write_table(done)
    title = f"{done.plan.recipe.name}: {len(done.plan.numbers)} seeds"
    with whole_file(done.folder / PAGE) as temporary:
        temporary.write_text(pages.page(title, sections), encoding="utf-8")
    return done.folder / PAGE


def figure_rows(head: HeadOverSeeds, subset: str = ALL) -> dict[str, tuple[str, str, str, str]]:
    """Return mean, deviation and both intervals as text, by metric."""
    return {
        metric: (
            f"{over.mean:.4f}",
            f"{over.deviation:.4f}",
            f"{over.low:.3f} to {over.high:.3f}",
            _with_faces(over),
        )
        for metric, over in head.measured(subset).items()
    }


def left_out(done: SeedsDone) -> str:
    """Return a sentence about the runs in the folder that are not among the seeds; "" if none."""
    if not done.left_out:
        return ""
    seeds = ", ".join(map(str, done.left_out))
    return (
        f"{done.folder.name} holds runs of other seeds, too, which are not counted here: {seeds}."
        " Seeds that were chosen by their figures are no fair sample."
    )


def _with_faces(over: OverSeeds) -> str:
    wide = over.with_faces
    return "–" if wide is None else f"{wide.low:.3f} to {wide.high:.3f}"


def _before(done: SeedsDone) -> Iterator[str]:
    seeds = ", ".join(map(str, done.plan.numbers))
    yield pages.paragraph(f"Trained on {done.plan.recipe.data.dataset} with seeds {seeds}.")
    yield pages.paragraph(done.plan.how)
    warnings = [left_out(done), BEGINS_ALIKE if done.begins_alike else "", _precisions(done)]
    for warning in filter(None, warnings):
        yield f"<p><strong>{html.escape(warning)}</strong></p>\n"


def _precisions(done: SeedsDone) -> str:
    found = {seed.seed: seed.precision for seed in done.heads[0].seeds}
    if len(set(found.values())) < 2:
        return ""
    of = ", ".join(f"seed {seed} in {precision}" for seed, precision in found.items())
    return f"The seeds were computed in different precision, which moves figures, too: {of}."


def _section(head: HeadOverSeeds, done: SeedsDone) -> str:
    path = done.folder / "figures" / f"seeds-{head.name}"
    alt = f"Figures of each seed of {head.name}, their mean and its intervals"
    subsets = [_subset(head, subset) for subset in head.subsets()[1:]]
    return pages.section(
        f"Output {head.name}, {head.split}",
        _table(head),
        figures.on_page(draw_seeds(head), path, alt),
        *(pages.paragraph(note, note=True) for note in _notes(head)),
        *subsets,
        pages.paragraph(f"Each seed, on all of its faces of {head.split}:"),
        pages.table(*seed_table(head)),
        _reports(head, done),
    )


def _subset(head: HeadOverSeeds, subset: str) -> str:
    text = f"The same {subset} faces, which have a pixel-identical twin in another split:"
    return pages.paragraph(text) + _table(head, subset)


def _table(head: HeadOverSeeds, subset: str = ALL) -> str:
    rows = figure_rows(head, subset)
    return pages.table(HEADER, [(LONG[metric], *cells) for metric, cells in rows.items()])


def _notes(head: HeadOverSeeds) -> Iterator[str]:
    yield f"{ABOUT} {SAME_FACES if head.same_faces() else OTHER_FACES} {CALIBRATION_NOTE}"
    yield ON_VAL if head.split == "val" else VAL_NOTE


def seed_table(head: HeadOverSeeds) -> tuple[list[str], list[list[str | int]]]:
    """Return header and rows of a table of the seeds."""
    header = ["seed", "epoch", "temperature", "accuracy on val", "faces", *METRICS]
    rows: list[list[str | int]] = [
        [
            str(seed.seed),
            seed.epoch,
            f"{seed.head.temperature:.2f}",
            _cell(seed.val_accuracy),
            seed.images,
            *(_cell(seed.value(metric)) for metric in METRICS),
        ]
        for seed in head.seeds
    ]
    return [name.replace("_", " ") for name in header], rows


def _cell(value: float | None) -> str:
    return UNDEFINED if value is None else number(value, 4)


def _reports(head: HeadOverSeeds, done: SeedsDone) -> str:
    places = {s.seed: done.report(s.seed).relative_to(done.folder).as_posix() for s in head.seeds}
    links = (f'<a href="{place}">seed {seed}</a>' for seed, place in places.items())
    return f"<p>Reports: {', '.join(links)}; all of it as a table in {TABLE}.</p>\n"


def _write_table(done: SeedsDone) -> None:
    rows = [seed.row() for head in done.heads for seed in head.seeds]
    path = done.folder / TABLE
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
