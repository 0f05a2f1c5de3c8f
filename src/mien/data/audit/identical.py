"""Pixel-identical images: how many, across which splits, with which labels."""

from __future__ import annotations

import numpy as np

from mien.data.audit import CHECKS, Finding, Result
from mien.data.audit.evidence import Evidence
from mien.data.dataset import NO_TARGET, FaceDataset
from mien.data.groups import groups_of
from mien.data.twins import twin_groups, twins_in

NAME = "identical"

EXPLANATION = (
    "Images that are the same in every pixel. A group of n identical images holds n - 1 redundant"
    " ones; papers that report a number of duplicates may count all n (Mahastama et al. 2024 count"
    " 3,369 in FER2013, whose groups have 3,367 members in the copy measured here) or the redundant"
    " ones. Dropping keeps the first of each group, or the first with a label; in a group with"
    " several labels it drops all, because nobody knows which is right."
)


@CHECKS.register(NAME)
class Identical:
    """Finds groups of identical images."""

    def run(self, dataset: FaceDataset, evidence: Evidence, *, progress: bool = False) -> Result:
        """Return the groups, those with conflicting labels first, then the largest."""
        groups = [g for g in groups_of(twin_groups(dataset.images)).values() if len(g) > 1]
        groups.sort(key=lambda group: (-len(_labels(dataset, group)), -len(group)))
        findings = [
            finding
            for number, group in enumerate(groups)
            for finding in _findings(dataset, group, number)
        ]
        return Result(
            NAME, "Identical images", EXPLANATION, _counts(dataset, groups), tuple(findings)
        )


def _labels(dataset: FaceDataset, group: list[int]) -> set[int]:
    """Return the labels of a group; to have none contradicts no other."""
    return set(dataset.targets[group].tolist()) - {NO_TARGET}


def _kept(dataset: FaceDataset, group: list[int]) -> int | None:
    """Return the face of a group that is kept; none where its labels differ."""
    if len(_labels(dataset, group)) > 1:
        return None
    return next((i for i in group if dataset.targets[i] != NO_TARGET), group[0])


def _findings(dataset: FaceDataset, group: list[int], number: int) -> list[Finding]:
    kept = _kept(dataset, group)
    note = f"{len(group)} identical images" + (", with different labels" if kept is None else "")
    size = float(len(group))
    return [Finding(NAME, index, number, size, index != kept, note) for index in group]


def _counts(dataset: FaceDataset, groups: list[list[int]]) -> dict[str, int]:
    members = sum(map(len, groups))
    counts = {
        "groups": len(groups),
        "images in them": members,
        "redundant images": members - len(groups),
        "groups with conflicting labels": sum(len(_labels(dataset, g)) > 1 for g in groups),
    }
    splits = [str(split) for split in np.unique(dataset.splits) if split]
    if "train" in splits:
        in_train = twins_in(dataset, ["train"])
        for split in splits:
            if split != "train":
                leaked = int(in_train[dataset.splits == split].sum())
                counts[f"images of {split} with a twin in train"] = leaked
    return counts
