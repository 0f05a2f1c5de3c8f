from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from mien.errors import MienError
from mien.inference.video.results import VideoResults
from mien.inference.video.smoothing import centred
from mien.inference.video.table import TABLES, Beside
from mien.labels import EXPRESSIONS


@pytest.fixture(scope="module")
def frame(reader, clip_path, tmp_path_factory):
    """The clip's table with everything beside it."""
    return read_as("parquet", reader, clip_path, tmp_path_factory.mktemp("table"))


def read_as(form, reader, clip_path, folder):
    out = folder / f"out.{form}"
    beside = Beside(uncertain=0.2, smooth=0.1, baseline=True)
    with VideoResults(out, reader.settings([clip_path]), beside) as results:
        for _ in reader.read_into(results.journal, clip_path):
            pass
    if form == "jsonl":
        rows = pd.DataFrame(map(json.loads, out.read_text(encoding="utf-8").splitlines()))
        return rows.fillna(np.nan)
    return pd.read_csv(out) if form == "csv" else pd.read_parquet(out)


@pytest.mark.parametrize("form", sorted(TABLES))
def test_every_format_says_the_same(form, frame, reader, clip_path, tmp_path):
    other = read_as(form, reader, clip_path, tmp_path)
    assert list(other.columns) == list(frame.columns)
    pd.testing.assert_frame_equal(
        other.drop(columns="message"),
        frame.drop(columns="message"),
        check_dtype=False,
        atol=1e-5,
    )


def test_columns_stand_in_order(frame):
    names = list(frame.columns)
    assert names[:10] == [
        *("source", "frame", "time", "track", "face"),
        *("status", "answer", "expression", "confidence", "uncertain"),
    ]
    assert names[10:18] == list(EXPRESSIONS)
    assert names[18:20] == ["agreement", "not_a_face"]
    assert names[20:25] == ["x", "y", "width", "height", "detector_score"]
    assert names[25:34] == [*(f"smooth_{name}" for name in EXPRESSIONS), "smooth_expression"]
    assert names[34:] == [*(f"change_{name}" for name in EXPRESSIONS), "message"]


def test_smoothed_columns_stand_beside_the_raw_ones(frame):
    raw = frame[list(EXPRESSIONS)].to_numpy()
    smooth = frame[[f"smooth_{name}" for name in EXPRESSIONS]].to_numpy()
    assert smooth == pytest.approx(centred(frame["time"].to_numpy(), raw, 0.1))
    leading = np.array(EXPRESSIONS)[smooth.argmax(axis=1)]
    assert (frame["smooth_expression"] == leading).all()
    assert raw.sum(axis=1) == pytest.approx(1)


def test_changes_are_from_the_persons_own_rest(frame):
    smooth = frame[[f"smooth_{name}" for name in EXPRESSIONS]].to_numpy()
    change = frame[[f"change_{name}" for name in EXPRESSIONS]].to_numpy()
    rest = smooth - change
    assert np.ptp(rest, axis=0) == pytest.approx(0, abs=1e-9)
    neutral = smooth[:, EXPRESSIONS.index("neutral")]
    most = np.sort(neutral)[::-1][:13].mean()
    assert rest[0, EXPRESSIONS.index("neutral")] == pytest.approx(most)


def test_uncertain_is_below_the_threshold(frame):
    assert (frame["uncertain"] == (frame["confidence"] < 0.2)).all()


def test_off_by_default():
    names = Beside().columns(EXPRESSIONS)
    assert not any(name.startswith(("smooth", "change")) for name in names)


@pytest.mark.parametrize(
    "options", [{"uncertain": 1.5}, {"uncertain": float("nan")}, {"smooth": 0}]
)
def test_impossible_wishes_are_refused(options):
    with pytest.raises(MienError):
        Beside(**options)
