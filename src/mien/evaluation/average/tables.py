"""What several networks say about the same faces, averaged: all that an average is measured by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mien.card import Averaging
from mien.data.dataset import NO_TARGET
from mien.errors import MienError, unknown_name
from mien.evaluation.average.shares import averaged, fit_shares
from mien.evaluation.predictions import Predictions
from mien.evaluation.report import HeadReport, head_report

AVERAGINGS: tuple[Averaging, ...] = get_args(Averaging)

Weighting = Literal["equal", "fit"]

WEIGHTINGS: tuple[Weighting, ...] = get_args(Weighting)


@dataclass(frozen=True)
class TableAverage:
    """The average of M members' predictions.

    Args:
        table: The faces with the average's logits, at temperature 1; without signals.
        report: The average's temperature and figures.
        shares: How much each member counts, M numbers that sum to 1.
        members: Each member's own temperature and figures.
    """

    table: Predictions
    report: HeadReport
    shares: tuple[float, ...]
    members: tuple[HeadReport, ...]


def average_tables(
    tables: Sequence[Predictions],
    averaging: Averaging = "probabilities",
    weighting: Weighting = "equal",
) -> TableAverage:
    """Average predictions: fit on val, measure once on test.

    Each member's logits are first divided by a temperature of its own, so that none counts more for
    being surer of itself. These temperatures, then the shares, then the temperature of the average
    are fitted on val.

    Args:
        tables: Of one output and the same faces, in the same order.
        averaging: What is averaged.
        weighting: "equal" shares, or "fit" for those with the smallest loss on val.

    Raises:
        MienError: If there is no such averaging or weighting, the tables are of different faces, or
            no val face has a known truth.
    """
    check_names(averaging, weighting)
    first = tables[0]
    _check_faces(tables)
    own = tuple(head_report(table, table.dataset) for table in tables)
    logits = np.stack([t.logits / report.head.temperature for t, report in zip(tables, own)])
    shares = _shares(first, logits, averaging, weighting)
    found = averaged(logits, shares, averaging)
    mean = replace(first, logits=found, signals={}, model="", temperature=1.0)
    return TableAverage(mean, head_report(mean, first.dataset), shares, own)


def check_names(averaging: str, weighting: str) -> None:
    """Check that there are such an averaging and such a weighting.

    Raises:
        MienError: If not; says which is nearest.
    """
    if averaging not in AVERAGINGS:
        raise MienError(unknown_name("averaging", averaging, AVERAGINGS))
    if weighting not in WEIGHTINGS:
        raise MienError(unknown_name("weighting", weighting, WEIGHTINGS))


def _check_faces(tables: Sequence[Predictions]) -> None:
    first, *others = tables
    for other in others:
        if other.labels != first.labels or not all(
            np.array_equal(getattr(other, column), getattr(first, column))
            for column in ("ids", "splits", "truth")
        ):
            raise MienError(
                f"Predictions must be of the same faces and expressions to be averaged:"
                f" those of {other.model or 'one model'} and {first.model or 'another'} are not."
            )


def _shares(
    table: Predictions, logits: NDArray[np.float64], averaging: Averaging, weighting: Weighting
) -> tuple[float, ...]:
    if weighting == "equal":
        return (1 / len(logits),) * len(logits)
    val = (table.splits == "val") & (table.truth != NO_TARGET)
    return fit_shares(logits[:, val], table.truth[val], averaging)
