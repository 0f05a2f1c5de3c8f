"""Where a training runs: devices, machines, logs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.loggers import Logger

from mien.errors import TrainingError

RANKS = ("RANK", "SLURM_PROCID")
"""Variables by which torchrun and Slurm number the processes they start."""


@dataclass(frozen=True)
class Machine:
    """The devices of a training.

    Args:
        devices: GPUs, or processes on a CPU, of each machine.
        machines: How many machines train together; each runs the same command, started by torchrun
            or Slurm.
        tensorboard: Write logs for TensorBoard into the run's folder, too.

    Raises:
        TrainingError: If a number is not positive, or several machines were not started together.
    """

    devices: int = 1
    machines: int = 1
    tensorboard: bool = False

    def __post_init__(self) -> None:
        if min(self.devices, self.machines) < 1:
            raise TrainingError(
                "Training needs 1 or more devices and machines."
                f" Got {self.devices} and {self.machines} instead."
            )
        if self.machines > 1 and not _launched():
            raise TrainingError(
                f"Training on {self.machines} machines must be started by torchrun or Slurm on each"
                " of them."
            )

    def check(self, batch_size: int) -> None:
        """Check that a batch can be shared alike.

        Raises:
            TrainingError: If it cannot: some faces would count more than others.
        """
        if batch_size % self.together:
            raise TrainingError(
                "training.batch_size must be a multiple of the devices that share it,"
                f" {self.together}. Got {batch_size} instead."
            )
        if torch.cuda.is_available() and self.devices > torch.cuda.device_count():
            raise TrainingError(
                f"--devices must be at most the number of GPUs, {torch.cuda.device_count()}."
                f" Got {self.devices} instead."
            )

    @property
    def together(self) -> int:
        """How many devices share a batch."""
        return self.devices * self.machines

    @property
    def leads(self) -> bool:
        """Whether this process writes the run's files; of those started by torchrun one does."""
        if not _launched():  # a number that some other program left says nothing
            return True
        ranks = (os.environ[name] for name in RANKS if name in os.environ)
        return int(next(ranks, "0")) == 0

    def placement(self) -> dict[str, Any]:
        """Return Lightning's arguments for devices and strategy."""
        if self.together == 1 and not _launched():
            return {"devices": 1}
        # Processes that are not started from outside begin after the data was read and checked.
        strategy = "ddp" if _launched() else "ddp_spawn"
        return {"devices": self.devices, "num_nodes": self.machines, "strategy": strategy}

    def logger(self, folder: Path) -> Logger | bool:
        """Return the logger for TensorBoard, or False."""
        if not self.tensorboard:
            return False
        from lightning.pytorch.loggers import TensorBoardLogger

        return TensorBoardLogger(folder, name="", version="tensorboard")


def _launched() -> bool:
    # A Slurm script without srun is one process, whatever it asked for.
    together = int(os.environ.get("SLURM_STEP_NUM_TASKS", "1")) > 1
    return "TORCHELASTIC_RUN_ID" in os.environ or together
