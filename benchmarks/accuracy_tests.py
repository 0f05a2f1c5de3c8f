"""What models are asked in `accuracy.py`: faces, the expressions to choose among, and the truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.data.dataset import NO_TARGET, FaceDataset
from mien.data.readers import read_dataset
from mien.data.votes import join_votes
from mien.evaluation.metrics import Probabilities
from mien.evaluation.predictions import leaked_faces
from mien.labels import LabelSet, label_set, parse_expression
from mien.recipe import HeadPart
from mien.training.targets import head_targets

SIX = "anger+disgust+fear+happiness+sadness+surprise"
"""The basic expressions of Ekman and Friesen, 1971, without neutral."""

FER2013, CKPLUS = "FER2013 PrivateTest", "CK+48"


@dataclass(frozen=True)
class Test:
    """A question to all models.

    Args:
        name: Of the faces and the truth.
        subset: "all", or "without leaked".
        labels: What is chosen among; probabilities are divided among these.
        rows: int (M,), the faces, among all that models read.
        truth: int64 (M,), index into `labels`.
        groups: str (M,), what the bootstrap draws together; None for each face by itself.
        output: The output that learnt from such a truth, which is asked where a model has it.
    """

    name: str
    subset: str
    labels: LabelSet
    rows: NDArray[np.intp]
    truth: NDArray[np.int64]
    groups: NDArray[np.str_] | None
    output: str

    def asked(self, said: Mapping[str, Answers]) -> Probabilities | None:
        """Return what a model says, float64 (M, C); None if it lacks one of the expressions."""
        wanted = set(self.labels.expressions)
        able = [name for name, answers in said.items() if wanted <= set(answers.expressions)]
        if not able:
            return None
        answers = said[self.output if self.output in able else able[0]]
        columns = [answers.expressions.index(expression) for expression in self.labels.expressions]
        return answers.shares[np.ix_(self.rows, columns)]


@dataclass(frozen=True)
class Answers:
    """One output of a model: its expressions, and probabilities, float (N, C), in their order."""

    expressions: Sequence[str]
    shares: NDArray[np.floating]


def answers(
    heads: Mapping[str, Sequence[str]], shares: Mapping[str, NDArray]
) -> dict[str, Answers]:
    """Return a model's outputs; expressions may have any known spelling."""
    return {
        name: Answers([parse_expression(e) for e in expressions], shares[name])
        for name, expressions in heads.items()
    }


@dataclass(frozen=True)
class Questions:
    """All faces that models read, uint8 (N, 48, 48), and all that is asked about them."""

    images: NDArray[np.uint8]
    tests: list[Test]


def questions(fer2013: Path, votes: Path, ckplus: Path, count: int | None) -> Questions:
    """Read the datasets; `count` takes fewer faces of each, at equal distances."""
    dataset = join_votes(read_dataset(fer2013), votes)
    places = _some(np.flatnonzero(dataset.splits == "test"), count)
    faces, leaked = dataset.select(places), leaked_faces(dataset)[places]
    others = read_dataset(ckplus)
    others = others.select(_some(np.arange(len(others)), count))
    tests = [*_of_fer2013(faces, leaked), *_of_ckplus(others, len(faces))]
    return Questions(np.concatenate([faces.images, others.images]), tests)


def _some(places: NDArray[np.intp], count: int | None) -> NDArray[np.intp]:
    if count is None or count >= len(places):
        return places
    return places[np.linspace(0, len(places) - 1, count).astype(np.intp)]


def _of_fer2013(faces: FaceDataset, leaked: NDArray[np.bool_]) -> Iterator[Test]:
    asked = [
        ("FER2013, 7 classes", "basic7", "label", "basic7"),
        ("FER2013, 4 classes", "four", "label", "basic7"),
        ("FER+ majority, 8 classes", "ferplus8", "votes", "ferplus8"),
        # Faces of contempt are left out for models that do not know it.
        ("FER+ majority, 7 classes", "basic7", "votes", "ferplus8"),
    ]
    for name, labels, target, output in asked:
        truth = head_targets(faces, HeadPart(labels=labels, target=target)).truth
        for subset, kept in (("all", np.ones_like(leaked)), ("without leaked", ~leaked)):
            rows = np.flatnonzero((truth != NO_TARGET) & kept)
            yield Test(name, subset, label_set(labels), rows, truth[rows], None, output)


def _of_ckplus(faces: FaceDataset, start: int) -> Iterator[Test]:
    asked = [
        ("CK+48, 6 basic classes", SIX),
        ("CK+48, 6 basic classes, neutral possible", "basic7"),
        ("CK+48, 7 classes", "ckplus7"),
    ]
    for name, labels in asked:
        truth = head_targets(faces, HeadPart(labels=labels, target="label")).truth
        rows = np.flatnonzero(truth != NO_TARGET)
        subjects = faces.subjects[rows]
        yield Test(name, "all", label_set(labels), start + rows, truth[rows], subjects, "ferplus8")
