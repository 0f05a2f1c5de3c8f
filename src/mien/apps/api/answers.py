"""What the API answers, as pydantic types; field names are those of the Python API."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from mien.card import ModelCard
from mien.inference.face import Reading


class BoxAnswer(BaseModel):
    """A rectangle in the picture's pixels; (0, 0) is the top left corner."""

    x: float
    y: float
    width: float
    height: float


class FaceAnswer(BaseModel):
    """The expression on one face."""

    face: int = Field(description="Number of the face in its picture, 0 for the largest.")
    answer: str = Field(
        description='The expression if the model is sure, else "uncertain" or "not a face".'
    )
    expression: str = Field(description="The most probable expression.")
    confidence: float = Field(description="Its probability, 0 to 1.")
    probabilities: dict[str, float] = Field(description="By expression; they sum to 1.")
    agreement: float | None = Field(
        description="The chance that two raters would name the same, 0 to 1; null if unknown."
    )
    not_a_face: float | None = Field(
        description="How likely this is no usable face, 0 to 1; null if unknown."
    )
    box: BoxAnswer
    detector_score: float = Field(description="On the detector's own scale.")

    @classmethod
    def of(cls, reading: Reading) -> FaceAnswer:
        """Return the answer for a reading."""
        content = reading.as_dict()
        del content["source"]
        return cls.model_validate(content)


class PictureAnswer(BaseModel):
    """What was read from one picture."""

    name: str
    status: Literal["ok", "no face", "error"]
    width: int | None = None
    height: int | None = None
    faces: list[FaceAnswer] = []
    message: str = Field("", description="Why the picture could not be read.")


class PicturesAnswer(BaseModel):
    """What was read from the pictures of a request, in their order."""

    model: str
    expressions: list[str]
    results: list[PictureAnswer]


class DoubtAnswer(BaseModel):
    """When a model's answer is no expression; null where it has no such signal."""

    confidence: float = Field(description="It is uncertain if its first choice is less probable.")
    agreement: float | None = Field(description="It is uncertain, too, if `agreement` is less.")
    not_a_face: float | None = Field(description="It is no face if `not_a_face` is more.")

    @classmethod
    def of(cls, card: ModelCard) -> DoubtAnswer:
        """Return the bounds of a model."""
        bounds = card.doubt
        return cls(
            confidence=bounds.confidence,
            agreement=bounds.agreement if "agreement" in card.signals else None,
            not_a_face=bounds.not_a_face if "not_a_face" in card.signals else None,
        )


class ModelAnswer(BaseModel):
    """A model that the server can read with."""

    name: str
    description: str
    expressions: list[str]
    default: bool
    parameters: int
    macs: int
    licence: str
    doubt: DoubtAnswer


class RegionAnswer(BaseModel):
    """What a region of the face contributes to the probability of the expression."""

    region: str
    contribution: float


class ExplanationAnswer(BaseModel):
    """Where in the face the model sees the expression."""

    expression: str
    probability: float
    regions: list[RegionAnswer]
    overlay: str = Field(description="PNG, 240x240, base64: vermilion speaks for, blue against.")


class JobAnswer(BaseModel):
    """A video that waits, is read, or was read."""

    id: str
    status: Literal["waiting", "running", "done", "failed", "cancelled", "deleted"]
    progress: float = Field(description="Share of the video that was read, 0 to 1.")
    frames: int
    faces: int
    seconds_read: float
    message: str = ""


class RefusalAnswer(BaseModel):
    """Why a request was refused."""

    detail: str


class HealthAnswer(BaseModel):
    """How the server is."""

    status: Literal["ok", "ready", "closing"]
