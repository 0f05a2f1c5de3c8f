import numpy as np
import pytest

from mien.evaluation.card_figures import class_figures, elsewhere_figures, split_figures
from mien.evaluation.predictions import Predictions
from mien.evaluation.unvaried import wilson
from mien.labels import label_set

EIGHT = label_set("ferplus8")


def table(truth, decided, labels=EIGHT, subjects=None):
    logits = np.zeros((len(truth), len(labels)))
    logits[np.arange(len(truth)), decided] = 3
    count = len(truth)
    return Predictions(
        labels=labels,
        ids=np.arange(count).astype(str),
        splits=np.full(count, "test"),
        truth=np.array(truth),
        leaked=np.arange(count) == 0,
        logits=logits,
        subjects=np.full(count, "") if subjects is None else np.array(subjects),
        sources=np.full(count, "made"),
        dataset="made",
    )


def by_name(figures, subset):
    return {f.metric: f for f in figures if f.subset == subset}


def test_recall_and_precision_are_the_hand_computed_ones():
    # anger: 3 faces, 2 found, 1 other taken for it; contempt never occurs and is never said.
    found = class_figures("h", table([0, 0, 0, 4, 4], [0, 0, 4, 0, 4]), ("made", "test", "all"))
    figures = {f.metric: (f.value, f.images) for f in found}
    assert figures == {
        "recall_anger": (pytest.approx(2 / 3), 3),
        "precision_anger": (pytest.approx(2 / 3), 3),
        "recall_happiness": (0.5, 2),
        "precision_happiness": (0.5, 2),
    }
    assert all(f.low <= f.value <= f.high for f in found)


def test_people_are_drawn_whole_where_they_are_known():
    # Two of three people are always read right, four faces each: over faces it would look surer.
    truth, decided = [0] * 12, [0] * 8 + [4] * 4
    (faces,) = class_figures("h", table(truth, decided), ("made", "test", "all"))[:1]
    by_person = table(truth, decided, subjects=[name for name in "abc" for _ in range(4)])
    (people,) = class_figures("h", by_person, ("made", "test", "all"))[:1]
    assert (people.metric, people.value, people.images) == ("recall_anger", 2 / 3, 12)
    assert people.high - people.low > faces.high - faces.low
    assert (people.low, people.high) == (0.0, 1.0)


def test_people_who_are_all_read_right_have_wilson_s_interval_of_their_number():
    sure = table([0] * 12, [0] * 12, subjects=[name for name in "abc" for _ in range(4)])
    recall = class_figures("h", sure, ("made", "test", "all"))[0]
    assert (recall.low, recall.high) == wilson(3, 3)


def test_four_classes_are_judged_as_if_only_they_could_be_chosen():
    # The second face is decided for disgust, which is not among the four: the first of equals wins.
    figures = split_figures("h", table([0, 0, 2, 4], [0, 2, 2, 4]), "made", "test")
    assert by_name(figures, "all")["accuracy"].value == 0.75
    four = by_name(figures, "among four")["accuracy"]
    assert (four.images, four.value) == (3, 1.0)
    assert by_name(figures, "without leaked")["accuracy"].images == 3


def test_elsewhere_of_one_expression_all_could_be_chosen():
    figures = elsewhere_figures([table([4, 4], [4, 0])])
    assert {f.subset for f in figures} == {"among ferplus8"}
    assert by_name(figures, "among ferplus8")["accuracy"].value == 0.5


def test_elsewhere_an_output_chooses_among_what_the_dataset_shows():
    (*figures,) = elsewhere_figures([table([0, 0, 4, -1], [0, 2, 4, 4], subjects=list("aabb"))])
    assert {f.subset for f in figures} == {"among anger+happiness"}
    accuracy = by_name(figures, "among anger+happiness")["accuracy"]
    assert (accuracy.images, accuracy.value, accuracy.dataset) == (3, 1.0, "made")
