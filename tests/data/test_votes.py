import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import makers
from mien.data.readers import read_dataset
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


@pytest.mark.data
def test_the_real_majority_has_3153_test_images(real_fer2013):
    test = real_fer2013.in_split("test")
    assert int((majority(test.votes) != NO_MAJORITY).sum()) == 3_153
