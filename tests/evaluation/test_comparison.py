import json
import re
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score
from test_review import FOUR, random_table

from mien.data.dataset import NO_TARGET
from mien.errors import MienError
from mien.evaluation.comparison import (
    common_faces,
    common_labels,
    compare,
    of_labels,
    of_same_labels,
)
from mien.evaluation.comparison_page import write_comparisons
from mien.labels import label_set


def other(table, seed=9):
    """A second model: the same faces, other probabilities."""
    return replace(random_table(len(table), seed), truth=table.truth, model="other")


def test_models_are_compared_on_the_faces_they_share(tmp_path):
    one = random_table()
    two = other(one)
    shuffled = two.select(np.random.default_rng(0).permutation(len(two))[:100])
    a, b = common_faces([one, shuffled])
    assert a.ids.tolist() == b.ids.tolist() == [i for i in one.ids if i in set(shuffled.ids)]
    found = compare([one, shuffled])
    assert found.faces == 100
    accuracies = [m.figures["accuracy"][0] for m in found.models]
    assert accuracies[1] == pytest.approx(accuracy_score(b.truth, b.probabilities.argmax(1)))
    difference = found.models[1].differences["accuracy"]
    assert difference.value == pytest.approx(accuracies[1] - accuracies[0])
    assert difference.low <= difference.value <= difference.high
    test = found.models[1].test
    assert test is not None
    assert (test.second_only - test.first_only) / 100 == pytest.approx(difference.value)
    assert found.unshared == 20
    assert "20 more faces of test are left out" in write_comparisons([found], tmp_path).read_text()
    data = json.loads((tmp_path / "compare.json").read_text())
    assert data[0]["unshared"] == 20
    assert compare([one, two]).unshared == 0


def test_the_order_of_the_models_does_not_change_the_intervals(tmp_path):
    subjects = np.repeat([f"S{i}" for i in range(12)], 10)
    known = random_table(subjects=subjects)
    unknown = replace(other(known), subjects=np.full(120, ""))
    one, two = compare([known, unknown]), compare([unknown, known])
    assert one.people
    assert two.people
    first, second = one.models[1].differences["accuracy"], two.models[1].differences["accuracy"]
    assert (first.low, first.high) == pytest.approx((-second.high, -second.low))
    text = write_comparisons([two], tmp_path).read_text()
    assert "95 % bootstrap intervals over subjects" in text
    with pytest.raises(MienError, match="the subject of 120 faces differs"):
        compare([known, replace(unknown, subjects=np.full(120, "nobody"))])


def test_what_one_table_lacks_is_taken_from_another():
    one = random_table()
    two = replace(one, model="two")
    unknown = replace(one, truth=np.where(np.arange(120) < 30, NO_TARGET, one.truth))
    other_unknown = replace(
        two,
        truth=np.where(np.arange(120) >= 100, NO_TARGET, two.truth),
        splits=np.full(120, ""),
    )
    found = compare([unknown, other_unknown])
    assert found.faces == 120
    assert found.models[0].figures == found.models[1].figures
    assert found.models[1].differences["accuracy"].value == 0
    assert found.models[1].test is not None
    assert found.models[1].test.p == 1
    with pytest.raises(MienError, match="the split of 120 faces differs"):
        compare([one, replace(two, splits=np.full(120, "val"))])
    with pytest.raises(MienError, match=r"on one dataset\. Got elsewhere and made"):
        compare([one, replace(two, dataset="elsewhere")])


def test_a_model_does_not_differ_from_itself(tmp_path):
    one = random_table()
    found = compare([one, replace(one, model="again")])
    assert found.models[1].test is not None
    assert found.models[1].test.p == 1
    differences = found.models[1].differences
    assert differences["accuracy"].value == differences["macro_f1"].value == 0
    assert -0.05 < differences["accuracy"].low < 0 < differences["accuracy"].high < 0.05
    assert np.isnan(differences["macro_f1"].low)  # nothing is known of it
    page = write_comparisons([found], tmp_path)
    assert "<td>+0.000</td>" in page.read_text()
    (data,) = json.loads((tmp_path / "compare.json").read_text())
    assert data["models"][1]["differences"]["macro_f1"] == {"value": 0, "low": None, "high": None}


