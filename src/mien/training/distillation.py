"""Distillation: learning from what a teacher says of each face, besides its target.

The teacher sees each batch as the student does, augmented and mixed, so that what it says belongs
to the very picture (Beyer et al., "Knowledge distillation: A good teacher is patient and
consistent", CVPR 2022). An ONNX file is run by ONNX Runtime on the processor, so that an ensemble
can teach, too; a run's network is run by torch on the student's device, which is faster on a GPU.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from torch import Tensor
from torch.nn.functional import kl_div

from mien.errors import RecipeError
from mien.inference.zoo import model_path, read_model
from mien.labels import label_set
from mien.preprocess import Preprocess
from mien.recipe import Recipe
from mien.training.source import open_source

Logits = Mapping[str, Tensor]

ONCE = 256
"""Faces that a teacher sees at once when it is asked before the training."""


class Teacher(Protocol):
    """What can teach."""

    @property
    def preprocess(self) -> Preprocess:
        """How it sees faces."""

    @property
    def heads(self) -> dict[str, int]:
        """Number of classes of each of its outputs, by name."""

    def __call__(self, images: Tensor, heads: Iterable[str]) -> dict[str, Tensor]:
        """Return logits (N, classes) of some outputs for images (N, 1, H, W), as it sees them."""


class Distillation:
    """The loss of a student that learns from a teacher.

    It is not a module: the teacher's weights are no part of the student's checkpoints.

    Args:
        recipe: Its part `distillation` names the teacher.

    Raises:
        MienError: If the teacher cannot be read.
        RecipeError: If it has none of the recipe's heads, or sees faces of another size.
    """

    def __init__(self, recipe: Recipe) -> None:
        if recipe.distillation is None:
            raise RecipeError("distillation.teacher is missing.")
        self._part = recipe.distillation
        self._preprocess = recipe.preprocess
        self._teacher = open_teacher(self._part.teacher)
        _check(recipe, self._teacher)
        self._weights = {
            head.labels: head.weight for head in recipe.heads if head.labels in self._teacher.heads
        }

    def __deepcopy__(self, memo: dict[int, Any]) -> Distillation:
        # The moving average copies the module that holds this; one teacher is enough.
        return self

    def loss(
        self,
        hard: Mapping[str, Tensor],
        student: Logits,
        images: Tensor,
        shown: Tensor | None = None,
    ) -> Tensor:
        """Return the targets' losses and the teacher's, by the recipe's weight.

        What the teacher lacks, a head or a signal, is learnt from its targets alone.

        Args:
            hard: The targets' losses by head and signal, each by its weight.
            student: Logits (N, classes) by head.
            images: float (N, 1, H, W), normalised as the student sees them.
            shown: bool (N,), the images that show a face, of which alone the teacher is heard; None
                for all.
        """
        taught = self._teacher(self._as_teacher_sees(images), self._weights)
        heard = slice(None) if shown is None else shown
        soft = [
            weight
            * soft_loss(
                student[head][heard], taught[head].to(images.device)[heard], self._part.temperature
            )
            for head, weight in self._weights.items()
        ]
        share = self._part.weight
        both = torch.stack([hard[head] for head in self._weights]).sum()
        alone = sum(loss for name, loss in hard.items() if name not in self._weights)
        return (1 - share) * both + share * torch.stack(soft).sum() + alone

    def shares(self, images: NDArray[np.uint8], *, progress: bool = False) -> dict[str, Tensor]:
        """Return what the teacher says of faces and their mirror images, by head, (N, C).

        Args:
            images: uint8 (N, H, W).
            progress: Whether to show a bar.
        """
        found: dict[str, list[Tensor]] = {head: [] for head in self._weights}
        starts, console = range(0, len(images), ONCE), Console(stderr=True)
        for start in track(starts, "Asking the teacher", console=console, disable=not progress):
            part = torch.from_numpy(self._teacher.preprocess.to_input(images[start : start + ONCE]))
            both = [self._teacher(seen, found) for seen in (part, part.flip(3))]
            for head, rows in found.items():
                said = [(own[head].float() / self._part.temperature).softmax(1) for own in both]
                rows.append(torch.stack(said).mean(0).cpu())
        return {head: torch.cat(rows) for head, rows in found.items()}

    def _as_teacher_sees(self, images: Tensor) -> Tensor:
        own, other = self._preprocess, self._teacher.preprocess
        if (own.mean, own.std) == (other.mean, other.std):
            return images
        pixels: Tensor = images * own.std + own.mean
        return other.normalise(pixels)


def soft_loss(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Return T^2 KL(teacher || student) at the temperature T, the mean over faces; 0 without any.

    The factor keeps the gradient's size the same at every temperature.

    Args:
        student: Logits (N, C).
        teacher: Logits (N, C).
        temperature: T.
    """
    said = (student.float() / temperature).log_softmax(1)
    wanted = (teacher.float() / temperature).log_softmax(1)
    total = kl_div(said, wanted, reduction="sum", log_target=True)
    return temperature**2 * (total / max(1, len(said)))


def open_teacher(text: str) -> Teacher:
    """Return a teacher by the name of a shipped model, an ONNX file or a run's folder.

    Raises:
        MienError: If it cannot be read.
    """
    return RunTeacher(text) if Path(text).is_dir() else FileTeacher(model_path(text))


class RunTeacher:
    """The best epoch of a run, run by torch on the images' device."""

    def __init__(self, folder: str) -> None:
        source = open_source(folder)
        self.preprocess = source.recipe.preprocess
        self._network = source.network.requires_grad_(False)
        names = [head.labels for head in source.recipe.heads]
        self.heads = {name: len(label_set(name)) for name in names}

    @torch.no_grad()
    def __call__(self, images: Tensor, heads: Iterable[str]) -> dict[str, Tensor]:
        """Return logits (N, classes) of some outputs."""
        logits = self._network.to(images.device)(images)
        return {head: logits[head] for head in heads}


class FileTeacher:
    """An ONNX file that mien exported, run by ONNX Runtime on the processor."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        self._path = path
        card, graph, _ = read_model(path)
        self.preprocess = card.preprocess
        self.heads = {head.name: len(head.expressions) for head in card.heads}
        options = onnxruntime.SessionOptions()
        # Waiting threads would keep the processor from the student.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            graph, options, providers=["CPUExecutionProvider"]
        )

    def __reduce__(self) -> tuple[type[FileTeacher], tuple[Path]]:
        return FileTeacher, (self._path,)  # several processes: each opens the file

    def __call__(self, images: Tensor, heads: Iterable[str]) -> dict[str, Tensor]:
        """Return logits (N, classes) of some outputs."""
        names = list(heads)
        pixels = np.ascontiguousarray(images.detach().float().cpu().numpy())
        found = self._session.run(names, {self._session.get_inputs()[0].name: pixels})
        return {name: torch.from_numpy(values) for name, values in zip(names, found)}


def _check(recipe: Recipe, teacher: Teacher) -> None:
    names = [head.labels for head in recipe.heads]
    if not set(names) & teacher.heads.keys():
        raise RecipeError(
            f"distillation.teacher must have one of the recipe's heads, {', '.join(names)}."
            f" Got {', '.join(teacher.heads)} instead."
        )
    size, wanted = teacher.preprocess.size, recipe.preprocess.size
    if size != wanted:
        raise RecipeError(
            f"distillation.teacher must see faces of {wanted}x{wanted} pixels, as the recipe does."
            f" Got {size}x{size} instead."
        )
