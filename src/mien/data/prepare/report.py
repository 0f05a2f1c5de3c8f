"""The preparation as a page to look at and a table to work with."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from mien import pages
from mien.data.pictures import Entry
from mien.data.prepare.outcome import Outcome
from mien.data.prepare.run import RawDataset
from mien.data.prepare.settings import Preparation
from mien.data.tree import read_grey
from mien.errors import DataError
from mien.files import whole_file
from mien.inference.journal import printable
from mien.preprocess import Image

PAGE, TABLE = "prepare.html", "pictures.csv"

COLUMNS = (
    *("id", "label", "subject", "split", "status", "faces", "x", "y", "width", "height"),
    *("rotation", "frame_top", "frame_right", "frame_bottom", "frame_left", "note"),
)

MOST_PICTURES = 60
"""Pictures without a face, and pictures with several, that the page shows; the table has all."""

MOST_UNREADABLE = 200

FACES = 9
"""Prepared faces that the page shows of each class."""

THUMBNAIL = 99
"""Side in pixels of a small picture, as large as the page shows it."""

MAT = 127
"""Grey value beside a small picture that is not square."""

Pair = tuple[Entry, Outcome]


def counts_table(
    raw: RawDataset, outcomes: Sequence[Outcome]
) -> tuple[list[str], list[list[str | int]]]:
    """Return a header and rows: what became of the pictures of each expression, and of all."""
    header = ["expression", "pictures", "prepared", "several faces", "no face", "unreadable"]
    pairs = list(zip(raw.entries, outcomes))
    rows: list[list[str | int]] = [
        [e, *_counts(o for entry, o in pairs if entry.expression == e)]
        for e in raw.labels.expressions
    ]
    return header, [*rows, ["all", *_counts(outcomes)]]


def write_report(
    raw: RawDataset, outcomes: Sequence[Outcome], settings: Preparation, folder: Path
) -> None:
    """Write `prepare.html`, self-contained, and `pictures.csv` into a folder."""
    with whole_file(folder / PAGE) as path:
        path.write_text(prepare_page(raw, outcomes, settings), encoding="utf-8")
    with whole_file(folder / TABLE) as path, path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_row(entry, outcome) for entry, outcome in zip(raw.entries, outcomes))


def prepare_page(raw: RawDataset, outcomes: Sequence[Outcome], settings: Preparation) -> str:
    """Return the report as one HTML document."""
    pairs = list(zip(raw.entries, outcomes))
    sections = [
        _overview(raw, outcomes, settings),
        _faces(raw, pairs),
        _missed([pair for pair in pairs if pair[1].status == "no face"]),
        _several([pair for pair in pairs if pair[1].faces > 1]),
        _unreadable([outcome for outcome in outcomes if outcome.status == "unreadable"]),
    ]
    return pages.page(f"Preparation of {printable(raw.path.resolve().name)}", sections)


def _counts(outcomes: Iterable[Outcome]) -> list[int]:
    rows = list(outcomes)
    statuses = [outcome.status for outcome in rows]
    several = sum(outcome.faces > 1 for outcome in rows)
    found, none, bad = (statuses.count(status) for status in ("ok", "no face", "unreadable"))
    return [len(rows), found, several, none, bad]


def _overview(raw: RawDataset, outcomes: Sequence[Outcome], settings: Preparation) -> str:
    framed = sum(any(outcome.frame) for outcome in outcomes)
    eyes = [outcome.eyes for outcome in outcomes if outcome.eyes is not None]
    facts = [f"A black frame was cut off {framed:,} pictures."]
    if eyes:
        facts.append(f"{sum(eyes):,} faces were levelled; {eyes.count(False):,} showed no eyes.")
    return pages.section(
        "The pictures",
        pages.paragraph(
            f"{len(outcomes):,} pictures in the layout {raw.name}; {settings.summary}."
        ),
        pages.table(*counts_table(raw, outcomes)),
        pages.paragraph(" ".join(facts)),
        pages.paragraph(f"{TABLE} has a row for each picture.", note=True),
    )


def _faces(raw: RawDataset, pairs: Sequence[Pair]) -> str:
    parts = []
    for expression in raw.labels.expressions:
        own = [pair for pair in pairs if pair[0].expression == expression]
        shown = _spread([pair for pair in own if pair[1].face is not None], FACES)
        if shown:
            parts.append(pages.paragraph(f"{expression}:"))
            parts.append(pages.faces([[_prepared(*pair)] for pair in shown]))
    text = "Look for wrong cuts, and for what is no face."
    return pages.section("Prepared faces", pages.paragraph(text, note=True), *parts)


def _prepared(entry: Entry, outcome: Outcome) -> pages.Face:
    face = np.zeros((1, 1), np.uint8) if outcome.face is None else outcome.face
    return pages.Face(face, entry.id)


def _missed(pairs: Sequence[Pair]) -> str:
    if not pairs:
        return pages.section(
            "No face", pages.paragraph("There is no readable picture without one.")
        )
    return pages.section(
        f"No face ({len(pairs):,})",
        pages.paragraph(
            "The detector found no face here, so the dataset leaves these out. Who is missed"
            " because of how they look or hold their head is then missing from it: mind that"
            " before you compare groups, and see whether another detector (haar, yunet) finds them."
        ),
        _contact_sheet(pairs),
    )


def _several(pairs: Sequence[Pair]) -> str:
    if not pairs:
        return ""
    return pages.section(
        f"Several faces ({len(pairs):,})",
        pages.paragraph("The largest face was taken; it is marked."),
        _contact_sheet(pairs),
    )


def _unreadable(outcomes: Sequence[Outcome]) -> str:
    if not outcomes:
        return ""
    shown = outcomes[:MOST_UNREADABLE]
    return pages.section(
        f"Unreadable ({len(outcomes):,})",
        pages.table(["file", "why"], [(outcome.id, outcome.note) for outcome in shown]),
        pages.paragraph(f"The first {len(shown):,} of them.", note=True)
        if len(shown) < len(outcomes)
        else "",
    )


def _contact_sheet(pairs: Sequence[Pair]) -> str:
    shown = _spread(pairs, MOST_PICTURES)
    found = ((entry, _thumbnail(entry, outcome)) for entry, outcome in shown)
    sheet = pages.faces(
        [pages.Face(small, entry.id)] for entry, small in found if small is not None
    )
    if len(shown) == len(pairs):
        return sheet
    return sheet + pages.paragraph(f"{len(shown)} of them; {TABLE} names all.", note=True)


def _spread(pairs: Sequence[Pair], most: int) -> Sequence[Pair]:
    """Return at most so many pairs, from the whole of the list."""
    if len(pairs) <= most:
        return pairs
    return [pairs[int(place)] for place in np.linspace(0, len(pairs) - 1, most)]


def _thumbnail(entry: Entry, outcome: Outcome) -> Image | None:
    """Return a small square picture with the face marked; None if it cannot be read any more."""
    try:
        picture = read_grey(entry.file)
    except DataError:
        return None
    scale = THUMBNAIL / max(picture.shape)
    height, width = (max(1, round(edge * scale)) for edge in picture.shape)
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    if outcome.box is not None:
        x, y, w, h = (round(edge * scale) for edge in outcome.box)
        cv2.rectangle(small, (x, y), (x + w, y + h), 255, 2)
    top, left = (THUMBNAIL - height) // 2, (THUMBNAIL - width) // 2
    sheet = np.full((THUMBNAIL, THUMBNAIL), MAT, np.uint8)
    sheet[top : top + height, left : left + width] = small
    return sheet


def _row(entry: Entry, outcome: Outcome) -> list[str | int]:
    box = ["" for _ in range(4)] if outcome.box is None else [f"{v:.1f}" for v in outcome.box]
    return [
        *(entry.id, entry.expression, entry.subject, entry.split, outcome.status, outcome.faces),
        *box,
        f"{outcome.rotation:.1f}",
        *outcome.frame,
        outcome.note,
    ]
