"""How faces are explained: what the methods may be told."""

from __future__ import annotations

from dataclasses import dataclass

from mien.errors import MienError, unknown_name
from mien.explanation.fill import FILLS


@dataclass(frozen=True)
class Settings:
    """The choices of all methods; each takes those that are its own.

    Args:
        fill: What stands in for pixels that are taken away, one of `FILLS`; also where integrated
            gradients begin.
        patch: Side in pixels of the square that occlusion moves over the face.
        stride: Pixels from one place of the square to the next; at most `patch`.
        layer: Grad-CAM's layer; None for the network's last convolutional map.
        steps: Points on the way that integrated gradients follow.

    Raises:
        MienError: If a value is out of its range; names it.
    """

    fill: str = "blur"
    patch: int = 8
    stride: int = 4
    layer: str | None = None
    steps: int = 32

    def __post_init__(self) -> None:
        if self.fill not in FILLS:
            raise MienError(unknown_name("fill", self.fill, FILLS))
        if self.patch < 1:
            raise MienError(f"The patch must be 1 pixel or more. Got {self.patch} instead.")
        if not 1 <= self.stride <= self.patch:
            raise MienError(
                f"The stride must be 1 to {self.patch} pixels, the side of the patch, so that no"
                f" pixel is passed over. Got {self.stride} instead."
            )
        if self.steps < 2:
            raise MienError(f"The steps must be 2 or more. Got {self.steps} instead.")
