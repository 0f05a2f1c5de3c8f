"""The parts of a model card's page that say what the model, or its ancestors, have seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mien.card import Ancestor, ModelCard

FER2013 = "fer2013"

ONLY = "It has seen only FER2013:"

AMONG_OTHERS = "It has seen FER2013, itself or by a model that it began with or learnt from:"

FER2013_LIMITS = """\
## Limits

- {seen} pictures found by web search, cropped to 48x48 grey pixels, many of
  them posed. Nothing is known of the age, gender, ethnicity or culture of the people shown, so
  differences between groups of people are neither measured nor excluded.
- Contempt, disgust and fear are rare or often confused in the training data; readings of these
  deserve the least trust.
- Profiles, covered faces, strong shadows and small faces, which are enlarged to 48 pixels, are
  poorly covered.
"""

OWN_LIMITS = """\
- Confidence was fitted on faces on which most raters agree. Where they do not, and on other
  photos, it is too high; nobody knows beforehand which faces these are.
- People disagree on many of these faces; no figure on these labels can approach 100 %.
"""

WAS = {"start": "began with", "teacher": "was taught by"}

WHICH = {"start": "with which it began", "teacher": "which taught it"}

TOO_GOOD = (
    "These figures are too good if the model it began with, or learnt from, was trained on some of"
    " the faces they are of."
)


def datasets_of(recipe: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the datasets that a recipe puts together."""
    return tuple(str(recipe["data"]["dataset"]).split("+"))


def limits_section(card: ModelCard, own: Sequence[str]) -> str:
    """Return what is known of FER2013's limits; "" of a model that has not seen it.

    Args:
        card: The model's.
        own: Names of the datasets it was trained on itself.
    """
    earlier = card.ancestors or ()
    seen = {*own, *(name for one in earlier for name in one.datasets)}
    if FER2013 not in seen:
        return ""
    only = seen == {FER2013} and all(one.known for one in earlier)
    limits = FER2013_LIMITS.format(seen=ONLY if only else AMONG_OTHERS)
    return limits + OWN_LIMITS if FER2013 in own else limits


def origin_sentences(card: ModelCard) -> str:
    """Return what a model began with and was taught by; "" without any such model."""
    if not card.ancestors:
        return ""
    who = "Of its members, one" if len(card.members) > 1 else "It"
    said = f"{who} {' and '.join(map(_told, card.ancestors))}"
    prints = {value for one in card.ancestors for value in one.fingerprints}
    if prints == {card.data_fingerprint} and all(one.known for one in card.ancestors):
        return f"{said}, on the same faces and splits as it was trained on."
    return f"{said}. {TOO_GOOD}"


def seen_before(card: ModelCard, dataset: str) -> str:
    """Return who was trained on a dataset that is not a model's own."""
    earlier = card.ancestors or ()
    taught = [f"{one.name}, {WHICH[one.role]}" for one in earlier if dataset in one.datasets]
    if taught:
        return f"trained on by {' and by '.join(taught)}: these figures are too good"
    unknown = dict.fromkeys(one.name for one in earlier if not one.known)
    if unknown:
        names = " and ".join(unknown)
        return f"on which it was not trained itself; of {names} that is not known"
    return "never trained or selected on"


def _told(one: Ancestor) -> str:
    seen = f"trained on {', '.join(one.datasets)}" if one.datasets else "trained on unknown data"
    more = " and more that is not known" if one.datasets and not one.known else ""
    return f"{WAS[one.role]} {one.name} ({seen}{more})"
