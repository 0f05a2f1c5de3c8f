"""An evaluation as one page, figures as PNG and SVG, and everything in it as JSON."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from mien import figures, pages
from mien.errors import MienError
from mien.evaluation.judged import Judged
from mien.evaluation.origin import READ, as_data, is_read
from mien.evaluation.predictions_file import write_predictions
from mien.evaluation.sections.calibrated import calibrated
from mien.evaluation.sections.classes import classes
from mien.evaluation.sections.gallery import gallery
from mien.evaluation.sections.headline import headline
from mien.evaluation.sections.matrix import matrix
from mien.evaluation.sections.ranked import ranked
from mien.evaluation.sections.raters import raters
from mien.evaluation.sections.section import Make, Section
from mien.evaluation.sections.subgroups import subgroups
from mien.evaluation.sections.trained import trained
from mien.evaluation.sections.uncertain import uncertain
from mien.files import check_folder, read_json, whole_file, write_json
from mien.training.run import Run

PAGE, DATA = "report.html", "report.json"

SECTIONS: tuple[Make, ...] = (
    headline,
    classes,
    matrix,
    ranked,
    raters,
    calibrated,
    uncertain,
    subgroups,
    gallery,
    trained,
)


def write_review(outputs: Sequence[Judged], folder: Path, *, progress: bool = False) -> Path:
    """Write `report.html`, self-contained, `report.json`, `figures/` and `predictions/`.

    Args:
        outputs: The outputs of one model on one dataset, each judged on faces with a truth.
        folder: Where to write; files of an earlier report are replaced.
        progress: Whether to show a bar.

    Returns:
        The page.

    Raises:
        MienError: If the folder is a run's, whose own predictions would be replaced, or holds a
            `report.json` that is no earlier report's.
    """
    earlier = earlier_outputs(folder)
    steps = [(judged, make) for judged in outputs for make in SECTIONS]
    console = Console(stderr=True)
    bodies: list[str] = []
    content: dict[str, Any] = {}
    with figures.style():
        for judged, make in track(steps, "Measuring", console=console, disable=not progress):
            name = judged.faces.labels.name
            if make is SECTIONS[0]:
                bodies.append(_heading(judged))
                content[name] = _about(judged)
            section = make(judged)
            if section is not None:
                bodies.append(_html(section, name, folder))
                content[name][section.name] = section.data
    for judged in outputs:
        name = f"{judged.table.labels.name}.parquet"
        write_predictions(judged.table, folder / "predictions" / name)
    _remove(folder, earlier - set(content))
    write_json(folder / DATA, content)
    return _write_page(outputs, bodies, folder)


def earlier_outputs(folder: Path) -> set[str]:
    """Return the outputs of an earlier report in a folder, before anything long begins.

    Raises:
        MienError: If it is a file, a run's, or holds a `report.json` that is no earlier report's.
    """
    check_folder(folder)
    if Run(folder).recipe_file.exists():
        raise MienError(f"{folder} is a training's run: give another folder with --out.")
    if not (folder / DATA).exists():
        return set()
    content = read_json(folder / DATA)
    if not isinstance(content, dict):
        raise MienError(f"{folder / DATA} is not of an evaluation: give another folder with --out.")
    return set(content)


def _remove(folder: Path, outputs: set[str]) -> None:
    """Remove what an earlier report left of outputs that are not in the new one."""
    for name in outputs:
        (folder / "predictions" / f"{name}.parquet").unlink(missing_ok=True)
        for path in (folder / "figures").glob("*"):
            if path.stem.startswith(f"{name}-"):
                path.unlink()


def _write_page(outputs: Sequence[Judged], bodies: Sequence[str], folder: Path) -> Path:
    faces = outputs[0].faces
    title = f"{faces.model or 'Predictions'} on {faces.dataset or 'faces'}"
    with whole_file(folder / PAGE) as path:
        path.write_text(pages.page(title, [*_contents(outputs), *bodies]), encoding="utf-8")
    return folder / PAGE


def _contents(outputs: Sequence[Judged]) -> Iterator[str]:
    if len(outputs) > 1:
        names = [judged.faces.labels.name for judged in outputs]
        links = ", ".join(f'<a href="#{html.escape(n)}">{html.escape(n)}</a>' for n in names)
        yield f"<p>Outputs: {links}</p>\n"


def _heading(judged: Judged) -> str:
    name = judged.faces.labels.name
    read = f", {READ}" if is_read([judged.table.origin]) else ""
    about = (
        f"{len(judged.faces):,} faces of {judged.faces.dataset or 'the table'}, split"
        f" {judged.split}; {len(judged.faces.labels)} classes:"
        f" {', '.join(judged.faces.labels.expressions)}."
    )
    return (
        f'<h1 id="{html.escape(name)}" class="output">Output {html.escape(name)}{read}</h1>\n'
        + pages.paragraph(about)
    )


def _about(judged: Judged) -> dict[str, Any]:
    faces = judged.faces
    return {
        "model": faces.model,
        "dataset": faces.dataset,
        "split": judged.split,
        "faces": len(faces),
        "unjudged": dict(judged.unjudged),
        "unpredicted": judged.unpredicted,
        "trained_on": {"of": len(faces) + judged.learnt, "left_out": judged.learnt},
        "expressions": list(faces.labels.expressions),
        "temperature": faces.temperature,
        **as_data(faces.origin),
    }


def _html(section: Section, output: str, folder: Path) -> str:
    path = folder / "figures"
    pictures = (
        figures.on_page(drawing.figure, path / f"{output}-{drawing.name}", drawing.alt)
        for drawing in section.drawings
    )
    return pages.section(section.title, *section.before, *pictures, *section.after)
