"""What a model says about each face: the table every figure is computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mien.data.dataset import NO_TARGET, FaceDataset
from mien.data.explore.statistics import brightness, sharpness
from mien.data.twins import twins_in
from mien.errors import MienError
from mien.evaluation.bootstrap import known_groups
from mien.evaluation.calibration import probabilities
from mien.evaluation.metrics import Probabilities
from mien.evaluation.origin import Origin
from mien.labels import LabelSet
from mien.signals import SignalName

SMALLEST = 1e-30
"""Probabilities below it count as this, so that they have a logarithm."""

NOTHING = 1e-20
"""What classes of the probability `SMALLEST` add up to, at most, however many."""

MEASURES = ("brightness", "sharpness", "face_size")
"""What a table may know of each picture: mean grey value, variance of the Laplacian, pixels of the
face's side in the picture that it was cut from."""


@dataclass(frozen=True)
class Predictions:
    """One output's logits for N faces, beside the truth.

    Args:
        labels: The output's label set, C expressions.
        ids: str (N,), unique.
        splits: str (N,), "" where there is none.
        truth: int64 (N,), or `NO_TARGET` where there is none.
        leaked: bool (N,): a test face with a pixel-identical twin in train or val, or a val face
            with one in train.
        logits: float64 (N, C).
        subjects: str (N,), who is shown, "" where unknown.
        sources: str (N,), the dataset each face comes from.
        votes: uint8 (N, 10), raters' votes in the order of `mien.labels.VOTES`, or None.
        measures: float64 (N,) by name, some of `MEASURES`.
        signals: float64 (N,) by name, what the model says besides expressions, 0 to 1.
        model: Whose predictions they are.
        dataset: Whose faces they are of.
        temperature: What the logits are divided by.
        learnt: bool (N,): a face identical to one that the model was trained on, where it divided
            the dataset in another way; None where there is none.
        origin: What is known of the model.

    Raises:
        MienError: If the columns differ in length, an id occurs twice, a logit is not finite, a
            truth is no class, or the temperature is not positive.
    """

    labels: LabelSet
    ids: NDArray[np.str_]
    splits: NDArray[np.str_]
    truth: NDArray[np.int64]
    leaked: NDArray[np.bool_]
    logits: NDArray[np.float64]
    subjects: NDArray[np.str_]
    sources: NDArray[np.str_]
    votes: NDArray[np.uint8] | None = None
    measures: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    signals: Mapping[SignalName, NDArray[np.float64]] = field(default_factory=dict)
    model: str = ""
    dataset: str = ""
    temperature: float = 1.0
    learnt: NDArray[np.bool_] | None = None
    origin: Origin = field(default_factory=Origin)

    def __post_init__(self) -> None:
        count, classes = len(self.ids), len(self.labels)
        columns = (self.splits, self.truth, self.leaked, self.logits, self.subjects, self.sources)
        others = (*self.measures.values(), *self.signals.values())
        some = [column for column in (self.votes, self.learnt) if column is not None]
        parallel = all(len(column) == count for column in (*columns, *others, *some))
        if not parallel or self.logits.shape != (count, classes):
            raise MienError(f"{self._name} must have {count} rows of {classes} logits each.")
        bad = ~np.isfinite(self.logits).all(axis=1)
        if bad.any():
            raise MienError(
                f"{self._name} must be finite. Got values that are not for {int(bad.sum())} of"
                f" {count} faces, {str(self.ids[bad.argmax()])!r} first."
            )
        if len(np.unique(self.ids)) != count:
            raise MienError(f"{self._name} must name each face once.")
        if not ((self.truth >= NO_TARGET) & (self.truth < classes)).all() or self.temperature <= 0:
            raise MienError(f"{self._name} must have truths among their classes, and T above 0.")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def _name(self) -> str:
        return f"The predictions of {self.model}" if self.model else "The predictions"

    @cached_property
    def probabilities(self) -> Probabilities:
        """softmax(logits / temperature), float64 (N, C)."""
        return probabilities(self.logits, self.temperature)

    @property
    def people(self) -> NDArray[np.str_] | None:
        """The subjects, which intervals draw whole; None unless all are known and there are two."""
        return known_groups(self.subjects)

    @property
    def measured_split(self) -> Literal["test", "val"]:
        """The split that figures are of: test, or val where no test face has a known truth."""
        return "test" if len(self.judged("test")) else "val"

    def select(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> Predictions:
        """Return the faces that a mask, or an index array, picks."""
        return replace(
            self,
            ids=self.ids[which],
            splits=self.splits[which],
            truth=self.truth[which],
            leaked=self.leaked[which],
            logits=self.logits[which],
            subjects=self.subjects[which],
            sources=self.sources[which],
            votes=None if self.votes is None else self.votes[which],
            measures={name: values[which] for name, values in self.measures.items()},
            signals={name: values[which] for name, values in self.signals.items()},
            learnt=None if self.learnt is None else self.learnt[which],
        )

    @property
    def unlearnt(self) -> Predictions:
        """The faces that the model was not trained on, as far as that is known."""
        if self.learnt is None:
            return self
        return replace(self.select(~self.learnt), learnt=None)

    def calibrated(self, temperature: float) -> Predictions:
        """Return the same predictions at another temperature."""
        return replace(self, temperature=temperature)

    def judged(self, split: str) -> Predictions:
        """Return the faces of a split whose truth is known."""
        return self.select((self.splits == split) & (self.truth != NO_TARGET))

    def among(self, labels: LabelSet) -> Predictions:
        """Return the predictions as if only some of the expressions could be chosen.

        Probabilities are divided among them; faces of other expressions lose their truth.

        Args:
            labels: A subset of the output's expressions.

        Raises:
            MienError: If the output lacks one of them, or gives all of them probability 0.
        """
        if labels.expressions == self.labels.expressions:
            return self
        places = labels.positions_in(self.labels)
        empty = self.probabilities[:, places].sum(axis=1) < NOTHING
        if empty.any():
            raise MienError(
                f"{self._name} give {', '.join(labels.expressions)} probability 0 for"
                f" {int(empty.sum())} faces, {str(self.ids[empty.argmax()])!r} first: how they"
                " would choose among these is not known."
            )
        table = np.full(len(self.labels) + 1, NO_TARGET)
        table[places] = np.arange(len(labels))
        return replace(self, labels=labels, truth=table[self.truth], logits=self.logits[:, places])


def predictions_of(
    faces: FaceDataset,
    labels: LabelSet,
    truth: NDArray[np.int64],
    leaked: NDArray[np.bool_],
    logits: NDArray[np.float64],
) -> Predictions:
    """Return the table of a dataset's faces.

    Args:
        faces: N faces.
        labels: The output's label set.
        truth: int64 (N,), or `NO_TARGET`.
        leaked: bool (N,), as `leaked_faces` finds them.
        logits: float64 (N, C).
    """
    measures = {"brightness": brightness(faces.images), "sharpness": sharpness(faces.images)}
    return Predictions(
        labels=labels,
        ids=faces.ids,
        splits=faces.splits,
        truth=truth,
        leaked=leaked,
        logits=logits,
        subjects=faces.subjects,
        sources=faces.sources,
        votes=faces.votes,
        measures=measures,
        dataset=faces.name,
    )


def judged_faces(dataset: FaceDataset, *, every: bool = False) -> NDArray[np.bool_]:
    """Return bool (N,): the faces of val and test; all if wanted, or if there are none of them."""
    judged = np.isin(dataset.splits, ["val", "test"])
    return judged if judged.any() and not every else np.ones(len(dataset), dtype=bool)


def logits_of(shares: Probabilities, temperature: float) -> NDArray[np.float64]:
    """Return logits that give probabilities, float (N, C), at a temperature."""
    return np.asarray(np.log(np.maximum(shares, SMALLEST)) * temperature)


def leaked_faces(dataset: FaceDataset) -> NDArray[np.bool_]:
    """Return bool (N,): test faces with a twin in train or val, val faces with one in train."""
    test = (dataset.splits == "test") & twins_in(dataset, ["train", "val"])
    val = (dataset.splits == "val") & twins_in(dataset, ["train"])
    return np.asarray(test | val)
