import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.data.audit.probabilities import read_probabilities
from mien.errors import DataError


@pytest.fixture
def table(small_dataset):
    """A right table, in another order than the dataset's."""
    values = np.random.default_rng(0).dirichlet(np.ones(7), len(small_dataset))
    names = small_dataset.labels.expressions
    frame = pd.DataFrame(values, columns=[f"p_{name}" for name in names])
    frame.insert(3, "id", small_dataset.ids)
    return frame.sample(frac=1, random_state=0)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("prefix", ["p_", ""])
def test_a_table_is_read_by_names(small_dataset, table, tmp_path, suffix, prefix):
    path = tmp_path / f"oof.{suffix}"
    frame = table.rename(columns=lambda name: name.replace("p_", prefix))
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path, index=False)
    values = read_probabilities(path, small_dataset)
    expected = table.sort_index().drop(columns="id").to_numpy()
    assert values == pytest.approx(expected, abs=1e-9)


def test_columns_may_be_called_as_in_predictions(small_dataset, table, tmp_path):
    """What `mien evaluate` reads is read here: usual spellings, and two decimals a class."""
    names = {"p_happiness": "Happy", "p_anger": "prob_angry", "id": "ID"}
    shares = table.assign(**{c: 1 / 7 for c in table.columns if c.startswith("p_")})
    shares.rename(columns=names).round(2).to_csv(tmp_path / "oof.csv", index=False)
    values = read_probabilities(tmp_path / "oof.csv", small_dataset)
    np.testing.assert_allclose(values, 1 / 7)


def test_two_columns_of_one_expression_are_refused(small_dataset, table, tmp_path):
    """Which of them holds the probabilities, and which perhaps a label?"""
    table.assign(fear=1.0).to_csv(tmp_path / "oof.csv", index=False)
    with pytest.raises(DataError, match="has two columns for fear: 'p_fear' and 'fear'"):
        read_probabilities(tmp_path / "oof.csv", small_dataset)


def test_faces_without_a_label_may_be_missing(small_dataset, table, tmp_path):
    targets = small_dataset.targets.copy()
    targets[4] = -1
    dataset = dataclasses.replace(small_dataset, targets=targets)
    table[table["id"] != dataset.ids[4]].to_csv(tmp_path / "oof.csv", index=False)
    values = read_probabilities(tmp_path / "oof.csv", dataset)
    assert np.isnan(values[4]).all()
    assert np.isfinite(np.delete(values, 4, axis=0)).all()


def _without_column(table):
    return table.drop(columns="p_fear")


def _without_face(table):
    return table[table["id"] != "fer2013-00003"]


def _foreign(table):
    return table.replace("fer2013-00003", "other-1")


def _twice(table):
    return pd.concat([table, table.iloc[:1]])


def _negative(table):
    return table.assign(p_fear=-0.1)


def _unsummed(table):
    return table.assign(p_fear=table["p_fear"] + 0.1)


def _words(table):
    return table.assign(p_fear="much")


def _holes(table):
    return table.assign(p_fear=np.nan)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_without_column, "found no 'p_fear' in"),
        (lambda table: table.drop(columns="id"), "found no 'id' in"),
        (lambda table: table[:0], "found no 'id' in 'an empty table'"),
        (_without_face, "found no 'fer2013-00003'"),
        (_foreign, "found the face 'other-1', which dataset 'fer2013' does not hold"),
        (_twice, "twice"),
        (_negative, "wanted probabilities from 0 that sum to 1, found"),
        (_unsummed, "wanted probabilities from 0 that sum to 1, found"),
        (_words, "wanted a number in each of p_anger"),
        (_holes, "wanted"),
    ],
)
def test_a_wrong_table_is_refused_in_one_sentence(small_dataset, table, tmp_path, spoil, sentence):
    path = tmp_path / "oof.csv"
    spoil(table).to_csv(path, index=False)
    with pytest.raises(DataError, match=r"oof\.csv") as caught:
        read_probabilities(path, small_dataset)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_table_is_refused(small_dataset, tmp_path):
    (tmp_path / "oof.parquet").write_bytes(b"no table")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read_probabilities(tmp_path / "oof.parquet", small_dataset)
    with pytest.raises(DataError, match="cannot be opened"):
        read_probabilities(tmp_path / "none.csv", small_dataset)


@settings(max_examples=20)
@given(digits=st.integers(3, 8))
def test_rounded_rows_are_made_to_sum_to_one(small_dataset, tmp_path_factory, digits):
    values = np.random.default_rng(digits).dirichlet(np.ones(7), len(small_dataset))
    frame = pd.DataFrame(values.round(digits), columns=list(small_dataset.labels.expressions))
    path = tmp_path_factory.mktemp("oof") / "oof.csv"
    frame.assign(id=small_dataset.ids).to_csv(path, index=False)
    assert read_probabilities(path, small_dataset).sum(axis=1) == pytest.approx(1.0, abs=1e-12)
