"""Transfer: a training that begins with the weights of a finished network."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from mien.data.dataset import FaceDataset
from mien.data.relabel import relabel
from mien.errors import DataError, RecipeError
from mien.labels import OWN, label_set
from mien.models.network import FaceNetwork
from mien.preprocess import Preprocess
from mien.recipe import DataPart, HeadPart, Recipe, TrainingPart, parse_recipe
from mien.recipe.checks import SELECTED
from mien.recipe.data import OFFICIAL
from mien.training.source import Source, file_sha256, open_source
from mien.training.weights import Weights

MOST_MEASURED = 512
"""Faces from which the statistics of folded normalisations are measured."""

TAKE_VAL = "mien data split --val 0.1 takes val out of train"
"""What helps where only val is missing."""


def pinned(recipe: Recipe) -> Recipe:
    """Return a recipe that names the very files it begins with and learns from.

    Args:
        recipe: Its parts `start` and `distillation` may name models.

    Raises:
        MienError: If there is no such model.
        RecipeError: If such a part names a hash already, and the file has another.
    """
    changes = {}
    for key, name in (("start", "source"), ("distillation", "teacher")):
        part = getattr(recipe, key)
        if part is None:
            continue
        found = file_sha256(getattr(part, name))
        if part.sha256 not in ("", found):
            raise RecipeError(
                f"{key}.{name}: {getattr(part, name)} is not the file that the recipe means: its"
                f" SHA-256 must be {part.sha256}. Got {found} instead."
            )
        changes[key] = part.model_copy(update={"sha256": found})
    return recipe.model_copy(update=changes)


def starting_weights(recipe: Recipe, faces: FaceDataset) -> Weights | None:
    """Return the weights a recipe begins with; None for fresh ones.

    Args:
        recipe: Its part `start` names the source.
        faces: The training faces. From them the statistics are measured of the normalisations that
            an export has multiplied into convolutions; what the network computes stays the same.

    Raises:
        MienError: If the source cannot be read.
        RecipeError: If it sees faces otherwise than the recipe says.
    """
    if recipe.start is None:
        return None
    source = open_source(recipe.start.source)
    if source.recipe.preprocess != recipe.preprocess:
        raise RecipeError(
            f"preprocess must be that of the model to begin with, {source.name}:"
            f" {source.recipe.preprocess}. Got {recipe.preprocess} instead."
        )
    if source.folded:
        measure_folded(source.network, source.folded, faces, recipe.preprocess)
    return source.network.state_dict()


def adapted(recipe: Recipe, source: Source, dataset: FaceDataset) -> Recipe:
    """Return a recipe whose `start.adapt` is done: for fine-tuning a network on a dataset.

    Network and preprocessing become the source's, and one head is made for the dataset's label set,
    or for the one that the recipe brings it into.
    It keeps the source's weights if the source has it. A dataset without splits is divided as the
    recipe says, keeping subjects together where all are known. An epoch that was selected by a
    figure of the recipe's first head is selected by that of the new one.

    Raises:
        DataError: If the dataset shows fewer than two expressions.
        RecipeError: If the recipe selects by another head, which is no more.
    """
    part = recipe.data
    shown = relabel(dataset, label_set(part.labels), part.merge) if part.labels else dataset
    head = recipe.heads[0].model_copy(update={"labels": _labels(source, shown)})
    start = recipe.start and recipe.start.model_copy(update={"adapt": False})
    made = recipe.model_copy(
        update={
            "network": source.recipe.network,
            "preprocess": source.recipe.preprocess,
            "heads": (head,),
            "data": _data(part, dataset),
            "training": _training(recipe, head),
            "start": start,
        }
    )
    # Copies are not checked, and the recipe may name what it no longer has.
    return parse_recipe(
        made.model_dump(mode="json", exclude_none=True),
        f"Recipe {recipe.name!r}, made to fit {source.name} and {dataset.name}",
    )


def _training(recipe: Recipe, head: HeadPart) -> TrainingPart:
    """Return how to train, where a figure of the first head selects, by that of its successor."""
    part, first = recipe.training, f"_{recipe.heads[0].labels}"
    for figure in SELECTED:
        if part.select == figure + first:
            return part.model_copy(update={"select": f"{figure}_{head.labels}"})
    return part


def _labels(source: Source, dataset: FaceDataset) -> str:
    """Return the dataset's label set, without expressions that no face shows."""
    if dataset.labels.name in source.network.heads.linear:
        return dataset.labels.name
    shown = np.unique(dataset.targets[dataset.targets >= 0])
    if len(shown) < 2:
        raise DataError(
            f"Dataset {dataset.name!r} must show two or more expressions to be learnt from."
            f" Got {len(shown)} instead."
        )
    return label_set(OWN.join(dataset.labels.expressions[i] for i in shown)).name


def _data(part: DataPart, dataset: FaceDataset) -> DataPart:
    changes: dict[str, str | int] = {"dataset": dataset.name}
    if (dataset.splits != "").any():
        changes |= {"split": OFFICIAL, "keep": "twins", "test_per_class": 0}
        _check_splits(dataset)
    elif (dataset.subjects != "").all():
        changes["keep"] = "subjects"
    return part.model_copy(update=changes)


def _check_splits(dataset: FaceDataset) -> None:
    found = sorted(set(dataset.splits.tolist()))
    if not {"train", "val"} <= set(found) or "" in found:
        anew = "divide it anew with mien data split"
        raise DataError(
            f"Dataset {dataset.name!r} must have the splits train and val, and test if you like, or"
            f" none at all. Got {', '.join(name or 'no split' for name in found)}:"
            f" {anew if 'val' in found or 'train' not in found else TAKE_VAL}."
        )


def measure_folded(
    network: FaceNetwork, folded: Sequence[str], faces: FaceDataset, preprocess: Preprocess
) -> None:
    """Give normalisations that are the identity the statistics they have on some faces.

    A normalisation that adds a bias b becomes one with the mean m and the variance v of what it
    gets, the weight sqrt(v + eps) and the bias b + m: the same function, but in training, with the
    statistics of each batch, it does about the same, too.

    Args:
        network: In evaluation mode.
        folded: Names of the normalisations.
        faces: At most 512 of them are looked at, evenly spaced.
        preprocess: Of the network.
    """
    seen: dict[str, tuple[Tensor, Tensor]] = {}
    hooks = [
        network.get_submodule(name).register_forward_pre_hook(_measure(seen, name))
        for name in folded
    ]
    picks = np.linspace(0, len(faces) - 1, min(len(faces), MOST_MEASURED)).astype(np.intp)
    with torch.inference_mode():
        network(torch.from_numpy(preprocess.to_input(faces.images[picks])))
    for hook in hooks:
        hook.remove()
    for name, (mean, variance) in seen.items():
        _set(network.get_submodule(name), mean, variance)


def _measure(
    seen: dict[str, tuple[Tensor, Tensor]], name: str
) -> Callable[[nn.Module, tuple[Tensor]], None]:
    def hook(module: nn.Module, inputs: tuple[Tensor]) -> None:
        axes = [axis for axis in range(inputs[0].ndim) if axis != 1]
        variance, mean = torch.var_mean(inputs[0], axes, correction=0)
        seen[name] = (mean.clone(), variance.clone())

    return hook


def _set(layer: nn.Module, mean: Tensor, variance: Tensor) -> None:
    if not isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) or layer.running_var is None:
        return
    state = layer.state_dict()
    state["bias"] = state["bias"] + mean
    state["weight"] = (variance + layer.eps).sqrt()
    layer.load_state_dict({**state, "running_mean": mean, "running_var": variance})
