"""`mien demo`: the main job on a public domain portrait."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.apps.cli.console import results, say
from mien.errors import MienError
from mien.files import whole_file

if TYPE_CHECKING:
    from mien.inference.face import Reading
    from mien.preprocess import Image

PORTRAIT = "grace_hopper.jpg"
"""Rear Admiral Grace Hopper, photographed for the US Navy: public domain, in matplotlib's wheel."""


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for what the demo makes.")] = Path(
        "demo"
    ),
) -> None:
    """Read a public domain portrait, and leave a marked photo, a plot, JSON and CSV."""
    from mien.apps.cli.tables import readings_table
    from mien.inference.analyzer import Analyzer
    from mien.inference.journal import picture_record
    from mien.inference.pictures import read_picture
    from mien.inference.sinks import SINKS, rows

    say("Finding the face in a portrait of Grace Hopper and reading its expression …")
    photo = _portrait(out)
    analyzer = Analyzer()
    picture = read_picture(photo)
    readings = analyzer.read(picture, str(photo))
    height, width = picture.shape[:2]
    records = [picture_record(photo, (width, height), readings)]
    expressions = analyzer.labels.expressions
    for form in ("csv", "json"):
        with whole_file(out / f"readings.{form}") as path:
            SINKS[form](records, expressions, path)
    _draw(out, picture, readings)
    results.print(readings_table(list(rows(records, expressions)), expressions))
    _where_to_look(out)


def _portrait(out: Path) -> Path:
    import matplotlib

    sample = Path(matplotlib.get_data_path()) / "sample_data" / PORTRAIT
    if not sample.is_file():
        raise MienError(f"matplotlib's sample data lack {PORTRAIT}: wanted it at {sample}.")
    out.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(sample, out / PORTRAIT))


def _draw(out: Path, picture: Image, readings: Sequence[Reading]) -> None:
    from mien.inference.marked import write_marked
    from mien.inference.plots import probability_plot

    write_marked(picture, readings, out / "annotated.png")
    with whole_file(out / "probabilities.png") as path:
        probability_plot(picture, readings, path)


def _where_to_look(out: Path) -> None:
    say(f"Look at {out}/annotated.png and {out}/probabilities.png")
    say(f"The same as data: {out}/readings.csv and {out}/readings.json")
    say(f"Next, a photo of yours: mien analyze photo.jpg   (or {out}/{PORTRAIT})")
