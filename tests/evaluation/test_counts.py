from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics as oracle

from mien.evaluation.counts import averages, class_counts, cohen_kappa, mean, ratio
from mien.labels import LABEL_SETS

# Mahastama et al. 2024: rows are the truth, 47 test images of each class.
MAHASTAMA = np.array([[32, 3, 10, 2], [0, 41, 3, 3], [6, 5, 32, 4], [9, 3, 7, 28]])
MAHASTAMA_AUC = {"happiness": 0.97, "anger": 0.90, "sadness": 0.90, "neutral": 0.87}


@st.composite
def confusions(draw):
    classes = draw(st.integers(2, 6))
    return draw(arrays(np.int64, (classes, classes), elements=st.integers(0, 12)))


# Of one face at least.
CONFUSIONS = confusions().filter(np.any)


def expanded(confusion):
    """Truth and decision of each face that a confusion matrix counts."""
    truth, decision = (index.ravel() for index in np.indices(confusion.shape))
    return np.repeat(truth, confusion.ravel()), np.repeat(decision, confusion.ravel())


def of_papers_counts(mistakes):
    """200 images, 50 of each of four classes; for each mistake the truth and how far off it is."""
    confusion = np.diag([50] * 4)
    for truth, off in mistakes:
        confusion[truth, truth] -= 1
        confusion[truth, (truth + off) % 4] += 1
    return confusion


@settings(max_examples=40)
@given(CONFUSIONS)
def test_figures_agree_with_the_classification_report(confusion):
    truth, decision = expanded(confusion)
    every = list(range(len(confusion)))
    expected = oracle.classification_report(
        truth, decision, labels=every, output_dict=True, zero_division=np.nan
    )
    counts = class_counts(confusion)
    for name, values in (
        ("precision", counts.precision),
        ("recall", counts.recall),
        ("f1-score", counts.f1),
        ("support", counts.support),
    ):
        np.testing.assert_allclose(values, [expected[str(c)][name] for c in every], atol=1e-12)
    # Means are of the classes that have a face.
    means = oracle.classification_report(
        truth, decision, labels=np.unique(truth), output_dict=True, zero_division=np.nan
    )
    if not (confusion.sum(0) * confusion.sum(1)).any():
        # No class that has faces has a precision: there scikit-learn says 0.
        means["weighted avg"]["precision"] = np.nan
    for kind, found in averages(confusion).items():
        wanted = means[f"{kind} avg"]
        assert found == pytest.approx(
            {name: wanted["f1-score" if name == "f1" else name] for name in found}, nan_ok=True
        )


@settings(max_examples=60)
@given(CONFUSIONS)
def test_one_against_the_rest_agrees_with_scikit_learn(confusion):
    truth, decision = expanded(confusion)
    every = list(range(len(confusion)))
    expected = oracle.multilabel_confusion_matrix(truth, decision, labels=every)
    counts = class_counts(confusion)
    found = np.array([[counts.tn, counts.fp], [counts.fn, counts.tp]])
    np.testing.assert_array_equal(found.transpose(2, 0, 1), expected)
    for c in every:
        right = oracle.accuracy_score(truth == c, decision == c)
        assert counts.accuracy[c] == pytest.approx(right)


