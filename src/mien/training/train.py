"""Train a recipe on a dataset."""

from __future__ import annotations

import logging
import signal
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from numpy.typing import NDArray
from torch.multiprocessing.spawn import ProcessRaisedException

from mien.data.dataset import FaceDataset
from mien.errors import TrainingError
from mien.recipe import Recipe
from mien.training.batches import Batches
from mien.training.beginning import (
    begin,
    check_begin,
    last_epoch,
    run_convolutions,
    run_precision,
    sole_training,
)
from mien.training.callbacks import (
    EpochLog,
    EpochSeed,
    Plateau,
    TrainingBar,
    averaging,
    checkpoints,
    stopping,
)
from mien.training.curves import plot_curves
from mien.training.distillation import Distillation
from mien.training.faces import checked_faces
from mien.training.losses import balanced_weights
from mien.training.machine import Machine
from mien.training.memory import keep_memory
from mien.training.module import ExpressionModule
from mien.training.precision import LIGHTNING_NAMES, precision_of
from mien.training.run import Run
from mien.training.starting import pinned, starting_weights
from mien.training.targets import head_targets
from mien.training.weights import Weights, load_weights
from mien.training.winograd import with_winograd

VAL_BATCH = 256


def train(
    recipe: Recipe,
    dataset: FaceDataset,
    folder: Path,
    *,
    resume: bool = False,
    progress: bool = True,
    machine: Machine | None = None,
    start: Weights | None = None,
    callbacks: Sequence[Callback] = (),
) -> Run:
    """Train a recipe's network; keep the epoch that is best on validation.

    Args:
        recipe: What to train.
        dataset: Faces with the splits "train" and "val", as `mien.data.assemble` makes them; "test"
            is not looked at.
        folder: Where the run goes.
        resume: Continue the run in `folder` after its last finished epoch, to the same result.
        progress: Whether to show a bar and a line per epoch.
        machine: On how many devices; one by default.
        start: Weights to begin with, by their names in the network; by default those of the model
            that the recipe begins with, or fresh ones.
        callbacks: Lightning's, called before those of the run.

    Raises:
        RecipeError: If recipe and dataset do not fit.
        MienError: If a model that the recipe names cannot be read; if `folder` holds a run and
            `resume` is off, or it holds another recipe's.
        BusyError: If another process trains in `folder`.
        TrainingError: If the loss is not a number any more.
    """
    run, machine = Run(folder), machine or Machine()
    recipe = pinned(recipe)
    faces = checked_faces(recipe, dataset, machine)
    precision = precision_of(recipe)
    with sole_training(run) if machine.leads else nullcontext():
        if machine.leads:
            check_begin(run, recipe, dataset, faces, resume=resume)
        if run.epochs_done() >= recipe.training.epochs or run.stopped_early():
            _draw_missing(run, machine)
            return run
        training = training_batches(recipe, faces, progress=progress)
        validation = Batches(
            dataset.in_split("val"), recipe.heads, VAL_BATCH, shuffle=False, signals=recipe.signals
        )
        precision = run_precision(run, precision)
        convolutions = run_convolutions(run, recipe, precision)
        module = _first_module(run, recipe, faces, start)
        if convolutions == "winograd":
            with_winograd(module.network)
        if machine.leads:
            begin(run, recipe, precision, convolutions, dataset, faces)
        called = [*callbacks, *_callbacks(run, recipe, progress)]
        with _quiet_lightning():
            trainer = _trainer(run, recipe, precision, machine, called)
            _fit(trainer, module, training, validation, last_epoch(run))
        if machine.leads:
            plot_curves(run.metrics_file, run.curves)
    return run


def training_batches(recipe: Recipe, faces: FaceDataset, *, progress: bool = False) -> Batches:
    """Return the batches of an epoch; a teacher that is asked once has spoken.

    Args:
        recipe: What to train.
        faces: On what.
        progress: Whether to show a bar while the teacher is asked.

    Raises:
        MienError: If the teacher cannot be read or does not fit, or the faces lack votes.
    """
    batches = Batches(
        faces, recipe.heads, recipe.training.batch_size, shuffle=True, signals=recipe.signals
    )
    if recipe.distillation is not None and recipe.distillation.once:
        said = Distillation(recipe).shares(faces.images, progress=progress)
        batches.blend(said, recipe.distillation.weight)
    return batches


def training_module(
    recipe: Recipe, faces: FaceDataset, start: Weights | None = None
) -> ExpressionModule:
    """Return the module that trains a recipe on some faces, with weights to begin with.

    Raises:
        TrainingError: If they are another network's.
        MienError: If the teacher that the recipe names cannot be read or does not fit.
    """
    teaches = recipe.distillation is not None and not recipe.distillation.once
    distillation = Distillation(recipe) if teaches else None
    module = ExpressionModule(recipe, class_weights(recipe, faces), distillation)
    if start is not None:
        load_weights(module.network, start)
    return module.to(memory_format=torch.channels_last)


def class_weights(recipe: Recipe, faces: FaceDataset) -> dict[str, NDArray[np.float32]]:
    """Return the class weights of the heads that want them, from the training faces."""
    return {
        head.labels: balanced_weights(head_targets(faces, head).shares)
        for head in recipe.heads
        if head.class_weights == "balanced"
    }


def _draw_missing(run: Run, machine: Machine) -> None:
    """Draw the curves of a run that something ended between its last epoch and them."""
    if machine.leads and run.metrics_file.exists() and not run.curves.exists():
        plot_curves(run.metrics_file, run.curves)


def _first_module(
    run: Run, recipe: Recipe, faces: FaceDataset, start: Weights | None
) -> ExpressionModule:
    """Return the module of a run's first step, or of one whose last epoch is still to be loaded."""
    if start is None and not run.last.exists():
        start = starting_weights(recipe, faces)
    pl.seed_everything(recipe.training.seed, verbose=False)
    return training_module(recipe, faces, start)


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Keep Lightning's advice, on workers, loggers and devices, from the user."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")
        yield


def _fit(
    trainer: pl.Trainer,
    module: ExpressionModule,
    training: Batches,
    validation: Batches,
    checkpoint: str | None,
) -> None:
    handler = signal.getsignal(signal.SIGINT)
    keep_memory()
    try:
        trainer.fit(module, training, validation, ckpt_path=checkpoint)
    except ProcessRaisedException as error:
        # A process of several ended; its last line is what it said.
        raise TrainingError(str(error).strip().splitlines()[-1].partition(": ")[2]) from error
    except SystemExit:
        # Lightning leaves the program when the user interrupts, deaf to further interrupts.
        signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from None


def _callbacks(run: Run, recipe: Recipe, progress: bool) -> list[Callback]:
    part = recipe.training
    return [
        EpochSeed(part.seed),
        *averaging(part),
        EpochLog(run.metrics_file),
        *([TrainingBar(part.select)] if progress else []),
        *([Plateau(recipe.schedule)] if recipe.schedule.name == "plateau" else []),
        *stopping(part),
        *checkpoints(run.best.parent, part.select),
    ]


def _trainer(
    run: Run, recipe: Recipe, chosen: str, machine: Machine, callbacks: list[Callback]
) -> pl.Trainer:
    part = recipe.training
    return pl.Trainer(
        max_epochs=part.epochs,
        precision=LIGHTNING_NAMES[chosen],
        gradient_clip_val=part.gradient_clip or None,
        callbacks=callbacks,
        logger=machine.logger(run.folder),
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        **machine.placement(),
    )
