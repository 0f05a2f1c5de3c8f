"""`mien analyze` for photos and folders of photos."""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import track

from mien.apps.cli import exits
from mien.apps.cli.console import complain, notes, print_file, results, say
from mien.apps.cli.kept import kept, stop_if_kept
from mien.apps.cli.written import Written
from mien.errors import ImageError, MienError

if TYPE_CHECKING:
    from mien.inference.analyzer import Analyzer
    from mien.inference.journal import Journal
    from mien.inference.lines import Record
    from mien.inference.marked import MarkedCopies
    from mien.inference.sinks import Results, Row

MOST_ERRORS = 20


def analyze_photos(analyzer: Analyzer, inputs: Sequence[Path], written: Written) -> None:
    """Read photos; write and show what was asked for; exit with the code that says how it went."""
    from mien.inference.sinks import Results

    problems: list[str] = []
    paths = _paths(inputs, problems)
    job = _Job(analyzer, paths, _copies(written.annotated, paths), problems)
    given = {"inputs": tuple(map(str, inputs)), "marked_copies": str(written.annotated or "")}
    settings = analyzer.settings.model_copy(update=given)
    out, form = written.out, written.form
    folder = tempfile.TemporaryDirectory() if out is None else nullcontext(str(out.parent))
    with folder as name:
        file = out or Path(name) / f"readings.{form or 'json'}"
        gathered = Results(file, settings, form, resume=written.resume)
        try:
            found, whole = _gather(job, gathered, out)
        except (MienError, OSError) as error:
            stop_if_kept(out, error)
            raise
        _show(found, analyzer, file, out, form)
    _finish(found, problems, whole)


@dataclass(frozen=True)
class _Job:
    """What is to be read, and where the sentences about what went wrong gather."""

    analyzer: Analyzer
    paths: Sequence[Path]
    copies: MarkedCopies | None
    problems: list[str]


@dataclass
class Found:
    """What is said of the photos in the end; of many, the readings are not held.

    Attributes:
        photos: How many there are.
        errors: What is wrong with those that could not be read.
        rows: How many rows their table has.
        first: Those of them that are shown.
    """

    photos: int = 0
    errors: list[str] = field(default_factory=list)
    rows: int = 0
    first: list[Row] = field(default_factory=list)

    def take(self, records: Iterable[Record], expressions: Sequence[str]) -> None:
        """Go through the records of photos."""
        from mien.apps.cli.tables import MOST_ROWS
        from mien.inference.sinks import rows

        for row in rows(self._noted(records), expressions):
            self.rows += 1
            if len(self.first) < MOST_ROWS:
                self.first.append(row)

    def _noted(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            self.photos += 1
            if record["status"] == "error":
                self.errors.append(record["message"])
            yield record


def _gather(job: _Job, gathered: Results, out: Path | None) -> tuple[Found, bool]:
    """Read the photos and write the results; return what was found, and whether in all of them."""
    found = Found()
    with gathered:
        whole = _read_all(job, gathered.journal)
        if not whole and out:
            _stop_and_keep(gathered.journal)
        found.take(gathered.journal.records(), job.analyzer.labels.expressions)
    return found, whole


def _paths(inputs: Sequence[Path], problems: list[str]) -> list[Path]:
    from mien.inference.folders import find_pictures
    from mien.inference.pictures import SUFFIXES

    others: list[Path] = []
    unreadable: list[ImageError] = []
    paths = list(find_pictures(inputs, unreadable.append, others.append))
    problems.extend(map(str, unreadable))
    say_passed_over(others, "has no photo's suffix")
    _say_videos(inputs, others)
    if not paths:
        names = ", ".join(str(path) for path in inputs)
        sentence = f"{names} holds no photo ({', '.join(SUFFIXES)})."
        raise MienError(" ".join([sentence, *problems]))
    return paths


def say_passed_over(others: Sequence[Path], lacks: str) -> None:
    """Say how many files of folders are not read, by suffix, and what they lack; none, nothing."""
    if others:
        kinds = Counter(path.suffix.lower() or "no suffix" for path in others)
        listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(6))
        say(f"Passed over what {lacks}: {listed}.")


def _say_videos(inputs: Sequence[Path], others: Sequence[Path]) -> None:
    """Say how the videos among other files are read, if there are any."""
    from mien.inference.video.kind import NOTES, is_moving

    videos = [path for path in others if path.suffix.lower() not in NOTES and is_moving(path)]
    if videos:
        are = "1 of them is a video" if len(videos) == 1 else f"{len(videos):,} of them are videos"
        within = [path for path in inputs if any(path in video.parents for video in videos)]
        folders = shlex.join(map(str, within))
        say(f"{are}; an option for videos reads these instead: mien analyze {folders} --every 1")


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
        say(kept(f"{len(journal)} photos are done and", journal.path))
    sys.exit(exits.INTERRUPTED)


def _show(found: Found, analyzer: Analyzer, file: Path, out: Path | None, form: str | None) -> None:
    if out is None and form is not None:
        print_file(file)
        return
    if len(found.errors) < found.photos:
        from mien.apps.cli.tables import readings_table

        results.print(readings_table(found.first, analyzer.labels.expressions, found.rows))
    if out is not None:
        say(f"Wrote {out}")


def _finish(found: Found, problems: Sequence[str], whole: bool) -> None:
    complain([*found.errors, *problems], MOST_ERRORS)
    if not whole:
        say(f"Interrupted after {found.photos} photos: what is above is not all.")
        sys.exit(exits.INTERRUPTED)
    if found.errors or problems:
        unread = len(found.errors) == found.photos
        sys.exit(exits.BAD_INPUT if unread else exits.INCOMPLETE)
