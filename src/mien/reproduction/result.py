"""What a job leaves: one small JSON file with every figure and where it comes from."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from mien.card import Figure
from mien.errors import MienError
from mien.reproduction.protocols import Protocol

Split = Literal["val", "test", "folds"]
"""What a figure is of; "folds" are all faces of a cross-validation, judged out of fold."""


class Kept(BaseModel):
    """A piece of a result: unknown keys are errors, nothing changes, no figure is no number."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Confusion(Kept):
    """Who was taken for whom in the split that was judged.

    Args:
        split: The split.
        expressions: The C expressions.
        counts: (C, C); rows are the truth.
    """

    split: Split
    expressions: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


class Draws(Kept):
    """Accuracies of small balanced tests, drawn again and again from what was predicted.

    Args:
        split: What was drawn from; never trained on, but "val" selected the epoch.
        faces: How many faces it has.
        per_class: Faces of a class in each draw.
        accuracies: Of each draw.
    """

    split: Split
    faces: int
    per_class: int
    accuracies: tuple[float, ...]


class Trial(Kept):
    """One combination of a grid.

    Args:
        values: By the recipe's key.
        value: The best epoch's figure on validation; None if it failed.
        epochs: How many were trained.
        after: The best figure within so many epochs.
    """

    values: dict[str, Any]
    value: float | None
    epochs: int
    after: dict[int, float]


class Compared(Kept):
    """An average against one network, on the same faces.

    Args:
        name: The network.
        share: How much it counts in the average.
        accuracy: The network's.
        difference: The average's accuracy less the network's.
        low: Of the difference's paired 95 % interval.
        high: The same, upwards.
        p: McNemar's exact test.
        best: Whether it is the best on validation.
    """

    name: str
    share: float
    accuracy: float
    difference: float
    low: float
    high: float
    p: float
    best: bool


class Average(Kept):
    """An average of several networks.

    Args:
        weights: "equal" or "fit".
        figures: On test.
        members: The average against each of its networks.
    """

    weights: str
    figures: tuple[Figure, ...]
    members: tuple[Compared, ...]


class Data(Kept):
    """The faces of a job.

    Args:
        name: The dataset's.
        fingerprint: Of the faces, their labels and splits.
        history: What was done to them.
        counts: Faces by split and expression.
        trained_on: Faces that each run was trained on.
    """

    name: str
    fingerprint: str
    history: tuple[str, ...]
    counts: dict[str, dict[str, int]]
    trained_on: tuple[int, ...]


class Environment(Kept):
    """What a job was run with: versions by library, threads, numbers computed in and how."""

    python: str
    system: str
    threads: int
    versions: dict[str, str]
    precision: str
    convolutions: str = "direct"


class Result(Kept):
    """What came out of a job.

    Args:
        paper: The plan's short name.
        experiment: Its name in the plan.
        protocol: How the faces were divided and selected on.
        seed: Of weights, order and division.
        quick: Whether it was only to see that it runs.
        recipe: The recipe with every default filled in, by the job's key; of an average, those of
            its members.
        data: The faces.
        environment: What it was run with; of an average, what its first member was.
        parameters: Weights of the network, or of all networks of an average.
        epochs: Epochs trained; of folds or trials, of all together.
        seconds: Wall time, beside whatever else the machine did.
        figures: With 95 % bootstrap intervals, on all faces and without leaked ones.
        confusion: Of the judged split.
        curve: The best figure on validation within so many epochs.
        draws: Of an experiment that redraws its test.
        trials: Of a grid; the figures are its best's.
        averages: Of an average.
        made_of: Of an average, the SHA-256 of each member's predictions, by its key.
        predictions: SHA-256 of the file of predictions beside it, in hexadecimal; "" if none is
            kept.
    """

    paper: str
    experiment: str
    protocol: Protocol
    seed: int
    quick: bool
    recipe: dict[str, dict[str, Any]]
    data: Data
    environment: Environment
    parameters: int
    epochs: int
    seconds: float
    figures: tuple[Figure, ...]
    confusion: Confusion | None = None
    curve: dict[int, float] = {}
    draws: Draws | None = None
    trials: tuple[Trial, ...] = ()
    averages: tuple[Average, ...] = ()
    made_of: dict[str, str] = {}
    predictions: str = ""

    @property
    def key(self) -> str:
        """Of the job that it is of."""
        return job_key(self.paper, self.experiment, self.protocol, self.seed)

    def figure(self, metric: str, split: str, subset: str = "all") -> Figure | None:
        """Return one of the figures, None where it was not measured."""
        wanted = (metric, split, subset)
        found = (f for f in self.figures if (f.metric, f.split, f.subset) == wanted)
        return next(found, None)

    def accuracy(self, split: Split, subset: str = "all") -> Figure:
        """Return the accuracy on some faces.

        Raises:
            MienError: If it was not measured.
        """
        figure = self.figure("accuracy", split, subset)
        if figure is None:
            raise MienError(f"The result {self.key} has no accuracy of {split}, {subset}.")
        return figure


def job_key(paper: str, experiment: str, protocol: Protocol, seed: int) -> str:
    """Return where the result and the run of a job are, in their folders."""
    return f"{paper}/{experiment}-{protocol}-seed{seed}"
