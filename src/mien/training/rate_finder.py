"""Which learning rate to begin with: a short training under a rising rate.

Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017, section 3.3.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path

import lightning.pytorch as pl
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from mien.data.dataset import FaceDataset
from mien.errors import TrainingError
from mien.files import whole_file
from mien.recipe import Recipe
from mien.training.batches import Batches
from mien.training.faces import checked_faces
from mien.training.machine import Machine
from mien.training.module import ExpressionModule
from mien.training.optimisers import build_optimiser
from mien.training.starting import pinned, starting_weights
from mien.training.train import training_batches, training_module

LOWEST, HIGHEST = 1e-6, 1.0
STEPS = 120
SMOOTHING = 0.95
DIVERGED = 4.0
"""The search ends when the smoothed loss is so many times the smallest so far."""

MARGIN = 10.0
"""The loss is smallest just before it grows; the suggestion keeps so many times away from there."""


@dataclass(frozen=True)
class RateSearch:
    """What the search saw.

    Args:
        rates: float64 (N,), rising.
        losses: float64 (N,), smoothed.
        suggestion: A tenth of the rate at which the loss was smallest, where it still falls.
    """

    rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    suggestion: float


def find_rate(
    recipe: Recipe, dataset: FaceDataset, steps: int = STEPS, *, progress: bool = True
) -> RateSearch:
    """Train with a rate that rises from 1e-6 to 1; nothing of it is kept.

    Args:
        recipe: What to train; its schedule and `sam` are not used. Gradients are clipped as it
            says.
        dataset: Faces with the split "train".
        steps: How many steps to make at most.
        progress: Whether to show a bar.

    Raises:
        TrainingError: If the loss says nothing: it is not a number from the first steps on.
    """
    rates: list[float] = []
    losses: list[float] = []
    wanted = np.geomspace(LOWEST, HIGHEST, steps)
    console = Console(stderr=True)
    steps_made = _losses(_Training.of(recipe, dataset, progress), wanted.tolist())
    for rate, loss in track(
        steps_made, "Searching", total=steps, console=console, disable=not progress
    ):
        if not math.isfinite(loss) or (losses and loss > DIVERGED * min(losses)):
            break
        rates.append(rate)
        losses.append(loss)
    return _search(np.array(rates), np.array(losses))


@dataclass(frozen=True)
class _Training:
    """What makes steps."""

    module: ExpressionModule
    optimiser: Optimizer
    batches: Batches
    clip: float

    @classmethod
    def of(cls, recipe: Recipe, dataset: FaceDataset, progress: bool) -> _Training:
        recipe = pinned(recipe)
        faces = checked_faces(recipe, dataset, Machine())
        batches = training_batches(recipe, faces, progress=progress)
        start = starting_weights(recipe, faces)
        pl.seed_everything(recipe.training.seed, verbose=False)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        module = training_module(recipe, faces, start).train().to(device)
        clip = recipe.training.gradient_clip
        optimiser = build_optimiser(module.network, recipe.optimiser, fused=not clip)
        return cls(module, optimiser, batches, clip)

    def step(self, loss: Tensor, rate: float) -> None:
        """Make a step with a rate, by the gradient of a loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if self.clip:
            clip_grad_norm_(self.module.network.parameters(), self.clip)
        self.optimiser.step()


def _losses(training: _Training, rates: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Make one step with each rate; give the rate and the smoothed loss before the step."""
    module = training.module
    batches = chain.from_iterable(repeat(training.batches))
    smooth = 0.0
    for step, (rate, batch) in enumerate(zip(rates, batches), start=1):
        moved = module.transfer_batch_to_device(batch, module.device, 0)
        ready = module.on_after_batch_transfer(moved, 0)
        loss = module.training_loss(ready)
        training.step(loss, rate)
        smooth = SMOOTHING * smooth + (1 - SMOOTHING) * float(loss.detach())
        yield rate, smooth / (1 - SMOOTHING**step)


def _search(rates: NDArray[np.float64], losses: NDArray[np.float64]) -> RateSearch:
    if len(rates) < 3:
        raise TrainingError("The learning rate cannot be searched: the loss is not a number.")
    return RateSearch(rates, losses, float(rates[losses.argmin()]) / MARGIN)


def plot_search(found: RateSearch, picture: Path) -> None:
    """Draw the loss over the learning rate into a PNG, with the suggestion marked."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(found.rates, found.losses)
    axes.axvline(found.suggestion, linestyle="--", color="grey")
    axes.annotate(
        f" {found.suggestion:.1e}", (found.suggestion, float(found.losses.max())), va="top"
    )
    axes.set(xscale="log", xlabel="Learning rate", ylabel="Training loss, smoothed")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    with whole_file(picture) as path:
        figure.savefig(path, dpi=120)
