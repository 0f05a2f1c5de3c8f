"""The Lightning module: one network, one loss per head."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import lightning.pytorch as pl
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mien.errors import TrainingError
from mien.models import build_network
from mien.recipe import Recipe
from mien.training.augmentation import build_augmentation
from mien.training.batches import Batch
from mien.training.counts import FIGURES, confusion, hits
from mien.training.losses import ShareLoss
from mien.training.mixing import mix
from mien.training.no_face import with_no_faces
from mien.training.optimisers import build_optimiser
from mien.training.schedules import build_schedule
from mien.training.sharpness import uphill
from mien.training.signals import signal_loss

if TYPE_CHECKING:
    from mien.training.distillation import Distillation

ClassWeights = Mapping[str, NDArray[np.float32]]
"""The weight of each class, float32 (C,), by head; heads without weights are left out."""


class ExpressionModule(pl.LightningModule):
    """Trains a recipe's network.

    Logs `train_loss`, `val_loss`, `val_accuracy_<head>`, `val_macro_f1_<head>` and their means
    `val_accuracy` and `val_macro_f1` each epoch; `train_accuracy_<head>` and `train_accuracy`, too,
    unless mixup or CutMix mixes the faces. Those are of the faces as they were augmented, and of
    the weights as they were at each step.

    Args:
        recipe: What to train.
        class_weights: Needed for training only.
        distillation: What it learns from besides the targets; for training only.

    Raises:
        TrainingError: In training, if the loss, of a batch or on validation, is not a finite
            number; says at which step.
    """

    def __init__(
        self,
        recipe: Recipe,
        class_weights: ClassWeights | None = None,
        distillation: Distillation | None = None,
    ) -> None:
        super().__init__()
        self.recipe = recipe
        self.distillation = distillation
        self._heads = [head.labels for head in recipe.heads]
        self._weights = {head.labels: head.weight for head in recipe.heads} | {
            signal.name: signal.weight for signal in recipe.signals
        }
        self.network = build_network(recipe.network.name, recipe.outputs, recipe.network.options)
        self.augmentation = build_augmentation(recipe.augmentation)
        weights = class_weights or {}
        self.losses = nn.ModuleDict(
            {head.labels: ShareLoss(head, weights.get(head.labels)) for head in recipe.heads}
        )
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, Tensor] = {}
        mixes = recipe.augmentation.mixup or recipe.augmentation.cutmix
        self._counted = [] if mixes else self._heads
        self._trained = self._nothing_trained()

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return logits for normalised images (N, 1, H, W): (N, C) by head, (N, 1) by signal."""
        logits: dict[str, Tensor] = self.network(images)
        return logits

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Turn uint8 images into the network's input; training images are augmented first."""
        images = batch.images.float()
        if self.training:
            batch = with_no_faces(batch._replace(images=images), self.recipe.augmentation.no_face)
            batch = batch._replace(images=self.augmentation(batch.images / 255) * 255)
            batch = mix(batch, self.recipe.augmentation)
            images = batch.images
        images = self.recipe.preprocess.normalise(images)
        return batch._replace(images=images.contiguous(memory_format=torch.channels_last))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of a batch."""
        logits = self(batch.images)
        loss = self._taught_loss(logits, batch)
        self._check(float(loss.detach()), "loss", self.global_step + 1)
        # Lightning's own log costs more than a step of a small network.
        self._trained += torch.stack(
            [loss.detach() * len(batch.images), self._of(batch), *self._hits(logits, batch)]
        )
        return loss

    def optimizer_step(
        self,
        epoch: int,
        batch_idx: int,
        optimizer: Any,
        optimizer_closure: Callable[[], Any] | None = None,
    ) -> None:
        """Make a step; by the gradient of the worst weights near by if the recipe says `sam`."""
        if optimizer_closure is not None and self.recipe.optimiser.sam:
            optimizer_closure = self._uphill(optimizer_closure)
        super().optimizer_step(epoch, batch_idx, optimizer, optimizer_closure)

    def on_train_epoch_start(self) -> None:
        """Forget the last epoch's loss and hits."""
        self._trained = self._nothing_trained()

    def transfer_batch_to_device(
        self, batch: Batch, device: torch.device, dataloader_idx: int
    ) -> Batch:
        """Bring a batch to the device, if it is not there."""
        if batch.images.device == device:
            return batch
        moved: Batch = super().transfer_batch_to_device(batch, device, dataloader_idx)
        return moved

    def on_validation_epoch_start(self) -> None:
        """Forget the last epoch's sums."""
        names = [f"{kind}_{n}" for n in self._weights for kind in ("cost", "known")]
        self._sums = {name: torch.zeros((), device=self.device) for name in names}
        classes = self.recipe.outputs
        self._counts = {
            n: torch.zeros(classes[n], classes[n], dtype=torch.int64, device=self.device)
            for n in self._heads
        }

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Add a batch to the loss and to each head's counts."""
        logits = self(batch.images)
        counts = batch.known()
        for name, loss in self._losses_of(logits, batch).items():
            self._sums[f"cost_{name}"] += loss * counts[name]
            self._sums[f"known_{name}"] += counts[name]
        for name, truth in batch.truth.items():
            self._counts[name] += confusion(logits[name], truth)

    def on_validation_epoch_end(self) -> None:
        """Log the losses and each head's figures, over all devices."""
        reduce = self.trainer.strategy.reduce
        sums = {name: float(reduce(s, reduce_op="sum")) for name, s in self._sums.items()}
        counts = {name: reduce(c, reduce_op="sum") for name, c in self._counts.items()}
        for kind, figure in FIGURES.items():
            self._log_heads(f"val_{kind}", {name: figure(c) for name, c in counts.items()})
        loss = sum(
            weight * sums[f"cost_{name}"] / max(1.0, sums[f"known_{name}"])
            for name, weight in self._weights.items()
        )
        # The last step may have ruined the weights, and no other would tell.
        self._check(loss, "loss on validation", self.global_step)
        self.log("val_loss", loss)
        self._log_trained(*reduce(self._trained, reduce_op="sum").tolist())

    def configure_optimizers(self) -> Any:
        """Return optimiser and schedule for Lightning."""
        clips = self.recipe.training.gradient_clip > 0
        optimiser = build_optimiser(self.network, self.recipe.optimiser, fused=not clips)
        if self.recipe.schedule.name == "plateau":  # a callback's
            return optimiser
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = build_schedule(
            optimiser, self.recipe.schedule, steps, steps // self.recipe.training.epochs
        )
        step = {"scheduler": schedule, "interval": "step"}
        return {"optimizer": optimiser, "lr_scheduler": step}

    def training_loss(self, batch: Batch) -> Tensor:
        """Return what is minimised: the targets' loss, and the teacher's if there is one."""
        return self._taught_loss(self(batch.images), batch)

    def loss(self, logits: dict[str, Tensor], batch: Batch) -> Tensor:
        """Return the weighted sum of the losses of heads and signals."""
        return torch.stack(list(self._weighted_losses(logits, batch).values())).sum()

    def _taught_loss(self, logits: dict[str, Tensor], batch: Batch) -> Tensor:
        if self.distillation is None:
            return self.loss(logits, batch)
        losses = self._weighted_losses(logits, batch)
        return self.distillation.loss(losses, logits, batch.images, batch.shown)

    def _weighted_losses(self, logits: dict[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        losses = self._losses_of(logits, batch)
        return {name: self._weights[name] * loss for name, loss in losses.items()}

    def _losses_of(self, logits: dict[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        """Return the mean loss of each head and signal over the faces whose truth is known."""
        heads = {name: self.losses[name](logits[name], batch.shares[name]) for name in self._heads}
        return heads | {
            name: signal_loss(logits[name], batch.signals[name])
            for name in self.recipe.signal_names
        }

    @property
    def _remedy(self) -> str:
        part = self.recipe.optimiser
        return "smaller optimiser.sam" if part.sam else "training.gradient_clip"

    def _uphill(self, closure: Callable[[], Any]) -> Callable[[], Any]:
        def twice() -> Any:
            loss = closure()
            trained = self._trained.clone()
            with uphill(self.network, self.recipe.optimiser.sam):
                closure()
            # What is logged is of the weights that are kept.
            self._trained = trained
            return loss

        return twice

    def _of(self, batch: Batch) -> Tensor:
        return torch.tensor(float(len(batch.images)), device=self.device)

    def _hits(self, logits: dict[str, Tensor], batch: Batch) -> Iterator[Tensor]:
        """Give, of each head, how many of a batch's faces it names rightly, and of how many."""
        for name in self._counted:
            yield from hits(logits[name].detach(), batch.truth[name], batch.shown)

    def _nothing_trained(self) -> Tensor:
        """Return what an epoch's steps add to: loss, faces, and each head's hits and truths."""
        return torch.zeros(2 + 2 * len(self._counted), device=self.device)

    def _log_trained(self, total: float, faces: float, *right: float) -> None:
        self.log("train_loss", total / max(1.0, faces))
        if self._counted:
            shares = [n / of if of else math.nan for n, of in zip(right[::2], right[1::2])]
            self._log_heads("train_accuracy", dict(zip(self._counted, shares)))

    def _log_heads(self, figure: str, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self.log(f"{figure}_{name}", value)
        self.log(figure, sum(values.values()) / len(values))

    def _check(self, loss: float, what: str, step: int) -> None:
        if not math.isfinite(loss):
            before = "the weights of the epochs before are" if self.current_epoch else "nothing is"
            raise TrainingError(
                f"The {what} became {loss} at step {step}, in epoch"
                f" {self.current_epoch + 1}: training stopped; {before} kept. A smaller"
                f" optimiser.learning_rate or a {self._remedy} may help."
            )
