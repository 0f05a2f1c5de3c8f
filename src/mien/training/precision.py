"""In which precision, and by which convolutions, a training computes."""

from __future__ import annotations

from typing import Literal

import torch

from mien.errors import RecipeError
from mien.models import build_network
from mien.models.cost import count_macs
from mien.recipe import Recipe

WORTH_BF16 = 100_000_000
"""Multiply-accumulates of a step above which bf16 is faster; below, casting costs more than it
gains (benchmarks/training.py: Chen's network, 28 million, is slower in bf16)."""

LIGHTNING_NAMES: dict[str, Literal["32-true", "bf16-mixed", "16-mixed"]] = {
    "fp32": "32-true",
    "bf16": "bf16-mixed",
    "fp16": "16-mixed",
}
"""By our names."""


def precision_of(recipe: Recipe) -> str:
    """Return the precision the recipe asks for; for "auto", what the hardware is fast at.

    Raises:
        RecipeError: For fp16 without a CUDA device.
    """
    wanted = recipe.training.precision
    if wanted == "fp16" and not torch.cuda.is_available():
        # Lightning would compute in bf16 instead.
        raise RecipeError(
            "training.precision must be auto, bf16 or fp32 without a CUDA device. Got fp16 instead."
        )
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        fast = torch.cuda.is_bf16_supported()
    else:
        # Processors without its instructions compute bf16 too, slowly.
        fast = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()
    return "bf16" if fast and _step_macs(recipe) > WORTH_BF16 else "fp32"


def convolutions_of(recipe: Recipe, precision: str) -> Literal["winograd", "direct"]:
    """Return whether wide convolutions may take fewer multiplications (`mien.training.winograd`).

    They are for fp32 on processors: a GPU's library has its own, and bf16 is faster still.
    """
    on_gpu = torch.cuda.is_available() or torch.backends.mps.is_available()
    if recipe.training.convolutions == "direct" or on_gpu or precision != "fp32":
        return "direct"
    return "winograd"


def _step_macs(recipe: Recipe) -> int:
    network = build_network(recipe.network.name, recipe.outputs, recipe.network.options)
    return recipe.training.batch_size * count_macs(network, recipe.preprocess.size)
