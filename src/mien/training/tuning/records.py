"""What became of the trials of a study."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from mien.files import whole_file
from mien.training.tuning.dimension import Choices, same
from mien.training.tuning.slots import REASON, Slot, slots
from mien.training.tuning.space import Space

State = Literal["complete", "pruned", "failed", "running", "interrupted"]

BY_STATE: dict[TrialState, State] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.RUNNING: "running",
}


@dataclass(frozen=True)
class Record:
    """One trial.

    Args:
        number: From 0; also its folder's name.
        attempt: Optuna's number of the attempt that counts.
        state: How it ended, or that it did not.
        value: The figure of its best epoch so far; None without one.
        epochs: How many epochs were seen.
        seconds: How long the last attempt took; None where it is not over.
        values: By the recipe's key; those not chosen yet are missing.
        reason: Why it failed, one sentence.
    """

    number: int
    attempt: int
    state: State
    value: float | None
    epochs: int
    seconds: float | None
    values: dict[str, Any]
    reason: str = ""

    @property
    def ended(self) -> bool:
        """Whether it is complete, pruned or failed."""
        return self.state in ("complete", "pruned", "failed")


def records(study: Study, space: Space) -> list[Record]:
    """Return the trials of all workers that have begun, in order."""
    begun = (s for s in slots(study).values() if s.trial.state != TrialState.WAITING)
    return [_record(slot, study.direction, space) for slot in begun]


def best_of(done: Sequence[Record], study: Study) -> Record | None:
    """Return the best complete trial; the first of several that are equally good."""
    complete = [r for r in done if r.state == "complete" and r.value is not None]
    sign = 1 if study.direction == StudyDirection.MAXIMIZE else -1
    return max(complete, key=lambda r: sign * (r.value or 0.0), default=None)


def _record(slot: Slot, direction: StudyDirection, space: Space) -> Record:
    trial = slot.trial
    failed: State = "failed" if slot.ended else "interrupted"
    return Record(
        slot.number,
        trial.number,
        BY_STATE.get(trial.state, failed),
        _value(trial, direction),
        max(trial.intermediate_values, default=0),
        None if trial.duration is None else trial.duration.total_seconds(),
        {key: _decoded(space[key], v) for key, v in trial.params.items() if key in space},
        str(trial.user_attrs.get(REASON, "")),
    )


def _value(trial: FrozenTrial, direction: StudyDirection) -> float | None:
    best = max if direction == StudyDirection.MAXIMIZE else min
    return best(trial.intermediate_values.values(), default=None)


def _decoded(dimension: Any, value: Any) -> Any:
    """Return a value as the recipe has it: a storage keeps lists and tables as JSON."""
    if not isinstance(dimension, Choices):
        return value
    return next(v for v in dimension.choices if same(dimension.stored(v), value))


def write_table(done: Sequence[Record], space: Space, path: Path) -> None:
    """Write trials as CSV: number, state, value, epochs, seconds, a column a key, reason."""
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["trial", "state", "value", "epochs", "seconds", *space, "reason"])
        for r in done:
            values = (r.values.get(key, "") for key in space)
            writer.writerow([r.number, r.state, r.value, r.epochs, r.seconds, *values, r.reason])
