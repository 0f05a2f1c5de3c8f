"""Agreement of coders as a page, figures, JSON, and a table of what they disagree about."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from mien import figures, pages
from mien.evaluation.coders import Agreement, Measured, Pair
from mien.evaluation.codings import NOT_CODED, Codes
from mien.evaluation.sections.matrix import confusion_figure
from mien.evaluation.sections.section import known, number, within
from mien.files import whole_file, write_json

PAGE, DATA, DISAGREEMENTS = "agreement.html", "agreement.json", "disagreements.csv"

HEADER = ("coders", "pictures", "agreement", "Cohen's kappa")

ABOUT = (
    "Agreement is the share of pictures of which both say the same. Kappa and alpha take from it"
    " what chance would give: 1 is perfect, 0 no better than chance. Krippendorff's alpha is of all"
    " coders together and minds no gaps. In brackets: 95 % intervals over pictures, Wilson's for"
    " shares and bootstraps for the others. They take pictures for independent: frames of one video"
    " or many pictures of one person make them too narrow. A program that doubts says so as a"
    " category of its own."
)

SPECIFIC = (
    "Specific agreement: of the times that one of the two says a category, the share in which the"
    " other does, too. It tells which categories are the trouble."
)


def write_agreement(found: Agreement, folder: Path) -> Path:
    """Write `agreement.html`, self-contained, `agreement.json`, `disagreements.csv` and figures.

    Returns:
        The page.
    """
    with figures.style():
        pairs = [_section(place, pair, found, folder) for place, pair in enumerate(found.pairs)]
    write_json(folder / DATA, _data(found))
    _write_disagreements(found.codes, folder / DISAGREEMENTS)
    with whole_file(folder / PAGE) as temporary:
        temporary.write_text(pages.page("Agreement", [_summary(found), *pairs]), encoding="utf-8")
    return folder / PAGE


def pair_cells(pair: Pair) -> tuple[str, str, str, str]:
    """Return a pair's row of the table."""
    return f"{pair.first}, {pair.second}", f"{pair.pictures:,}", cell(pair.agreed), cell(pair.kappa)


def cell(measured: Measured) -> str:
    """Return a figure with its interval as text."""
    return within(known(measured.value), known(measured.low), known(measured.high))


def disagreed(codes: Codes) -> list[int]:
    """Return the places of the pictures of which not all say the same."""
    said = (set(column) - {NOT_CODED} for column in codes.codes.T.tolist())
    return [place for place, words in enumerate(said) if len(words) > 1]


def _summary(found: Agreement) -> str:
    codes = found.codes
    return pages.section(
        "All together",
        pages.paragraph(
            f"{len(codes.coders)} coders, {len(codes.pictures):,} pictures. Krippendorff's alpha:"
            f" {cell(found.alpha)}. They differ on {len(disagreed(codes)):,} pictures, which"
            f" {DISAGREEMENTS} lists."
        ),
        pages.table(HEADER, map(pair_cells, found.pairs)),
        pages.paragraph(ABOUT, note=True),
    )


def _section(place: int, pair: Pair, found: Agreement, folder: Path) -> str:
    names = found.codes.categories
    drawn = confusion_figure(pair.counts, names, rows=pair.first, columns=pair.second)
    alt = f"What {pair.second} says of what {pair.first} says, counts and shares of the rows"
    rows: list[list[str | int]] = [
        [name, int(pair.counts[i].sum()), int(pair.counts[:, i].sum()), number(known(share))]
        for i, (name, share) in enumerate(zip(names, pair.specific))
    ]
    return pages.section(
        f"{pair.first} and {pair.second}",
        figures.on_page(drawn, folder / "figures" / f"agreement-{place + 1}", alt),
        pages.table(("category", pair.first, pair.second, "specific agreement"), rows),
        pages.paragraph(SPECIFIC, note=True),
    )


def _data(found: Agreement) -> dict[str, Any]:
    return {
        "coders": list(found.codes.coders),
        "pictures": len(found.codes.pictures),
        "categories": list(found.codes.categories),
        "krippendorff_alpha": _figures(found.alpha),
        "pairs": [
            {
                "coders": [pair.first, pair.second],
                "pictures": pair.pictures,
                "agreement": _figures(pair.agreed),
                "cohen_kappa": _figures(pair.kappa),
                "specific_agreement": [known(share) for share in pair.specific],
                "counts": pair.counts.tolist(),
            }
            for pair in found.pairs
        ],
    }


def _figures(measured: Measured) -> dict[str, float | None]:
    return {name: known(getattr(measured, name)) for name in ("value", "low", "high")}


def _write_disagreements(codes: Codes, path: Path) -> None:
    names = np.array([*codes.categories, ""])
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["picture", *codes.coders])
        for place in disagreed(codes):
            table.writerow([codes.pictures[place], *names[codes.codes[:, place]]])
