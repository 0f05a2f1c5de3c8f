"""What a recipe is worth over all folds: each face judged once, by a network that never saw it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from rich.console import Console

from mien.data.dataset import NO_TARGET, FaceDataset
from mien.errors import MienError
from mien.evaluation.bootstrap import intervals, known_groups
from mien.evaluation.calibration import fit_temperature, probabilities
from mien.evaluation.folds.spread import Spread, spread
from mien.evaluation.metrics import METRICS, Probabilities, Truth, confusion
from mien.evaluation.predict import predict
from mien.evaluation.predictions import Predictions
from mien.evaluation.predictions_file import read_predictions, write_predictions
from mien.evaluation.written import known
from mien.files import read_json, whole_file, write_json
from mien.labels import LabelSet
from mien.recipe import HeadPart
from mien.training.cross_validation import CrossValidation, begin, train_fold
from mien.training.faces import unseen
from mien.training.run import Run

REPORT, TABLE = "crossval.json", "out-of-fold.parquet"

FOLD = "fold.json"
"""In a fold's run: written last, it says that the fold was measured."""


@dataclass(frozen=True)
class HeldOut:
    """What one fold's network says of the fold that it never learned from.

    Args:
        table: One head's logits for the fold's faces.
        temperature: Fitted on the fold's validation share; 1 where the fold itself selected.
    """

    table: Predictions
    temperature: float

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which faces have a known truth."""
        return np.asarray(self.table.truth != NO_TARGET)

    @property
    def shares(self) -> Probabilities:
        """Probabilities, float64 (N, C)."""
        return probabilities(self.table.logits, self.temperature)


@dataclass(frozen=True)
class FoldFigures:
    """One head's figures of one fold.

    Args:
        fold: Its number, from 0.
        faces: How many faces were judged.
        epoch: The epoch that was selected, from 1.
        temperature: As in `HeldOut`.
        metrics: Value by the metric's name.
    """

    fold: int
    faces: int
    epoch: int
    temperature: float
    metrics: dict[str, float]


@dataclass(frozen=True)
class HeadFigures:
    """One head's figures over all folds.

    Args:
        labels: The head's label set, C expressions.
        folds: Of each fold.
        spreads: By the metric's name.
        confusion: int64 (C, C), of all folds together; rows are the truth.
        leaked: How many judged faces have a pixel-identical twin among those the network that
            judged them was trained or selected on.
        people: Whether intervals draw whole subjects; else they draw faces.
    """

    labels: LabelSet
    folds: tuple[FoldFigures, ...]
    spreads: dict[str, Spread]
    confusion: NDArray[np.int64]
    leaked: int
    people: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON types."""
        return {
            "head": self.labels.name,
            "expressions": list(self.labels.expressions),
            "leaked": self.leaked,
            "metrics": {
                name: {part: known(number) for part, number in asdict(value).items()}
                for name, value in self.spreads.items()
            },
            "confusion": self.confusion.tolist(),
            "folds": [asdict(fold) for fold in self.folds],
        }


@dataclass(frozen=True)
class CrossValidated:
    """A finished cross-validation.

    Args:
        plan: What was done.
        folder: Where it is.
        heads: The figures of each head.
    """

    plan: CrossValidation
    folder: Path
    heads: tuple[HeadFigures, ...]

    def run(self, fold: int) -> Run:
        """Return a fold's run."""
        return Run(self.folder / f"fold-{fold}")


def cross_validate(
    plan: CrossValidation, folder: Path, *, resume: bool = False, progress: bool = True
) -> CrossValidated:
    """Train and judge fold by fold; write figures and out-of-fold probabilities.

    Leaves `folds.json`, the run of each fold in `fold-0` and so on, `crossval.json` and, where a
    head learns from labels, `out-of-fold.parquet`. Each fold's temperature is fitted on its
    validation share.

    Args:
        plan: What to do.
        folder: Where it goes.
        resume: Continue what was begun in `folder`: measured folds are not trained again, and the
            interrupted one goes on after its last finished epoch.
        progress: Whether to show bars.

    Raises:
        MienError: If a fold cannot be trained, or `folder` holds something else.
    """
    begin(plan, folder, resume=resume)
    console = Console(stderr=True, quiet=not progress)
    folds = []
    for fold in range(plan.count):
        console.print(f"Fold {fold + 1} of {plan.count}", highlight=False)
        folds.append(_judged(plan, fold, folder, progress))
    epochs = [int(Run(folder / f"fold-{fold}").best_epoch()["epoch"]) for fold in range(plan.count)]
    heads = [_head_figures([f[n] for f in folds], epochs) for n in range(len(plan.recipe.heads))]
    result = CrossValidated(plan, folder, tuple(heads))
    write_json(folder / REPORT, _summary(result))
    _write_out_of_fold(plan, folds, folder / TABLE)
    return result


