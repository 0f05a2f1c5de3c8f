"""How accurate a model is on what the detectors found."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from crop_parity_faces import Faces, Setting, shares
from crop_parity_looks import Cut, Looker, looks
from numpy.typing import NDArray
from rich.progress import Progress

from mien.evaluation.bootstrap import interval
from mien.evaluation.metrics import Probabilities, Truth, accuracy
from mien.evaluation.paired import Difference, paired_difference
from mien.inference.classifier import Classifier
from mien.inference.detectors import DETECTORS, Detector, haar, yunet

SHIPPED = {"haar": haar.FRAMING, "yunet": yunet.FRAMING}


@dataclass(frozen=True)
class Seen:
    """The faces that a detector found in one setting, and what the model says of them.

    Args:
        faces: Those found.
        of: How many there were.
        own: float (F, C), of their own crops.
        through: float (F, C), of each cut, by its name.
    """

    faces: Faces
    of: int
    own: Probabilities
    through: Mapping[str, Probabilities]

    @property
    def truth(self) -> Truth:
        return self.faces.truth

    @property
    def groups(self) -> NDArray[np.str_] | None:
        """What the bootstrap draws whole; None where each face stands for itself."""
        groups = self.faces.groups
        return groups if len(np.unique(groups)) < len(groups) else None

    def less_own(self, cut: str) -> Difference:
        """Return the accuracy of a cut less that of the own crops."""
        return paired_difference(accuracy, self.truth, self.own, self.through[cut], self.groups)

    def gain(self, first: str, second: str) -> Difference:
        """Return the accuracy of a second cut less that of a first."""
        through = self.through[first], self.through[second]
        return paired_difference(accuracy, self.truth, *through, self.groups)


@dataclass(frozen=True)
class Row:
    """One figure: a way of cutting, in a setting.

    `accuracy` is that of the crops cut, `own` that of the same faces' own crops, `same` the share
    of faces that get the same reading both ways; `difference` is from the own crops, `gain` from
    the shipped way.
    """

    faces: str
    detector: str
    side: int | None
    tilt: int
    cut: str
    found: int
    of: int
    own: float
    own_interval: tuple[float, float]
    accuracy: float
    interval: tuple[float, float]
    same: float
    difference: Difference
    gain: Difference


class Bench:
    """The model and the detectors, which look at faces in settings."""

    def __init__(self, model: str, weights: Path | None, threads: int | None) -> None:
        cv2.setNumThreads(-1 if threads is None else threads)
        self.classifier = Classifier(model, threads)
        self._read: dict[str, Probabilities] = {}
        paths = {"yunet": weights}
        self._detectors: dict[str, Detector] = {n: DETECTORS[n](paths.get(n)) for n in SHIPPED}

    def see(
        self, faces: Faces, setting: Setting, cuts: Mapping[str, Mapping[str, Cut]], bar: Progress
    ) -> dict[str, Seen]:
        """Let the detectors look for faces, and the model read them; `cuts` are by detector."""
        lookers = {
            name: Looker(self._detectors[name], SHIPPED[name], list(cuts[name].values()))
            for name in cuts
        }
        what = f"{faces.name}, {setting.name}"
        task = bar.add_task(what, total=len(faces.images))
        preprocess = self.classifier.card.preprocess
        step = partial(bar.advance, task)
        found = looks(lookers, setting.scenes(faces.images), preprocess, step)
        for name, look in found.items():
            if not look.found.any():
                sys.exit(f"{name} finds none of {what}: give more faces with --count.")
        own = self._own(faces)
        return {
            name: Seen(
                faces=_those(faces, look.found),
                of=len(faces.images),
                own=own[look.found],
                through={
                    cut: shares(self.classifier, crops, faces.labels)
                    for cut, crops in zip(cuts[name], look.crops, strict=True)
                },
            )
            for name, look in found.items()
        }

    def _own(self, faces: Faces) -> Probabilities:
        if faces.name not in self._read:
            self._read[faces.name] = shares(self.classifier, faces.images, faces.labels)
        return self._read[faces.name]


def _those(faces: Faces, which: NDArray[np.bool_]) -> Faces:
    parts = (faces.images[which], faces.truth[which], faces.groups[which])
    return replace(faces, images=parts[0], truth=parts[1], groups=parts[2])


def rows(name: str, setting: Setting, seen: Seen) -> list[Row]:
    """Return the figures of a detector in a setting, one for each cut."""
    return [
        Row(
            faces=seen.faces.name,
            detector=name,
            side=setting.side,
            tilt=setting.tilt,
            cut=cut,
            found=len(seen.truth),
            of=seen.of,
            own=accuracy(seen.truth, seen.own),
            own_interval=interval(accuracy, seen.truth, seen.own, seen.groups),
            accuracy=accuracy(seen.truth, through),
            interval=interval(accuracy, seen.truth, through, seen.groups),
            same=float((through.argmax(1) == seen.own.argmax(1)).mean()),
            difference=seen.less_own(cut),
            gain=seen.gain("shipped", cut),
        )
        for cut, through in seen.through.items()
    ]


def pooled(name: str, setting: Setting, parts: Sequence[Seen]) -> list[Row]:
    """Return the figures over several looks at the same faces; a face's are drawn together."""
    faces = replace(
        parts[0].faces,
        images=np.concatenate([part.faces.images for part in parts]),
        truth=np.concatenate([part.truth for part in parts]),
        groups=np.concatenate([part.faces.groups for part in parts]),
    )
    through = {
        cut: np.concatenate([part.through[cut] for part in parts]) for cut in parts[0].through
    }
    own = np.concatenate([part.own for part in parts])
    return rows(name, setting, Seen(faces, sum(part.of for part in parts), own, through))
