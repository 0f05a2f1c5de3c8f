"""People who stand in more than one split: a test of them is partly a test of memory."""

from __future__ import annotations

import numpy as np

from mien.data.audit import CHECKS, Finding, Result
from mien.data.audit.evidence import Evidence
from mien.data.dataset import FaceDataset

NAME = "subjects"
TITLE = "Subjects across splits"

EXPLANATION = (
    "Subjects of val or test who also stand in train. Dropping leaves their val and test images"
    " out; better is a new split that keeps subjects together (mien data split --keep subjects)."
)


@CHECKS.register(NAME)
class Subjects:
    """Compares the subjects of the splits."""

    def run(self, dataset: FaceDataset, evidence: Evidence, *, progress: bool = False) -> Result:
        """Return the val and test images of subjects who stand in train, by subject."""
        known = dataset.subjects != ""
        if not known.any():
            missing = "The dataset does not say who is shown."
            return Result(NAME, TITLE, EXPLANATION, {}, (), missing=missing)
        trained = np.unique(dataset.subjects[known & (dataset.splits == "train")])
        judged = known & np.isin(dataset.splits, ["val", "test"])
        shared = np.flatnonzero(judged & np.isin(dataset.subjects, trained))
        names, numbers = np.unique(dataset.subjects[shared], return_inverse=True)
        findings = sorted(
            (
                Finding(NAME, int(i), int(number), 1.0, True, f"{dataset.subjects[i]} is in train")
                for i, number in zip(shared, numbers)
            ),
            key=lambda finding: (finding.group, finding.index),
        )
        counts = {
            "subjects": len(np.unique(dataset.subjects[known])),
            "faces without a subject": int((~known).sum()),
            "subjects of val or test who are in train": len(names),
            "their images in val or test": len(findings),
        }
        return Result(NAME, TITLE, EXPLANATION, counts, tuple(findings))
