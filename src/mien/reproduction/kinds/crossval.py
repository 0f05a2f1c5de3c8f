"""A recipe judged fold by fold."""

from __future__ import annotations

from math import isfinite

from mien.card import Figure
from mien.evaluation.folds.cross_validation import CrossValidated, cross_validate
from mien.reproduction.bench import Bench
from mien.reproduction.job import Job
from mien.reproduction.kinds import KINDS
from mien.reproduction.measured import Measured
from mien.reproduction.result import Confusion
from mien.training.cross_validation import FOLDS, new_folds, pool_of, undivided


@KINDS.register("crossval")
def cross_validation(job: Job, bench: Bench) -> Measured:
    """Judge the recipe on its folds.

    As in the paper, the test faces are set aside and the held-out fold selects the epoch; otherwise
    all faces are judged, each by a network that was selected on a share of the other folds.
    """
    recipe, folder = job.recipe(), bench.folder(job)
    as_paper = job.protocol == "paper"
    dataset = bench.library.faces(undivided(recipe).data)
    plan = new_folds(
        recipe,
        pool_of(dataset, with_test=not as_paper),
        job.experiment.folds,
        seed=job.seed,
        select_on_fold=as_paper,
    )
    begun = (folder / FOLDS).exists()
    done = cross_validate(plan, folder, resume=begun, progress=bench.progress)
    runs = tuple(done.run(fold) for fold in range(plan.count))
    return Measured(runs, plan.pool, _pooled(done), {"confusion": _confusion(done)})


def _pooled(done: CrossValidated) -> tuple[Figure, ...]:
    """Return the figures of all folds together that have an interval."""
    head = done.heads[0]
    return tuple(
        Figure(
            metric=metric,
            head=head.labels.name,
            dataset=done.plan.pool.name,
            split="folds",
            subset="all",
            images=int(head.confusion.sum()),
            value=spread.pooled,
            low=spread.pooled_low,
            high=spread.pooled_high,
        )
        for metric, spread in head.spreads.items()
        if isfinite(spread.pooled_low)
    )


def _confusion(done: CrossValidated) -> Confusion:
    head = done.heads[0]
    counts = tuple(map(tuple, head.confusion.tolist()))
    return Confusion(split="folds", expressions=head.labels.expressions, counts=counts)
