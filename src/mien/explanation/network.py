"""The network of a model, for what only gradients and inner layers can tell; needs torch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mien.errors import MienError, ModelError, unknown_name
from mien.explanation.output import Output
from mien.preprocess import Image, Preprocess
from mien.training.source import open_source

USEFUL = 1 / 8
"""Least side of a map, over that of the crop, in which an eye can be told from a brow."""


class LogProbabilities(nn.Module):
    """A network that says how probable each expression of one output is.

    Explanations follow the logarithm of the calibrated probability, not the logit: what speaks for
    all expressions alike cancels out.

    Args:
        network: Maps float (N, 1, S, S) to logits by output.
        head: The output's name.
        temperature: What its logits are divided by.
        preprocess: How the network sees pixels.
    """

    def __init__(
        self, network: nn.Module, head: str, temperature: float, preprocess: Preprocess
    ) -> None:
        super().__init__()
        self.network = network
        self._head, self._temperature, self._preprocess = head, temperature, preprocess

    def forward(self, images: Tensor) -> Tensor:
        """Map normalised images (N, 1, S, S) to log-probabilities (N, C)."""
        logits: Tensor = self.network(images)[self._head]
        return (logits / self._temperature).log_softmax(1)

    def images(self, crops: Image) -> Tensor:
        """Return crops, uint8 (N, S, S), as normalised images (N, 1, S, S)."""
        return torch.from_numpy(self._preprocess.to_input(crops))

    def maps(self) -> dict[str, torch.Size]:
        """Return the layers whose result is a map, in the order of the network, and its shape.

        The shape is (C, H, W). Of a layer that is used more than once it is the last.
        """
        shapes: dict[str, torch.Size] = {}
        hooks = [
            layer.register_forward_hook(_note_shape(shapes, name))
            for name, layer in self.network.named_modules()
            if name
        ]
        side = self._preprocess.size
        with torch.inference_mode():
            self(torch.zeros(1, 1, side, side))
        for hook in hooks:
            hook.remove()
        return shapes

    def layer(self, name: str | None = None) -> nn.Module:
        """Return a layer whose result is a map.

        Args:
            name: None for the last whose map has at least `USEFUL` of the crop's side, or the
                largest there is.

        Raises:
            MienError: If there is none of that name; names the nearest one.
        """
        maps = self.maps()
        if name is not None and name not in maps:
            raise MienError(unknown_name("layer with a map", name, maps))
        return self.network.get_submodule(name or _last(maps, self._preprocess.size))


def log_probabilities(output: Output) -> LogProbabilities:
    """Return the network behind an output, in evaluation mode on the CPU.

    Raises:
        ModelError: If the model averages several networks or views, or its file does not hold what
            its recipe describes.
    """
    card = output.classifier.card
    if card.views != "none":
        raise ModelError(
            f"Gradients are of a network that sees a face once, and {card.name} averages several"
            f" views ({card.views}): occlusion explains it as a whole."
        )
    network = open_source(output.source).network
    return LogProbabilities(
        network, output.head.name, output.head.temperature, card.preprocess
    ).eval()


def _last(maps: dict[str, torch.Size], size: int) -> str:
    if not maps:
        raise MienError("The network has no layer whose result is a map.")
    least = min(USEFUL * size, max(shape[-1] for shape in maps.values()))
    return [name for name, shape in maps.items() if shape[-1] >= least][-1]


def _note_shape(
    shapes: dict[str, torch.Size], name: str
) -> Callable[[nn.Module, tuple[Tensor, ...], object], None]:
    def hook(_: nn.Module, __: tuple[Tensor, ...], result: object) -> None:
        if isinstance(result, Tensor) and result.ndim == 4:
            shapes.pop(name, None)
            shapes[name] = result.shape[1:]

    return hook
