"""The model beside human raters, where their votes are known."""

from __future__ import annotations

import numpy as np

from mien import pages
from mien.data.votes import Votes
from mien.evaluation import human_raters
from mien.evaluation.judged import Judged
from mien.evaluation.metrics import accuracy
from mien.evaluation.predictions import Predictions
from mien.evaluation.sections.section import Section
from mien.evaluation.written import known, number

ABOUT = (
    "Ten people said of each face what they see (FER+). The first three lines are of all faces of"
    " the split for which someone named an expression that the output knows, also of those without"
    " a majority: the expression that most named, and the probabilities beside the shares of the"
    " votes, in nats. The others are of the judged faces that raters saw. A single rater is judged"
    " against the same truth as the model, and against the majority of the other nine, where they"
    " have one."
)


Counted = tuple[float, int]
"""A figure, and of how many faces."""


def raters(judged: Judged) -> Section | None:
    """Return the section of the raters; None without votes."""
    faces, every = judged.faces, judged.every
    if faces.votes is None or every.votes is None or not faces.votes.any():
        return None
    found = {**_beside_votes(every, every.votes), **_beside_a_rater(faces, faces.votes)}
    rows: list[list[str | int]] = [[name, number(value), of] for name, (value, of) in found.items()]
    return Section(
        name="raters",
        title="Beside human raters",
        before=(pages.table(("figure", "value", "faces"), rows), pages.paragraph(ABOUT, note=True)),
        data={name: {"value": known(value), "faces": of} for name, (value, of) in found.items()},
    )


def _beside_votes(every: Predictions, votes: Votes) -> dict[str, Counted]:
    """Return what is of all faces for which someone named a known expression."""
    labels = every.labels
    named = ~np.isnan(human_raters.shares(votes, labels)[:, 0])
    votes, shares = votes[named], every.select(named).probabilities
    figures = {
        "accuracy against the plurality": human_raters.plurality_accuracy,
        "cross-entropy to the votes": human_raters.cross_entropy,
        "KL divergence from the votes": human_raters.divergence,
    }
    return {name: (figure(votes, labels, shares), len(votes)) for name, figure in figures.items()}


def _beside_a_rater(faces: Predictions, votes: Votes) -> dict[str, Counted]:
    """Return what is of the judged faces that raters saw."""
    seen = np.flatnonzero(votes.any(axis=1))
    faces, votes = faces.select(seen), votes[seen]
    return {
        "accuracy of the model against the truth": (
            accuracy(faces.truth, faces.probabilities),
            len(faces),
        ),
        "accuracy of a single rater against the truth": (
            human_raters.rater_accuracy(votes, faces.truth, faces.labels),
            len(faces),
        ),
        "a single rater against the majority of the others": (
            human_raters.rater_against_others(votes),
            human_raters.faces_with_judged_raters(votes),
        ),
    }
