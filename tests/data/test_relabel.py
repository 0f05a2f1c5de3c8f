import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.data.dataset import NO_TARGET
from mien.data.relabel import relabel
from mien.errors import DataError
from mien.labels import EXPRESSIONS, LABEL_SETS, LabelSet, label_set


def test_what_the_new_set_lacks_is_dropped_and_counted(small_dataset):
    four = relabel(small_dataset, label_set("four"))
    assert {s.expression for s in four} == set(label_set("four").expressions)
    assert len(four) == 48
    assert four.history[-1] == (
        "label set basic7 to four: dropped 12 disgust, dropped 12 fear, dropped 12 surprise"
    )


def test_classes_are_merged_where_asked(small_dataset):
    merged = relabel(small_dataset, label_set("four"), {"Disgusted": "angry"})
    assert len(merged) == 60
    before = small_dataset.ids[small_dataset.targets == small_dataset.labels.index("disgust")]
    after = {s.id: s.expression for s in merged}
    assert {after[i] for i in before} == {"anger"}
    assert "merged 12 disgust into anger" in merged.history[-1]


@given(st.sets(st.sampled_from(EXPRESSIONS), min_size=2))
def test_widening_and_coming_back_changes_nothing(small_dataset, chosen):
    own = LabelSet("own", tuple(e for e in EXPRESSIONS if e in chosen))
    try:
        narrow = relabel(small_dataset, own)
    except DataError as error:
        assert "has no face" in str(error)
        return
    back = relabel(relabel(narrow, LABEL_SETS["ferplus8"]), own)
    assert back.fingerprint == narrow.fingerprint
    kept = [s.id for s in small_dataset if s.expression in chosen]
    assert narrow.ids.tolist() == kept


def test_unlabelled_faces_and_votes_stay(small_dataset):
    targets = small_dataset.targets.copy()
    targets[5] = NO_TARGET
    four = relabel(dataclasses.replace(small_dataset, targets=targets), label_set("four"))
    assert four.ids[four.targets == NO_TARGET].tolist() == ["fer2013-00005"]
    np.testing.assert_array_equal(
        four.votes, small_dataset.votes[np.isin(small_dataset.ids, four.ids)]
    )


def test_merging_what_is_not_there_is_refused(small_dataset):
    with pytest.raises(DataError, match="has no 'contempt'"):
        relabel(small_dataset, label_set("four"), {"contempt": "anger"})
    with pytest.raises(DataError, match="has no 'fear'"):
        relabel(small_dataset, label_set("four"), {"disgust": "fear"})
