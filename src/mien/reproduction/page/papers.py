"""The table of each paper, and the summary of all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import cast, get_args

from mien.recipe import find_recipe
from mien.reproduction.findings import Findings
from mien.reproduction.page.markdown import OF, duration, link, points, section, summarised, table
from mien.reproduction.protocols import Protocol
from mien.reproduction.result import Result, Split
from mien.reproduction.rows import Outcome, Row, reported, rows_of

FIRST = (
    "experiment",
    "paper",
    "ours, the paper's protocol",
    "ours less the paper's, points",
    "ours, honest",
)

HEADER = (
    *FIRST,
    "macro F1",
    "epochs of a run",
    "time",
    "runs",
)

HEADLINES = """\
These are the figures that each paper puts forward as its best among those that can be run with
public data; of Mahastama et al., whose best is of all data together, the two scenarios of one
public dataset are our choice. They say little of how the rest of the papers' figures came out."""

PLACE = re.compile(r"\{(paper|leaky|honest):([\w-]+)(?::(val|test))?\}")


def papers(findings: Findings, page: Path) -> Iterator[str]:
    """Give a section for each paper that has rows."""
    for name, plan in findings.plans.items():
        rows = paper_rows(findings, name, page)
        if rows:
            notes = [_note(findings, name, e.note, e.title) for e in plan.experiments if e.note]
            yield section(
                plan.title,
                plan.about,
                plan.chosen,
                table(HEADER, rows),
                "".join(f"- {note}\n" for note in notes if note),
                filled(findings, name, plan.discussion),
            )


def paper_rows(findings: Findings, paper: str, page: Path) -> list[tuple[str, ...]]:
    """Return the rows of a paper's table, under `HEADER`."""
    return [_cells(findings, row, page) for row in rows_of(findings, paper)]


def first_cells(row: Row) -> tuple[str, ...]:
    """Return the cells of a row under `FIRST`: the paper's figure and ours."""
    value = row.reported.value
    printed = "" if value is None else f"{value:.4f} {OF[row.split]}"
    measured = summarised(row.measured) or _state(row, "paper")
    honest = summarised(row.honest) or _state(row, "honest")
    return (row.experiment.title, printed, measured, _outcome(row), honest)


def _outcome(row: Row) -> str:
    if row.difference is None:
        return "altered" if row.experiment.altered and row.measured is not None else ""
    value, low, high = map(points, row.difference)
    return f"{value} [{low}, {high}]: {row.outcome}"


def headlines(findings: Findings) -> list[str]:
    """Return the table of the papers' headline figures, and what all of the page come to."""
    rows = [row for paper in findings.plans for row in rows_of(findings, paper)]
    chosen = [row for row in rows if row.experiment.headline and row.reported.value is not None]
    header = ("paper", *FIRST)
    shown = table(header, [(findings.plans[r.paper].source, *first_cells(r)) for r in chosen])
    return [HEADLINES, shown, _tally(rows)]


def _tally(rows: list[Row]) -> str:
    first = {(row.paper, row.experiment.recipe, row.split): row for row in reversed(rows)}
    outcomes = [row.outcome for row in first.values() if row.outcome is not None]
    if not outcomes:
        return ""
    counts = ", ".join(f"{outcomes.count(outcome)} {outcome}" for outcome in get_args(Outcome))
    return (
        f"Of all {len(outcomes)} figures of the papers that could be compared ours are: {counts}."
        " At 5 % about one in twenty would be told apart by chance alone."
    )


def _cells(findings: Findings, row: Row, page: Path) -> tuple[str, ...]:
    epochs = sorted(result.epochs for result in row.results)
    span = "" if not epochs else str(epochs[0])
    if epochs and epochs[0] != epochs[-1]:
        span += f"–{epochs[-1]}"
    name, *first = first_cells(row)
    return (
        link(name, find_recipe(row.experiment.recipe), page),
        *first,
        summarised(row.macro_f1),
        span,
        duration(sum(result.seconds for result in row.results)) if row.results else "",
        _runs(findings, row, page),
    )


def _state(row: Row, protocol: Protocol) -> str:
    """Say why there is no figure, where one is planned."""
    if protocol not in row.waiting:
        return ""
    if row.why_not:
        return f"not run: {row.why_not}"
    return f"not run yet: about {duration(60 * row.waiting[protocol])}"


def _runs(findings: Findings, row: Row, page: Path) -> str:
    groups = groupby(row.results, key=lambda result: result.protocol)
    done = [f"{name} {' '.join(_link(findings, r, page) for r in found)}" for name, found in groups]
    if row.results and row.waiting:
        done.append(f"about {duration(60 * sum(row.waiting.values()))} to run")
    return "; ".join(done)


def _link(findings: Findings, result: Result, page: Path) -> str:
    return link(str(result.seed), findings.store.path(findings.jobs[result.key]), page)


def _note(findings: Findings, paper: str, text: str, title: str) -> str:
    text = filled(findings, paper, text)
    return f"{title}: {text}" if text else ""


def filled(findings: Findings, paper: str, text: str) -> str:
    """Return a text with the measured accuracies in their places; "" as long as one is missing."""
    places = {place[0]: _measured(findings, paper, place) for place in PLACE.finditer(text)}
    if None in places.values():
        return ""
    return PLACE.sub(lambda place: places[place[0]] or "", text)


def _measured(findings: Findings, paper: str, place: re.Match[str]) -> str | None:
    protocol, name = cast("Protocol", place[1]), place[2]
    experiment = findings.plans[paper].experiment(name)
    split: Split = "folds" if experiment.kind == "crossval" else "test"
    if place[3]:
        split = cast("Split", place[3])
    elif protocol == "paper":
        split = reported(experiment)[0].split
    found = findings.summary(paper, experiment, protocol, split)
    return None if found is None else f"{found.value:.3f}"
