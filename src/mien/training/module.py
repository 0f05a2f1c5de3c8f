"""The Lightning module: one network, one loss per head."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.nn import functional

from mien.data.dataset import NO_TARGET
from mien.labels import label_set
from mien.models import build_network
from mien.recipe import Recipe
from mien.training.augmentation import build_augmentation
from mien.training.batches import Batch
from mien.training.optimisers import build_optimiser, build_schedule


class ExpressionModule(pl.LightningModule):
    """Trains a recipe's network.

    Logs `train_loss`, `val_loss`, `val_accuracy_<head>` and their mean `val_accuracy` each epoch.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.recipe = recipe
        heads = {head.labels: len(label_set(head.labels)) for head in recipe.heads}
        self.network = build_network(recipe.network.name, heads, recipe.network.options)
        self.augmentation = build_augmentation(recipe.augmentation)
        self._hits = {name: [0, 0] for name in heads}

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return logits (N, C) by head for normalised images (N, 1, H, W)."""
        logits: dict[str, Tensor] = self.network(images)
        return logits

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Turn uint8 images into the network's input; training images are augmented first."""
        images = batch.images.float()
        if self.training:
            images = self.augmentation(images / 255) * 255
        images = self.recipe.preprocess.normalise(images)
        return batch._replace(images=images.contiguous(memory_format=torch.channels_last))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of a batch."""
        loss = self._loss(self(batch.images), batch)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(batch.images))
        return loss

    def on_validation_epoch_start(self) -> None:
        """Forget the last epoch's counts."""
        self._hits = {name: [0, 0] for name in self._hits}

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Add a batch to the loss and to each head's hits."""
        logits = self(batch.images)
        self.log("val_loss", self._loss(logits, batch), batch_size=len(batch.images))
        for name, truth in batch.truth.items():
            known = truth != NO_TARGET
            hits = logits[name].argmax(1)[known] == truth[known]
            self._hits[name][0] += int(hits.sum())
            self._hits[name][1] += int(known.sum())

    def on_validation_epoch_end(self) -> None:
        """Log the accuracy of each head and their mean."""
        accuracies = {name: right / max(1, n) for name, (right, n) in self._hits.items()}
        for name, accuracy in accuracies.items():
            self.log(f"val_accuracy_{name}", accuracy)
        self.log("val_accuracy", sum(accuracies.values()) / len(accuracies))

    def configure_optimizers(self) -> Any:
        """Return optimiser and schedule for Lightning."""
        optimiser = build_optimiser(self.network, self.recipe.optimiser)
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = build_schedule(
            optimiser, self.recipe.schedule, steps, steps // self.recipe.training.epochs
        )
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def _loss(self, logits: dict[str, Tensor], batch: Batch) -> Tensor:
        losses = [
            head.weight
            * cross_entropy(logits[head.labels], batch.shares[head.labels], head.smoothing)
            for head in self.recipe.heads
        ]
        return torch.stack(losses).sum()


def cross_entropy(logits: Tensor, shares: Tensor, smoothing: float) -> Tensor:
    """Return the mean cross-entropy of logits (N, C) with target shares (N, C).

    Rows whose shares are all 0 have no truth and do not count; with no row left the loss is 0.
    """
    known = shares.sum(1) > 0
    losses = functional.cross_entropy(
        logits.float(), shares, reduction="none", label_smoothing=smoothing
    )
    return (losses * known).sum() / known.sum().clamp(min=1)
