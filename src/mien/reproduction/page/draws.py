"""How far the figure of a small test can be from that of the next."""

from __future__ import annotations

import numpy as np

from mien.reproduction.findings import Findings
from mien.reproduction.page.markdown import OF, section, table
from mien.reproduction.result import Draws

TITLE = "What a test of 200 images says"

HEADER = ("experiment", "drawn from", "smallest", "mean", "largest", "deviation")


def draws(findings: Findings) -> str:
    """Return the section, from the experiments whose test was redrawn."""
    rows, sentences = [], []
    for paper, plan in findings.plans.items():
        for experiment in plan.experiments:
            for protocol in experiment.protocols:
                for result in findings.of(paper, experiment, protocol):
                    if result.draws is not None:
                        name = f"{plan.source}: {experiment.title}, {protocol}, seed {result.seed}"
                        rows.append(_cells(name, result.draws))
                        sentences.append(_sentence(name, result.draws))
    if not rows:
        return section(TITLE, "Not run yet.")
    return section(TITLE, table(HEADER, rows), "\n".join(sentences))


def _cells(name: str, drawn: Draws) -> tuple[str, ...]:
    found = np.array(drawn.accuracies)
    figures = (found.min(), found.mean(), found.max(), found.std(ddof=1))
    return (
        name,
        f"{drawn.faces:,} faces of {OF[drawn.split]}",
        *(f"{figure:.3f}" for figure in figures),
    )


def _sentence(name: str, drawn: Draws) -> str:
    found = drawn.accuracies
    return (
        f"{len(found)} tests of {drawn.per_class} faces a class, of one and the same network"
        f" ({name}), came out between {min(found):.3f} and {max(found):.3f}."
    )
