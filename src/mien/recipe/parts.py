"""A recipe and its parts: network, outputs, optimiser, schedule, training, expected figures."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from mien.labels import label_set
from mien.preprocess import Preprocess
from mien.recipe.augmentation import AugmentationPart
from mien.recipe.data import DataPart
from mien.recipe.part import Part
from mien.signals import SignalName

MOST_SEED = 2**32 - 1

MOST_WARMUP = 1e6
"""Epochs; their steps must be countable."""


class NetworkPart(Part):
    """A network from the registry and its options."""

    name: str
    options: dict[str, Any] = Field(default_factory=dict)


def _canonical(text: str) -> str:
    """Return a label set's own name: "sad + happy" is "happiness+sadness"."""
    return label_set(text).name


LabelName = Annotated[str, AfterValidator(_canonical)]


class HeadPart(Part):
    """One output of the network and what it learns from.

    Args:
        labels: The label set, by name or as "happy+sad+neutral"; also the output's name.
        target: "label" for the dataset's label, "votes" for the raters' distribution.
        loss: Cross-entropy, or focal loss (Lin et al., "Focal Loss", ICCV 2017), which weighs down
            what the network is sure of. Integer and one-hot labels are the same thing here.
        gamma: Exponent of the focal loss.
        class_weights: "balanced" weighs each class by the inverse of its share of the training
            faces, with a mean weight of 1 over the faces.
        weight: Factor of this head's loss.
        smoothing: Label smoothing.
    """

    labels: LabelName
    target: Literal["label", "votes"] = "label"
    loss: Literal["cross-entropy", "focal"] = "cross-entropy"
    gamma: float = Field(default=2.0, ge=0)
    class_weights: Literal["none", "balanced"] = "none"
    weight: float = Field(default=1.0, gt=0)
    smoothing: float = Field(default=0.0, ge=0, lt=1)


class SignalPart(Part):
    """One output of the network beside the expressions, learnt from raters' votes.

    Args:
        name: "agreement", the chance that two raters say the same, or "not_a_face", the share who
            say that the crop is no usable face.
        weight: Factor of its binary cross-entropy.
    """

    name: SignalName
    weight: float = Field(default=1.0, gt=0)


class OptimiserPart(Part):
    """The optimiser; decay is left out for biases and normalisation.

    Args:
        name: "keras-adam" and "keras-rmsprop" make the steps that Keras's Adam and RMSprop make,
            whose epsilon stands elsewhere than PyTorch's.
        learning_rate: Peak of the schedule.
        weight_decay: Decoupled for "adamw", added to the gradient for the others.
        momentum: Of SGD and RMSprop; Adam's first beta. None for the usual: 0.9, RMSprop 0.
        nesterov: For SGD with momentum.
        rho: Decay of RMSprop's mean of squares.
        beta2: Decay of Adam's mean of squares.
        epsilon: None for the usual: 1e-7 for Keras's, 1e-8 for the others.
        sam: Radius of sharpness-aware minimisation (Foret et al., ICLR 2021), their rho; 0 for
            none. Each step takes the gradient at the worst weights so near by and costs two.
    """

    name: Literal["sgd", "adam", "adamw", "rmsprop", "keras-adam", "keras-rmsprop"]
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    momentum: float | None = Field(default=None, ge=0, lt=1)
    nesterov: bool = True
    rho: float = Field(default=0.9, ge=0, lt=1)
    beta2: float = Field(default=0.999, ge=0, lt=1)
    epsilon: float | None = Field(default=None, gt=0)
    sam: float = Field(default=0.0, ge=0, le=10)


class SchedulePart(Part):
    """The learning rate over the training, after a linear warm-up.

    Args:
        name: "constant"; "cosine", half a cosine to 0; "one-cycle", from a 25th of the peak up for
            30 % of the steps, and down to a 10,000th of where it began (Smith and Topin 2018);
            "plateau", multiplied by `factor` whenever what it monitors has not improved by
            `min_delta` for `patience` epochs, as Keras's ReduceLROnPlateau.
        warmup_epochs: For "constant" and "cosine".
        factor: For "plateau".
        patience: For "plateau", in epochs.
        min_delta: For "plateau".
        smallest: For "plateau": the rate is not reduced below this.
        monitor: For "plateau": what must improve.
    """

    name: Literal["constant", "cosine", "one-cycle", "plateau"] = "constant"
    warmup_epochs: float = Field(default=0.0, ge=0, le=MOST_WARMUP)
    factor: float = Field(default=0.1, gt=0, lt=1)
    patience: int = Field(default=10, ge=0)
    min_delta: float = Field(default=1e-4, ge=0)
    smallest: float = Field(default=0.0, ge=0)
    monitor: Literal["val_loss", "val_accuracy", "val_macro_f1"] = "val_loss"


