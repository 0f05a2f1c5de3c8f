"""The part of a recipe that says how training images are changed at random."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mien.recipe.part import Part, Range, within

Probability = Field(default=0.0, ge=0, le=1)


class AugmentationPart(Part):
    """Random changes of a training image; 0, or a range of one value, switches a change off.

    Args:
        flip: Probability of a horizontal flip.
        vertical_flip: Probability of a vertical flip.
        rotation: Largest angle in degrees, either way.
        shift: Largest shift as a share of the image's side, either way.
        zoom: Range of the scale factor, .01 to 100.
        shear: Largest shear in degrees, either way.
        fill: What rotation, shift, zoom and shear show beyond the edges; "border" repeats the edge,
            Keras's "nearest".
        brightness: Range of what is added to pixel values, as a share of white, plus 1: 0 to 2.
        contrast: Range of the factor on pixel values, 0 to 100.
        blur: Probability of a Gaussian blur with a deviation of 0.3 to 1.5 pixels.
        downscale: Probability that an image is made smaller, down to a third, and large again.
        jpeg: Probability of JPEG compression with a quality of 20 to 80.
        noise: Standard deviation of noise added to each pixel, as a share of white; black and white
            stay the darkest and the lightest.
        erasing: Probability that a random rectangle is blanked.
        mixup: Both parameters of the Beta distribution of the share by which two images and their
            targets are mixed (Zhang et al., "mixup", ICLR 2018); 0 for none.
        no_face: Probability that an image is turned into one without a usable face: a part of it,
            its tiles shuffled, or a texture. Only the signal "not_a_face" learns from it.
        cutmix: The same for a rectangle of another image (Yun et al., "CutMix", ICCV 2019). Not
            together with `mixup`.
    """

    flip: float = Probability
    vertical_flip: float = Probability
    rotation: float = Field(default=0.0, ge=0, le=180)
    shift: float = Field(default=0.0, ge=0, le=1)
    zoom: Annotated[Range, within(0.01, 100)] = (1.0, 1.0)
    shear: float = Field(default=0.0, ge=0, le=60)
    fill: Literal["zeros", "border", "reflection"] = "border"
    brightness: Annotated[Range, within(0, 2)] = (1.0, 1.0)
    contrast: Annotated[Range, within(0, 100)] = (1.0, 1.0)
    blur: float = Probability
    downscale: float = Probability
    jpeg: float = Probability
    noise: float = Field(default=0.0, ge=0, le=1)
    erasing: float = Probability
    no_face: float = Probability
    mixup: float = Field(default=0.0, ge=0, le=10)
    cutmix: float = Field(default=0.0, ge=0, le=10)

    @model_validator(mode="after")
    def _one_mix(self) -> AugmentationPart:
        if self.mixup and self.cutmix:
            raise ValueError("mixup and cutmix cannot be used together")
        return self
