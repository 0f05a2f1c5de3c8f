"""Images that are no face: from FER+'s votes, or else from detectors and a model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.data.audit import CHECKS, Finding, Result
from mien.data.audit.evidence import Evidence
from mien.data.audit.search import UNSURE, faceless
from mien.data.dataset import FaceDataset
from mien.labels import VOTES

NAME = "not-a-face"
TITLE = "Not a face"

BY_VOTES = (
    'Images for which more than half of the raters voted "not a face" or "unknown". Detectors and'
    " the model were not asked: people are the better judges."
)

BY_SEARCH = (
    "The dataset has no votes, so these are the images in which no detector finds a face and of"
    f" which the model is unsure: the entropy of its probabilities is {UNSURE} or more of the"
    " largest possible. Measured on FER2013, whose raters took 176 of 35,887 images for no face,"
    " with the threshold chosen on PublicTest: with both detectors the rule finds 7 of the 10 such"
    " images of PublicTest and 8 of the 16 of PrivateTest, which are 15 % and 17 % of its findings"
    " there; with Haar alone it finds 7 and 9, 5 % and 7 %. Of the first 50 findings in the whole,"
    " 40 are such images; further down, most are faces turned away or covered. So nothing is"
    " marked for dropping: a person should look."
)


@CHECKS.register(NAME)
class NotAFace:
    """Counts the raters' votes against a face; where there are none, searches for faces."""

    def run(self, dataset: FaceDataset, evidence: Evidence, *, progress: bool = False) -> Result:
        """Return the images, the least face-like first."""
        if dataset.votes is not None:
            return _by_votes(dataset.votes.astype(np.int64))
        if not evidence.detectors or evidence.classifier is None:
            missing = "The dataset has no votes, and no detector and model were given to search."
            return Result(NAME, TITLE, BY_SEARCH, {}, (), missing=missing)
        found, entropies = faceless(
            dataset, evidence.detectors, evidence.classifier, progress=progress
        )
        findings = tuple(
            Finding(NAME, i, -1, e, False, f"no face found, model unsure ({e:.2f})")
            for i, e in zip(found.tolist(), entropies.tolist())
        )
        counts = {
            "detectors asked": len(evidence.detectors),
            "images without a face, model unsure": len(findings),
        }
        return Result(NAME, TITLE, BY_SEARCH, counts, findings)


def _by_votes(votes: NDArray[np.int64]) -> Result:
    total = np.maximum(votes.sum(axis=1), 1)
    no_face, unknown = votes[:, VOTES.index("not_a_face")], votes[:, VOTES.index("unknown")]
    found = np.flatnonzero(2 * (no_face + unknown) > total)
    order = found[np.lexsort((-unknown[found], -no_face[found]))]
    findings = tuple(
        Finding(
            NAME,
            int(i),
            -1,
            float((no_face[i] + unknown[i]) / total[i]),
            True,
            f"{no_face[i]} votes not a face, {unknown[i]} unknown",
        )
        for i in order
    )
    unvoted = int((votes.sum(axis=1) == 0).sum())
    counts = {
        "most raters say not a face": int((2 * no_face > total).sum()),
        "most raters say not a face or unknown": len(findings),
        **({"images without a vote, not judged": unvoted} if unvoted else {}),
    }
    return Result(NAME, TITLE, BY_VOTES, counts, findings)
