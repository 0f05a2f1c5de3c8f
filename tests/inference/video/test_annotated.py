from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from clips import with_unknown_sound, write_clip

from mien.errors import MienError
from mien.inference.video.annotated import write_annotated
from mien.inference.video.clip import Clip
from mien.inference.video.journal import frame_record
from mien.inference.video.run import VideoReader
from mien.inference.video.sampling import Sampling


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
def test_odd_sizes_are_made_even_for_players(reader, tmp_path, size):
    pictures = [np.full((size[1], size[0], 3), 90, np.uint8)] * 5
    path = write_clip(tmp_path / "odd.mp4", pictures)
    out = tmp_path / "marked.mp4"
    marked(reader, path, out)
    assert [frame.size for frame in frames(out)] == [(64, 48)] * 5
    with av.open(str(out)) as file:
        assert file.streams.video[0].codec_context.pix_fmt == "yuv420p"
    assert all(abs(frame.picture.astype(int) - 90).max() < 6 for frame in frames(out))


def test_uneven_times_are_kept(reader, numbered, tmp_path):
    times = np.cumsum(np.random.default_rng(1).choice([0.02, 0.04, 0.5], 20)).tolist()
    path = write_clip(tmp_path / "vfr.mkv", numbered[:20], times)
    out = tmp_path / "marked.mp4"
    marked(reader, path, out)
    assert [f.place.time for f in frames(out)] == pytest.approx(
        [f.place.time for f in frames(path)], abs=0.001
    )


@pytest.mark.parametrize(
    ("suffix", "video", "codec"),
    [("avi", "mpeg4", "pcm_u8"), ("mkv", "libx264", "pcm_s16le"), ("mov", "libx264", "pcm_s16le")],
)
def test_unpacked_sound_is_converted(reader, numbered, tmp_path, suffix, video, codec):
    path = write_clip(tmp_path / f"clip.{suffix}", numbered[:25], codec=video, sound=codec)
    out = tmp_path / "marked.mp4"
    marked(reader, path, out)
    codec, heard = sound(out)
    assert codec == "aac"
    assert len(heard) == pytest.approx(16_000, abs=4_000)
    assert heard.std() == pytest.approx(0.5 / np.sqrt(2), abs=0.05)


def test_sound_of_an_unknown_format_is_left_out(reader, numbered, tmp_path):
    path = with_unknown_sound(tmp_path / "clip.avi", numbered[:25])
    out = tmp_path / "marked.mp4"
    marked(reader, path, out)
    assert Clip(path).unheard
    assert (len(frames(out)), sound(out)) == (25, None)


def test_rows_are_written_though_the_sound_is_unknown(mien, tiny_model, numbered, tmp_path):
    path = with_unknown_sound(tmp_path / "clip.avi", numbered[:5])
    out, copies = tmp_path / "r.jsonl", tmp_path / "marked"
    arguments = ("--out", out, "--annotated", copies)
    code, _, err = mien("analyze", path, "--model", tiny_model, *arguments)
    assert (code, err.count("Error"), "Traceback" in err) == (1, 1, False)
    assert f"The sound of {path} has an unknown format: its marked copy has none." in err
    assert len(out.read_text(encoding="utf-8").splitlines()) == 5
    assert len(frames(copies / "clip.avi.mp4")) == 5


def test_pixels_are_square(reader, numbered, tmp_path):
    path = write_clip(tmp_path / "wide.mp4", numbered[:5], rotation=90, aspect=Fraction(4, 3))
    out = tmp_path / "marked.mp4"
    marked(reader, path, out)
    with av.open(str(out)) as file:
        stream = file.streams.video[0]
        assert (stream.width, stream.height) == (48, 85 + 1)  # of even edges
        assert stream.sample_aspect_ratio in (None, 0, 1)  # 0: FFmpeg does not say


def test_a_copy_that_would_begin_before_0_begins_at_0(reader, numbered, tmp_path):
    times = [-0.5 + number / 25 for number in range(20)]
    options = {"codec": "wmv2", "sound": "mp2", "avoid_negative_ts": "disabled"}
    path = write_clip(tmp_path / "early.wmv", numbered[:20], times, **options)
    assert frames(path)[0].place.time == pytest.approx(-0.5)
    out = tmp_path / "marked.mp4"
    marked(reader, path, out)
    assert [f.place.time for f in frames(out)] == pytest.approx([n / 25 for n in range(20)])
    with av.open(str(out)) as file:
        # In the original the sound begins half a second after the picture.
        heard = next(file.decode(audio=0)).time
    assert heard == pytest.approx(0.5, abs=0.07)


@pytest.mark.parametrize("codec", ["aac", "mp2"])
def test_a_joined_video_has_a_whole_copy(reader, numbered, tmp_path, codec):
    first = write_clip(tmp_path / "first.ts", numbered[:25], sound=codec)
    path = tmp_path / "joined.ts"
    path.write_bytes(first.read_bytes() * 2)
    out = tmp_path / "marked.mp4"
    marked(reader, path, out)
    times = [f.place.time - frames(out)[0].place.time for f in frames(out)]
    assert times == pytest.approx([n / 25 for n in range(50)], abs=0.001)
    _, heard = sound(out)
    assert len(heard) == pytest.approx(32_000, abs=6_000)
    assert heard.std() == pytest.approx(0.5 / np.sqrt(2), abs=0.05)


def test_frames_too_far_apart_for_an_mp4_are_one_sentence(reader, numbered, tmp_path):
    path = write_clip(tmp_path / "lapse.mkv", numbered[:2], [0.0, 8 * 3600.0])
    message = r"marked\.mp4 cannot be written: no frame may last longer than 1\.7 h, .* 8\.0 h\."
    with pytest.raises(MienError, match=message):
        marked(reader, path, tmp_path / "marked.mp4")


def test_frames_far_apart_are_marked(reader, numbered, tmp_path):
    times = [0.0, 5900.0, 11_800.0, 17_700.0]
    path = write_clip(tmp_path / "lapse.mkv", numbered[:4], times)
    marked(reader, path, tmp_path / "marked.mp4")
    assert [f.place.time for f in frames(tmp_path / "marked.mp4")] == pytest.approx(times)


def test_a_copy_that_cannot_be_written_is_an_error(reader, clip_path, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises((MienError, OSError)):
        marked(reader, clip_path, tmp_path / "file" / "marked.mp4")
