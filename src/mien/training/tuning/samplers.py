"""How the values of a trial are chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from mien.errors import MienError, unknown_name
from mien.training.tuning.slots import SLOT, fresh_number

SamplerName = Literal["grid", "random", "tpe"]


def known_sampler(name: str) -> SamplerName:
    """Return a sampler's name.

    Raises:
        MienError: If there is none of that name; says which is nearest.
    """
    for sampler in get_args(SamplerName):
        if sampler == name:
            return sampler  # type: ignore[no-any-return]
    raise MienError(unknown_name("sampler", name, get_args(SamplerName)))


def build_sampler(name: SamplerName, seed: int) -> BaseSampler:
    """Return a sampler; the grid's combinations are queued, so it never has to choose."""
    return PerTrial(_tpe if name == "tpe" else RandomSampler, seed)


def _tpe(seed: int) -> BaseSampler:
    return TPESampler(seed=seed)


class PerTrial(BaseSampler):
    """A sampler whose draws depend on the seed, the trial's slot and the trials before.

    One that keeps a generator would draw the same again in every worker, and after every pause.

    Args:
        make: Returns a sampler for a seed.
        seed: Of the study.
    """

    def __init__(self, make: Callable[[int], BaseSampler], seed: int) -> None:
        self._make = make
        self._seed = seed
        self._inner = make(seed)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Seed the draws of a trial."""
        slot = trial.user_attrs.get(SLOT, fresh_number(study, trial.number))
        state = np.random.SeedSequence((self._seed, slot)).generate_state(1)
        self._inner = self._make(int(state[0]))
        self._inner.before_trial(study, trial)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return what is drawn together."""
        return self._inner.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Draw values together."""
        return self._inner.sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Draw one value."""
        return self._inner.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """Let the sampler know how a trial ended."""
        self._inner.after_trial(study, trial, state, values)
