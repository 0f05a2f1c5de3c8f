from __future__ import annotations

import json
import os
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from mien.inference.video import report
from mien.inference.video.clip import Clip
from mien.inference.video.episodes import Episode
from mien.inference.video.frame import Place
from mien.inference.video.journal import frame_record
from mien.inference.video.outcome import VideoOutcome
from mien.inference.video.report import VideoReport
from mien.inference.video.timeline import Timeline, timelines
from mien.inference.video.timeline_plot import timeline_plot


def person(track, rows=30):
    """Somebody who is happy for so many frames."""
    return Timeline(
        "a.mp4",
        track,
        ("happiness", "neutral"),
        np.arange(rows),
        np.arange(rows),
        np.arange(rows) / 25,
        np.zeros(rows, int),
        np.tile([10.0, 20, 30, 40], (rows, 1)),
        np.tile([0.75, 0.25], (rows, 1)),
        np.zeros(rows, np.int8),
        rows / 25,
    )


def test_a_report_is_one_page_with_plots_and_peaks(reader, clip_path, tmp_path):
    records = [frame_record(read) for read in reader.read(Clip(clip_path))]
    end = {"source": str(clip_path), "ended": True, "message": "", "until": 2.0}
    people = timelines([*records, end], reader.analyzer.labels.expressions)
    outcome = VideoOutcome(clip_path, 50, "", people, faceless=6)
    VideoReport(outcome).write(tmp_path / "report")
    written = {path.name for path in (tmp_path / "report").iterdir()}
    assert written == {"index.html", "summary.json", "person-1.png"}
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert page.count("data:image/png") == 1
    assert page.count("data:image/jpeg") >= 1
    assert "http" not in page.replace("http-equiv", "")
    numbers = json.loads((tmp_path / "report" / "summary.json").read_text(encoding="utf-8"))
    assert "50 frames, 12% of them without a face, 1 person." in page
    assert (numbers["frames"], numbers["share_no_face"]) == (50, 0.12)
    (person,) = numbers["persons"]
    assert person["rows"] == 50
    assert person["seconds"] == pytest.approx(2.0)
    assert sum(person["shares"].values()) == pytest.approx(1)


def test_uncertain_readings_are_in_the_summary(mien, tiny_model, clip_path, tmp_path):
    arguments = ("--uncertain", "1", "--report", tmp_path, "--every", "10")
    code, out, _ = mien("analyze", clip_path, "--model", tiny_model, *arguments)
    assert (code, "uncertain 100%" in out) == (0, True)
    numbers = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert numbers["persons"][0]["answered"] == {"uncertain": 1.0, "not a face": 0.0}
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "<th>uncertain</th><th>not a face</th>" in page


def test_a_person_of_one_frame_is_drawn(clip_path, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        VideoReport(VideoOutcome(clip_path, 1, "", [person(1, rows=1)])).write(tmp_path)
    assert (tmp_path / "person-1.png").stat().st_size > 1000


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have Unicode names only")
def test_a_name_that_is_no_text_has_a_report(mien, tiny_model, clip_path, tmp_path):
    video = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    shutil.copy(clip_path, video)
    report, out = tmp_path / "report", tmp_path / "rows.csv"
    arguments = ("--every", "25", "--report", report, "--out", out)
    code, table, err = mien("analyze", video, "--model", tiny_model, *arguments)
    assert (code, "Error" in err) == (0, False)
    assert r"caf\xe9.mp4" in table
    assert r"Expressions in caf\xe9.mp4" in (report / "index.html").read_text(encoding="utf-8")
    numbers = json.loads((report / "summary.json").read_text(encoding="utf-8"))
    assert numbers["source"].endswith(r"caf\xe9.mp4")
    assert r"caf\xe9.mp4" in out.read_text(encoding="utf-8")


def names_above(spans, path):
    """How often each name is written above the plot of a minute with these episodes."""
    found = [
        Episode(name, onset, onset + 0.1, onset + 0.3, 0.9 - onset / 1e3, Place(0, onset), None)
        for name, onset in spans
    ]
    timeline_plot(person(1, 1500), found, path)
    drawn = path.read_text(encoding="utf-8")
    return {name: drawn.count(f"<!-- {name} -->") for name in ("anger", "fear", "surprise")}


def test_names_of_episodes_are_left_out_where_they_would_stand_over_others(tmp_path):
    roomy = [("anger", 5.0), ("fear", 25.0), ("surprise", 45.0), ("anger", 55.0)]
    assert names_above(roomy, tmp_path / "a.svg") == {"anger": 2, "fear": 1, "surprise": 1}
    crowded = [("surprise", 30.0), ("anger", 30.3), ("anger", 30.6), ("fear", 50.0)]
    assert names_above(crowded, tmp_path / "b.svg") == {"anger": 0, "fear": 1, "surprise": 1}


def test_nothing_hidden_is_begun_while_a_plot_is_drawn(clip_path, tmp_path, monkeypatch):
    def killed(*_):
        monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
        raise SystemExit

    monkeypatch.setattr(report, "timeline_plot", killed)
    with pytest.raises(SystemExit):
        VideoReport(VideoOutcome(clip_path, 30, "", [person(1)])).write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["summary.json"]
