"""The figures of one recipe over its seeds: each seed's, their spread, and the mean's intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mien.card import Figure, Head
from mien.data.dataset import FaceDataset
from mien.evaluation.folds.spread import spread
from mien.evaluation.metrics import METRICS, span
from mien.evaluation.seeds.summary import Summary, summarise
from mien.files import read_json
from mien.training.run import Run, report_name

ALL, UNLEAKED = "all", "without leaked"
"""The subsets of a report: all faces, and those without a twin that was learnt from."""

VAL_ACCURACY = "val_accuracy"


@dataclass(frozen=True)
class SeedFigures:
    """One head's figures of one seed.

    Args:
        seed: The seed.
        epoch: The epoch that was selected, from 1.
        val_accuracy: That epoch's on val, by which it may have been selected; None if not known.
        head: The head with the temperature that was fitted.
        split: What the figures are of: test, or val where no test face has a known truth.
        figures: Of the report, by subset and metric; those that have an interval.
        precision: What the run computed in.
        judged: Fingerprint of the split.
        faces: Fingerprint of all faces and their splits.
    """

    seed: int
    epoch: int
    val_accuracy: float | None
    head: Head
    split: str
    figures: dict[str, dict[str, Figure]]
    precision: str
    judged: str
    faces: str

    @property
    def images(self) -> int:
        """How many faces were judged."""
        return max((figure.images for figure in self.figures[ALL].values()), default=0)

    def value(self, metric: str) -> float | None:
        """Return a figure on all judged faces, or the accuracy on val; None if not known."""
        if metric == VAL_ACCURACY:
            return self.val_accuracy
        found = self.figures[ALL].get(metric)
        return None if found is None else found.value

    def row(self) -> dict[str, str | int | float | None]:
        """Return the seed's row of a table."""
        return {
            "seed": self.seed,
            "output": self.head.name,
            "epoch": self.epoch,
            "precision": self.precision,
            "temperature": self.head.temperature,
            VAL_ACCURACY: self.val_accuracy,
            "split": self.split,
            "faces": self.images,
            **{metric: self.value(metric) for metric in METRICS},
        }


@dataclass(frozen=True)
class OverSeeds:
    """A figure over k seeds.

    Args:
        mean: Of the seeds.
        deviation: Their standard deviation, with k - 1 degrees of freedom.
        low: Of the mean's 95 % interval over the seeds, Student's, within what there can be.
        high: The same, upwards.
        with_faces: The mean with the chance of faces in its interval; None where there is none.
    """

    mean: float
    deviation: float
    low: float
    high: float
    with_faces: Summary | None

    def as_dict(self) -> dict[str, Any]:
        """Return the figure as JSON types."""
        wide = self.with_faces
        return {
            "mean": self.mean,
            "deviation": self.deviation,
            "low": self.low,
            "high": self.high,
            "with_faces": None if wide is None else {"low": wide.low, "high": wide.high},
        }


@dataclass(frozen=True)
class HeadOverSeeds:
    """One head's figures over all seeds.

    Args:
        seeds: Of each seed, two or more.
    """

    seeds: tuple[SeedFigures, ...]

    @property
    def name(self) -> str:
        """The head's name."""
        return self.seeds[0].head.name

    @property
    def split(self) -> str:
        """What the figures are of."""
        return self.seeds[0].split

    def same_faces(self, subset: str = ALL) -> bool:
        """Say whether all seeds judge the same faces.

        Which of them are leaked goes by the training faces, too, which then must be the same.
        """
        wholes = {seed.judged if subset == ALL else seed.faces for seed in self.seeds}
        return len(wholes) == 1

    def subsets(self) -> list[str]:
        """Return the subsets that there are figures of; one where nothing is leaked."""
        counts = [
            {figure.images for found in seed.figures.values() for figure in found.values()}
            for seed in self.seeds
        ]
        leaked = any(len(images) > 1 for images in counts)
        return [ALL, UNLEAKED] if leaked else [ALL]

    def over(self, metric: str, subset: str = ALL) -> OverSeeds | None:
        """Return a figure over the seeds; None unless each of them has it."""
        found = [seed.figures.get(subset, {}).get(metric) for seed in self.seeds]
        figures = [figure for figure in found if figure is not None]
        if len(figures) < len(self.seeds):
            return None
        values, within = [figure.value for figure in figures], span(METRICS[metric])
        wide = summarise(figures, same_faces=self.same_faces(subset), within=within)
        return _over(values, wide, within)

    def val_accuracy(self) -> OverSeeds | None:
        """Return the accuracy on val over the seeds; None unless each of them has it."""
        values = [seed.val_accuracy for seed in self.seeds if seed.val_accuracy is not None]
        return None if len(values) < len(self.seeds) else _over(values, None, (0.0, 1.0))

    def measured(self, subset: str = ALL) -> dict[str, OverSeeds]:
        """Return the figures that all seeds have, by metric; of all faces val's accuracy first."""
        found = {metric: self.over(metric, subset) for metric in METRICS}
        if subset == ALL and self.split != "val":
            found = {VAL_ACCURACY: self.val_accuracy(), **found}
        return {metric: over for metric, over in found.items() if over is not None}

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON types."""
        return {
            "head": self.name,
            "expressions": list(self.seeds[0].head.expressions),
            "split": self.split,
            "same_faces": self.same_faces(),
            "figures": {
                subset: {metric: over.as_dict() for metric, over in self.measured(subset).items()}
                for subset in self.subsets()
            },
            "seeds": [seed.row() for seed in self.seeds],
        }


def _over(
    values: Sequence[float], with_faces: Summary | None, within: tuple[float, float]
) -> OverSeeds:
    found = spread(values, 0.0, (0.0, 0.0))
    low, high = max(found.low, within[0]), min(found.high, within[1])
    return OverSeeds(found.mean, found.deviation, low, high, with_faces)


def read_figures(run: Run, seed: int, faces: FaceDataset) -> list[SeedFigures]:
    """Return the figures of a measured run, one a head.

    Args:
        run: A seed's, with a report.
        seed: The seed.
        faces: What it was trained and judged on.

    Raises:
        MienError: If its report, or what else it says of itself, cannot be read.
    """
    reports = read_json(run.folder / report_name("none"))
    return [_figures(report, run, seed, faces) for report in reports]


def _figures(report: dict[str, Any], run: Run, seed: int, faces: FaceDataset) -> SeedFigures:
    head, best = Head.model_validate(report["head"]), run.best_epoch()
    figures = [Figure.model_validate(figure) for figure in report["figures"]]
    split = figures[0].split
    return SeedFigures(
        seed=seed,
        epoch=int(best["epoch"]),
        val_accuracy=best.get(f"val_accuracy_{head.name}"),
        head=head,
        split=split,
        figures={
            subset: {f.metric: f for f in figures if f.subset == subset and f.metric in METRICS}
            for subset in (ALL, UNLEAKED)
        },
        precision=str(run.environment()["precision"]),
        judged=faces.in_split("test" if split == "test" else "val").fingerprint,
        faces=faces.fingerprint,
    )
