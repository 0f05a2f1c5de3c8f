import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import makers
from mien.data.dataset import NO_TARGET
from mien.data.readers import read_dataset
from mien.data.readers.fer2013 import CODES
from mien.data.votes import (
    NO_MAJORITY,
    agreement,
    distribution,
    join_votes,
    majority,
    share_not_a_face,
)
from mien.errors import DataError
from mien.labels import EXPRESSIONS, VOTES


def votes(**counts):
    return np.array([[counts.get(vote, 0) for vote in VOTES]], dtype=np.uint8)


@pytest.mark.parametrize(
    ("row", "label"),
    [
        (votes(happiness=6, neutral=4), "happiness"),
        (votes(happiness=5, neutral=5), None),  # half is not more than half
        (votes(happiness=5, neutral=4, fear=1), "happiness"),  # the single vote is dropped: 5 of 9
        (votes(happiness=4, neutral=3, unknown=3), None),  # unknown counts in the total
        (votes(not_a_face=8, neutral=2), None),
        (votes(anger=1, fear=1, neutral=1), None),  # nothing remains
    ],
)
def test_majority_follows_barsoum_et_al(row, label):
    expected = NO_MAJORITY if label is None else EXPRESSIONS.index(label)
    assert majority(row).tolist() == [expected]


@given(arrays(np.uint8, (5, 10), elements=st.integers(0, 10)))
def test_distribution_sums_to_one_or_is_empty(table):
    shares = distribution(table)
    named = table[:, :8].sum(1) > 0
    np.testing.assert_allclose(shares.sum(1), named.astype(float), atol=1e-6)
    winner = majority(table)
    known = winner != NO_MAJORITY
    np.testing.assert_array_equal(shares.argmax(1)[known], winner[known])


def test_agreement_is_the_chance_that_two_raters_say_the_same():
    table = np.concatenate(
        [
            votes(happiness=10),
            votes(happiness=5, neutral=5),  # 2 * 5 * 4 of 90 pairs
            votes(anger=1, fear=1),
            votes(unknown=1),
        ]
    )
    np.testing.assert_allclose(agreement(table), [1, 40 / 90, 0, np.nan], rtol=1e-6)


def test_the_share_of_not_a_face_counts_all_votes():
    table = np.concatenate([votes(not_a_face=8, neutral=2), votes(happiness=5), votes()])
    np.testing.assert_allclose(share_not_a_face(table), [0.8, 0, np.nan], rtol=1e-6)


def test_votes_are_joined_row_by_row(small_fer2013):
    dataset = join_votes(read_dataset(small_fer2013[0]), small_fer2013[1])
    assert dataset.votes.sum(1).tolist() == [10] * len(dataset)
    own = dataset.votes[np.arange(len(dataset)), [EXPRESSIONS.index(s.expression) for s in dataset]]
    assert own.min() >= 7
    assert dataset.history[-1] == "joined the FER+ votes of fer2013new.csv"


def test_votes_of_other_rows_are_refused(tmp_path, small_fer2013):
    dataset = read_dataset(small_fer2013[0])
    rows = makers.ferplus_rows(makers.fer_rows())
    short = makers.write_ferplus(tmp_path / "short.csv", rows[:-1])
    with pytest.raises(DataError, match=rf"one row for each of the {len(rows)} faces"):
        join_votes(dataset, short)
    moved = makers.write_ferplus(tmp_path / "moved.csv", [*rows[1:], rows[0]])
    with pytest.raises(DataError, match="row 57: wanted the split 'train' of fer2013-00055"):
        join_votes(dataset, moved)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [(0, "Test", "unknown Usage 'Test'"), (3, "-1", "0 to 255, found '-1'"), (3, "", "found ''")],
)
def test_a_bad_vote_is_named(tmp_path, small_fer2013, column, value, message):
    rows = makers.ferplus_rows(makers.fer_rows())
    rows[4][column] = value
    path = makers.write_ferplus(tmp_path / "fer2013new.csv", rows)
    with pytest.raises(DataError, match=f"row 6.*{message}"):
        join_votes(read_dataset(small_fer2013[0]), path)


