"""The audit as a page to look at and a table to work with."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from mien import pages
from mien.data.audit import Finding, Result, Table
from mien.data.audit.image_hash import COLUMN as HASH
from mien.data.audit.image_hash import image_hash
from mien.data.dataset import FaceDataset
from mien.data.explore.statistics import counts_table
from mien.data.sample import Sample
from mien.data.tables import csv_rows
from mien.errors import DataError
from mien.files import whole_file

PAGE, TABLE = "audit.html", "findings.csv"

COLUMNS = ("check", "id", "group", "split", "expression", "source", "value", "drop", "note")
"""The table's columns; `HASH` comes last, and not in what earlier versions wrote."""

NO_FACE = ("", "", "", "", "")
"""What stands for the face in the row of a file that could not be read."""

MOST_GROUPS = 60
"""Groups of a check that the page shows; the table has all."""

MOST_IN_GROUP = 8


def write_report(dataset: FaceDataset, results: Sequence[Result], folder: Path) -> None:
    """Write `findings.csv` and then `audit.html`, self-contained, into a folder."""
    with whole_file(folder / TABLE) as path, path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow((*COLUMNS, HASH))
        writer.writerows(_row(dataset, finding) for r in results for finding in r.findings)
    with whole_file(folder / PAGE) as path:
        path.write_text(audit_page(dataset, results, _digest(folder / TABLE)), encoding="utf-8")


def check_unedited(folder: Path) -> None:
    """Check that a person's work on an earlier report's findings is not lost by another.

    Raises:
        DataError: If the page beside the findings does not say that they are as it left them.
    """
    page, table = folder / PAGE, folder / TABLE
    if not table.exists():
        return
    if not page.exists() or _digest(table) not in page.read_text(encoding="utf-8"):
        raise DataError(
            f"{table} may have been edited, as it is not what {page.name} beside it was written"
            " with, and would be replaced: name another --out, or move it away."
        )


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def read_findings(path: Path) -> list[dict[str, str]]:
    """Read a `findings.csv`, also one that a person has edited.

    Raises:
        DataError: If it cannot be read or lacks a column.
    """
    with csv_rows(path) as reader:
        missing = [c for c in COLUMNS if c not in (reader.fieldnames or ())]
        if missing:
            raise DataError(f"{path}: wanted an audit's findings, found no {missing[0]!r}.")
        return list(reader)


def audit_page(dataset: FaceDataset, results: Sequence[Result], digest: str) -> str:
    """Return the report as one HTML document.

    Args:
        dataset: What was looked at.
        results: What was found.
        digest: SHA-256 of the table of findings.
    """
    written = pages.paragraph(f"{TABLE} as the audit wrote it: SHA-256 {digest}", note=True)
    sections = (_section(dataset, result) for result in results)
    return pages.page(
        f"Audit of {dataset.name}", [_overview(dataset), _summary(results), written, *sections]
    )


def _overview(dataset: FaceDataset) -> str:
    header, rows = counts_table(dataset)
    height, width = dataset.images.shape[1:]
    return pages.section(
        "The dataset",
        pages.paragraph(f"{len(dataset):,} faces of {width}x{height} pixels."),
        pages.table(header, rows),
        *(pages.paragraph(step, note=True) for step in dataset.history),
        pages.paragraph(f"Fingerprint {dataset.fingerprint}", note=True),
    )


def _summary(results: Sequence[Result]) -> str:
    rows = [
        (
            result.title,
            result.check,
            f"did not run: {result.missing}" if result.missing else len(result.findings),
            "" if result.missing else result.marked,
        )
        for result in results
    ]
    header = ["", "check", "findings", "faces marked for dropping"]
    return pages.section("What was found", pages.table(header, rows))


def _section(dataset: FaceDataset, result: Result) -> str:
    about = pages.paragraph(result.explanation)
    if result.missing:
        return pages.section(result.title, _not_run(result), about)
    tables = (_table(table) for table in result.tables)
    counts = pages.table(["", "count"], list(result.counts.items()))
    return pages.section(result.title, about, counts, *tables, *_found(dataset, result))


def _not_run(result: Result) -> str:
    return pages.paragraph(f"This check did not run. {result.missing}")


def _table(table: Table) -> str:
    return pages.paragraph(f"{table.title}:") + pages.table(table.header, table.rows)


def _found(dataset: FaceDataset, result: Result) -> Iterator[str]:
    """Give a line about the findings and the first of them as pictures."""
    if not result.findings:
        yield pages.paragraph("Nothing was found.", note=True)
        return
    shown = _pictured(dataset, result.findings)
    once = ", identical images once" if result.findings[0].group < 0 else ""
    leave_out = f" (mien data clean --drop {result.check})" if result.marked else ""
    yield pages.paragraph(
        f"{TABLE} has all {len(result.findings):,} findings; {result.marked:,} faces are"
        f" marked for dropping{leave_out}. The first {len(shown)} are shown{once}.",
        note=True,
    )
    yield pages.faces(shown)


def _pictured(dataset: FaceDataset, findings: Iterable[Finding]) -> list[list[pages.Face]]:
    """Return the first groups; of findings that stand alone, no two that look the same."""
    shown: list[list[pages.Face]] = []
    seen: set[bytes] = set()
    for group in _groups(finding for finding in findings if finding.index is not None):
        faces = _faces(dataset, group[:MOST_IN_GROUP])
        look = faces[0].image.tobytes()
        if group[0].group >= 0 or look not in seen:
            shown.append(faces)
        seen.add(look)
        if len(shown) == MOST_GROUPS:
            break
    return shown


def _groups(findings: Iterable[Finding]) -> Iterable[list[Finding]]:
    """Give findings group by group; those without a group one by one."""
    numbered = enumerate(findings)
    keyed = groupby(numbered, key=lambda item: (item[1].group, item[0] * (item[1].group < 0)))
    return ([finding for _, finding in group] for _, group in keyed)


def _faces(dataset: FaceDataset, findings: Iterable[Finding]) -> list[pages.Face]:
    return [_face(dataset[f.index], f.note) for f in findings if f.index is not None]


def _face(face: Sample, note: str) -> pages.Face:
    caption = " · ".join(part for part in (face.expression, face.split, note) if part)
    return pages.Face(face.image, f"{face.id}: {caption}")


def _row(dataset: FaceDataset, finding: Finding) -> list[str]:
    face = None if finding.index is None else dataset[finding.index]
    group = str(finding.group) if finding.group >= 0 else ""
    about = (face.id, group, face.split, face.expression, face.source) if face else NO_FACE
    drop = "yes" if finding.drop else "no"
    image = image_hash(face.image) if face else ""
    return [finding.check, *about, f"{finding.value:.4g}", drop, finding.note, image]
