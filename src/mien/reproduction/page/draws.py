"""How far the figure of a small test can be from that of the next."""

from __future__ import annotations

import numpy as np

from mien.card import Figure
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
                        if result.draws.split != "test":
                            sentences.append(_own(result.draws, result.accuracy("test")))
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
        f"- {len(found)} tests of {drawn.per_class} faces a class, of one and the same network"
        f" ({name}), came out between {min(found):.3f} and {max(found):.3f}."
    )


def _own(drawn: Draws, own: Figure) -> str:
    """Set the run's own small test, which was none of those drawn, beside them."""
    found = np.array(drawn.accuracies)
    chance = np.sqrt(found.mean() * (1 - found.mean()) / own.images)
    return (
        f"  The {own.images} faces that were its test, {own.value:.3f}, are read better than"
        f" {int((found < own.value).sum())} of these {len(found)}: the chance of {own.images} faces"
        f" has a standard deviation of {chance:.3f}, so that a figure of so few may lie"
        f" {200 * chance:.1f} points from what the network reads of many."
    )