def test_the_page_has_a_matrix_across_datasets(tmp_path):
    one = random_table()
    found = [compare([one, other(one)])]
    elsewhere = replace(one, dataset="elsewhere")
    found.append(compare([elsewhere, replace(other(elsewhere), dataset="elsewhere")]))
    page = write_comparisons(found, tmp_path)
    text = page.read_text()
    assert "Across datasets" in text
    assert "elsewhere, four" in text
    assert "http" not in re.sub(r"base64,[^\"]+", "", text)
    data = json.loads((tmp_path / "compare.json").read_text())
    assert [c["dataset"] for c in data] == ["made", "elsewhere"]
    assert data[0]["models"][0]["mcnemar"] is None
    assert data[0]["models"][1]["differences"].keys() == {"accuracy", "macro_f1"}
    assert (tmp_path / "figures" / "compare-2.svg").exists()


def test_what_cannot_be_compared_is_said():
    one = random_table()
    with pytest.raises(MienError, match="m and m cannot be compared: they have no face's id"):
        compare([one, replace(one, ids=np.char.add(one.ids, "x"))])
    wrong = replace(other(one), truth=(one.truth + 1) % 4)
    with pytest.raises(MienError, match="the truth of 120 faces differs, of face-0"):
        compare([one, wrong])


def test_outputs_are_chosen_by_their_expressions():
    eight = random_table(labels=label_set("ferplus8"))
    four = random_table()
    assert of_labels([eight, four], FOUR) is four
    assert of_labels([eight], FOUR).labels == FOUR
    with pytest.raises(MienError, match="m has no output with all of"):
        of_labels([four], label_set("basic7"))
    assert common_labels([[eight, four], [four]]) == [FOUR]
    with pytest.raises(MienError, match=r"no output of the same expressions .*with --labels"):
        common_labels([[eight], [four]])


def test_models_are_narrowed_from_an_output_that_all_have():
    """The raters' majority is the truth of the one output, the label that of the other."""
    eight, seven = (random_table(labels=label_set(name)) for name in ("ferplus8", "basic7"))
    found = of_same_labels([[eight, seven], [replace(seven, model="other")]], FOUR)
    assert [table.labels for table in found] == [FOUR, FOUR]
    np.testing.assert_array_equal(found[0].truth, seven.among(FOUR).truth)
    np.testing.assert_array_equal(found[0].logits, seven.among(FOUR).logits)
    # In the first one's order; an output of just these is best, and if none is shared any will do.
    both = of_same_labels([[eight, seven], [seven, eight]], FOUR)
    np.testing.assert_array_equal(both[1].truth, eight.among(FOUR).truth)
    four = random_table()
    assert of_same_labels([[eight, four], [four]], FOUR) == [four, four]
    np.testing.assert_array_equal(
        of_same_labels([[eight], [seven]], FOUR)[0].logits, eight.among(FOUR).logits
    )


def test_leaked_faces_are_left_out_beside(tmp_path):
    one = random_table(leaked=np.arange(120) < 40)
    two = other(one)
    found = compare([one, two])
    clean = compare([table.select(~table.leaked) for table in (one, two)])
    assert (found.leaked, clean.leaked) == (40, 0)
    assert [m.figures for m in found.unleaked] == [m.figures for m in clean.models]
    assert found.unleaked[1].differences == clean.models[1].differences
    assert found.unleaked[1].test == clean.models[1].test
    assert found.unleaked[0].test is None
    assert clean.unleaked == ()
    text = write_comparisons([found], tmp_path).read_text()
    assert "The same without the 40 faces" in text
    data = json.loads((tmp_path / "compare.json").read_text())[0]
    assert (data["leaked"], data["intervals_over"]) == (40, "faces")
    expected = clean.models[1].figures["accuracy"][0]
    assert data["without_leaked"][1]["figures"]["accuracy"]["value"] == expected
