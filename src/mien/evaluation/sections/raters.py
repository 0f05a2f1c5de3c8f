"""The model beside human raters, where their votes are known."""

from __future__ import annotations

import numpy as np

from mien import pages
from mien.evaluation import agreement
from mien.evaluation.judged import Judged
from mien.evaluation.metrics import accuracy
from mien.evaluation.sections.section import Section, known, number

ABOUT = (
    "Ten people said of each face what they see (FER+). The first three lines are of all faces of"
    " the split for which someone named an expression that the output knows, also of those without"
    " a majority: the expression that most named, and the probabilities beside the shares of the"
    " votes, in nats. The others are of the judged faces. A single rater is judged against the same"
    " truth as the model, and against the majority of the other nine, where they have one."
)


def raters(judged: Judged) -> Section | None:
    """Return the section of the raters; None without votes."""
    faces, every = judged.faces, judged.every
    if faces.votes is None or every.votes is None or not faces.votes.any():
        return None
    labels = faces.labels
    named = ~np.isnan(agreement.shares(every.votes, labels)[:, 0])
    voted = every.select(named)
    votes, shares = every.votes[named], voted.probabilities
    own, judged_votes = faces.probabilities, faces.votes
    found = {
        "accuracy against the plurality": (
            agreement.plurality_accuracy(votes, labels, shares),
            len(voted),
        ),
        "cross-entropy to the votes": (agreement.cross_entropy(votes, labels, shares), len(voted)),
        "KL divergence from the votes": (agreement.divergence(votes, labels, shares), len(voted)),
        "accuracy of the model against the truth": (accuracy(faces.truth, own), len(faces)),
        "accuracy of a single rater against the truth": (
            agreement.rater_accuracy(judged_votes, faces.truth, labels),
            len(faces),
        ),
        "a single rater against the majority of the others": (
            agreement.rater_against_others(judged_votes),
            agreement.faces_with_judged_raters(judged_votes),
        ),
    }
    rows: list[list[str | int]] = [[name, number(value), of] for name, (value, of) in found.items()]
    return Section(
        name="raters",
        title="Beside human raters",
        before=(pages.table(("figure", "value", "faces"), rows), pages.paragraph(ABOUT, note=True)),
        data={name: {"value": known(value), "faces": of} for name, (value, of) in found.items()},
    )
