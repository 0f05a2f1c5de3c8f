"""`mien reproduce`: the papers' experiments, from raw data to their tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from mien.apps.cli import exits
from mien.apps.cli.console import complain, results, say
from mien.apps.cli.extras import need
from mien.errors import MienError

if TYPE_CHECKING:
    from mien.reproduction.bench import Bench
    from mien.reproduction.findings import Findings
    from mien.reproduction.job import Job
    from mien.reproduction.store import Store

MOST_FAILED = 20

OUT, QUICK_OUT = Path("results"), Path("runs") / "quick"


def reproduce(
    paper: Annotated[
        str | None,
        typer.Argument(
            help="A paper, or all, which is meant where --data, --only, --protocol or --seed is"
            " given; without any of these, what is still to run is listed."
        ),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", help="A dataset: its archive, folder or a store. Repeatable."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Only this experiment. Repeatable.")
    ] = None,
    protocol: Annotated[
        list[str] | None,
        typer.Option("--protocol", help="Run only this: paper, leaky or honest. Repeatable."),
    ] = None,
    seed: Annotated[
        list[int] | None, typer.Option("--seed", help="Run only this seed. Repeatable.")
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help="A few faces and epochs, one seed: does it run? The figures mean nothing.",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder of the results; results, or runs/quick if --quick."),
    ] = None,
    runs: Annotated[
        Path | None,
        typer.Option(
            "--runs", help="Folder of weights and all else; runs/reproduction, or OUT/runs."
        ),
    ] = None,
    at_once: Annotated[
        int,
        typer.Option(
            "--jobs",
            min=1,
            help="Experiments run side by side, sharing the processors: for many cores, or a GPU.",
        ),
    ] = 1,
    page: Annotated[
        Path | None,
        typer.Option(
            "--page", help="Write all results as a Markdown page, with a picture beside it."
        ),
    ] = None,
) -> None:
    """Run a paper's experiments as the paper does and without leakage; compare with its figures.

    What has a result is not run again, so it can be interrupted at any time: the same command goes
    on after the last whole epoch. Cheapest experiments come first. --page alone makes the page of
    the results that there are.
    """
    need("train", "Reproducing")
    _check_page(page)
    from mien.reproduction.findings import Findings
    from mien.reproduction.job import ALL, wanted_jobs
    from mien.reproduction.plan import shipped_plans
    from mien.reproduction.store import Store

    plans, folder = shipped_plans(), out or (QUICK_OUT if quick else OUT)
    store = Store(folder, quick)
    findings = Findings(plans, store)  # what is damaged is said before hours are spent
    failed: list[str] = []
    if paper is not None or any((data, only, protocol, seed)):
        jobs = wanted_jobs(
            plans,
            paper or ALL,
            only or (),
            protocols=protocol or (),
            seeds=seed or (),
            quick=quick,
        )
        place = runs or (folder / "runs" if quick else Path("runs") / "reproduction")
        failed = _run(jobs, store, _bench(data or (), place), at_once)
        complain(failed, MOST_FAILED)
        findings = Findings(plans, store)
    _report(findings, paper, only or (), page)
    if failed:
        raise typer.Exit(exits.INCOMPLETE)


def _check_page(page: Path | None) -> None:
    if page is not None and (page.suffix.lower() != ".md" or page.is_dir()):
        raise MienError(f"--page must be a Markdown file to write, such as page.md. Got {page}.")


def _bench(data: Sequence[Path], runs: Path) -> Bench:
    from mien.reproduction.bench import Bench
    from mien.reproduction.library import Library

    return Bench(Library(data, progress=True), runs)


def _run(jobs: Sequence[Job], store: Store, bench: Bench, at_once: int) -> list[str]:
    """Run what the data allows; return why some of it failed."""
    missing = {job.key: bench.missing(job, store) for job in jobs}
    ready = [job for job in jobs if not missing[job.key]]
    _say_missing([job for job in jobs if missing[job.key]], missing)
    if not ready:
        raise MienError("None of these experiments can be run with what --data gives.")
    from mien.reproduction.reproduce import reproduce as run_jobs

    try:
        return run_jobs(ready, bench, store, at_once)
    except KeyboardInterrupt:
        say("Interrupted: the same command continues after the last whole epoch.")
        raise typer.Exit(exits.INTERRUPTED) from None


def _say_missing(jobs: Sequence[Job], missing: Mapping[str, frozenset[str]]) -> None:
    reasons: dict[str, list[str]] = defaultdict(list)
    for job in jobs:
        data = " and ".join(sorted(missing[job.key]))
        reasons[job.why_not() or f"add --data of {data}"].append(job.experiment.name)
    for reason, names in reasons.items():
        say(f"Not run: {', '.join(dict.fromkeys(names))}: {reason}.")


def _report(findings: Findings, paper: str | None, only: Sequence[str], page: Path | None) -> None:
    from mien.reproduction.page.write import write_page

    if paper is not None:
        for name in findings.plans if paper == "all" else [paper]:
            _print_paper(findings, name, only)
    elif page is None:
        _print_plans(findings)
    if page is not None:
        say(f"Wrote {' and '.join(map(str, write_page(findings, page)))}")


def _print_plans(findings: Findings) -> None:
    table = Table(title="Experiments, each under its protocols and seeds")
    for column in ("Paper", "Done", "To run", "About, on 2 cores"):
        table.add_column(column, justify="left" if column == "Paper" else "right")
    for name in findings.plans:
        done, waiting = findings.progress(name)
        hours = f"{sum(job.minutes for job in waiting) / 60:.1f} h"
        table.add_row(name, str(done), str(len(waiting)), hours)
    results.print(table)
    say("Run a paper: mien reproduce PAPER --data …; all of it: mien reproduce all --data …")


def _print_paper(findings: Findings, paper: str, only: Sequence[str]) -> None:
    from mien.reproduction.page import averages, papers
    from mien.reproduction.rows import rows_of

    rows = [row for row in rows_of(findings, paper) if not only or row.experiment.name in only]
    for header, cells in (
        (papers.FIRST, [papers.first_cells(row) for row in rows]),
        (averages.HEADER, averages.average_rows(findings, paper, only)),
    ):
        if cells:
            table = Table(*header, title=escape(findings.plans[paper].title))
            for row in cells:
                table.add_row(*map(escape, row))
            results.print(table)
