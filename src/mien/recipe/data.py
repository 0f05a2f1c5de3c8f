"""The part of a recipe that says which faces are trained on, and what is done to them first."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from mien.recipe.part import Part

OFFICIAL = "official"

PARTS = {2: ("train", "test"), 3: ("train", "val", "test")}
"""The splits that a ratio of so many shares makes."""


def shares_of(ratio: str) -> list[float]:
    """Return the shares of a ratio such as 80:10:10, all positive; none of what is no ratio."""
    try:
        shares = [float(share) for share in ratio.split(":")]
    except ValueError:
        return []
    return shares if all(0 < share < math.inf for share in shares) else []


def _is_split(text: str) -> str:
    if text != OFFICIAL and len(shares_of(text)) not in PARTS:
        raise ValueError(f"Split should be {OFFICIAL!r} or a ratio such as 80:10:10")
    return text


class DataPart(Part):
    """Which faces a recipe trains on. The steps are done in the order of the keys.

    Args:
        dataset: Name of the dataset the recipe is meant for, "+" between several that are put
            together; training on another is refused.
        labels: The label set the faces are brought into; "" leaves the dataset's own.
        merge: New expression by old one, for expressions that `labels` lacks; needs `labels`.
        clean: Checks of the audit whose findings are left out, such as "identical"; "subjects",
            which looks at the official splits, only with these.
        clean_splits: What is cleaned, such as ["train"], so that val and test stay as others have
            them; none for everything. Of copies on both sides those in these splits go. Only with
            the official splits.
        at_most: Most faces of a class, chosen at random; 0 for all.
        split: "official" for the splits the dataset came with, or a ratio: "80:20" makes train and
            test, "80:10:10" train, val and test.
        test_per_class: A balanced test of so many faces of each class; `split` then divides the
            rest into train and val: a ratio of two shares, or "official" for no val. 0 for none.
        validate_on_test: Select on the test faces, as papers do that know no third split. Figures
            of such a run are of faces it was selected on, and its report says so.
        keep: What a ratio does not divide. Official splits must not divide "subjects" either.
        seed: Of the choices above.
        at_least: Repeat training faces until each class has so many in train; 0 for no repeats.
        drop_twins: Leave out training images with a pixel-identical twin in val or test.
    """

    dataset: str
    labels: str = ""
    merge: dict[str, str] = Field(default_factory=dict)
    clean: tuple[str, ...] = ()
    clean_splits: tuple[Literal["train", "val", "test"], ...] = ()
    at_most: int = Field(default=0, ge=0)
    split: Annotated[str, AfterValidator(_is_split)] = OFFICIAL
    test_per_class: int = Field(default=0, ge=0)
    validate_on_test: bool = False
    keep: Literal["nothing", "twins", "subjects"] = "twins"
    seed: int = Field(default=0, ge=0)
    at_least: int = Field(default=0, ge=0)
    drop_twins: bool = False

    @model_validator(mode="after")
    def _merges_into_labels(self) -> DataPart:
        if self.merge and not self.labels:
            raise ValueError("merge needs labels, the label set that expressions are merged into")
        return self

    @model_validator(mode="after")
    def _one_test(self) -> DataPart:
        if self.test_per_class and len(self.shares) == 3:
            raise ValueError(
                "with test_per_class, split should have two shares, train:val, such as 80:20:"
                " a third would put other faces into the balanced test"
            )
        return self

    @model_validator(mode="after")
    def _cleans_what_stays(self) -> DataPart:
        if "subjects" in self.clean and (self.shares or self.test_per_class):
            raise ValueError(
                "clean should not list 'subjects' where the splits are made anew:"
                ' keep = "subjects" keeps people on one side'
            )
        return self

    @model_validator(mode="after")
    def _cleans_a_split(self) -> DataPart:
        if not self.clean_splits:
            return self
        if not self.clean:
            raise ValueError("clean_splits needs clean, the checks whose findings are left out")
        if self.shares or self.test_per_class:
            raise ValueError(
                'clean_splits needs split = "official": other splits are made after the cleaning'
            )
        if "subjects" in self.clean and set(self.clean_splits) == {"train"}:
            raise ValueError(
                "clean should not list 'subjects' where only train is cleaned: it marks"
                " faces of val and test"
            )
        return self

    @property
    def datasets(self) -> tuple[str, ...]:
        """The names of the datasets that are put together."""
        return tuple(self.dataset.split("+"))

    @property
    def shares(self) -> tuple[float, ...]:
        """The ratio as numbers; none for the official split."""
        if self.split == OFFICIAL:
            return ()
        return tuple(float(share) for share in self.split.split(":"))
