"""Results and plans that tests make."""

from __future__ import annotations

import numpy as np

from makers import drawn_face
from mien.card import Figure
from mien.data.dataset import FaceDataset
from mien.data.readers import READERS
from mien.data.sample import Sample
from mien.evaluation.metrics import METRICS
from mien.evaluation.predictions import Predictions
from mien.labels import ClassNames, LabelSet
from mien.reproduction.job import Job
from mien.reproduction.plan import Plan
from mien.reproduction.result import Confusion, Result

NARROW = ["training.epochs=2", "training.batch_size=8", "training.precision=fp32"]
CHEN = {
    "recipe": "chen",
    "overrides": [*NARROW, "network.options.dense=8"],
    "minutes": 1,
    "protocols": ["paper", "honest"],
}


def faces_of(name: str, per_class: int = 12, seed: int = 0) -> FaceDataset:
    """A drawn dataset without splits, whose subjects show each expression twice."""
    labels, generator = READERS[name](ClassNames()).labels, np.random.default_rng(seed)
    return FaceDataset.from_samples(
        name,
        labels,
        [
            Sample(
                id=f"{expression}-{n}",
                image=drawn_face(code, generator),
                expression=expression,
                subject=f"S{n // 2:03}",
            )
            for code, expression in enumerate(labels.expressions)
            for n in range(per_class)
        ],
    )


def plan(*experiments: dict, discussion: str = "") -> Plan:
    """A plan of experiments that fill in what is missing from Chen's, made narrow."""
    return Plan.model_validate(
        {
            "title": "A paper",
            "about": "What it did.",
            "discussion": discussion,
            "experiments": [{"title": e["name"], **CHEN, **e} for e in experiments],
        }
    )


def figures(value: float, split: str, images: int = 200, leaked: int = 0) -> tuple[Figure, ...]:
    """Figures of all faces and of those without a twin, on which a network is right less often."""
    rest = images - leaked
    subsets = {"all": (images, value), "without leaked": (rest, (value * images - leaked) / rest)}
    return tuple(
        Figure(
            metric=metric,
            head="ckplus7",
            dataset="ckplus48",
            split=split,
            subset=subset,
            images=count,
            value=found,
            low=found - 0.01,
            high=found + 0.01,
        )
        for metric in METRICS
        for subset, (count, found) in subsets.items()
    )


def predictions(labels: LabelSet, seed: int, count: int = 80) -> Predictions:
    """What a network says of some faces, half of them val; it is right more often than not."""
    generator = np.random.default_rng(seed)
    truth = np.arange(count) % len(labels)
    logits = generator.normal(size=(count, len(labels)))
    logits[np.arange(count), truth] += 1.5
    return Predictions(
        labels=labels,
        ids=np.array([f"face-{n}" for n in range(count)]),
        splits=np.where(np.arange(count) < count // 2, "val", "test"),
        truth=truth,
        leaked=np.zeros(count, dtype=bool),
        logits=logits,
        subjects=np.full(count, ""),
        sources=np.full(count, "fer2013"),
        dataset="fer2013",
    )


def data(name: str, fingerprint: str) -> dict:
    """What a result says of its faces."""
    empty = {"history": [], "counts": {}, "trained_on": [9]}
    return {"name": name, "fingerprint": fingerprint, **empty}


def result(job: Job, value: float, **more) -> Result:
    """A result of a job with one accuracy in every split."""
    trained = job.members or (job,)
    content = {
        "paper": job.paper,
        "experiment": job.experiment.name,
        "protocol": job.protocol,
        "seed": job.seed,
        "quick": job.quick,
        "recipe": {
            one.key: one.recipe().model_dump(mode="json", exclude_none=True) for one in trained
        },
        "data": data("ckplus48", job.protocol),
        "environment": {
            "python": "3.11",
            "system": "Linux",
            "threads": 2,
            "versions": {"mien": "0.1.0"},
            "precision": "fp32",
        },
        "parameters": 1000,
        "epochs": 50,
        "seconds": 90.0,
        "figures": [f for split in ("val", "test", "folds") for f in figures(value, split)],
        "confusion": Confusion(
            split="test", expressions=("anger", "fear"), counts=((8, 2), (6, 4))
        ),
    }
    return Result.model_validate({**content, **more})
