"""Labels that are likely wrong: confident learning on out-of-fold probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.data.audit import CHECKS, Finding, Result, Table
from mien.data.audit.baseline import out_of_fold
from mien.data.audit.confident import (
    calibrated_joint,
    confident_joint,
    margins,
    noise_rates,
    prune_by_noise_rate,
)
from mien.data.audit.evidence import Evidence
from mien.data.dataset import NO_TARGET, FaceDataset
from mien.errors import MienError

NAME = "label-noise"
TITLE = "Likely wrong labels"

SURE = 0.8
"""Suspicion from which a finding of the audit's own model is marked for dropping."""

EXPLANATION = (
    "Confident learning (Northcutt et al. 2021): labels that models which did not learn from the"
    " face contradict with confidence. The probabilities come from --probabilities, or else from a"
    " small model in five folds that keep twins and subjects together. That model errs often, and"
    " its errors count as noise: take its rates for an order of the classes and not for a measure,"
    " and look before dropping. Measured on FER2013 with the small model, which gives 45 % of the"
    " labels: the majority of FER+'s raters does not give the label of 41 % of all faces, of 79 %"
    " of the first 500 findings, of 70 % of the first 2,000 and of 60 % of all 13,530. Marked for"
    f" dropping are findings of suspicion {SURE} or more (876, of which 77 %), or with"
    " --probabilities all. Suspicion is half of 1 + p(likely) - p(labelled)."
)


@dataclass(frozen=True)
class _Doubts:
    """What confident learning says of labelled faces; arrays are (M,) or (K, K)."""

    which: NDArray[np.intp]
    given: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    joint: NDArray[np.int64]
    calibrated: NDArray[np.float64]
    issues: NDArray[np.bool_]


@CHECKS.register(NAME)
class LabelNoise:
    """Compares each label with what models say that did not learn from it."""

    def run(self, dataset: FaceDataset, evidence: Evidence, *, progress: bool = False) -> Result:
        """Return the faces whose labels are doubted, the most suspicious first."""
        which = np.flatnonzero(dataset.targets != NO_TARGET)
        if len(np.unique(dataset.targets[which])) < 2:
            missing = "The dataset has no labels of two classes."
            return Result(NAME, TITLE, EXPLANATION, {}, (), missing=missing)
        try:
            probabilities = _probabilities(dataset, which, evidence, progress)
        except MienError as error:  # no scikit-learn, or too few faces or people for folds
            return Result(NAME, TITLE, EXPLANATION, {}, (), missing=str(error))
        doubts = _doubts(which, dataset.targets[which], probabilities)
        right = probabilities.argmax(axis=1) == doubts.given
        counts = {
            "faces with a label": len(which),
            "labels the model would have given too": int(right.sum()),
            "labels that are likely wrong": int(doubts.issues.sum()),
        }
        names = dataset.labels.expressions
        least = SURE if evidence.probabilities is None else 0.0
        findings = _findings(doubts, names, least)
        return Result(NAME, TITLE, EXPLANATION, counts, findings, _tables(doubts, names))


def _probabilities(
    dataset: FaceDataset, which: NDArray[np.intp], evidence: Evidence, progress: bool
) -> NDArray[np.float64]:
    if evidence.probabilities is not None:
        return evidence.probabilities[which]
    return out_of_fold(dataset.select(which), progress=progress)


def _doubts(
    which: NDArray[np.intp], given: NDArray[np.int64], probabilities: NDArray[np.float64]
) -> _Doubts:
    joint = confident_joint(given, probabilities)
    calibrated = calibrated_joint(joint, given)
    pruned = prune_by_noise_rate(given, probabilities, calibrated)
    issues = pruned & (probabilities.argmax(axis=1) != given)
    return _Doubts(which, given, probabilities, joint, calibrated, issues)


def _findings(doubts: _Doubts, names: tuple[str, ...], least: float) -> tuple[Finding, ...]:
    """Return the doubted labels by suspicion; those of at least `least` are marked."""
    suspicions = (1 - margins(doubts.given, doubts.probabilities)) / 2
    issues = np.flatnonzero(doubts.issues)
    ranked = issues[np.argsort(-suspicions[issues], kind="stable")]
    likely = doubts.probabilities.argmax(axis=1)
    return tuple(
        Finding(
            NAME,
            int(doubts.which[i]),
            -1,
            float(suspicions[i]),
            bool(suspicions[i] >= least),
            f"labelled {names[doubts.given[i]]}, likely {names[likely[i]]}"
            f" (p {_decimal(doubts.probabilities[i, likely[i]])})",
        )
        for i in ranked
    )


def _decimal(value: float) -> str:
    return f"{value:.2f}".removeprefix("0")


def _tables(doubts: _Doubts, names: tuple[str, ...]) -> tuple[Table, ...]:
    rates = noise_rates(doubts.calibrated)
    sizes = np.bincount(doubts.given, minlength=len(names))
    found = np.bincount(doubts.given[doubts.issues], minlength=len(names))
    shares = tuple(
        (name, int(sizes[i]), f"{rates[i]:.0%}", int(found[i])) for i, name in enumerate(names)
    )
    joint = tuple((name, *row) for name, row in zip(names, doubts.joint.tolist()))
    return (
        Table("Noise by label", ("label", "faces", "estimated noise", "findings"), shares),
        Table("Confident joint: the label as given, by the likely label", ("given", *names), joint),
    )
