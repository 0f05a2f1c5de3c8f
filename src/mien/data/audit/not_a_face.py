"""Images that raters did not take for a face, or could not read: from FER+ votes."""

from __future__ import annotations

import numpy as np

from mien.data.audit import CHECKS, Finding, Result
from mien.data.dataset import FaceDataset
from mien.labels import VOTES

NAME = "not-a-face"

EXPLANATION = (
    'Images for which more than half of the raters voted "not a face" or "unknown". Without votes'
    " the check finds nothing."
)


@CHECKS.register(NAME)
class NotAFace:
    """Counts the raters' votes against a face."""

    def run(self, dataset: FaceDataset, *, progress: bool = False) -> Result:
        """Return the images, those with the most votes for "not a face" first."""
        if dataset.votes is None:
            return Result(NAME, "Not a face", EXPLANATION, {"votes in the dataset": 0}, ())
        votes = dataset.votes.astype(np.int64)
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
        counts = {
            "most raters say not a face": int((2 * no_face > total).sum()),
            "most raters say not a face or unknown": len(findings),
        }
        return Result(NAME, "Not a face", EXPLANATION, counts, findings)
