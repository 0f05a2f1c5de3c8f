"""What the faces of a dataset lack, for its history: splits, labels, and who is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mien.data.sample import Split


class Face(Protocol):
    """What is known of a face: a `Sample`, or an `Entry` that is not read yet."""

    @property
    def expression(self) -> str:
        """What it shows."""

    @property
    def split(self) -> Split:
        """Its split."""

    @property
    def subject(self) -> str:
        """Who is shown."""


def gaps(faces: Sequence[Face]) -> tuple[str, ...]:
    """Return a sentence for each thing that some faces lack, and for doubtful subjects.

    A dataset without any splits, or any subjects, is as complete as it can be.
    """
    told: dict[str, Sequence[str]] = {
        "split": [face.split for face in faces],
        "subject": [face.subject for face in faces],
        "label": [face.expression for face in faces],
    }
    lacking = (
        f"{values.count(''):,} of {len(values):,} faces have no {what}"
        for what, values in told.items()
        if "" in values and (any(values) or what == "label")
    )
    return (*lacking, *_alike(told["subject"]))


def _alike(subjects: Sequence[str]) -> tuple[str, ...]:
    """Return the sentence that names subjects who may be one."""
    people: dict[str, set[str]] = {}
    for subject in subjects:
        people.setdefault(subject.casefold(), set()).add(subject)
    found = [" and ".join(sorted(names)) for _, names in sorted(people.items()) if len(names) > 1]
    if not found:
        return ()
    which = ", ".join(found[:5]) + (", …" if len(found) > 5 else "")
    return (f"subjects that differ in case alone count as different people: {which}",)
