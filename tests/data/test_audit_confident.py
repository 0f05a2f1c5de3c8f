"""Confident learning: cases computed by hand, flipped labels, and FER2013 against FER+."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import makers
from mien.data.audit import audit
from mien.data.audit.baseline import out_of_fold
from mien.data.audit.confident import (
    calibrated_joint,
    confident_joint,
    margins,
    noise_rates,
    prune_by_noise_rate,
    thresholds,
)
from mien.data.audit.evidence import Evidence
from mien.data.dataset import NO_TARGET, FaceDataset
from mien.data.votes import majority
from mien.labels import EXPRESSIONS, label_set

# Three classes, the last without examples. Means of the own class: (.9+.8+.1)/3 = .6, (.7+.5)/2.
GIVEN = np.array([0, 0, 0, 1, 1])
PROBABILITIES = np.array(
    [[0.9, 0.1, 0.0], [0.8, 0.2, 0.0], [0.1, 0.9, 0.0], [0.3, 0.7, 0.0], [0.5, 0.5, 0.0]]
)


def test_the_confident_joint_by_hand():
    assert thresholds(GIVEN, PROBABILITIES).tolist() == pytest.approx([0.6, 0.6, np.inf])
    # The last face reaches no threshold and is not counted; the third is confidently class 1.
    joint = confident_joint(GIVEN, PROBABILITIES)
    assert joint.tolist() == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]
    calibrated = calibrated_joint(joint, GIVEN)
    assert calibrated == pytest.approx(np.array([[0.4, 0.2, 0], [0, 0.4, 0], [0, 0, 0]]))
    assert noise_rates(calibrated).tolist() == pytest.approx([1 / 3, 0, 0])
    assert margins(GIVEN, PROBABILITIES).tolist() == pytest.approx([0.8, 0.6, -0.8, 0.4, 0.0])
    marked = prune_by_noise_rate(GIVEN, PROBABILITIES, calibrated)
    assert marked.tolist() == [False, False, True, False, False]


def test_of_two_classes_that_reach_their_thresholds_the_likelier_counts():
    given_labels = np.array([0, 1, 2])
    probabilities = np.array([[0.3, 0.4, 0.3], [0.3, 0.4, 0.3], [0.3, 0.4, 0.3]])
    assert confident_joint(given_labels, probabilities)[:, 1].tolist() == [1, 1, 1]


def test_a_label_of_which_nothing_is_confident_counts_as_right():
    calibrated = calibrated_joint(np.array([[0, 0], [3, 1]]), np.array([0, 0, 1, 1, 1, 1]))
    assert calibrated == pytest.approx(np.array([[2 / 6, 0], [3 / 6, 1 / 6]]))


@settings(max_examples=50)
@given(st.integers(2, 60), st.integers(2, 7), st.integers(0, 10_000))
def test_the_estimates_are_a_distribution_with_the_given_labels(count, classes, seed):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, count)
    probabilities = generator.dirichlet(np.ones(classes) / 2, count)
    joint = confident_joint(labels, probabilities)
    assert joint.sum() <= count
    calibrated = calibrated_joint(joint, labels)
    shares = np.bincount(labels, minlength=classes) / count
    assert calibrated.sum(axis=1) == pytest.approx(shares)
    rates = noise_rates(calibrated)
    assert ((rates >= 0) & (rates <= 1)).all()
    marked = prune_by_noise_rate(labels, probabilities, calibrated)
    quotas = np.rint(calibrated * count)
    assert marked.sum() <= quotas.sum() - np.trace(quotas)


@pytest.fixture(scope="module")
def flipped() -> tuple[FaceDataset, np.ndarray]:
    """840 drawn faces of seven classes; every tenth has another label."""
    generator = np.random.default_rng(0)
    codes = np.arange(840) % 7
    images = np.stack([makers.drawn_face(int(code), generator) for code in codes])
    wrong = np.arange(840) % 10 == 3
    blank = np.full(840, "")
    dataset = FaceDataset(
        name="drawn",
        labels=label_set("basic7"),
        images=images,
        targets=np.where(wrong, (codes + 1 + np.arange(840) // 210) % 7, codes).astype(np.int64),
        splits=blank,
        subjects=blank,
        sources=np.full(840, "drawn"),
        ids=np.array([f"d{i:03d}" for i in range(840)]),
    )
    return dataset, wrong


def test_flipped_labels_are_found_and_named(flipped):
    dataset, wrong = flipped
    (result,) = audit(dataset, ["label-noise"])
    found = np.array([finding.index for finding in result.findings])
    assert wrong[found].mean() >= 0.9
    assert wrong[found].sum() >= 0.9 * wrong.sum()
    assert all(f.value >= g.value for f, g in zip(result.findings, result.findings[1:]))
    named = [f"likely {dataset.labels.expressions[f.index % 7]}" in f.note for f in result.findings]
    assert np.mean(named) >= 0.9
    rates = {row[0]: row[2] for row in result.tables[0].rows}
    assert all(2 <= int(str(rate).rstrip("%")) <= 25 for rate in rates.values())


def test_given_probabilities_are_used_and_faces_without_a_label_are_passed_over(flipped):
    dataset, _ = flipped
    targets = dataset.targets.copy()
    targets[:2] = NO_TARGET
    dataset = dataclasses.replace(dataset, targets=targets)
    probabilities = np.full((840, 7), 0.01)
    probabilities[np.arange(840), targets] = 0.94
    probabilities[:2] = np.nan
    probabilities[5] = 0.005
    probabilities[5, (targets[5] + 1) % 7] = 0.97
    (result,) = audit(dataset, ["label-noise"], Evidence(probabilities=probabilities))
    assert [finding.index for finding in result.findings] == [5]
    assert result.findings[0].drop
    assert result.counts["faces with a label"] == 838


def test_what_is_missing_is_said(flipped, monkeypatch):
    dataset, _ = flipped
    unlabelled = dataclasses.replace(dataset, targets=np.full(840, NO_TARGET))
    assert audit(unlabelled, ["label-noise"])[0].missing.endswith("labels of two classes.")
    few = dataset.select(np.arange(3))
    assert "cannot be divided into 5 parts" in audit(few, ["label-noise"])[0].missing
    monkeypatch.setattr("mien.data.audit.baseline.find_spec", lambda name: None)
    assert "needs the extra [train]" in audit(dataset, ["label-noise"])[0].missing


def test_no_face_is_judged_by_a_model_that_saw_its_twin(flipped):
    dataset, _ = flipped
    # Each drawn face stands here twice, and the labels are chance: only memory could tell them.
    images = np.repeat(dataset.images[:420], 2, axis=0)
    chance = np.repeat(np.random.default_rng(1).integers(0, 7, 420), 2)
    twice = dataclasses.replace(dataset, images=images, targets=chance)
    assert (out_of_fold(twice).argmax(axis=1) == chance).mean() < 0.3


@pytest.mark.data
def test_doubted_labels_of_fer2013_are_those_ferplus_changed(real_fer2013):
    dataset = real_fer2013.select(np.arange(0, 35_887, 12))
    (result,) = audit(dataset, ["label-noise"])
    names = np.array([EXPRESSIONS.index(e) for e in dataset.labels.expressions])
    differs = majority(dataset.votes) != names[dataset.targets]
    first = np.array([finding.index for finding in result.findings[:150]])
    assert differs.mean() == pytest.approx(0.41, abs=0.03)
    assert differs[first].mean() > differs.mean() + 0.2
