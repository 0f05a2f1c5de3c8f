"""What the values of hyperparameters change."""

from __future__ import annotations

from collections.abc import Iterator

from mien.reproduction.findings import Findings
from mien.reproduction.page.markdown import section, table
from mien.reproduction.result import Result, Trial


def grids(findings: Findings) -> Iterator[str]:
    """Give a section for each grid that was searched."""
    for paper, plan in findings.plans.items():
        for experiment in plan.experiments:
            if experiment.kind == "grid":
                for protocol in experiment.protocols:
                    for result in findings.of(paper, experiment, protocol):
                        yield _section(f"{plan.title}: {experiment.title}", result)


def _section(title: str, result: Result) -> str:
    ranked = sorted(result.trials, key=lambda t: t.value if t.value is not None else -1.0)[::-1]
    keys = list(ranked[0].values)
    after = sorted({epochs for trial in ranked for epochs in trial.after})
    header = (
        *(key.rpartition(".")[2].replace("_", " ") for key in keys),
        "best on validation",
        "epochs",
        *(f"within {epochs}" for epochs in after),
    )
    return section(
        title,
        f"{len(ranked)} combinations, compared by the best epoch on validation; the best of many is"
        " good partly by luck, and its accuracy on test is the one to quote.",
        table(header, [_cells(trial, keys, after) for trial in ranked]),
        level=3,
    )


def _cells(trial: Trial, keys: list[str], after: list[int]) -> tuple[str, ...]:
    best = [trial.value, *(trial.after.get(epochs) for epochs in after)]
    value, *then = (f"{figure:.3f}" if figure is not None else "" for figure in best)
    return (*(f"{trial.values.get(key, '')}" for key in keys), value, str(trial.epochs), *then)
