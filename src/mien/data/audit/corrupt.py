"""Damaged images: files that cannot be read, blank images, and images that break off."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.data.audit import CHECKS, Finding, Result, Table
from mien.data.audit.evidence import Evidence
from mien.data.dataset import FaceDataset

NAME = "corrupt"

BLANK = 8
"""Difference between the lightest and the darkest grey value up to which an image shows nothing.
FER2013 has 14 images of one single value, and one whose values span 8."""

CUT = 1 / 4
"""Share of the height or width that one constant value must fill, from an edge on."""

PLAIN = 2
"""Distance from black, 0, or white, 255, within which a filled edge may be a plain background."""

EXPLANATION = (
    "Files that could not be read; images that show nothing, because their grey values span at"
    f" most {BLANK} of 255; and images that break off: one constant value fills a quarter or more"
    " of the image from an edge on, as in a picture file cut short. A black or white edge may be a"
    " plain background, so such images are listed and not marked for dropping: in FER2013 they are"
    " 14, of which 9 are placeholder pictures of image hosts and 5 are faces."
)


@CHECKS.register(NAME)
class Corrupt:
    """Looks for damage in grey values, and takes over what the reader could not read."""

    def run(self, dataset: FaceDataset, evidence: Evidence, *, progress: bool = False) -> Result:
        """Return unreadable files first, then blank images, then those that break off."""
        spans = np.ptp(dataset.images.reshape(len(dataset), -1), axis=1)
        blank = np.flatnonzero(spans <= BLANK)
        broken = _broken(dataset.images, spans > BLANK)
        files = [Finding(NAME, None, -1, 1.0, False, text) for text in evidence.unreadable]
        nothing = [
            Finding(NAME, int(i), -1, float(spans[i]), True, f"blank: values span {spans[i]}")
            for i in blank
        ]
        counts = {
            "files that could not be read": len(files),
            "blank images": len(blank),
            "images that break off": sum(finding.drop for finding in broken),
            "images with a black or white edge": sum(not finding.drop for finding in broken),
        }
        return Result(
            NAME,
            "Damaged images",
            EXPLANATION,
            counts,
            (*files, *nothing, *broken),
            _unreadable(evidence.unreadable),
        )


def _unreadable(sentences: Sequence[str]) -> tuple[Table, ...]:
    if not sentences:
        return ()
    rows = tuple((sentence,) for sentence in sentences)
    return (Table("Files that could not be read", ("what is wrong",), rows),)


def _broken(images: NDArray[np.uint8], considered: NDArray[np.bool_]) -> list[Finding]:
    """Return the images of which an edge is filled, the largest filling first."""
    sides = {
        "top": images,
        "bottom": images[:, ::-1],
        "left": images.transpose(0, 2, 1),
        "right": images[:, :, ::-1].transpose(0, 2, 1),
    }
    names = list(sides)
    filled = np.stack([constant_rows(side) / side.shape[1] for side in sides.values()])
    values = np.stack([side[:, 0, 0] for side in sides.values()]).astype(int)
    largest = filled.argmax(axis=0)
    share = filled.max(axis=0)
    found = np.flatnonzero(considered & (share >= CUT))
    return [
        _finding(int(i), names[largest[i]], float(share[i]), int(values[largest[i], i]))
        for i in found[np.argsort(-share[found], kind="stable")]
    ]


def _finding(index: int, side: str, share: float, value: int) -> Finding:
    plain = min(value, 255 - value) <= PLAIN
    note = f"{share:.0%} from the {side} are of value {value}"
    return Finding(NAME, index, -1, share, not plain, note)


def constant_rows(images: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return how many rows from the top on have the value of the first pixel, of (N, H, W)."""
    same = (images == images[:, :1, :1]).all(axis=2)
    rows = np.where(same.all(axis=1), images.shape[1], np.argmin(same, axis=1))
    return np.asarray(rows, dtype=np.intp)
