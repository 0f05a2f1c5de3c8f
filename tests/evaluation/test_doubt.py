from dataclasses import replace

import numpy as np
import pytest

from mien.card import Doubt
from mien.data.dataset import NO_TARGET
from mien.evaluation.doubt import correlation, doubt_figures, doubt_report, fit_doubt
from mien.evaluation.predictions import Predictions
from mien.inference.classifier import Judged
from mien.labels import label_set

FOUR = label_set("four")


def table(confidences, right, agreement=None, split="val"):
    """Faces whose leading class has these probabilities; the others share the rest."""
    count = len(confidences)
    shares = np.repeat((1 - np.array(confidences))[:, None] / 3, 4, axis=1)
    shares[:, 0] = confidences
    votes = np.zeros((count, 10), np.uint8)
    votes[:, 4] = 10
    return Predictions(
        labels=FOUR,
        ids=np.array([f"{split}{n}" for n in range(count)]),
        splits=np.full(count, split),
        truth=np.where(right, 0, 1),
        leaked=np.zeros(count, bool),
        logits=np.log(shares),
        subjects=np.full(count, ""),
        sources=np.full(count, "made"),
        votes=votes,
        signals={} if agreement is None else {"agreement": np.array(agreement)},
    )


def test_what_is_no_face_is_not_answered():
    faces = table([0.9, 0.8, 0.7, 0.6], np.array([True, True, True, False]), split="test")
    faces.signals["not_a_face"] = np.array([0.0, 0.9, 0.0, 0.0])
    figures = {f.metric: f for f in doubt_figures(faces, Doubt(confidence=0.65), "made")}
    assert figures["answered"].value == 0.5
    assert figures["right_of_answered"].images == 2


def test_the_bound_halves_the_mistakes_and_answers_the_most():
    # Four of ten are wrong; of the surest six one is, of the surest eight two.
    right = np.array([1, 1, 1, 1, 0, 1, 0, 1, 0, 0], bool)
    confidences = [0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5]
    doubt = fit_doubt(table(confidences, right))
    assert doubt.confidence == pytest.approx(0.7)
    assert doubt.agreement == 0


def test_agreement_is_asked_where_it_tells_more_than_confidence():
    right = np.array([1, 0, 1, 0, 1, 0, 1, 1], bool)
    doubt = fit_doubt(table([0.9] * 8, right, agreement=np.where(right, 0.8, 0.1)))
    assert 0.1 < doubt.agreement <= 0.8
    assert doubt.confidence == pytest.approx(0.9)


def test_who_is_always_right_never_doubts_and_who_is_always_wrong_always():
    assert fit_doubt(table([0.9, 0.5], np.array([True, True]))).confidence == 0
    assert fit_doubt(table([0.9, 0.5], np.array([False, False]))).confidence == 1


def test_figures_are_of_test_by_the_bound_of_val():
    val = table([0.9, 0.8, 0.6, 0.5], np.array([True, True, False, False]))
    test = table([0.95, 0.85, 0.55, 0.5], np.array([True, False, True, False]), split="test")
    columns = ("ids", "splits", "truth", "leaked", "logits", "subjects", "sources", "votes")
    joined = {name: np.concatenate([getattr(val, name), getattr(test, name)]) for name in columns}
    both = Predictions(labels=FOUR, **joined)
    report = doubt_report(both, "made")
    figures = {f.metric: f for f in report.figures if f.subset == "all"}
    assert report.doubt.confidence == pytest.approx(0.8)
    assert figures["answered"].value == 0.5
    assert figures["right_of_answered"].value == 0.5
    assert figures["right_of_answered"].images == 2
    assert figures["right_of_all"].split == "test"


def test_faces_without_a_majority_count_as_mistakes():
    faces = table([0.9, 0.8, 0.7, 0.6], np.array([True, True, True, True]))
    split = faces.truth.copy()
    split[2:] = -1
    unclear = Predictions(**{**vars(faces), "truth": split})
    assert fit_doubt(unclear).confidence == pytest.approx(0.8)


def test_faces_that_no_rater_saw_count_by_their_label_alone():
    seen = table([0.9, 0.8, 0.7, 0.6], np.array([True, True, True, False]), split="test")
    both = np.array([True, True, False, False])
    votes = np.where(both[:, None], seen.votes, 0).astype(np.uint8)
    unlabelled = np.where(both, seen.truth, NO_TARGET)
    doubt = Doubt(confidence=0.0)
    faces = replace(seen, votes=votes)
    (right,) = [f for f in doubt_figures(faces, doubt, "made") if f.metric == "right_of_all"][:1]
    assert (right.value, right.images) == (0.75, 4)
    faces = replace(seen, votes=votes, truth=unlabelled)
    (right,) = [f for f in doubt_figures(faces, doubt, "made") if f.metric == "right_of_all"][:1]
    assert (right.value, right.images) == (1, 2)


def test_correlation_is_numpys_and_nothing_for_a_constant():
    assert correlation(np.array([0.0, 1, 2]), np.array([1.0, 3, 5])) == pytest.approx(1)
    assert np.isnan(correlation(np.array([0.0, 1]), np.array([1.0, 1])))


@pytest.mark.parametrize(
    ("confidence", "agreement", "not_a_face", "outcome"),
    [
        (0.9, 0.8, 0.1, "sure"),
        (0.4, 0.8, 0.1, "uncertain"),
        (0.9, 0.2, 0.1, "uncertain"),
        (0.9, 0.2, 0.6, "not a face"),
    ],
)
def test_a_verdict_follows_the_bounds(confidence, agreement, not_a_face, outcome):
    judged = Judged(
        np.array([[confidence, (1 - confidence) / 2, (1 - confidence) / 2]]),
        {"agreement": np.array([agreement]), "not_a_face": np.array([not_a_face])},
        Doubt(confidence=0.6, agreement=0.3, not_a_face=0.5),
    )
    verdict = judged.verdict(0)
    assert verdict.outcome == outcome
    assert (verdict.agreement, verdict.not_a_face) == (agreement, not_a_face)


def test_frames_of_one_person_do_not_make_what_is_doubted_surer():
    right = np.repeat([True, True, True, False] * 2, 40)
    faces = table([0.9] * 320, right, split="test")
    people = replace(faces, subjects=np.repeat([f"s{n}" for n in range(8)], 40))
    alone, together = (
        {f.metric: f for f in doubt_figures(some, Doubt(confidence=0.5), "made")}["right_of_all"]
        for some in (faces, people)
    )
    assert alone.value == together.value == 0.75
    assert together.high - together.low > 3 * (alone.high - alone.low)
