"""Several models on the same faces: figures with intervals, paired differences, McNemar's test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from mien.data.dataset import NO_TARGET
from mien.errors import MienError
from mien.evaluation.judged import Judged, judged, of_split, places_of
from mien.evaluation.metrics import METRICS
from mien.evaluation.origin import Origin
from mien.evaluation.paired import Difference, McNemar, mcnemar, paired_difference
from mien.evaluation.predictions import Predictions
from mien.evaluation.sections.headline import Measured, measured
from mien.labels import LabelSet

PAIRED = ("accuracy", "macro_f1")
"""The figures whose differences are given."""


@dataclass(frozen=True)
class Compared:
    """One model on the common faces.

    Args:
        model: Its name.
        figures: Value, lower and upper bound of each headline figure.
        differences: To the first model, by figure; none for the first itself.
        test: Against the first model; None for the first itself.
        unleaked: The same without leaked faces; None where none or all are leaked.
        origin: What is known of it.
    """

    model: str
    figures: Measured
    differences: Mapping[str, Difference]
    test: McNemar | None
    unleaked: Compared | None = None
    origin: Origin = field(default_factory=Origin)


@dataclass(frozen=True)
class Comparison:
    """Models on the same faces of one dataset.

    Args:
        dataset: Its name.
        labels: What was to be chosen among.
        split: Which faces.
        faces: How many.
        leaked: How many of them are leaked.
        unshared: How many more have a truth and a prediction of some, but not of all models.
        people: Whether intervals draw whole subjects; else they draw faces.
        models: In the given order; each is compared with the first.
        found: How many faces it would be with those that some model was trained on.
        learnt: How many of them each model was trained on, all of which are left out; by its name,
            of those that were trained on any.
    """

    dataset: str
    labels: LabelSet
    split: str
    faces: int
    leaked: int
    unshared: int
    people: bool
    models: tuple[Compared, ...]
    found: int
    learnt: Mapping[str, int]

    @property
    def unleaked(self) -> tuple[Compared, ...]:
        """The models without leaked faces; none where none or all are leaked."""
        return tuple(model.unleaked for model in self.models if model.unleaked is not None)


def compare(tables: Sequence[Predictions], split: str | None = None) -> Comparison:
    """Compare models on the faces that all of them predict and whose truth is known.

    Faces that one of them was trained on, where its recipe divided the dataset anew, are left out.

    Args:
        tables: Two or more, of one label set and dataset.
        split: Which faces; by default test, else val, else all.

    Raises:
        MienError: If they have no face in common that none was trained on, or disagree about a
            face's truth.
    """
    shared = common_faces(tables)
    aligned = [judged(table, split=split) for table in _all_unlearnt(shared)]
    first = aligned[0]
    models = tuple(_compared(first, other) for other in aligned)
    faces = first.faces
    return Comparison(
        dataset=faces.dataset,
        labels=faces.labels,
        split=first.split,
        faces=len(faces),
        leaked=int(faces.leaked.sum()),
        unshared=_unshared(tables, first.split, shared[0].ids),
        people=faces.people is not None,
        models=models,
        found=len(faces) + first.learnt,
        learnt=_learnt(shared, first.split),
    )


def _all_unlearnt(shared: Sequence[Predictions]) -> list[Predictions]:
    """Return tables of the same faces, of which each model has learnt what one of them has."""
    masks = [table.learnt for table in shared if table.learnt is not None]
    learnt = np.any(masks, axis=0) if masks else None
    return [replace(table, learnt=learnt) for table in shared]


def _learnt(shared: Sequence[Predictions], split: str) -> dict[str, int]:
    faces = [of_split(table, split) for table in shared]
    counts = {
        table.model: int((table.learnt & (table.truth != NO_TARGET)).sum())
        for table in faces
        if table.learnt is not None
    }
    return {model: count for model, count in counts.items() if count}


def _unshared(tables: Sequence[Predictions], split: str, shared: NDArray[np.str_]) -> int:
    """Count the faces that some model judges and that are not among those that all predict."""
    known = [of_split(table, split) for table in tables]
    ids = [table.ids[table.truth != NO_TARGET] for table in known]
    return len(np.setdiff1d(np.concatenate(ids), shared))


def _compared(first: Judged, other: Judged) -> Compared:
    base = None if other is first else first.faces
    found = _beside(base, other.faces, measured(other))
    kept = ~first.faces.leaked
    if kept.all() or not kept.any():
        return found
    base = None if base is None else base.select(kept)
    unleaked = _beside(base, other.faces.select(kept), measured(other, leaked=False))
    return replace(found, unleaked=unleaked)


def _beside(first: Predictions | None, other: Predictions, figures: Measured) -> Compared:
    """Return a model's figures, and its differences to a first if it is not that itself."""
    if first is None:
        return Compared(other.model, figures, {}, None, origin=other.origin)
    truth, one, two = first.truth, first.probabilities, other.probabilities
    differences = {
        metric: paired_difference(METRICS[metric], truth, one, two, first.people)
        for metric in PAIRED
    }
    test = mcnemar(one.argmax(1) == truth, two.argmax(1) == truth)
    return Compared(other.model, figures, differences, test, origin=other.origin)


