"""What became of all pictures, with their faces in one array."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from mien.data.prepare.outcome import Outcome
from mien.inference.journal import Journal


class Outcomes(list[Outcome]):
    """What became of each picture, in the order of the pictures.

    Args:
        outcomes: One for each; their faces are views into `faces`.
        faces: uint8 (M, size, size), in the order of those that have one.
    """

    def __init__(self, outcomes: Iterable[Outcome], faces: NDArray[np.uint8]) -> None:
        super().__init__(outcomes)
        self.faces = faces

    @classmethod
    def read(cls, journal: Journal, ids: Sequence[str], size: int) -> Outcomes:
        """Return what a journal holds of pictures; one record at a time is held and decoded.

        Args:
            journal: It has a record of each picture.
            ids: The pictures', in their order.
            size: Height and width of each face, in pixels.
        """
        found = {record["source"] for record in journal.records() if record["face"] is not None}
        with_face = [name for name in ids if name in found]
        faces = np.empty((len(with_face), size, size), dtype=np.uint8)
        places = dict(zip(with_face, faces))
        read = map(Outcome.from_record, journal.records())
        moved = {outcome.id: _moved(outcome, places.get(outcome.id)) for outcome in read}
        return cls((moved[name] for name in ids), faces)


def _moved(outcome: Outcome, place: NDArray[np.uint8] | None) -> Outcome:
    """Return an outcome whose face lies at a place; none where it has no place."""
    if place is not None and outcome.face is not None:
        place[:] = outcome.face
    return dataclasses.replace(outcome, face=place)
