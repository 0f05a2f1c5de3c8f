"""What a model file says of itself: stored inside every exported ONNX file."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mien.errors import ModelError, unknown_name
from mien.labels import LabelSet
from mien.preprocess import Preprocess
from mien.signals import SignalName

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

METADATA_KEY = "mien"
"""The ONNX metadata entry that holds a `ModelCard` as JSON."""

INPUT = "faces"
"""The ONNX input: crops of faces, float32 (N, 1, size, size)."""

FEATURES = "features"
"""The ONNX output beside those of the card: what the outputs are computed from, (N, F)."""

Views = Literal["none", "flip", "ten-crop"]
"""What a model sees of a face: the crop; its mirror image, too; or ten parts of it."""

Precision = Literal["fp32", "int8"]
"""What a model computes in: floating point, or whole numbers of eight bits for convolutions."""

Averaging = Literal["probabilities", "logits"]
"""What an ensemble averages: its members' probabilities, or their logits."""


class Head(BaseModel):
    """One output of a model: its expressions in order, and the temperature of its softmax.

    Probabilities are `softmax(logits / temperature)`; the temperature was fitted on validation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    expressions: tuple[str, ...]
    temperature: float = Field(default=1.0, gt=0)

    @property
    def labels(self) -> LabelSet:
        """The head's label set."""
        return LabelSet(self.name, self.expressions)


RECALL, PRECISION = "recall_", "precision_"
"""How the metrics of one expression begin; its name follows."""

DOUBT = "doubt"
"""Stands for the output in figures of what a model answers and what it is uncertain of."""


class Doubt(BaseModel):
    """When a reading says "uncertain" or "not a face" instead of an expression.

    Args:
        confidence: It is uncertain if the leading expression is less probable.
        agreement: It is uncertain if the signal of that name is less.
        not_a_face: It is not a face if the signal of that name is more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    confidence: float = Field(default=0.5, ge=0, le=1)
    agreement: float = Field(default=0.0, ge=0, le=1)
    not_a_face: float = Field(default=0.5, ge=0, le=1)


class Figure(BaseModel):
    """One measured value with its 95 % interval, and what it was measured on.

    `subset` says which images of the split with a known truth count: "all", or "without leaked".
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    metric: str
    head: str
    dataset: str
    split: str
    subset: str
    images: int
    value: float
    low: float
    high: float

    @property
    def within(self) -> str:
        """The value with its interval, as "0.872 [0.860, 0.884]"."""
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


class Member(BaseModel):
    """One network of an ensemble.

    Args:
        name: Of the run or model it comes from.
        sha256: SHA-256 of its file: the run's best checkpoint, or the ONNX file.
        weights: Its share in each output, by name; those of all members sum to 1.
        temperatures: What its logits are divided by before averaging, by output.
        recipe: The resolved training recipe as TOML.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sha256: str
    weights: dict[str, float]
    temperatures: dict[str, float]
    recipe: str


Role = Literal["start", "teacher"]
"""What a finished model is to another: that one began with its weights, or learnt from it."""


class Ancestor(BaseModel):
    """A finished model that another one began with or learnt from.

    Args:
        role: What it was to the other.
        name: As the recipe names it: a shipped model, an ONNX file or a run's folder.
        datasets: Names of those that it, and its own ancestors, were trained on.
        fingerprints: Of these datasets.
        known: Whether these are all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    name: str
    datasets: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    known: bool = True


class ModelCard(BaseModel):
    """Everything needed to use a model and to judge it.

    Args:
        name: The model's name, such as "mien-base".
        mien_version: Version of mien that exported it.
        description: One sentence.
        heads: The outputs; the first is the one inference reads.
        signals: Outputs of one value, what the model says besides expressions.
        doubt: When a reading says "uncertain" or "not a face" instead of an expression.
        preprocess: How a face crop becomes the input.
        parameters: Number of weights.
        macs: Multiply-accumulates for one face.
        licence: Of the weights; "" where their owner has not said.
        recipe: The resolved training recipe as TOML; "" for an ensemble, whose members have theirs.
        data_fingerprint: Fingerprint of the dataset it was trained and tested on.
        ancestors: What it, or its members, began with and learnt from; None in files that do not
            say, of versions before they did.
        views: What the graph sees of a face; the probabilities of several views are averaged.
        precision: What it computes in.
        averaging: What an ensemble averages.
        members: The networks of an ensemble; none for a single network.
        figures: Test figures.
        payload_bytes: Length of the ONNX graph and weights that precede this card in the file.
        payload_sha256: SHA-256 of those bytes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    mien_version: str
    description: str
    heads: tuple[Head, ...] = Field(min_length=1)
    signals: tuple[SignalName, ...] = ()
    doubt: Doubt = Doubt()
    preprocess: Preprocess
    parameters: int
    macs: int
    licence: str = ""
    recipe: str
    data_fingerprint: str
    ancestors: tuple[Ancestor, ...] | None = None
    views: Views = "none"
    precision: Precision = "fp32"
    averaging: Averaging = "probabilities"
    members: tuple[Member, ...] = ()
    figures: tuple[Figure, ...] = ()
    payload_bytes: int = 0
    payload_sha256: str = ""

    @property
    def recipes(self) -> tuple[str, ...]:
        """The recipes of its members, or its own, as TOML."""
        return tuple(member.recipe for member in self.members) or (self.recipe,)

    def head(self, name: str) -> Head:
        """Return an output by name.

        Raises:
            ModelError: If the model has no such output.
        """
        for head in self.heads:
            if head.name == name:
                return head
        raise ModelError(unknown_name("model output", name, [h.name for h in self.heads]))


def read_recipes(texts: Iterable[str]) -> list[dict[str, Any]]:
    """Return the contents of recipes, as `ModelCard.recipes` gives their TOML."""
    return [tomllib.loads(text) for text in texts]
