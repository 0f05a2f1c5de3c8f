"""The slots of a study: what is to be tried, over all workers, interruptions and kills.

A slot is one combination of values with its number and its folder. Optuna's trials are the attempts
at it: one that is interrupted or killed has failed for good, and the next attempt takes its slot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

SLOT, REASON = "slot", "reason"
"""Attributes of a trial: its slot, and the sentence why it failed."""

FIXED = "fixed_params"
"""Where Optuna keeps the values of a queued attempt."""

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


class SpareError(Exception):
    """An attempt at a slot that another worker has, or at none."""


@dataclass(frozen=True)
class Slot:
    """A slot and how it ended, or did not yet.

    Args:
        number: From 0.
        trial: The attempt that finished it, or the last one.
        ended: Whether it is complete, pruned, or failed for a reason of its own.
    """

    number: int
    trial: FrozenTrial
    ended: bool


def slots(study: Study) -> dict[int, Slot]:
    """Return the slots of a study by their numbers."""
    found: dict[int, Slot] = {}
    for trial in study.get_trials(deepcopy=False):
        number = trial.user_attrs.get(SLOT)
        if number is not None and not (number in found and found[number].ended):
            found[number] = Slot(number, trial, _ended(trial))
    return dict(sorted(found.items()))


def running(study: Study) -> list[FrozenTrial]:
    """Return the attempts that run, in this or another worker."""
    return study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))


def waiting(study: Study) -> bool:
    """Say whether an attempt waits for a worker."""
    return bool(study.get_trials(deepcopy=False, states=(TrialState.WAITING,)))


def queue(
    study: Study,
    wanted: Sequence[Mapping[str, Any]] = (),
    busy: Callable[[int], bool] = lambda number: False,
) -> list[int]:
    """Queue new attempts at the slots of a grid, and at those whose last attempt was broken off.

    Args:
        study: The study.
        wanted: The combinations of a grid, as a storage keeps them; slot 0 is the first.
        busy: Whether a worker that was taken for dead still has a slot's folder.

    Returns:
        The slots that are not queued because they are busy.
    """
    trials = study.get_trials(deepcopy=False)
    taken = {t.user_attrs.get(SLOT) for t in trials if _counts(t)}
    broken = {t.user_attrs[SLOT]: t for t in trials if SLOT in t.user_attrs}
    attempts: dict[int, Mapping[str, Any]] = {n: _values(trial) for n, trial in broken.items()}
    attempts |= dict(enumerate(wanted))
    held = []
    for number in sorted(set(attempts) - taken):
        if busy(number):
            held.append(number)
        else:
            study.enqueue_trial(dict(attempts[number]), user_attrs={SLOT: number})
    return held


def fresh_number(study: Study, number: int) -> int:
    """Return the slot of an attempt that was not queued: how many such attempts came before."""
    trials = study.get_trials(deepcopy=False)
    return sum(t.number < number and FIXED not in t.system_attrs for t in trials)


def claim(study: Study, trial: Trial, *, grid: bool) -> int:
    """Return the slot of an attempt that begins.

    Workers that start at the same time may have queued a slot twice; the first attempt has it.

    Raises:
        SpareError: If another attempt has the slot, or a grid's attempt has none.
    """
    number = trial.user_attrs.get(SLOT)
    if number is None:
        if grid:
            raise SpareError
        fresh = fresh_number(study, trial.number)
        trial.set_user_attr(SLOT, fresh)
        return fresh
    others = (t for t in study.get_trials(deepcopy=False) if t.user_attrs.get(SLOT) == number)
    if any(_first(other, trial.number) for other in others):
        raise SpareError
    return int(number)


def _first(other: FrozenTrial, number: int) -> bool:
    runs_before = other.state == TrialState.RUNNING and other.number < number
    return other.number != number and (runs_before or _ended(other))


def _ended(trial: FrozenTrial) -> bool:
    return trial.state in FINISHED or REASON in trial.user_attrs


def _counts(trial: FrozenTrial) -> bool:
    return not trial.state.is_finished() or _ended(trial)


def _values(trial: FrozenTrial) -> dict[str, Any]:
    fixed: dict[str, Any] = trial.system_attrs.get(FIXED, {})
    return {**fixed, **trial.params}