class TrainingPart(Part):
    """How long and how.

    Args:
        epochs: Number of passes over the training images.
        batch_size: Images a step, over all devices.
        seed: Seeds weights, order and augmentation.
        precision: "auto" takes bf16 where the processor has it.
        convolutions: "auto" takes those of fewer multiplications (Winograd's) where they should be
            faster: in fp32 on a processor, in wide layers; "direct" takes PyTorch's own.
        ema_decay: Decay of the moving average of the weights, 0 for none.
        gradient_clip: Largest norm of the gradient, 0 for no limit.
        select: The validation figure whose best epoch is kept: "val_accuracy" or "val_macro_f1",
            the mean of all heads, the same of one, as "val_accuracy_<head>", or "val_loss".
        patience: Stop when `select` has not improved for so many epochs; 0 to train all epochs.
    """

    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    seed: int = Field(default=0, ge=0, le=MOST_SEED)
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    convolutions: Literal["auto", "direct"] = "auto"
    ema_decay: float = Field(default=0.0, ge=0, lt=1)
    gradient_clip: float = Field(default=0.0, ge=0)
    select: str = "val_accuracy"
    patience: int = Field(default=0, ge=0)


class StartPart(Part):
    """A finished network to begin with.

    Its outputs are kept where name and size are the same; others are fresh.

    Args:
        source: A shipped model's name, an ONNX file or a run's folder.
        sha256: Of its file; filled in by the training, which refuses another file afterwards.
        adapt: Whether `mien train` makes network, preprocessing, label set and, for data with
            splits of their own, the split fit the source and the data first.
    """

    source: str
    sha256: str = ""
    adapt: bool = False


class DistillationPart(Part):
    """A finished network to learn from besides the targets.

    Each head that the teacher has, too, adds T^2 KL(teacher || network) of their probabilities at
    the temperature T (Hinton et al., "Distilling the Knowledge in a Neural Network", 2015). The
    teacher sees each batch as the network does, augmented and mixed; or it is asked `once`: then
    its probabilities for each training face and its mirror image, as they are, become part of the
    face's target, which costs next to nothing.

    Args:
        teacher: A shipped model's name, an ONNX file, also of an ensemble, or a run's folder.
        temperature: T, which divides the logits of both; of the teacher's alone if asked once.
        weight: Share of the teacher in the loss; the targets have the rest.
        once: Whether the teacher is asked before the training only.
        sha256: Of the teacher's file; filled in by the training, which refuses another afterwards.
    """

    teacher: str
    temperature: float = Field(default=4.0, gt=0)
    weight: float = Field(default=0.5, gt=0, le=1)
    once: bool = False
    sha256: str = ""


class ExpectedFigure(Part):
    """A figure the recipe should reach, and where it stands.

    Args:
        metric: A metric of the report, such as "accuracy" or "recall_fear".
        head: The head it is of.
        value: What is expected.
        tolerance: How far the measured figure may lie from it.
        source: Where it stands: a table of a paper, or the run that made it.
        split: The split it is of. Of train it is the accuracy in the chosen epoch, of the faces as
            they were augmented.
        faces: How many faces it is of where it stands, as far as that can be told; 0 if not.
    """

    metric: str
    head: LabelName
    value: float
    tolerance: float
    source: str
    split: Literal["train", "val", "test"] = "test"
    faces: int = Field(default=0, ge=0)


class Recipe(Part):
    """One experiment.

    Args:
        name: The experiment's name; also its run folder's.
        source: Where the experiment comes from.
        skip: Why the recipe cannot be run with public data; "" where it can.
        start: What the training begins with; None for fresh weights.
        distillation: What it learns from besides the targets.

    Raises:
        RecipeError: From `load_recipe`, for anything that does not fit; names the key.
    """

    name: str
    source: str
    skip: str = ""
    data: DataPart
    preprocess: Preprocess = Preprocess()
    network: NetworkPart
    heads: tuple[HeadPart, ...] = Field(min_length=1)
    signals: tuple[SignalPart, ...] = ()
    augmentation: AugmentationPart = AugmentationPart()
    optimiser: OptimiserPart
    schedule: SchedulePart = SchedulePart()
    training: TrainingPart
    start: StartPart | None = None
    distillation: DistillationPart | None = None
    expected: tuple[ExpectedFigure, ...] = ()

    @property
    def outputs(self) -> dict[str, int]:
        """Number of values of each output of the network, by name: heads, then signals."""
        heads = {head.labels: len(label_set(head.labels)) for head in self.heads}
        return heads | dict.fromkeys(self.signal_names, 1)

    @property
    def signal_names(self) -> tuple[SignalName, ...]:
        """The names of the signals."""
        return tuple(signal.name for signal in self.signals)
