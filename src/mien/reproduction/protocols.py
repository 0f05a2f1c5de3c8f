"""How an experiment is divided and selected: as its paper does, or without leakage."""

from __future__ import annotations

from typing import Literal, get_args

from mien.errors import RecipeError, unknown_name
from mien.recipe import DataPart

Protocol = Literal["paper", "leaky", "honest"]
"""As the paper does; selected without test, leaks left in; selected without test and without leaks.

The second differs from the third by the leaks alone, so that they can be measured.
"""

PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)

APART = ("data.validate_on_test=false", "data.test_per_class=0")
RANDOM = (*APART, 'data.split="64:16:20"', 'data.keep="nothing"')
OFFICIAL = (*APART, 'data.split="official"')

OVERRIDES: dict[str, dict[Protocol, tuple[str, ...]]] = {
    "ckplus48": {"leaky": RANDOM, "honest": (*RANDOM, 'data.keep="subjects"')},
    "fer2013": {"leaky": OFFICIAL, "honest": (*OFFICIAL, "data.drop_twins=true")},
}
"""Overrides of a recipe, by dataset and protocol."""

QUICK = ("training.epochs=2", "training.patience=0", "data.at_most=40", "data.seed=0")
"""Overrides that make an experiment a matter of seconds; its figures then say nothing."""

QUICK_TEST = "data.test_per_class=8"

QUICK_MINUTES = 0.07
"""What a quick job takes on 2 idle cores, about and on average."""


def protocol_overrides(protocol: Protocol, dataset: str) -> tuple[str, ...]:
    """Return what a protocol changes in a recipe for a dataset.

    Raises:
        RecipeError: If it is not the paper's and nothing is known of the dataset: of several put
            together, some without subjects, no division keeps all people apart.
    """
    if protocol == "paper":
        return ()
    if dataset not in OVERRIDES:
        raise RecipeError(f"Protocol {protocol!r}: {unknown_name('dataset', dataset, OVERRIDES)}")
    return OVERRIDES[dataset][protocol]


def quick_overrides(part: DataPart) -> tuple[str, ...]:
    """Return what makes an experiment quick, a balanced test no larger than the faces allow."""
    return (*QUICK, QUICK_TEST) if part.test_per_class else QUICK
