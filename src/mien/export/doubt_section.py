"""The part of a model card's page that says when the model doubts, and what else it says."""

from __future__ import annotations

from mien.card import DOUBT, Figure, ModelCard
from mien.export.markdown import table

ANSWERS = {
    "right_of_all": "right, if it answered always",
    "answered": "share of faces it answers",
    "right_of_answered": "right among the answered",
}

SIGNALS = {
    "agreement": "`agreement`, the chance that two raters would name the same",
    "not_a_face": "`not_a_face`, the share of raters who would say that it is no face",
}

COMPARED = {
    "correlation": "correlation with the raters",
    "mean_absolute_error": "mean distance from the raters",
}


def doubt_section(card: ModelCard) -> str:
    """Return when readings are "uncertain" or "not a face", and what that is worth."""
    rules = [f"its leading expression has a probability below {card.doubt.confidence:.2f}"]
    if card.doubt.agreement:
        rules.append(f"`agreement` is below {card.doubt.agreement:.2f}")
    said = [f'A reading says "uncertain" if {" or ".join(rules)}']
    if "not_a_face" in card.signals:
        said.append(f', and "not a face" if `not_a_face` is above {card.doubt.not_a_face:.2f}')
    reason = (
        ". The bounds of doubt were chosen on `val`, so that among the answered faces the share of"
        " mistakes is at most half of that of answering always, and as many as possible are"
        " answered. Where there are votes, faces without a majority count, too: whatever is said of"
        " them counts as wrong.\n"
    )
    parts = ["## When it doubts\n", "".join(said) + reason, _rows(card, DOUBT, ANSWERS)]
    for signal in card.signals:
        parts += [f"{SIGNALS[signal]}:\n", _rows(card, signal, COMPARED)]
    return "\n".join(filter(None, parts))


def _rows(card: ModelCard, head: str, names: dict[str, str]) -> str:
    found: dict[str, dict[str, Figure]] = {}
    for figure in card.figures:
        if figure.head == head:
            found.setdefault(figure.metric, {})[figure.subset] = figure
    subsets = list(dict.fromkeys(subset for cells in found.values() for subset in cells))
    rows = [
        (names[metric], *(_counted(cells, subset) for subset in subsets))
        for metric, cells in found.items()
    ]
    return table(("", *subsets), rows) if rows else ""


def _counted(cells: dict[str, Figure], subset: str) -> str:
    figure = cells.get(subset)
    return f"{figure.within} of {figure.images:,}" if figure else ""
