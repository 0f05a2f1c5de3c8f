"""Videos whose timestamps begin anywhere: MPEG's transport and program streams."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from clips import remuxed, write_clip

from mien.errors import MienError
from mien.inference.video.ahead import wanted_if
from mien.inference.video.annotated import write_annotated
from mien.inference.video.clip import Clip
from mien.inference.video.journal import VideoJournal, frame_record
from mien.inference.video.run import VideoReader
from mien.inference.video.sampling import Sampling

LATER = Fraction(10)
STREAMS = {"ts": ("libx264", "aac"), "m2ts": ("mpeg2video", "mp2"), "mpg": ("mpeg2video", "mp2")}
"""What cameras write and what is broadcast: suffixes, each with a picture's and a sound's codec."""


def late(folder, pictures, suffix, later=LATER, begin=0.48):
    """Write pictures from about half a second after the sound on, with timestamps from 10 s on."""
    codec, sound = STREAMS[suffix]
    times = [begin + number / 25 for number in range(len(pictures))]
    plain = write_clip(folder / "plain.mkv", pictures, times, codec=codec, sound=sound)
    return remuxed(plain, folder / f"late.{suffix}", later)


def begins(path):
    """When picture and sound begin, in seconds of the timestamps."""
    with av.open(str(path)) as file:
        picture, sound = file.streams.video[0], file.streams.audio[0]
        return [float(track.start_time * track.time_base) for track in (picture, sound)]


@pytest.mark.parametrize("suffix", STREAMS)
def test_times_are_from_where_the_file_begins_with_its_picture_or_its_sound(
    tmp_path, numbered, suffix
):
    path = late(tmp_path, numbered, suffix)
    picture, sound = begins(path)
    assert sound == pytest.approx(10, abs=0.1)
    clip = Clip(path)
    times = [frame.place.time for frame in clip.frames()]
    expected = [picture - sound + number / 25 for number in range(50)]
    assert times == pytest.approx(expected, abs=1e-6)
    assert (clip.start, clip.until) == pytest.approx((times[0], times[-1] + 0.04))
    assert 0.48 <= clip.start <= 0.6


@pytest.mark.parametrize(("suffix", "codec"), [("mkv", "libx264"), ("mp4", "libx264")])
def test_times_of_other_files_stay_as_they_are(tmp_path, numbered, suffix, codec):
    plain = write_clip(tmp_path / f"plain.{suffix}", numbered, codec=codec)
    path = remuxed(plain, tmp_path / f"late.{suffix}", LATER)
    assert [frame.place.time for frame in Clip(path).frames()] == pytest.approx(
        [10 + number / 25 for number in range(50)]
    )


@pytest.mark.parametrize("ticks", [0, 1, 133_800, 900_001, 2**33 - 90_000])
def test_a_file_begins_at_0_exactly_wherever_its_clock_stands(analyzer, tmp_path, numbered, ticks):
    """Its header is rounded to microseconds; 2^33 ticks are where the clock of MPEG runs over."""
    plain = write_clip(tmp_path / "plain.mp4", numbered)
    path = remuxed(plain, tmp_path / "late.ts", Fraction(ticks, 90_000))
    reader = VideoReader(analyzer, Sampling(start=0.0, end=2.0))
    times = [read.place.time for read in reader.read(Clip(path))]
    assert times[0] == 0.0
    assert times == pytest.approx([number / 25 for number in range(50)])


@pytest.mark.parametrize("suffix", STREAMS)
def test_a_part_is_told_by_the_times_of_the_file(analyzer, tmp_path, numbered, suffix):
    path = late(tmp_path, numbered, suffix, begin=0.0)
    first = Clip(path).start
    assert 0 <= first < 0.1
    reader = VideoReader(analyzer, Sampling(start=0.5, end=1.0))
    places = [read.place for read in reader.read(Clip(path))]
    inside = [n for n in range(50) if 0.5 <= first + n / 25 < 1.0]
    assert [place.index for place in places] == inside


@pytest.mark.parametrize("suffix", STREAMS)
@pytest.mark.parametrize("last", [0, 11, 12, 30, 48])
def test_reading_carries_on_behind_any_frame_of_it(tmp_path, numbered, suffix, last):
    clip = Clip(late(tmp_path, numbered, suffix))
    whole = list(clip.frames())
    rest = list(clip.frames(whole[last].place))
    assert [frame.place for frame in rest] == [frame.place for frame in whole[last + 1 :]]
    for one, other in zip(rest, whole[last + 1 :], strict=True):
        assert np.array_equal(one.picture, other.picture)
    assert np.array_equal(clip.at(whole[last].place).picture, whole[last].picture)


def test_winding_goes_by_the_times_of_the_file(tmp_path, numbered):
    clip, looked = Clip(late(tmp_path, numbered * 4, "ts")), []
    wanted = list(clip.frames())[-1].place
    clip.at(wanted)  # whether it can be wound is known from now on
    with wanted_if(lambda: looked.append(None)):
        assert clip.at(wanted).place == wanted
    # Of 200 frames those of the last two seconds, and back to a key frame.
    assert 0 < len(looked) < 100


@pytest.mark.parametrize("suffix", STREAMS)
def test_picture_and_sound_of_its_marked_copy_stay_together(reader, tmp_path, numbered, suffix):
    path, out = late(tmp_path, numbered, suffix), tmp_path / "marked.mp4"
    records = [frame_record(read) for read in reader.read(Clip(path))]
    assert len(list(write_annotated(Clip(path), records, reader.analyzer.labels, out))) == 50
    (picture, sound), (old_picture, old_sound) = begins(out), begins(path)
    assert picture - sound == pytest.approx(old_picture - old_sound, abs=0.001)
    assert sound == pytest.approx(0, abs=0.001)
    assert [frame.place.time for frame in Clip(out).frames()] == pytest.approx(
        [record["time"] for record in records], abs=0.001
    )


def test_times_of_an_earlier_version_are_not_carried_on(reader, tmp_path):
    path, settings = tmp_path / "journal", reader.settings([tmp_path / "clip.MTS"])
    VideoJournal.create(path, settings.model_copy(update={"times": "as stored"})).close()
    path.write_text(path.read_text().replace(', "times": "as stored"', ""))
    with pytest.raises(MienError, match="begun with times 'as stored', and this run has 'as pl"):
        VideoJournal.resume(path, settings)


def test_a_run_over_other_videos_is_carried_on_as_an_earlier_version_began_it(tmp_path, reader):
    settings = reader.settings([tmp_path / "clip.mp4"])
    VideoJournal.create(tmp_path / "journal", settings).close()
    text = (tmp_path / "journal").read_text()
    (tmp_path / "journal").write_text(text.replace(', "times": "as stored"', ""))
    VideoJournal.resume(tmp_path / "journal", settings).close()
