"""Whether the parts of a recipe fit each other."""

from __future__ import annotations

from collections.abc import Sequence

from mien.errors import RecipeError, unknown_name
from mien.labels import label_set
from mien.recipe.effect import idle
from mien.recipe.parts import ExpectedFigure, Recipe

METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "nll", "ece")
"""The metrics of a report's outputs; of an expression, recall and precision besides."""

OF_EXPRESSIONS = ("recall", "precision")

MIXES = ("mixup", "cutmix")
"""What makes an image one of two, of which neither's truth is right."""

SELECTED = ("val_accuracy", "val_macro_f1")
"""What a best epoch is of besides the loss: as the mean of all heads, or of one."""


def check_outputs(recipe: Recipe, where: str) -> None:
    """Check that each head and signal stands once, and that one of them can be selected by.

    Raises:
        RecipeError: If not; `where` names the file in it.
    """
    heads = [head.labels for head in recipe.heads]
    _check_once(heads, "heads.{}.labels", "a head", where)
    _check_once(recipe.signal_names, "signals.{}.name", "a signal", where)
    figures = ["val_loss", *SELECTED, *(f"{kind}_{head}" for kind in SELECTED for head in heads)]
    if recipe.training.select not in figures:
        raise RecipeError(
            f"{where}: training.select: {unknown_name('figure', recipe.training.select, figures)}"
        )


def check_meant(recipe: Recipe, where: str) -> None:
    """Check that a recipe says nothing that no training could do.

    Raises:
        RecipeError: If an option has no effect under the others; `where` names the file in it.
    """
    for key, why in idle(recipe).items():
        raise RecipeError(f"{where}: {key} {why}")


def check_expected(recipe: Recipe, where: str) -> None:
    """Check that a recipe expects figures that can be measured.

    Raises:
        RecipeError: If a head or metric is none; `where` names the file in it.
    """
    if recipe.start is None or not recipe.start.adapt:  # whose heads are not known yet
        for number, figure in enumerate(recipe.expected):
            _check_figure(recipe, figure, f"{where}: expected.{number}")


def _check_once(names: Sequence[str], key: str, kind: str, where: str) -> None:
    for number, name in enumerate(names):
        if name in names[:number]:
            raise RecipeError(f"{where}: {key.format(number)}: {name!r} is {kind} already.")


def _check_figure(recipe: Recipe, figure: ExpectedFigure, where: str) -> None:
    heads = [head.labels for head in recipe.heads]
    if figure.head not in heads:
        raise RecipeError(f"{where}.head: {unknown_name('head', figure.head, heads)}")
    shown = label_set(figure.head).expressions
    metrics = [*METRICS, *(f"{kind}_{name}" for kind in OF_EXPRESSIONS for name in shown)]
    if figure.metric not in metrics:
        raise RecipeError(f"{where}.metric: {unknown_name('metric', figure.metric, metrics)}")
    mixed = next((name for name in MIXES if getattr(recipe.augmentation, name)), "")
    if figure.split == "train" and (figure.metric != "accuracy" or mixed):
        found = f"{figure.metric} with {mixed}" if mixed else figure.metric
        raise RecipeError(
            f"{where}.split: of train, accuracy alone is measured, without mixup and cutmix."
            f" Got {found} instead."
        )
