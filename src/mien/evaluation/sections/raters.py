"""The model beside human raters, where their votes are known."""

from __future__ import annotations

from mien import pages
from mien.evaluation import agreement
from mien.evaluation.judged import Judged
from mien.evaluation.metrics import accuracy
from mien.evaluation.sections.section import Section, known, number

ABOUT = (
    "Ten people said of each face what they see (FER+). The first line is the expression that most"
    " of them named, of those that the output knows; the next two compare the probabilities with"
    " the shares of the votes, in nats. A single rater is judged against the same truth as the"
    " model; against the majority of the other nine, where they have one."
)


def raters(judged: Judged) -> Section | None:
    """Return the section of the raters; None without votes."""
    faces = judged.faces
    if faces.votes is None or not faces.votes.any():
        return None
    votes, labels, shares = faces.votes, faces.labels, faces.probabilities
    found = {
        "accuracy against the plurality": agreement.plurality_accuracy(votes, labels, shares),
        "cross-entropy to the votes": agreement.cross_entropy(votes, labels, shares),
        "KL divergence from the votes": agreement.divergence(votes, labels, shares),
        "accuracy of the model against the truth": accuracy(faces.truth, shares),
        "accuracy of a single rater against the truth": agreement.rater_accuracy(
            votes, faces.truth, labels
        ),
        "a single rater against the majority of the others": agreement.rater_against_others(votes),
    }
    rows = [[name, number(value)] for name, value in found.items()]
    return Section(
        name="raters",
        title="Beside human raters",
        before=(pages.table(("figure", "value"), rows), pages.paragraph(ABOUT, note=True)),
        data={name: known(value) for name, value in found.items()},
    )
