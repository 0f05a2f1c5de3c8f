"""A job: one experiment under one protocol and one seed, which leaves one result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from mien.errors import RecipeError, unknown_name
from mien.recipe import Recipe, find_recipe, load_recipe
from mien.reproduction.plan import Experiment, Plans
from mien.reproduction.protocols import (
    PROTOCOLS,
    QUICK_MINUTES,
    Protocol,
    protocol_overrides,
    quick_overrides,
)
from mien.reproduction.result import job_key

ALL = "all"
"""Stands for all papers."""


@dataclass(frozen=True)
class Job:
    """What is run at once.

    Args:
        paper: The plan's short name.
        experiment: The experiment.
        protocol: How the faces are divided and selected on.
        seed: Of weights, order and division.
        members: For an average, the jobs that make its networks.
        quick: Whether only to see that it runs.
        kept: Whether its predictions are kept beside its result, because an average is made of
            them.
    """

    paper: str
    experiment: Experiment
    protocol: Protocol
    seed: int
    members: tuple[Job, ...] = ()
    quick: bool = False
    kept: bool = False

    @property
    def key(self) -> str:
        """Where its result and its run are; what tells jobs apart."""
        return job_key(self.paper, self.experiment.name, self.protocol, self.seed)

    @property
    def sentence(self) -> str:
        """The job as a reader knows it."""
        return f"{self.paper} {self.experiment.name}, {self.protocol}, seed {self.seed}"

    @property
    def minutes(self) -> float:
        """About how long it takes on 2 idle cores; of a quick one, whatever it is of."""
        return QUICK_MINUTES if self.quick else self.experiment.minutes

    @property
    def cost(self) -> float:
        """What orders jobs: minutes of the whole experiment, and of all members of an average."""
        return self.experiment.minutes + sum(member.cost for member in self.members)

    def recipe(self) -> Recipe:
        """Return what is trained: the recipe under the protocol, without figures to expect.

        Raises:
            RecipeError: If an override does not fit.
        """
        path, overrides = find_recipe(self.experiment.recipe), self.experiment.overrides
        dataset = load_recipe(path, overrides).data.dataset
        seeds = (f"training.seed={self.seed}", f"data.seed={self.seed}")
        changes = (*overrides, *protocol_overrides(self.protocol, dataset), *seeds)
        recipe = load_recipe(path, changes)
        if self.quick:
            recipe = load_recipe(path, (*changes, *quick_overrides(recipe.data)))
        return recipe.model_copy(update={"expected": ()})

    def datasets(self) -> frozenset[str]:
        """Return the names of the datasets that it needs; of an average, that its members do."""
        if self.members:
            return frozenset[str]().union(*(member.datasets() for member in self.members))
        return frozenset(self.recipe().data.datasets)

    def why_not(self) -> str:
        """Return why public data is not enough for it; "" where it is."""
        return "" if self.members else self.recipe().skip


def wanted_jobs(
    plans: Plans,
    paper: str,
    only: Sequence[str] = (),
    *,
    protocols: Sequence[str] = (),
    seeds: Sequence[int] = (),
    quick: bool = False,
) -> list[Job]:
    """Return the jobs of a paper, or of all, or some of them.

    Args:
        plans: The plans.
        paper: A paper, or `ALL`.
        only: These experiments; all, if empty.
        protocols: Under these protocols; all, if empty.
        seeds: With these seeds; all, if empty.
        quick: Whether only to see that they run.

    Raises:
        RecipeError: If there is no such paper, experiment or protocol, which says what is nearest,
            or no job is so.
    """
    if paper not in (*plans, ALL):
        raise RecipeError(unknown_name("paper", paper, [*plans, ALL]))
    papers = plans if paper == ALL else [paper]
    jobs = [job for name in papers for job in jobs_of(plans, name, quick=quick)]
    names = {job.experiment.name for job in jobs}
    for name in only:
        if name not in names:
            raise RecipeError(unknown_name("experiment", name, names))
    for name in protocols:
        if name not in PROTOCOLS:
            raise RecipeError(unknown_name("protocol", name, PROTOCOLS))
    chosen = [
        job
        for job in jobs
        if (not only or job.experiment.name in only)
        and (not protocols or job.protocol in protocols)
        and (not seeds or job.seed in seeds)
    ]
    if not chosen:
        raise RecipeError(_none_of(jobs, only, protocols, seeds))
    return chosen


def _none_of(
    jobs: Sequence[Job], only: Sequence[str], protocols: Sequence[str], seeds: Sequence[int]
) -> str:
    """Say that none of some jobs is wanted, and what there is."""
    asked = [job for job in jobs if not only or job.experiment.name in only]
    known = dict.fromkeys(f"{job.protocol} with seed {job.seed}" for job in asked)
    wanted = [" or ".join(protocols), " or ".join(f"seed {seed}" for seed in seeds)]
    return (
        f"Nothing is run under {' and '.join(filter(None, wanted))}. These experiments are run"
        f" under {', '.join(known)}."
    )


def jobs_of(plans: Plans, paper: str, *, quick: bool = False) -> Iterator[Job]:
    """Give the jobs of a paper, in the order of its plan; one seed each if `quick`.

    Raises:
        RecipeError: If an average names a paper or an experiment that is in no plan or is no single
            network.
    """
    averaged = _averaged(plans)
    for experiment in plans[paper].experiments:
        for protocol in experiment.protocols:
            seeds = experiment.seeds_of.get(protocol, experiment.seeds)
            for seed in seeds[: 1 if quick else None]:
                job = Job(paper, experiment, protocol, seed, quick=quick)
                members = tuple(_members(plans, job))
                yield replace(job, members=members, kept=job.key in averaged)


def _averaged(plans: Plans) -> frozenset[str]:
    """Return the keys of the jobs that averages are made of."""
    return frozenset(
        job_key(member.paper, member.experiment, protocol, member.seed)
        for plan in plans.values()
        for experiment in plan.experiments
        for protocol in experiment.protocols
        for member in experiment.members
    )


def _members(plans: Plans, job: Job) -> Iterator[Job]:
    for member in job.experiment.members:
        if member.paper not in plans:
            raise RecipeError(unknown_name("paper", member.paper, plans))
        experiment = plans[member.paper].experiment(member.experiment)
        if experiment.kind not in ("train", "grid"):
            raise RecipeError(f"{member.experiment} is no single network, which an average is of.")
        yield Job(member.paper, experiment, job.protocol, member.seed, quick=job.quick, kept=True)


def cheapest_first(jobs: Iterable[Job]) -> list[Job]:
    """Return jobs and those they are made of, each once, by cost: members come before averages."""
    every = {one.key: one for job in jobs for one in (*job.members, job)}
    return sorted(every.values(), key=lambda job: job.cost)
