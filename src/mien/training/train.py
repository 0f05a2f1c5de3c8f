"""Train a recipe on a dataset."""

from __future__ import annotations

import logging
import signal
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from numpy.typing import NDArray
from torch.multiprocessing.spawn import ProcessRaisedException

from mien.data.dataset import NO_TARGET, FaceDataset
from mien.data.split import check_sources
from mien.data.twins import twins_in
from mien.errors import DataError, RecipeError, TrainingError
from mien.models import build_network
from mien.recipe import DataPart, Recipe
from mien.recipe.data import OFFICIAL
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
from mien.training.losses import balanced_weights
from mien.training.machine import Machine
from mien.training.memory import keep_memory
from mien.training.module import ExpressionModule
from mien.training.precision import LIGHTNING_NAMES, precision_of
from mien.training.run import Run
from mien.training.starting import TAKE_VAL, pinned, starting_weights
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
    part = recipe.training
    _check(recipe, dataset)
    machine.check(part.batch_size)
    if part.batch_size == machine.together:
        _check_single_faces(recipe)
    chosen = precision_of(recipe)
    faces = training_faces(recipe, dataset)
    with sole_training(run) if machine.leads else nullcontext():
        if machine.leads:
            check_begin(run, recipe, dataset, faces, resume=resume)
        if run.epochs_done() >= part.epochs or run.stopped_early():
            _draw_missing(run, machine)
            return run
        training = training_batches(recipe, faces, progress=progress)
        validation = Batches(
            dataset.in_split("val"), recipe.heads, VAL_BATCH, shuffle=False, signals=recipe.signals
        )
        if start is None and not run.last.exists():
            start = starting_weights(recipe, faces)
        pl.seed_everything(part.seed, verbose=False)
        module = training_module(recipe, faces, start)
        chosen = run_precision(run, chosen)
        convolutions = run_convolutions(run, recipe, chosen)
        if convolutions == "winograd":
            with_winograd(module.network)
        if machine.leads:
            begin(run, recipe, chosen, convolutions, dataset, faces)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            keep_memory()
            trainer = _trainer(
                run, recipe, chosen, machine, [*callbacks, *_callbacks(run, recipe, progress)]
            )
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


def _fit(
    trainer: pl.Trainer,
    module: ExpressionModule,
    training: Batches,
    validation: Batches,
    checkpoint: str | None,
) -> None:
    handler = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(module, training, validation, ckpt_path=checkpoint)
    except ProcessRaisedException as error:
        # A process of several ended; its last line is what it said.
        raise TrainingError(str(error).strip().splitlines()[-1].partition(": ")[2]) from error
    except SystemExit:
        # Lightning leaves the program when the user interrupts, deaf to further interrupts.
        signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from None


def _check(recipe: Recipe, dataset: FaceDataset) -> None:
    side = recipe.preprocess.size
    height, width = dataset.images.shape[1:]
    if (height, width) != (side, side):
        raise RecipeError(
            f"preprocess.size must be the size of the dataset's images, {width}x{height}."
            f" Got {side} instead."
        )
    if not (dataset.splits == "val").any():
        raise DataError(_without_val(recipe.data, dataset))
    check_sources(dataset)
    for head in recipe.heads:
        if (head_targets(dataset.in_split("val"), head).truth == NO_TARGET).all():
            raise RecipeError(
                f"Head {head.labels!r} cannot be selected or calibrated: no face of the split 'val'"
                " has a known truth for it."
            )


def _without_val(part: DataPart, dataset: FaceDataset) -> str:
    found = np.unique(dataset.splits).tolist()
    if part.test_per_class:
        help_ = 'data.split = "90:10" makes one of the faces outside of test'
    elif part.split != OFFICIAL:
        help_ = 'data.split = "80:10:10" makes one'
    else:
        help_ = TAKE_VAL if "train" in found else "mien data split --ratio 80:10:10 makes them"
    return (
        f"Dataset {dataset.name!r} has no split 'val', by which the best epoch is chosen: it has"
        f" {', '.join(map(repr, found))}; {help_}."
    )


def _check_single_faces(recipe: Recipe) -> None:
    """Check that a network can be trained on one face at a time, by trying it with a blank one."""
    network = build_network(recipe.network.name, recipe.outputs, recipe.network.options).train()
    side = recipe.preprocess.size
    try:
        network(torch.zeros(1, 1, side, side))
    except ValueError as error:
        # Batch normalisation's, of features or of a map of one pixel.
        raise RecipeError(
            f"training.batch_size must be 2 or more for each device: network"
            f" {recipe.network.name!r} normalises over a batch, and of one face it cannot."
        ) from error


def training_faces(recipe: Recipe, dataset: FaceDataset) -> FaceDataset:
    """Return the faces a recipe trains on.

    Raises:
        RecipeError: If there are fewer than one batch of them.
    """
    keep = dataset.splits == "train"
    if recipe.data.drop_twins:
        keep &= ~twins_in(dataset, ["val", "test"])
    count = int(keep.sum())
    if count < recipe.training.batch_size:
        raise RecipeError(
            f"training.batch_size must be at most the number of training faces, {count}."
            f" Got {recipe.training.batch_size} instead."
        )
    return dataset.select(np.flatnonzero(keep))


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
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
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
