"""Which outputs of a model can be judged on a dataset, and by what."""

from __future__ import annotations

from collections.abc import Iterable

from mien.data.dataset import NO_TARGET, FaceDataset
from mien.errors import MienError, RecipeError
from mien.recipe import HeadPart
from mien.training.targets import head_targets


def judgeable(model: str, heads: Iterable[HeadPart], faces: FaceDataset) -> list[HeadPart]:
    """Return the outputs for which some face has a truth, and where it comes from.

    The truth is the raters' majority where the output learnt from votes and raters saw the face,
    else the label.

    Args:
        model: The model's name, for the error.
        heads: Its outputs.
        faces: The dataset.

    Raises:
        MienError: If there is no such output.
    """
    heads = list(heads)
    found = [
        part
        for head in heads
        for part in [head if faces.votes is not None else _by_label(head)]
        if _has_truth(part, faces)
    ]
    if not found:
        names = ", ".join(head.labels for head in heads)
        raise MienError(
            f"Dataset {faces.name!r} has no face with a truth for an output of {model}: {names}."
        )
    return found


def _by_label(head: HeadPart) -> HeadPart:
    return head.model_copy(update={"target": "label"})


def _has_truth(head: HeadPart, faces: FaceDataset) -> bool:
    try:
        return bool((head_targets(faces, head).truth != NO_TARGET).any())
    except RecipeError:
        return False
