"""Agreement of coders as a page, figures, JSON, and a table of what they disagree about."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mien import figures, pages
from mien.evaluation.coders.agreement import FEWEST, Agreement, Measured, Pair
from mien.evaluation.coders.codings import NOT_CODED, Codes
from mien.evaluation.coders.onsets import Onsets
from mien.evaluation.coders.steps import BLOCK, Steps
from mien.evaluation.sections.matrix import confusion_figure
from mien.evaluation.written import known, number, within
from mien.files import whole_file, write_json

PAGE, DATA, DISAGREEMENTS = "agreement.html", "agreement.json", "disagreements.csv"

ABOUT = (
    "Agreement is the share of {units} of which both say the same. Kappa and alpha take from it"
    " what chance would give: 1 is perfect, 0 no better than chance. Krippendorff's alpha is of all"
    " coders together and minds no gaps. A program that doubts says so as a category of its own."
)

OF_PICTURES = (
    "In brackets: 95 % intervals over pictures, Wilson's for shares and bootstraps for the others."
    " They take pictures for independent: frames of one video or many pictures of one person make"
    " them too narrow."
)

OF_STEPS = (
    f"In brackets: 95 % bootstrap intervals over blocks of {BLOCK:g} s, for neighbouring steps"
    f" mostly say the same; kappa and alpha have none where fewer than {FEWEST} blocks have"
    " anything but what is said most of the time. They tell nothing of other"
    " people and other videos. Videos are looked at from their beginning to the last thing that"
    " any coder says."
)

ONSETS = (
    "Two stretches of one category that overlap are one that both found, each counted once, the"
    " longest overlap first. Onsets are of these: by how many seconds those of the second coder"
    " come later (earlier, if less than 0); median, and in brackets the middle half."
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
    _write_disagreements(found, folder / DISAGREEMENTS)
    with whole_file(folder / PAGE) as temporary:
        temporary.write_text(pages.page("Agreement", [_summary(found), *pairs]), encoding="utf-8")
    return folder / PAGE


def header(found: Agreement) -> tuple[str, str, str, str]:
    """Return the names of the columns of `pair_cells`."""
    return "coders", units(found), "agreement", "Cohen's kappa"


def units(found: Agreement) -> str:
    """Return what is counted, such as pictures."""
    return "pictures" if found.steps is None else f"steps of {found.steps.seconds:g} s"


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
            f"{len(codes.coders)} coders, {len(codes.pictures):,} {units(found)}. Krippendorff's"
            f" alpha: {cell(found.alpha)}. They differ on {len(disagreed(codes)):,}, which"
            f" {DISAGREEMENTS} lists."
        ),
        pages.table(header(found), map(pair_cells, found.pairs)),
        pages.paragraph(ABOUT.format(units=units(found)), note=True),
        pages.paragraph(OF_PICTURES if found.steps is None else OF_STEPS, note=True),
        *_coded(found),
    )


def _coded(found: Agreement) -> list[str]:
    """Return the table of what each coder has coded of each video."""
    rows = [(video, *(f"{s:.1f}" for s in said.values())) for video, said in found.coded.items()]
    return [pages.table(("seconds coded of", *found.codes.coders), rows)] if rows else []


def _section(place: int, pair: Pair, found: Agreement, folder: Path) -> str:
    names = found.codes.categories
    drawn = confusion_figure(pair.counts, names, pair.first, pair.second, units(found))
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
        *_onsets(pair),
    )


def _onsets(pair: Pair) -> list[str]:
    if not pair.onsets:
        return []
    columns = ("stretches of", pair.first, pair.second, "both", "onset later by, in s")
    rows = [(o.category, o.first, o.second, len(o.later), _later(o)) for o in pair.onsets]
    return [pages.table(columns, rows), pages.paragraph(ONSETS, note=True)]


def _later(onsets: Onsets) -> str:
    if not len(onsets.later):
        return "–"
    middle, low, high = np.quantile(onsets.later, [0.5, 0.25, 0.75])
    return f"{middle:+.2f} [{low:+.2f}, {high:+.2f}]"


def _data(found: Agreement) -> dict[str, Any]:
    return {
        "coders": list(found.codes.coders),
        "pictures": len(found.codes.pictures),
        "step_seconds": None if found.steps is None else found.steps.seconds,
        "categories": list(found.codes.categories),
        "seconds_coded": found.coded or None,
        "krippendorff_alpha": _figures(found.alpha),
        "pairs": [
            {
                "coders": [pair.first, pair.second],
                "pictures": pair.pictures,
                "agreement": _figures(pair.agreed),
                "cohen_kappa": _figures(pair.kappa),
                "specific_agreement": [known(share) for share in pair.specific],
                "counts": pair.counts.tolist(),
                "stretches": [
                    {
                        "category": o.category,
                        "counts": [o.first, o.second],
                        "both": len(o.later),
                        "onsets_later": [round(seconds, 3) for seconds in o.later.tolist()],
                    }
                    for o in pair.onsets
                ],
            }
            for pair in found.pairs
        ],
    }


def _figures(measured: Measured) -> dict[str, float | None]:
    return {name: known(getattr(measured, name)) for name in ("value", "low", "high")}


def _write_disagreements(found: Agreement, path: Path) -> None:
    rows = _pictures(found.codes) if found.steps is None else _stretches(found.codes, found.steps)
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def _pictures(codes: Codes) -> Iterator[Sequence[str]]:
    yield "picture", *codes.coders
    for place in disagreed(codes):
        yield codes.pictures[place], *_said(codes, place)


def _stretches(codes: Codes, steps: Steps) -> Iterator[Sequence[str]]:
    """Give the steps of which not all say the same; those that follow each other as one stretch."""
    yield "source", "start", "end", *codes.coders
    places = np.array(disagreed(codes), dtype=np.intp)
    same = np.diff(places) == 1
    same &= (codes.codes[:, places[1:]] == codes.codes[:, places[:-1]]).all(0)
    same &= steps.videos[places[1:]] == steps.videos[places[:-1]]
    for run in np.split(places, np.flatnonzero(~same) + 1):
        if len(run):
            end = steps.starts[run[-1]] + steps.seconds
            times = (f"{seconds:.2f}" for seconds in (steps.starts[run[0]], end))
            yield str(steps.videos[run[0]]), *times, *_said(codes, run[0])


def _said(codes: Codes, place: int) -> list[str]:
    return [codes.categories[c] if c != NOT_CODED else "" for c in codes.codes[:, place]]
