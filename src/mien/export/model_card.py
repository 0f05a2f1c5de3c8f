"""The model card as a page to read, made from the card inside the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from mien.card import PRECISION, RECALL, Figure, ModelCard, read_recipes
from mien.export.doubt_section import doubt_section
from mien.export.markdown import table
from mien.export.origin_section import (
    datasets_of,
    limits_section,
    origin_sentences,
    seen_before,
)
from mien.export.programs_section import programs_section

Key = TypeVar("Key")

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

VIEWS = {
    "none": "each face was seen once, without test-time augmentation",
    "flip": "each face was seen twice, as it is and mirrored, and the probabilities averaged",
    "ten-crop": "each face was seen ten times, in five crops and mirrored, and the probabilities"
    " averaged",
}


PRECISIONS = {
    "fp32": "floating point",
    "int8": "whole numbers of eight bits; all figures are of this file",
}


def model_card_page(card: ModelCard) -> str:
    """Return a model card as Markdown: what its file says, and what it is for and not for."""
    recipes = read_recipes(card.recipes)
    limits = limits_section(card, [name for one in recipes for name in datasets_of(one)])
    targets = {head["labels"]: head["target"] for head in recipes[0]["heads"]}
    parts = [
        f"# {card.name}\n\n{card.description}\n",
        _facts(card),
        *([_members(card)] if card.members else []),
        USE,
        *([limits] if limits else []),
        _figures_introduction(card, recipes),
        *(_head_tables(card, head.name, targets[head.name]) for head in card.heads),
        doubt_section(card),
        programs_section(card),
        "## How it was trained\n",
        *(f"```toml\n{text.strip()}\n```\n" for text in card.recipes),
    ]
    return "\n".join(parts)


def _members(card: ModelCard) -> str:
    heads = [head.name for head in card.heads]
    rows = [
        (f"{m.name} (SHA-256 `{m.sha256}`)", *(f"{m.weights[head]:.3f}" for head in heads))
        for m in card.members
    ]
    shares = table(("", *(f"weight in `{head}`" for head in heads)), rows)
    return f"## Members\n\nThe weighted mean of their {card.averaging}.\n\n{shares}"


def _figures_introduction(card: ModelCard, recipes: Sequence[Mapping[str, Any]]) -> str:
    if not card.figures:
        return "## Figures\n\nNone were measured.\n"
    left_out = (
        "; such twins were left out of the training itself"
        if all(recipe["data"]["drop_twins"] for recipe in recipes)
        else ""
    )
    return (
        "## Figures\n\n"
        f"{_measured(card, recipes[0]['data']['dataset'])} In brackets:"
        " 95 % intervals: a bootstrap over faces, of single expressions Wilson's; on datasets that"
        ' name them a bootstrap over people. "Without leaked" leaves'
        " out test images that have a pixel-identical twin in `train` or `val`"
        f"{left_out}. Outputs learnt from votes are judged by the raters' majority, where there is"
        f" one.{_after(origin_sentences(card))}\n"
    )


def _after(sentences: str) -> str:
    return f"\n\n{sentences}" if sentences else ""


def _measured(card: ModelCard, dataset: str) -> str:
    """Return on which faces of its own dataset a model was measured."""
    selected = "weights" if card.members else "epoch"
    splits = {figure.split for figure in card.figures}
    if "val" in splits:
        return (
            f"Measured on the very faces of {dataset} on which {selected} and temperature were"
            " selected (`val`): there was no test whose labels are known. They are too good by"
            f" that; {VIEWS[card.views]}."
        )
    if "test" not in splits:
        return f"Nothing was measured on {dataset} itself; {VIEWS[card.views]}."
    return (
        f"Measured on the split `test` of {dataset} with this network; {selected} and"
        f" temperature were selected on `val`, and {VIEWS[card.views]}."
    )


def _facts(card: ModelCard) -> str:
    side = card.preprocess.size
    heads = ", ".join(f"`{h.name}` ({len(h.expressions)})" for h in card.heads)
    signals = "".join(f", `{name}`" for name in card.signals)
    temperatures = ", ".join(f"`{h.name}` {h.temperature:.3f}" for h in card.heads)
    rows = [
        ("Input", f"{side}x{side} {card.preprocess.colour} face crop"),
        ("Outputs", f"{heads}{signals}; readings use the first of the label sets"),
        ("Temperature", temperatures),
        ("Weights", f"{card.parameters:,}"),
        ("Cost", f"{card.macs / 1e6:.0f} million multiply-accumulates a face"),
        ("File", f"{card.payload_bytes / 1e6:.1f} MB, payload SHA-256 `{card.payload_sha256}`"),
        ("Data fingerprint", f"`{card.data_fingerprint}`"),
        ("Computes in", PRECISIONS[card.precision]),
        ("Made with", f"mien {card.mien_version}"),
        *([("Licence of the weights", card.licence)] if card.licence else []),
    ]
    return table(("", ""), rows)


def _head_tables(card: ModelCard, head: str, target: str) -> str:
    """Return the tables of one output: its own data first, then other datasets."""
    found = [figure for figure in card.figures if figure.head == head]
    parts = [f"### `{head}`, learnt from {TARGETS[target]}\n"]
    for (dataset, split), some in _grouped(found, lambda f: (f.dataset, f.split)).items():
        if len(parts) > 1:
            faces = seen_before(card, dataset) if split == "all" else split
            parts.append(f"On {dataset}, {faces}:\n")
        parts += [_metric_table(some), _class_table(some)]
    return "\n".join(filter(None, parts))


def _metric_table(figures: Sequence[Figure]) -> str:
    plain = [figure for figure in figures if figure.metric in METRIC_NAMES]
    subsets = _grouped(plain, lambda figure: figure.subset)
    header = ["", *(f"{subset} ({of[0].images:,} images)" for subset, of in subsets.items())]
    cells = {(figure.metric, figure.subset): figure.within for figure in plain}
    metrics = dict.fromkeys(figure.metric for figure in plain)
    rows = [
        (METRIC_NAMES[metric], *(cells.get((metric, subset), "") for subset in subsets))
        for metric in metrics
    ]
    return table(header, rows)


def _class_table(figures: Sequence[Figure]) -> str:
    kinds = {RECALL: "recall", PRECISION: "precision"}
    cells = {
        (kind, figure.metric.removeprefix(kind)): f"{figure.within} of {figure.images:,}"
        for figure in figures
        for kind in kinds
        if figure.metric.startswith(kind)
    }
    names = dict.fromkeys(name for _, name in cells)
    rows = [(name, *(cells.get((kind, name), "") for kind in kinds)) for name in names]
    return table(("", *kinds.values()), rows) if rows else ""


def _grouped(figures: Iterable[Figure], key: Callable[[Figure], Key]) -> dict[Key, list[Figure]]:
    found: dict[Key, list[Figure]] = {}
    for figure in figures:
        found.setdefault(key(figure), []).append(figure)
    return found
