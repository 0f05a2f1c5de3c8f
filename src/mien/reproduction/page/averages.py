"""Whether averaging networks beats the one that validation would choose, and their mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mien.evaluation.paired import holm
from mien.evaluation.written import p_value
from mien.reproduction.findings import Findings
from mien.reproduction.page.markdown import points, section, table
from mien.reproduction.page.papers import filled
from mien.reproduction.plan import Experiment
from mien.reproduction.result import Average, Compared

HEADER = (
    "average",
    "shares",
    "accuracy",
    "networks alone",
    "over their mean, points",
    "best by validation",
    "over that, points",
    "McNemar's p",
)

SIGNIFICANT = 0.05

SHARES = {"equal": "equal", "fit": "fitted"}

ABOUT = (
    "Differences from the network that is best by validation are paired, on the same test faces,"
    " with 95 % bootstrap intervals over faces. These hold the chance of the faces alone, neither"
    " that of the trainings, one of each network, nor that of the choice: where two networks are"
    " close on PublicTest, another one might have been chosen. The sentences below tell averages"
    " apart at 5 %, by McNemar's p after Holm's correction for all of the table."
)


def averages(findings: Findings) -> Iterator[str]:
    """Give a section for each plan that averages networks."""
    for paper, plan in findings.plans.items():
        rows = average_rows(findings, paper)
        if rows:
            yield section(
                plan.title,
                plan.about,
                filled(findings, paper, plan.discussion),
                ABOUT,
                table(HEADER, rows),
                "\n".join(_sentences(findings, paper)),
            )


def average_rows(findings: Findings, paper: str, only: Sequence[str] = ()) -> list[tuple[str, ...]]:
    """Return the rows of the table of a paper's averages, or of some of its experiments."""
    return [
        (experiment.title, "", "not run yet", "", "", "", "", "")
        if average is None
        else _cells(experiment, average)
        for experiment, average in _averages(findings, paper, only)
    ]


def _averages(
    findings: Findings, paper: str, only: Sequence[str]
) -> Iterator[tuple[Experiment, Average | None]]:
    """Give each experiment with each of its averages, or with none."""
    for experiment in findings.plans[paper].experiments:
        if experiment.kind == "average" and (not only or experiment.name in only):
            results = [r for p in experiment.protocols for r in findings.of(paper, experiment, p)]
            averages = [average for result in results for average in result.averages]
            found: list[Average | None] = [*averages] or [None]
            yield from ((experiment, average) for average in found)


def _best(average: Average) -> Compared:
    return next(member for member in average.members if member.best)


def _cells(experiment: Experiment, average: Average) -> tuple[str, ...]:
    best = _best(average)
    figure = next(f for f in average.figures if (f.metric, f.subset) == ("accuracy", "all"))
    alone = [member.accuracy for member in average.members]
    return (
        experiment.title,
        SHARES[average.weights],
        figure.within,
        f"{min(alone):.3f} to {max(alone):.3f}",
        points(figure.value - sum(alone) / len(alone)),
        f"{best.name}, {best.accuracy:.3f}",
        f"{points(best.difference)} [{points(best.low)}, {points(best.high)}]",
        p_value(best.p),
    )


def _sentences(findings: Findings, paper: str) -> list[str]:
    """Return what each average comes to, told apart for all of the section together."""
    made = [(e, average) for e, average in _averages(findings, paper, ()) if average is not None]
    corrected = holm([_best(average).p for _, average in made])
    return [_sentence(e, average, p) for (e, average), p in zip(made, corrected)]


def _sentence(experiment: Experiment, average: Average, p: float) -> str:
    best = _best(average)
    by = f"{points(best.difference)} points [{points(best.low)}, {points(best.high)}]"
    verdict = "cannot be told from"
    if p < SIGNIFICANT and not best.low <= 0 <= best.high:
        verdict = "is better than" if best.difference > 0 else "is worse than"
    return (
        f"- {experiment.title}, {SHARES[average.weights]} shares: the average {verdict} the network"
        f" that validation would choose: {by}, p {p_value(p, '= ')}."
    )