def test_a_file_that_is_not_ferplus_says_so(tmp_path, small_fer2013):
    dataset = read_dataset(small_fer2013[0])
    with pytest.raises(DataError, match="found no 'Usage'"):
        (tmp_path / "other.csv").write_text("a,b\n1,2\n")
        join_votes(dataset, tmp_path / "other.csv")
    with pytest.raises(DataError, match="cannot be opened"):
        join_votes(dataset, tmp_path / "missing.csv")


def beside(tmp_path, faces, rows):
    """FER2013's rows with other rows of votes beside them."""
    dataset = read_dataset(makers.write_fer2013(tmp_path / "fer2013.csv", makers.fer_csv(faces)))
    return dataset, makers.write_ferplus(tmp_path / "fer2013new.csv", rows)


def moved_within_splits(rows, seed):
    """The rows in another order, as of another copy of the dataset; none changes its Usage."""
    usages = np.array([row[2] for row in rows])
    places = np.arange(len(rows))
    for usage in np.unique(usages):
        own = np.flatnonzero(usages == usage)
        places[own] = np.random.default_rng(seed).permutation(own)
    return [rows[place] for place in places]


def test_votes_in_another_order_within_the_splits_are_refused(tmp_path):
    rows = makers.fer_rows(per_split=42)
    votes = makers.ferplus_rows(rows)
    right = join_votes(*beside(tmp_path, rows, votes))
    other, path = beside(tmp_path, moved_within_splits(rows, 0), votes)
    assert other.splits.tolist() == right.splits.tolist()
    message = (
        r"fer2013new\.csv: wanted votes whose majority is the label of 40% or more of the faces of"
        r" 'fer2013', found 1\d% of 252; are both files in their original order\?"
    )
    with pytest.raises(DataError, match=message):
        join_votes(other, path)


@pytest.mark.parametrize(("judged", "agreeing", "fits"), [(99, 0, 1), (100, 39, 0), (100, 40, 1)])
def test_a_hundred_faces_are_judged_and_two_fifths_must_agree(tmp_path, judged, agreeing, fits):
    rows = makers.fer_rows(per_split=42)
    votes = makers.ferplus_rows(rows)
    nobody = ["0"] * len(makers.FER_PLUS_COLUMNS)
    said = makers.FER_PLUS_COLUMNS.index
    for place, (row, own) in enumerate(zip(rows, votes)):
        right = CODES[int(row[0])]
        wrong = "contempt" if place % 2 else "unknown"  # which are not judged
        chosen = wrong
        if place < judged:
            chosen = right if place < agreeing else CODES[(int(row[0]) + 1) % len(CODES)]
        own[2:] = nobody
        own[2 + said(chosen)] = "10"
    dataset, path = beside(tmp_path, rows, votes)
    if fits:
        assert int(join_votes(dataset, path).votes.sum()) == 10 * len(rows)
    else:
        with pytest.raises(DataError, match="found 39% of 100"):
            join_votes(dataset, path)


def test_votes_beside_faces_without_labels_are_taken(tmp_path):
    rows = makers.fer_rows(per_split=42)
    votes = makers.ferplus_rows(moved_within_splits(rows, 0))
    dataset, path = beside(tmp_path, rows, votes)
    unlabelled = dataclasses.replace(dataset, targets=np.full(len(dataset), NO_TARGET))
    assert join_votes(unlabelled, path).votes is not None
    with pytest.raises(DataError, match="original order"):
        join_votes(dataset, path)


@pytest.mark.data
@pytest.mark.parametrize(
    "moved", [lambda own: np.roll(own, 1), np.random.default_rng(0).permutation]
)
def test_the_real_votes_are_not_joined_to_faces_in_another_order(real_fer2013, shared_data, moved):
    path = shared_data / "fer2013" / "fer2013new.csv"
    own = [np.flatnonzero(real_fer2013.splits == split) for split in ("train", "val", "test")]
    other = real_fer2013.select(np.concatenate([moved(places) for places in own]))
    with pytest.raises(DataError, match="found 18% of 31264"):
        join_votes(other, path)


@pytest.mark.data
def test_the_real_majority_has_3153_test_images(real_fer2013):
    test = real_fer2013.in_split("test")
    assert int((majority(test.votes) != NO_MAJORITY).sum()) == 3_153
