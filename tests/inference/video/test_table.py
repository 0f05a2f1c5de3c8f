from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from mien.errors import MienError
from mien.inference.video.episodes import episodes
from mien.inference.video.results import VideoResults
from mien.inference.video.smoothing import centred
from mien.inference.video.table import TABLES, Beside
from mien.inference.video.timeline import timelines
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
    counted = (frame["answer"] != "not a face").to_numpy()
    assert counted.any()
    assert smooth == pytest.approx(centred(frame["time"].to_numpy(), raw, 0.1, counted))
    leading = np.array(EXPRESSIONS)[smooth.argmax(axis=1)]
    assert (frame["smooth_expression"] == leading).all()
    assert raw.sum(axis=1) == pytest.approx(1)


def face(track, neutral):
    verdict = {"verdict": ["sure", None, None], "score": 1.0, "detected": True}
    return {"track": track, "box": [1, 2, 3, 4], "probabilities": [1 - neutral, neutral], **verdict}


def test_changes_are_from_the_persons_own_rest_and_empty_without_one():
    neutral = np.linspace(0.1, 0.8, 8)
    records = [
        {"source": "a", "frame": n, "time": n, "damaged": 0, "faces": [face(1, p), face(2, p / 8)]}
        for n, p in enumerate(neutral.tolist())
    ]
    rows = list(Beside(baseline=True).rows(lambda: records, ("happiness", "neutral")))
    change = [row["change_neutral"] for row in rows if row["track"] == 1]
    assert change == pytest.approx(neutral - (0.7 + 0.8) / 2)
    smiling = [row for row in rows if row["track"] == 2]
    assert {row["change_neutral"] for row in smiling} == {None}
    assert {row["change_happiness"] for row in smiling} == {None}


def test_a_hand_before_the_face_is_no_part_of_what_the_face_shows():
    """Half a second of a hand, which looks surprised, in three of a neutral face."""
    shown = np.tile([0.1, 0.8, 0.1], (75, 1))
    shown[30:43] = [0.1, 0.1, 0.8]
    records = [
        {
            "source": "a",
            "frame": number,
            "time": number / 25,
            "damaged": 0,
            "faces": [
                face(1, 0.0)
                | {"probabilities": row}
                | {"verdict": ["not a face" if 30 <= number < 43 else "sure", None, None]}
            ],
        }
        for number, row in enumerate(shown.tolist())
    ]
    names = ("happiness", "neutral", "surprise")
    beside = Beside(smooth=0.2, baseline=True)
    rows = list(beside.rows(lambda: records, names))
    smooth = np.array([[row[f"smooth_{name}"] for name in names] for row in rows])
    change = np.array([[row[f"change_{name}"] for name in names] for row in rows])
    assert smooth == pytest.approx(shown)
    assert change == pytest.approx(shown - [0.1, 0.8, 0.1])
    found = episodes(beside.shown(*timelines(records, names)))
    assert [(e.expression, e.onset, e.offset) for e in found] == [
        ("neutral", 0.0, pytest.approx(1.2)),
        ("neutral", pytest.approx(1.72), pytest.approx(2.96)),
    ]


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
