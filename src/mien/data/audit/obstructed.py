"""Faces that lettering or a hand may cover: a discriminant learned from drawn overlays.

On FER2013 drawn lettering is told from plain faces with an AUC of .86, and drawn hands with .92.
Tried there and dropped, with their AUC for lettering and hands: local residuals of eigenfaces, .67
and .58; how badly a part is predicted by the rest of the face, hands .55; the amount of light
strokes in a part, .84 and .58.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from mien.data.audit import CHECKS, Finding, Result, Table
from mien.data.audit.evidence import Evidence
from mien.data.audit.features import SIDE, hog
from mien.data.audit.overlays import with_hand, with_lettering
from mien.data.dataset import FaceDataset
from mien.data.sizes import of_side

NAME = "obstructed"
TITLE = "Possibly covered faces"

LEAST = 200
"""Faces below which no discriminant is learned."""

MOST = 6000
"""Faces that overlays are drawn on; a quarter of them only to measure how well they are found."""

SHARE = 0.005
"""Share of the faces that is listed for each kind of overlay, the most suspicious ones."""

SHRINKAGE = 0.05
"""Added to the variances, in units of themselves, so that the covariance can be inverted."""

BLOCK = 2048

EXPLANATION = (
    "Lettering, as of watermarks, and hands are drawn on faces of this dataset, and a linear"
    " discriminant learns to tell those faces from the same faces as they are; the table says how"
    " well it does on faces held back (an AUC of .5 is guessing). Listed are the images that look"
    f" most like the drawn ones, always {SHARE:.1%} for each kind, whether or not anything covers"
    " them. Of the 100 first of FER2013, looked through by eye, about 60 for lettering are texts,"
    " watermarks and cartoons, and about 20 for hands have a hand or another thing before the face;"
    " most others are turned away or in plain light. Nothing is marked for dropping: a person"
    " should look."
)

Draw = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]

KINDS: dict[str, Draw] = {"lettering": with_lettering, "hand": with_hand}


@dataclass(frozen=True)
class _Judged:
    """Scores (N,) of all faces for one kind, and how well drawn overlays were told apart."""

    kind: str
    scores: NDArray[np.float64]
    auc: float


@CHECKS.register(NAME)
class Obstructed:
    """Draws overlays on the dataset's faces and learns to tell those faces from plain ones."""

    def run(self, dataset: FaceDataset, evidence: Evidence, *, progress: bool = False) -> Result:
        """Return for each kind the most suspicious faces, the worst first."""
        if len(dataset) < LEAST:
            missing = f"The check learns from the dataset, and needs {LEAST} faces or more."
            return Result(NAME, TITLE, EXPLANATION, {}, (), missing=missing)
        images = of_side(dataset.images, SIDE)
        judged = _judge(images, progress)
        findings = [finding for j in judged for finding in _findings(j)]
        findings.sort(key=lambda finding: -finding.value)
        counts = {f"listed for {j.kind}": _listed(len(dataset)) for j in judged}
        rows = tuple((j.kind, f"{j.auc:.3f}") for j in judged)
        table = Table("Drawn overlays told from the faces as they are", ("kind", "AUC"), rows)
        return Result(NAME, TITLE, EXPLANATION, counts, tuple(findings), (table,))


def _listed(count: int) -> int:
    return max(1, round(SHARE * count))


def _findings(judged: _Judged) -> list[Finding]:
    order = np.argsort(-judged.scores, kind="stable")[: _listed(len(judged.scores))]
    return [
        Finding(NAME, int(i), -1, float(s), False, f"{judged.kind} likely ({s:+.1f} deviations)")
        for i, s in zip(order, judged.scores[order])
    ]


def _judge(images: NDArray[np.uint8], progress: bool) -> list[_Judged]:
    generator = np.random.default_rng(0)
    chosen = generator.permutation(len(images))[:MOST]
    learn, test = chosen[len(chosen) // 4 :], chosen[: len(chosen) // 4]
    starts = range(0, len(images), BLOCK)
    steps = track(starts, "Looking for covers", console=Console(stderr=True), disable=not progress)
    features = np.concatenate([_features(images[start : start + BLOCK]) for start in steps])
    judged = []
    for kind, draw in KINDS.items():
        drawn = _features(np.stack([draw(images[i], generator) for i in chosen]))
        count = len(test)
        direction = _discriminant(features[learn], drawn[count:])
        scores = (features @ direction).astype(np.float64)
        auc = _auc(scores[test], (drawn[:count] @ direction).astype(np.float64))
        judged.append(_Judged(kind, (scores - scores.mean()) / scores.std(), auc))
    return judged


def _discriminant(plain: NDArray[np.float32], drawn: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return Fisher's linear discriminant, which grows from plain to drawn."""
    covariance = (np.cov(plain.T) + np.cov(drawn.T)) / 2
    covariance += np.diag(SHRINKAGE * np.diag(covariance) + 1e-6)
    way = drawn.mean(axis=0, dtype=np.float64) - plain.mean(axis=0, dtype=np.float64)
    return np.asarray(np.linalg.solve(covariance, way), dtype=np.float32)


def _auc(plain: NDArray[np.float64], drawn: NDArray[np.float64]) -> float:
    """Return how often a drawn overlay scores higher than a face as it is."""
    below = np.searchsorted(np.sort(plain), drawn, side="left")
    above = np.searchsorted(np.sort(plain), drawn, side="right")
    return float((below + above).mean() / 2 / len(plain))


def _features(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return gradients, coarse grey values, and how much fine detail each part of a face has.

    Args:
        images: uint8 (N, 48, 48).

    Returns:
        float32 (N, D).
    """
    fine = np.array([_detail(image) for image in images], dtype=np.float32)
    return np.concatenate([hog(images), _coarse(images), fine], axis=1)


def _coarse(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return 16x16 grey values with brightness and contrast taken out: (N, 256)."""
    small = of_side(images, 16).reshape(len(images), -1).astype(np.float32)
    small -= small.mean(axis=1, keepdims=True)
    # A blank image has no contrast to take out.
    return np.asarray(small / np.maximum(small.std(axis=1, keepdims=True), 8))


def _detail(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return logarithms of local means: light strokes, dark strokes, curvature and texture."""
    square = np.ones((3, 3), np.uint8)
    maps = (
        cv2.morphologyEx(image, cv2.MORPH_TOPHAT, square),
        cv2.morphologyEx(image, cv2.MORPH_BLACKHAT, square),
        np.abs(cv2.Sobel(image, cv2.CV_32F, 2, 0, ksize=1)),
        cv2.absdiff(image, cv2.blur(image, (5, 5))),
    )
    local = [cv2.blur(m.astype(np.float32), (9, 7))[3:45:4, 4:44:4] for m in maps]
    return np.asarray(np.log1p(np.concatenate([part.ravel() for part in local])))
