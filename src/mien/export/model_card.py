"""The model card as a page to read, made from the card inside the file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mien.card import Figure, ModelCard

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

METRIC_NAMES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro F1",
    "nll": "Negative log-likelihood",
    "ece": "Expected calibration error",
}

TARGETS = {"votes": "raters' votes", "label": "the dataset's own label"}

USE = """\
## What it is for

Estimating which expression a face shows in a photo: research on expressions, usability studies,
teaching, accessibility, sorting one's own pictures. The output says how people would label the
face, not what the person feels.

## What it is not for

Inferring inner states, intentions, honesty or health; decisions about people, such as hiring,
grading, insurance or policing; identifying anybody. An expression is weak evidence of a feeling.
"""

FER2013_LIMITS = """\
## Limits

- It has seen only FER2013: pictures found by web search, cropped to 48x48 grey pixels, many of
  them posed. Nothing is known of the age, gender, ethnicity or culture of the people shown, so
  differences between groups of people are neither measured nor excluded.
- Contempt, disgust and fear are rare or often confused in the training data; readings of these
  deserve the least trust.
- Profiles, covered faces, strong shadows and faces smaller than about 24 pixels are poorly covered.
- People disagree on many of these faces; no figure on these labels can approach 100 %.
"""


VIEWS = {
    "none": "each face was seen once, without test-time augmentation",
    "flip": "each face was seen twice, as it is and mirrored, and the probabilities averaged",
    "ten-crop": "each face was seen ten times, in five crops and mirrored, and the probabilities"
    " averaged",
}


def model_card_page(card: ModelCard) -> str:
    """Return a model card as Markdown: what its file says, and what it is for and not for."""
    texts = [member.recipe for member in card.members] or [card.recipe]
    recipes = [tomllib.loads(text) for text in texts]
    fer2013 = recipes[0]["data"]["dataset"] == "fer2013"
    targets = {head["labels"]: head["target"] for head in recipes[0]["heads"]}
    parts = [
        f"# {card.name}\n\n{card.description}\n",
        _facts(card),
        *([_members(card)] if card.members else []),
        USE,
        *([FER2013_LIMITS] if fer2013 else []),
        _figures_introduction(card, recipes),
        *(_head_table(card, head.name, targets[head.name]) for head in card.heads),
        "## How it was trained\n",
        *(f"```toml\n{text.strip()}\n```\n" for text in texts),
    ]
    return "\n".join(parts)


def _members(card: ModelCard) -> str:
    heads = [head.name for head in card.heads]
    rows = [
        (f"{m.name} (SHA-256 `{m.sha256}`)", *(f"{m.weights[head]:.3f}" for head in heads))
        for m in card.members
    ]
    table = _table(("", *(f"weight in `{head}`" for head in heads)), rows)
    return f"## Members\n\nThe weighted mean of their {card.averaging}.\n\n{table}"


def _figures_introduction(card: ModelCard, recipes: Sequence[Mapping[str, Any]]) -> str:
    left_out = (
        "; such twins were left out of the training itself"
        if all(recipe["data"]["drop_twins"] for recipe in recipes)
        else ""
    )
    selected = "weights" if card.members else "epoch"
    dataset = recipes[0]["data"]["dataset"]
    measured = (
        f"Measured once on the split `test` of {dataset} with this network; {selected} and"
        f" temperature were selected on `val`, and {VIEWS[card.views]}."
        if all(figure.split == "test" for figure in card.figures)
        else f"Measured on the very faces of {dataset} on which {selected} and temperature were"
        f" selected (`val`): there was no test. They are too good by that; {VIEWS[card.views]}."
    )
    return (
        "## Figures\n\n"
        f"{measured} In brackets:"
        ' 95 % bootstrap intervals over faces. "Without leaked" leaves'
        " out test images that have a pixel-identical twin in `train` or `val`"
        f"{left_out}. Outputs learnt from votes are judged by the raters' majority, where there is"
        " one.\n"
    )


def _facts(card: ModelCard) -> str:
    side = card.preprocess.size
    heads = ", ".join(f"`{h.name}` ({len(h.expressions)})" for h in card.heads)
    temperatures = ", ".join(f"`{h.name}` {h.temperature:.3f}" for h in card.heads)
    rows = [
        ("Input", f"{side}x{side} {card.preprocess.colour} face crop"),
        ("Outputs", f"{heads}; readings use the first"),
        ("Temperature", temperatures),
        ("Weights", f"{card.parameters:,}"),
        ("Cost", f"{card.macs / 1e6:.0f} million multiply-accumulates a face"),
        ("File", f"{card.payload_bytes / 1e6:.1f} MB, payload SHA-256 `{card.payload_sha256}`"),
        ("Data fingerprint", f"`{card.data_fingerprint}`"),
        ("Made with", f"mien {card.mien_version}"),
        *([("Licence of the weights", card.licence)] if card.licence else []),
    ]
    return _table(("", ""), rows)


def _head_table(card: ModelCard, head: str, target: str) -> str:
    figures = [f for f in card.figures if f.head == head]
    subsets = list(dict.fromkeys(f.subset for f in figures))
    metrics = list(dict.fromkeys(f.metric for f in figures))
    cells = {(f.metric, f.subset): f for f in figures}
    rows = [
        (METRIC_NAMES[metric], *(_cell(cells[metric, subset]) for subset in subsets))
        for metric in metrics
    ]
    counts = {f.subset: f.images for f in figures}
    header = ("", *(f"{subset} ({counts[subset]:,} images)" for subset in subsets))
    return f"### `{head}`, learnt from {TARGETS[target]}\n\n{_table(header, rows)}"


def _cell(figure: Figure) -> str:
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    header = list(header)
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
