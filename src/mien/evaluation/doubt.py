"""When a model should say "uncertain", and how good what it says besides expressions is.

The bounds are chosen on val, where the share of mistakes among the answered faces is at most half
of that of answering always. A face on which the raters agree on nothing has no right answer:
answering it is a mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from mien.card import DOUBT, Doubt, Figure
from mien.data.dataset import NO_TARGET
from mien.data.votes import SIGNAL_TRUTHS
from mien.evaluation.bootstrap import Groups, bounds, resampled, share_interval
from mien.evaluation.card_figures import Of, figure
from mien.evaluation.metrics import Probabilities, Truth
from mien.evaluation.predictions import Predictions
from mien.evaluation.selective import KEPT_ERROR, least_confidence, risk_coverage
from mien.signals import SignalName

Values = NDArray[np.float64]

BOUNDS = np.linspace(0.0, 0.6, 25)
"""The least agreements that are tried."""


class DoubtReport(BaseModel):
    """When a model doubts, and what that is worth on test.

    Args:
        doubt: The bounds.
        signals: What the model says besides expressions.
        figures: Test figures.
    """

    doubt: Doubt
    signals: tuple[SignalName, ...]
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class _Answers:
    """What is said of N faces: probabilities float (N, C), signals float (N,); truth int (N,).

    `people` are the subjects that intervals draw whole, str (N,), or None.
    """

    truth: Truth
    probabilities: Probabilities
    agreement: Values
    not_a_face: Values
    people: Groups | None

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether the leading expression is the truth: bool (N,)."""
        return np.asarray(self.probabilities.argmax(1) == self.truth)

    def given(self, doubt: Doubt) -> NDArray[np.bool_]:
        """Return which faces are answered, as readings are: bool (N,)."""
        sure = self.probabilities.max(1) >= doubt.confidence
        face = self.not_a_face <= doubt.not_a_face
        return np.asarray(sure & face & (self.agreement >= doubt.agreement))


def doubt_report(table: Predictions, dataset: str) -> DoubtReport:
    """Choose on val when to doubt, and measure on test.

    Where no test face has a known truth the figures are of val, which are too good.

    Args:
        table: What the output that readings use says, at its temperature, and the signals.
        dataset: The dataset's name.
    """
    doubt = fit_doubt(table)
    figures = tuple(doubt_figures(table, doubt, dataset))
    return DoubtReport(doubt=doubt, signals=tuple(table.signals), figures=figures)


def doubt_figures(table: Predictions, doubt: Doubt, dataset: str) -> list[Figure]:
    """Return what bounds are worth on test, or on val where there is no test; args as above."""
    split = table.measured_split
    faces = table.select(table.splits == split)
    subsets = {"all": faces, "without leaked": faces.select(~faces.leaked)}
    return [
        figure
        for subset, some in subsets.items()
        for figure in _figures(some, doubt, (dataset, split, subset))
    ]


def fit_doubt(table: Predictions) -> Doubt:
    """Return the bounds with which the most faces of val are answered, at half the mistakes a face.

    A model that knows nothing of agreement gets a bound on its confidence alone. Where even the
    surest faces hold too many mistakes it is 1.
    """
    val = _answers(table.select(table.splits == "val"))
    if val.right.all():
        return Doubt(confidence=0.0)
    allowed = KEPT_ERROR * float((~val.right).mean())
    tried = BOUNDS if "agreement" in table.signals else BOUNDS[:1]
    found = [_most_answered(val, float(bound), allowed) for bound in tried]
    return max(found, key=lambda pair: pair[0])[1]


def _most_answered(val: _Answers, least: float, allowed: float) -> tuple[int, Doubt]:
    """Return how many faces are answered with this least agreement, and the bounds."""
    asked = val.given(Doubt(confidence=0.0, agreement=least))
    if not asked.any():
        return 0, Doubt(confidence=1.0, agreement=least)
    found = risk_coverage(val.truth[asked], val.probabilities[asked])
    bound = least_confidence(found, allowed)
    answered = int((found.confidence >= bound).sum())
    return answered, Doubt(confidence=min(bound, 1.0), agreement=least)


def _answers(faces: Predictions) -> _Answers:
    # Faces on which raters do not agree count; faces that nobody said anything of do not.
    seen = False if faces.votes is None else faces.votes.any(axis=1)
    faces = faces.select((faces.truth != NO_TARGET) | seen)
    count, said = len(faces), faces.signals
    return _Answers(
        truth=faces.truth,
        probabilities=faces.probabilities,
        agreement=said.get("agreement", np.ones(count)),
        not_a_face=said.get("not_a_face", np.zeros(count)),
        people=faces.people,
    )


def _figures(faces: Predictions, doubt: Doubt, of: Of) -> list[Figure]:
    found = _answer_figures(_answers(faces), doubt, of)
    if faces.votes is None or not len(faces):
        return found
    for name, said in faces.signals.items():
        truth = SIGNAL_TRUTHS[name](faces.votes).astype(np.float64)
        found += _signal_figures(name, truth, said, faces.people, of)
    return found


def _answer_figures(answers: _Answers, doubt: Doubt, of: Of) -> list[Figure]:
    if not len(answers.right):
        return []
    given, people = answers.given(doubt), answers.people
    counts = {
        "right_of_all": (answers.right, np.ones_like(given)),
        "answered": (given, np.ones_like(given)),
        "right_of_answered": (answers.right & given, given),
    }
    return [
        figure(
            DOUBT,
            metric,
            of,
            int(among.sum()),
            int(hits.sum()) / int(among.sum()),
            share_interval(hits[among], None if people is None else people[among]),
        )
        for metric, (hits, among) in counts.items()
        if among.any()
    ]


def _signal_figures(
    name: SignalName, truth: Values, said: Values, people: Groups | None, of: Of
) -> list[Figure]:
    known = ~np.isnan(truth)
    truth, said = truth[known], said[known]
    people = None if people is None else people[known]
    figures = []
    for metric, compute in SIGNAL_METRICS.items():
        picks = resampled(len(truth), people, 0)
        low, high = bounds(np.array([compute(truth[pick], said[pick]) for pick in picks]))
        if np.isfinite(low):
            value = compute(truth, said)
            figures.append(figure(name, metric, of, len(truth), value, (low, high)))
    return figures


def correlation(truth: Values, said: Values) -> float:
    """Return Pearson's correlation of two rows of numbers; not a number if one is constant."""
    if truth.std() == 0 or said.std() == 0:
        return float("nan")
    return float(np.corrcoef(truth, said)[0, 1])


def mean_absolute_error(truth: Values, said: Values) -> float:
    """Return the mean distance of two rows of numbers."""
    return float(np.abs(truth - said).mean())


SIGNAL_METRICS: Mapping[str, Callable[[Values, Values], float]] = {
    "correlation": correlation,
    "mean_absolute_error": mean_absolute_error,
}
"""By name, how what a signal says is compared with what the raters' votes say."""
