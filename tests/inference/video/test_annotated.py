from __future__ import annotations

import json

import av
import numpy as np
import pytest
from clips import write_clip

from mien.errors import MienError
from mien.inference.video.annotated import write_annotated
from mien.inference.video.clip import Clip
from mien.inference.video.journal import frame_record
from mien.inference.video.outcome import VideoOutcome
from mien.inference.video.report import VideoReport
from mien.inference.video.run import VideoReader
from mien.inference.video.sampling import Sampling
from mien.inference.video.timeline import timelines


def marked(reader, path, out):
    records = [frame_record(read) for read in reader.read(Clip(path))]
    count = sum(1 for _ in write_annotated(Clip(path), records, reader.analyzer.labels, out))
    return records, count


def frames(path):
    return list(Clip(path).frames())


def sound(path):
    with av.open(str(path)) as file:
        if not file.streams.audio:
            return None
        samples = [frame.to_ndarray()[0] for frame in file.decode(audio=0)]
        return file.streams.audio[0].codec_context.name, np.concatenate(samples)


def test_a_marked_copy_has_the_timing_size_and_sound(reader, clip_path, tmp_path):
    out = tmp_path / "marked.mp4"
    _, count = marked(reader, clip_path, out)
    assert count == 50
    assert [f.place for f in frames(out)] == [f.place for f in frames(clip_path)]
    assert frames(out)[0].size == (320, 240)
    with av.open(str(out)) as file:
        assert file.streams.video[0].codec_context.name == "h264"
    (codec, wave), (old_codec, old_wave) = sound(out), sound(clip_path)
    assert codec == old_codec == "aac"
    assert wave == pytest.approx(old_wave, abs=1e-6)


def test_boxes_are_drawn_where_the_faces_are(reader, clip_path, tmp_path):
    out = tmp_path / "marked.mp4"
    records, _ = marked(reader, clip_path, out)
    for number in (0, 25, 49):
        new, old = frames(out)[number].picture, frames(clip_path)[number].picture
        change = abs(new.astype(int) - old).sum(axis=2)
        x, y, _, height = (round(edge) for edge in records[number]["faces"][0]["box"])
        edge = change[y : y + height, x - 1 : x + 2]
        assert edge.mean() > 60
        assert change[230:, :20].mean() < 25


def test_frames_between_those_read_show_the_earlier_ones(analyzer, clip_path, tmp_path):
    out = tmp_path / "marked.mp4"
    reader = VideoReader(analyzer, Sampling(every=10, start=0.4, end=1.25))
    marked(reader, clip_path, out)
    change = [
        abs(new.picture.astype(int) - old.picture).mean()
        for new, old in zip(frames(out), frames(clip_path), strict=True)
    ]
    assert max(change[:10]) < 3 < min(change[10:31])
    assert max(change[31:]) < 3


@pytest.mark.parametrize("size", [(63, 47), (64, 47), (64, 48)])
def test_odd_sizes_are_kept(reader, tmp_path, size):
    pictures = [np.full((size[1], size[0], 3), 90, np.uint8)] * 5
    path = write_clip(tmp_path / "odd.mp4", pictures)
    out = tmp_path / "marked.mp4"
    marked(reader, path, out)
    assert [frame.size for frame in frames(out)] == [size] * 5


def test_uneven_times_are_kept(reader, numbered, tmp_path):
    times = np.cumsum(np.random.default_rng(1).choice([0.02, 0.04, 0.5], 20)).tolist()
    path = write_clip(tmp_path / "vfr.mkv", numbered[:20], times)
    out = tmp_path / "marked.mp4"
    marked(reader, path, out)
    assert [f.place.time for f in frames(out)] == pytest.approx(
        [f.place.time for f in frames(path)], abs=0.001
    )


def test_sound_that_mp4_cannot_hold_is_converted(reader, numbered, tmp_path):
    path = write_clip(tmp_path / "clip.avi", numbered[:25], codec="mpeg4", sound="pcm_u8")
    out = tmp_path / "marked.mp4"
    marked(reader, path, out)
    codec, heard = sound(out)
    assert codec == "aac"
    assert len(heard) == pytest.approx(16_000, abs=4_000)
    assert heard.std() == pytest.approx(0.5 / np.sqrt(2), abs=0.05)


def test_a_copy_that_cannot_be_written_is_an_error(reader, clip_path, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises((MienError, OSError)):
        marked(reader, clip_path, tmp_path / "file" / "marked.mp4")


def test_a_report_is_one_page_with_plots_and_peaks(reader, clip_path, tmp_path):
    records = [frame_record(read) for read in reader.read(Clip(clip_path))]
    people = timelines(records, reader.analyzer.labels.expressions)
    outcome = VideoOutcome(clip_path, 50, "", people)
    VideoReport(outcome).write(tmp_path / "report")
    written = {path.name for path in (tmp_path / "report").iterdir()}
    assert written == {"index.html", "summary.json", "person-1.png"}
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert page.count("data:image/png") == 1
    assert page.count("data:image/jpeg") >= 1
    assert "http" not in page.replace("http-equiv", "")
    numbers = json.loads((tmp_path / "report" / "summary.json").read_text(encoding="utf-8"))
    (person,) = numbers["persons"]
    assert person["rows"] == 50
    assert person["seconds"] == pytest.approx(2.0)
    assert sum(person["shares"].values()) == pytest.approx(1)
