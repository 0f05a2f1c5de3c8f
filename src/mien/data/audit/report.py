"""The audit as a page to look at and a table to work with."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from mien import pages
from mien.data.audit import Finding, Result
from mien.data.dataset import FaceDataset
from mien.data.explore.statistics import counts_table
from mien.data.tables import csv_rows
from mien.errors import DataError
from mien.files import whole_file

PAGE, TABLE = "audit.html", "findings.csv"

COLUMNS = ("check", "id", "group", "split", "expression", "source", "value", "drop", "note")

MOST_GROUPS = 60
"""Groups of a check that the page shows; the table has all."""

MOST_IN_GROUP = 8


def write_report(dataset: FaceDataset, results: Sequence[Result], folder: Path) -> None:
    """Write `audit.html`, self-contained, and `findings.csv` into a folder."""
    with whole_file(folder / PAGE) as path:
        path.write_text(audit_page(dataset, results), encoding="utf-8")
    with whole_file(folder / TABLE) as path, path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_row(dataset, finding) for r in results for finding in r.findings)


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


def audit_page(dataset: FaceDataset, results: Sequence[Result]) -> str:
    """Return the report as one HTML document."""
    return pages.page(
        f"Audit of {dataset.name}", [_overview(dataset), *(_section(dataset, r) for r in results)]
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


def _section(dataset: FaceDataset, result: Result) -> str:
    shown = list(_groups(result.findings))[:MOST_GROUPS]
    faces = [[_face(dataset, finding) for finding in group[:MOST_IN_GROUP]] for group in shown]
    return pages.section(
        result.title,
        pages.paragraph(result.explanation),
        pages.table(["", "count"], list(result.counts.items())),
        pages.paragraph(
            f"The first {len(shown)} of what was found; {TABLE} has all {len(result.findings):,}"
            f" findings. To leave out those marked there: mien data clean --drop {result.check}",
            note=True,
        )
        if shown
        else pages.paragraph("Nothing was found.", note=True),
        pages.faces(faces) if shown else "",
    )


def _groups(findings: Iterable[Finding]) -> Iterable[list[Finding]]:
    """Give findings group by group; those without a group one by one."""
    numbered = enumerate(findings)
    keyed = groupby(numbered, key=lambda item: (item[1].group, item[0] * (item[1].group < 0)))
    return ([finding for _, finding in group] for _, group in keyed)


def _face(dataset: FaceDataset, finding: Finding) -> pages.Face:
    face = dataset[finding.index]
    caption = " · ".join(part for part in (face.expression, face.split, finding.note) if part)
    return pages.Face(face.image, f"{face.id}: {caption}")


def _row(dataset: FaceDataset, finding: Finding) -> list[str]:
    face = dataset[finding.index]
    return [
        finding.check,
        face.id,
        str(finding.group) if finding.group >= 0 else "",
        face.split,
        face.expression,
        face.source,
        f"{finding.value:.4g}",
        "yes" if finding.drop else "no",
        finding.note,
    ]
