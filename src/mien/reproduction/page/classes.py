"""Which expressions are hard."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mien.reproduction.findings import Findings
from mien.reproduction.page.markdown import section, table
from mien.reproduction.result import Result


def classes(findings: Findings) -> Iterator[str]:
    """Give a section with the recall of each expression, for plans that look at them."""
    for paper, plan in findings.plans.items():
        names: tuple[str, ...] = ()
        faces: list[int] = []
        rows: list[tuple[str, NDArray[np.float64]]] = []
        for experiment in plan.experiments:
            found = findings.of(paper, experiment, "honest") if experiment.by_class else []
            if found:
                names, faces, recalls = _recalls(found)
                rows.append((experiment.title, recalls))
        if rows:
            mean = np.mean([recalls for _, recalls in rows], axis=0)
            order = np.argsort(mean)
            header = ("honest protocol", *(f"{names[i]} ({faces[i]:,})" for i in order))
            yield section(
                f"{plan.title}: recall of each expression",
                table(header, [(t, *(f"{r[i]:.3f}" for i in order)) for t, r in rows]),
                "In brackets the test faces; of several seeds the mean. Hardest are"
                f" {names[order[0]]} and {names[order[1]]}.",
                level=3,
            )


def _recalls(results: list[Result]) -> tuple[tuple[str, ...], list[int], NDArray[np.float64]]:
    """Return the expressions, their numbers of faces, and their mean recalls over seeds."""
    found = [result.confusion for result in results if result.confusion is not None]
    counts = np.sum([confusion.counts for confusion in found], axis=0)
    faces = counts.sum(1)
    recalls = np.diag(counts) / np.maximum(faces, 1)
    return found[0].expressions, (faces // len(found)).tolist(), recalls