@settings(max_examples=60)
@given(CONFUSIONS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_kappa_agrees_with_scikit_learn(confusion):
    truth, decision = expanded(confusion)
    expected = oracle.cohen_kappa_score(truth, decision, labels=list(range(len(confusion))))
    assert cohen_kappa(confusion) == pytest.approx(expected, nan_ok=True)


def test_kappa_of_a_hand_computed_case():
    # 35 of 50 agree; by chance (25 * 30 + 25 * 20) / 2500 = 0.5.
    assert cohen_kappa(np.array([[20, 5], [10, 15]])) == pytest.approx((0.7 - 0.5) / 0.5)
    assert cohen_kappa(np.array([[10, 10], [10, 10]])) == 0
    assert cohen_kappa(np.diag([3, 4, 5])) == 1


@given(CONFUSIONS)
def test_pooled_precision_recall_and_f1_are_all_the_share_of_right_decisions(confusion):
    pooled = class_counts(confusion).pooled()
    right = confusion.trace() / confusion.sum()
    for values in (pooled.precision, pooled.recall, pooled.f1):
        assert values.tolist() == [pytest.approx(right)]
    # Of C one-vs-rest decisions a mistake makes two wrong ones.
    assert pooled.accuracy.tolist() == [pytest.approx(1 - 2 * (1 - right) / len(confusion))]


@given(confusions(), st.randoms(use_true_random=False))
def test_the_order_of_classes_does_not_matter(confusion, random):
    order = random.sample(range(len(confusion)), len(confusion))
    turned = confusion[np.ix_(order, order)]
    counts, again = class_counts(confusion), class_counts(turned)
    np.testing.assert_array_equal(again.f1, counts.f1[order])
    np.testing.assert_array_equal(again.precision, counts.precision[order])
    np.testing.assert_array_equal(again.accuracy, counts.accuracy[order])
    assert cohen_kappa(turned) == pytest.approx(cohen_kappa(confusion), nan_ok=True)
    for kind, figures in averages(confusion).items():
        assert averages(turned)[kind] == pytest.approx(figures, nan_ok=True)


@given(confusions())
def test_exchanging_truth_and_decision_exchanges_precision_and_recall(confusion):
    counts, other = class_counts(confusion), class_counts(confusion.T)
    np.testing.assert_array_equal(counts.precision, other.recall)
    np.testing.assert_array_equal(counts.f1, other.f1)


@given(confusions())
def test_figures_are_shares_or_undefined(confusion):
    counts = class_counts(confusion)
    for values in (counts.precision, counts.recall, counts.f1, counts.accuracy):
        known = values[~np.isnan(values)]
        assert ((known >= 0) & (known <= 1)).all()
    assert (counts.tp + counts.fp + counts.fn + counts.tn == confusion.sum()).all()


@given(arrays(np.int64, st.integers(2, 6), elements=st.integers(0, 9)).filter(np.any))
def test_averages_of_identical_classes_are_the_figures_of_each(row):
    confusion = np.array([np.roll(row, shift) for shift in range(len(row))])
    for figures in averages(confusion).values():
        assert figures == pytest.approx(dict.fromkeys(figures, row[0] / row.sum()))


@given(
    arrays(np.int64, 5, elements=st.integers(0, 3)), arrays(np.int64, 5, elements=st.integers(0, 3))
)
def test_a_ratio_is_undefined_exactly_where_there_is_nothing(part, whole):
    found = ratio(part, whole)
    np.testing.assert_array_equal(np.isnan(found), whole == 0)
    np.testing.assert_allclose(found[whole > 0] * whole[whole > 0], part[whole > 0])


def test_a_mean_leaves_out_what_is_undefined_or_does_not_count():
    values = np.array([0.2, np.nan, 0.8, 0.5])
    assert mean(values) == pytest.approx(0.5)
    assert mean(values, np.array([3, 9, 1, 0])) == pytest.approx((3 * 0.2 + 0.8) / 4)
    assert np.isnan(mean(np.array([np.nan, np.nan])))
    assert np.isnan(mean(values, np.array([0, 9, 0, 0])))
    assert np.isnan(mean(np.array([])))


def test_a_class_without_a_face_has_no_recall():
    counts = class_counts(np.array([[5, 1, 0], [2, 4, 0], [0, 0, 0]]))
    for values in (counts.precision, counts.recall, counts.f1):
        assert np.isnan(values).tolist() == [False, False, True]
    taken = class_counts(np.array([[5, 0, 1], [2, 4, 0], [0, 0, 0]]))
    assert np.isnan(taken.recall[2])
    assert taken.precision[2] == 0, "a face was taken for it, wrongly"


def test_a_class_that_is_never_decided_has_no_precision():
    confusion = np.array([[5, 0], [3, 0]])
    counts = class_counts(confusion)
    assert np.isnan(counts.precision[1])
    assert counts.recall.tolist() == [1, 0]
    assert averages(confusion)["macro"]["precision"] == pytest.approx(5 / 8)


def test_kappa_is_undefined_of_a_single_class():
    assert np.isnan(cohen_kappa(np.array([[7, 0], [0, 0]])))


def test_nothing_is_defined_without_a_face():
    empty = np.zeros((3, 3), np.int64)
    assert np.isnan(cohen_kappa(empty))
    assert np.isnan([list(figures.values()) for figures in averages(empty).values()]).all()
    assert np.isnan(class_counts(empty).pooled().accuracy).all()


def test_mahastamas_table_follows_from_her_confusion_matrix():
    counts = class_counts(MAHASTAMA)
    assert counts.support.tolist() == [47, 47, 47, 47]
    assert MAHASTAMA.trace() == 133
    assert counts.pooled().recall.round(2).tolist() == [0.71]
    # By hand, such as of anger 32 / 47, 32 / 47 and 64 / 94.
    np.testing.assert_allclose(counts.precision, [32 / 47, 41 / 52, 32 / 52, 28 / 37])
    np.testing.assert_allclose(counts.recall, [32 / 47, 41 / 47, 32 / 47, 28 / 47])
    np.testing.assert_allclose(counts.f1, [64 / 94, 82 / 99, 64 / 99, 56 / 84])
    assert counts.precision.round(2).tolist() == [0.68, 0.79, 0.62, 0.76]
    assert counts.recall.round(2).tolist() == [0.68, 0.87, 0.68, 0.60]
    assert counts.f1.round(2).tolist() == [0.68, 0.83, 0.65, 0.67]
    rounded = {
        kind: {name: round(value, 2) for name, value in figures.items()}
        for kind, figures in averages(MAHASTAMA).items()
    }
    # With as many faces in each class both averages are one.
    assert rounded["macro"] == {"precision": 0.71, "recall": 0.71, "f1": 0.71}
    assert rounded["weighted"] == rounded["macro"]


def test_the_order_of_mahastamas_classes_fits_her_auc():
    """Her matrix is read in the order of `four`: anger, happiness, neutral, sadness.

    Its rows are the truth, as they and not the columns add up to her 47 images a class. By F1 the
    order of the rows is 2, 1, 4, 3; by her AUC that of the classes is happy .97, angry .90 and
    sad .90, neutral .87. So happiness must be the second row and neutral the third. Anger and
    sadness are equal in AUC: that anger comes first only the alphabet tells, in which she names
    the four.
    """
    f1 = class_counts(MAHASTAMA).f1
    assert set(MAHASTAMA.sum(1)) == {47}
    assert set(MAHASTAMA.sum(0)) != {47}

    def fits(order):
        ranked = [order[row] for row in np.argsort(-f1)]
        areas = [MAHASTAMA_AUC[expression] for expression in ranked]
        return areas == sorted(areas, reverse=True)

    four = LABEL_SETS["four"].expressions
    assert [order for order in permutations(four) if fits(order)] == [
        four,
        ("sadness", "happiness", "neutral", "anger"),
    ]
    assert four == tuple(sorted(four))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3)), min_size=44, max_size=44))
def test_fatimatuzzahras_counts_follow_from_any_44_mistakes(mistakes):
    confusion = of_papers_counts(mistakes)
    pooled = class_counts(confusion).pooled()
    counts = [int(part[0]) for part in (pooled.tp, pooled.fp, pooled.fn, pooled.tn)]
    assert counts == [156, 44, 44, 556]
    assert pooled.accuracy[0] == pytest.approx(0.89)
    for values in (pooled.precision, pooled.recall, pooled.f1):
        assert values[0] == pytest.approx(0.78)
    assert confusion.trace() / confusion.sum() == 0.78
