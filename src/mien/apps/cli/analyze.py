"""`mien analyze`: from pictures to readings."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import track

from mien.apps.cli import exits
from mien.apps.cli.console import complain, notes, results, say
from mien.apps.cli.options import Detector, DetectorWeights, Labels, Model
from mien.errors import ImageError, MienError

if TYPE_CHECKING:
    from mien.inference.analyzer import Analyzer
    from mien.inference.journal import Journal, Record
    from mien.inference.marked import MarkedCopies

MOST_ERRORS = 20


class Format(str, Enum):
    """The formats of a results file."""

    json = "json"
    csv = "csv"
    parquet = "parquet"


def analyze(
    inputs: Annotated[list[Path], typer.Argument(help="Photos, and folders of photos.")],
    model: Model = "mien-base",
    detector: Detector = "haar",
    detector_weights: DetectorWeights = None,
    labels: Labels = None,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="Without --out: print json or csv instead of a table."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write all results to this .csv, .json or .parquet file."),
    ] = None,
    annotated: Annotated[
        Path | None,
        typer.Option("--annotated", help="Write a marked copy of each photo into this folder."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an interrupted run that had the same --out.")
    ] = False,
) -> None:
    """Read the expression of every face in photos and folders of photos.

    Prints a table, or writes one row per face; photos without a face, and files that cannot be
    read, have a row that says so. Exit code: 0 all read, 1 some files could not be read, 2 nothing
    could be done.
    """
    from mien.inference.sinks import Results, partial_path

    _check(out, form, resume)
    if resume and out and out.exists() and not partial_path(out).exists():
        say(f"{out} is whole: there is nothing to resume.")
        return
    from mien.inference.analyzer import Analyzer

    analyzer = Analyzer(model, detector, labels, detector_weights)
    problems: list[str] = []
    paths = _paths(inputs, problems)
    job = _Job(analyzer, paths, _copies(annotated, paths), problems)
    given = {"inputs": tuple(map(str, inputs)), "marked_copies": str(annotated or "")}
    settings = analyzer.settings.model_copy(update=given)
    folder = tempfile.TemporaryDirectory() if out is None else nullcontext(str(out.parent))
    with folder as name:
        file = out or Path(name) / f"readings.{(form or Format.json).value}"
        with Results(file, settings, form and form.value, resume=resume) as gathered:
            whole = _read_all(job, gathered.journal)
            if not whole and out:
                _stop_and_keep(gathered.journal)
            records = list(gathered.journal.records())
        _show(records, analyzer, file, out, form)
    _finish(records, problems, whole)


@dataclass(frozen=True)
class _Job:
    """What is to be read, and where the sentences about what went wrong gather."""

    analyzer: Analyzer
    paths: Sequence[Path]
    copies: MarkedCopies | None
    problems: list[str]


def _check(out: Path | None, form: Format | None, resume: bool) -> None:
    if out is None and form is Format.parquet:
        raise MienError("Parquet is not for the terminal: name a file with --out.")
    if out is None and resume:
        raise MienError("--resume needs the --out of the run that was interrupted.")


def _paths(inputs: Sequence[Path], problems: list[str]) -> list[Path]:
    from mien.inference.folders import find_pictures
    from mien.inference.pictures import SUFFIXES

    others: list[Path] = []
    unreadable: list[ImageError] = []
    paths = list(find_pictures(inputs, unreadable.append, others.append))
    problems.extend(map(str, unreadable))
    _say_passed_over(others)
    if not paths:
        names = ", ".join(str(path) for path in inputs)
        suffixes = ", ".join(SUFFIXES)
        raise MienError(" ".join([f"{names} holds no photo ({suffixes}).", *problems]))
    return paths


def _say_passed_over(others: Sequence[Path]) -> None:
    if others:
        kinds = Counter(path.suffix.lower() or "no suffix" for path in others)
        listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(6))
        say(f"Passed over what has no photo's suffix: {listed}.")


def _copies(folder: Path | None, paths: Sequence[Path]) -> MarkedCopies | None:
    if folder is None:
        return None
    from mien.inference.marked import MarkedCopies

    return MarkedCopies(folder, paths)


def _read_all(job: _Job, journal: Journal) -> bool:
    """Read what the journal does not hold yet; return False if the user interrupts."""
    missing = [path for path in job.paths if path not in journal]
    try:
        for path in _bar(missing):
            _read(job, path, journal)
    except KeyboardInterrupt:
        return False
    return True


def _read(job: _Job, path: Path, journal: Journal) -> None:
    from mien.inference.pictures import read_picture

    try:
        picture = read_picture(path)
        readings = job.analyzer.read(picture, str(path))
    except MienError as error:
        journal.add_error(path, str(error))
        return
    if job.copies:
        try:
            job.copies.write(path, picture, readings)
        except MienError as error:
            job.problems.append(str(error))
    height, width = picture.shape[:2]
    journal.add(path, (width, height), readings)


def _bar(paths: Sequence[Path]) -> Iterable[Path]:
    return track(paths, "Reading photos", console=notes, transient=True, disable=len(paths) < 2)


def _stop_and_keep(journal: Journal) -> None:
    say("Interrupted.")
    if len(journal):
        say(
            f"{len(journal)} photos are done and kept in {journal.path}."
            " The same command with --resume continues."
        )
    sys.exit(exits.INTERRUPTED)


def _show(
    records: Sequence[Record],
    analyzer: Analyzer,
    file: Path,
    out: Path | None,
    form: Format | None,
) -> None:
    from mien.apps.cli.tables import readings_table
    from mien.inference.sinks import rows

    if out is None and form is not None:
        sys.stdout.write(file.read_text(encoding="utf-8"))
        return
    expressions = analyzer.labels.expressions
    if any(record["status"] != "error" for record in records):
        results.print(readings_table(list(rows(records, expressions)), expressions))
    if out is not None:
        say(f"Wrote {out}")


def _finish(records: Sequence[Record], problems: Sequence[str], whole: bool) -> None:
    errors = [record["message"] for record in records if record["status"] == "error"]
    complain([*errors, *problems], MOST_ERRORS)
    if not whole:
        say(f"Interrupted after {len(records)} photos: what is above is not all.")
        sys.exit(exits.INTERRUPTED)
    if errors or problems:
        sys.exit(exits.BAD_INPUT if len(errors) == len(records) else exits.INCOMPLETE)