def _judged(plan: CrossValidation, fold: int, folder: Path, progress: bool) -> list[HeldOut]:
    """Train on a fold's faces and judge the fold; what was measured before is read."""
    faces = plan.faces_of(fold)
    run = train_fold(plan, fold, faces, folder, progress=progress)
    if not (run.folder / FOLD).exists():
        _measure(plan, run, faces)
    temperatures = read_json(run.folder / FOLD)["temperatures"]
    return [
        HeldOut(_read(run, head, plan.judged), temperatures[head.labels])
        for head in plan.recipe.heads
    ]


def _measure(plan: CrossValidation, run: Run, faces: FaceDataset) -> None:
    temperatures = {}
    left_out = unseen(plan.recipe, faces)
    if left_out.any():  # what was not trained on is no leak
        faces = faces.select(np.flatnonzero(~left_out))
    for table in predict(run.module(), faces):
        name = table.labels.name
        _check_known(table, plan.judged, run)
        val = table.judged("val")
        fitted = 1.0 if plan.select_on_fold else fit_temperature(val.logits, val.truth)
        temperatures[name] = fitted
        write_predictions(table, _predictions(run, name))
    write_json(run.folder / FOLD, {"temperatures": temperatures})


def _check_known(table: Predictions, split: str, run: Run) -> None:
    if len(table.judged(split).ids) == 0:
        raise MienError(
            f"{run.folder.name} cannot be judged: none of its faces has a known truth for head"
            f" {table.labels.name!r}."
        )


def _predictions(run: Run, head: str) -> Path:
    return run.folder / "predictions" / f"{head}.parquet"


def _read(run: Run, head: HeadPart, split: str) -> Predictions:
    table = read_predictions(_predictions(run, head.labels))
    return table.select(table.splits == split)


def _head_figures(folds: Sequence[HeldOut], epochs: Sequence[int]) -> HeadFigures:
    truths = [fold.table.truth[fold.known] for fold in folds]
    shares = [fold.shares[fold.known] for fold in folds]
    figures = tuple(
        FoldFigures(number, len(truth), epoch, fold.temperature, _metrics(truth, share))
        for number, (fold, epoch, truth, share) in enumerate(zip(folds, epochs, truths, shares))
    )
    truth, share = np.concatenate(truths), np.concatenate(shares)
    people = known_groups(np.concatenate([fold.table.subjects[fold.known] for fold in folds]))
    within = intervals(METRICS, truth, share, people)
    spreads = {
        name: spread([fold.metrics[name] for fold in figures], metric(truth, share), within[name])
        for name, metric in METRICS.items()
    }
    leaked = sum(int(fold.table.leaked[fold.known].sum()) for fold in folds)
    return HeadFigures(
        labels=folds[0].table.labels,
        folds=figures,
        spreads=spreads,
        confusion=confusion(truth, share),
        leaked=leaked,
        people=people is not None,
    )


def _metrics(truth: Truth, shares: Probabilities) -> dict[str, float]:
    return {name: metric(truth, shares) for name, metric in METRICS.items()}


def _summary(result: CrossValidated) -> dict[str, Any]:
    plan = result.plan
    return {
        "recipe": plan.recipe.name,
        "dataset": plan.pool.name,
        "fingerprint": plan.pool.fingerprint,
        "faces": len(plan.pool),
        "folds": plan.count,
        "how": plan.how,
        "selection": plan.selection,
        "selected_on_held_out_fold": plan.select_on_fold,
        "heads": [head.as_dict() for head in result.heads],
    }


def _write_out_of_fold(
    plan: CrossValidation, folds: Sequence[Sequence[HeldOut]], path: Path
) -> None:
    """Write the probabilities of the first head that learns from labels, if there is one."""
    number = next((n for n, h in enumerate(plan.recipe.heads) if h.target == "label"), None)
    if number is None:
        return
    held = [fold[number] for fold in folds]
    shares = np.concatenate([fold.shares for fold in held])
    expressions = held[0].table.labels.expressions
    columns: dict[str, Any] = {"id": np.concatenate([fold.table.ids for fold in held]).tolist()}
    columns |= {f"p_{e}": column for e, column in zip(expressions, shares.T)}
    with whole_file(path) as temporary:
        pq.write_table(pa.table(columns), temporary)
