"""One face of a dataset, as a reader hands it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Split = Literal["train", "val", "test", ""]
"""The standard splits; "" where a dataset has none."""

SPLITS: tuple[Split, ...] = get_args(Split)


@dataclass(frozen=True)
class Sample:
    """One labelled face.

    Args:
        id: Unique within its dataset.
        image: uint8 (H, W), grey.
        expression: A name of the vocabulary, or "" where the dataset gives no label.
        split: The dataset's own split, if it has one.
        subject: Who is shown, or "" where unknown.
        source: The dataset the face comes from.
    """

    id: str
    image: NDArray[np.uint8]
    expression: str
    split: Split = ""
    subject: str = ""
    source: str = ""