def common_faces(tables: Sequence[Predictions]) -> list[Predictions]:
    """Return the same faces of each table, in the order of the first.

    A truth, a split or a subject that one table lacks is taken from another, and a face that one
    knows to be leaked is.

    Raises:
        MienError: If there is none, the tables are of several datasets, or two of them give a face
            different truths, splits or subjects.
    """
    ids = reduce(np.intersect1d, [table.ids for table in tables])
    if not len(ids):
        names = " and ".join(table.model or "a table" for table in tables)
        raise MienError(f"{names} cannot be compared: they have no face's id in common.")
    _check_datasets(tables)
    order = tables[0].ids[np.isin(tables[0].ids, ids)]
    found = [table.select(places_of(order, table.ids)) for table in tables]
    expressions = np.array([*found[0].labels.expressions, ""])
    said = _merged(found, "truth", [expressions[table.truth] for table in found])
    splits = _merged(found, "split", [table.splits for table in found])
    subjects = _merged(found, "subject", [table.subjects for table in found])
    leaked = np.any([table.leaked for table in found], axis=0)
    index = {name: place for place, name in enumerate(expressions[:-1].tolist())}
    truth = np.array([index.get(name, NO_TARGET) for name in said.tolist()], dtype=np.int64)
    return [
        replace(table, truth=truth, splits=splits, subjects=subjects, leaked=leaked)
        for table in found
    ]


def _check_datasets(tables: Sequence[Predictions]) -> None:
    names = sorted({table.dataset for table in tables} - {""})
    if len(names) > 1:
        raise MienError(f"Models are compared on one dataset. Got {' and '.join(names)}.")


def _merged(
    tables: Sequence[Predictions], what: str, columns: Sequence[NDArray[np.str_]]
) -> NDArray[np.str_]:
    """Return a column of the tables, "" where none of them knows it."""
    merged, first = columns[0], tables[0]
    for table, column in zip(tables[1:], columns[1:]):
        different = np.flatnonzero((merged != "") & (column != "") & (merged != column))
        if len(different):
            place = different[0]
            raise MienError(
                f"{first.model} and {table.model} cannot be compared: the {what} of"
                f" {len(different)} faces differs, of {first.ids[place]} {merged[place]} and"
                f" {column[place]}."
            )
        merged = np.where(merged == "", column, merged)
    return merged


def of_labels(tables: Sequence[Predictions], labels: LabelSet) -> Predictions:
    """Return a model's predictions of a label set: an output's own, or a part of a wider one's.

    Args and errors as of `wide_enough`.
    """
    return wide_enough(tables, labels).among(labels)


def wide_enough(tables: Sequence[Predictions], labels: LabelSet) -> Predictions:
    """Return the output of just a label set, or else the first that has all its expressions.

    Args:
        tables: The outputs of one model.
        labels: What is to be chosen among.

    Raises:
        MienError: If no output has all its expressions.
    """
    wide = [t for t in tables if set(labels.expressions) <= set(t.labels.expressions)]
    if wide:
        own = (t for t in wide if t.labels.expressions == labels.expressions)
        return next(own, wide[0])
    names = ", ".join(table.labels.name for table in tables)
    raise MienError(
        f"{tables[0].model} has no output with all of {', '.join(labels.expressions)}: its outputs"
        f" that can be judged on {tables[0].dataset or 'its faces'} are {names}."
    )


def of_same_labels(models: Sequence[Sequence[Predictions]], labels: LabelSet) -> list[Predictions]:
    """Return each model's predictions of a label set.

    They are of outputs that all models have, where there are such with all of its expressions:
    another output may be judged by another truth.

    Args:
        models: The outputs of each.
        labels: What is to be chosen among.

    Raises:
        MienError: If a model has no output with all its expressions.
    """
    wide = [one for one in _shared(models) if set(labels.expressions) <= set(one.expressions)]
    own = [one for one in wide if one.expressions == labels.expressions]
    chosen = (own or wide or [labels])[0]
    return [of_labels(outputs, chosen).among(labels) for outputs in models]


def common_labels(models: Sequence[Sequence[Predictions]]) -> list[LabelSet]:
    """Return the label sets that an output of every model has, in the first model's order.

    Raises:
        MienError: If there is none.
    """
    found = _shared(models)
    if not found:
        names = "; ".join(f"{m[0].model}: {', '.join(t.labels.name for t in m)}" for m in models)
        raise MienError(
            f"The models have no output of the same expressions ({names}): name what they are to"
            " choose among with --labels, such as happiness+sadness."
        )
    return found


def _shared(models: Sequence[Sequence[Predictions]]) -> list[LabelSet]:
    first, *others = models
    said = [{table.labels.expressions for table in outputs} for outputs in others]
    return [t.labels for t in first if all(t.labels.expressions in one for one in said)]
