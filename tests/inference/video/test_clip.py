from __future__ import annotations

import os

import av
import numpy as np
import pytest
from av.stream import Disposition
from clips import write_clip

from mien.errors import VideoError
from mien.inference.video.clip import Clip
from mien.inference.video.kind import is_video


def decoded(path, after=None):
    clip = Clip(path)
    return list(clip.frames(after)), clip.problems


def brightness(frames):
    return [float(frame.picture.mean()) for frame in frames]


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        ("mp4", "libx264"),
        ("mov", "libx264"),
        ("mkv", "libx264"),
        ("avi", "mpeg4"),
        ("webm", "libvpx"),
        ("ts", "libx264"),
        ("gif", "gif"),
    ],
)
def test_every_container_gives_every_frame_in_order(tmp_path, numbered, suffix, codec):
    path = write_clip(tmp_path / f"clip.{suffix}", numbered, codec=codec)
    frames, problems = decoded(path)
    assert is_video(path)
    assert problems == []
    assert [frame.place.index for frame in frames] == list(range(50))
    assert brightness(frames) == pytest.approx([p.mean() for p in numbered], abs=18)
    assert np.all(np.diff(brightness(frames)[::5]) > 0)
    start = frames[0].place.time
    times = [frame.place.time - start for frame in frames]
    assert times == pytest.approx([number / 25 for number in range(50)], abs=0.011)


def test_times_come_from_the_stream(tmp_path, numbered):
    times = np.cumsum(np.random.default_rng(1).choice([0.02, 0.04, 0.11, 0.5], 50)).tolist()
    frames, _ = decoded(write_clip(tmp_path / "vfr.mkv", numbered, times))
    assert [frame.place.time for frame in frames] == pytest.approx(times, abs=0.001)


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_a_rotated_video_is_set_upright(tmp_path, rotation):
    upright = np.zeros((48, 64, 3), np.uint8)
    upright[:, :, 0] = 40
    upright[:24, :32] = (200, 200, 200)
    held = np.rot90(upright, -rotation // 90)
    frames, _ = decoded(
        write_clip(tmp_path / "held.mp4", [np.ascontiguousarray(held)] * 5, rotation=rotation)
    )
    assert frames[0].size == (64, 48)
    assert abs(frames[0].picture.astype(int) - upright).mean() < 8


def test_odd_sizes_are_read(tmp_path):
    picture = np.full((47, 63, 3), 90, np.uint8)
    frames, _ = decoded(write_clip(tmp_path / "odd.mp4", [picture] * 3))
    assert [frame.size for frame in frames] == [(63, 47)] * 3


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "gif"])
@pytest.mark.parametrize("last", [0, 11, 12, 30, 48])
def test_reading_carries_on_behind_any_frame(tmp_path, numbered, suffix, last):
    codec = {"avi": "mpeg4", "gif": "gif"}.get(suffix, "libx264")
    path = write_clip(tmp_path / f"clip.{suffix}", numbered, codec=codec)
    whole, _ = decoded(path)
    rest, _ = decoded(path, whole[last].place)
    assert [frame.place for frame in rest] == [frame.place for frame in whole[last + 1 :]]
    for one, other in zip(rest, whole[last + 1 :], strict=True):
        assert np.array_equal(one.picture, other.picture)


def joined(folder, pictures):
    """Two videos in one file: the times of the second begin anew."""
    half = write_clip(folder / "half.ts", pictures[:25])
    path = folder / "joined.ts"
    path.write_bytes(half.read_bytes() + half.read_bytes())
    return path


def paired(folder, pictures):
    """Two frames in each 40 ms; Matroska writes one time for both."""
    times = [number // 2 / 25 + number % 2 / 5000 for number in range(50)]
    return write_clip(folder / "paired.mkv", pictures, times)


@pytest.mark.parametrize("make", [joined, paired])
@pytest.mark.parametrize("last", [0, 10, 11, 30, 31, 48])
def test_reading_carries_on_where_two_frames_have_one_time(tmp_path, numbered, make, last):
    path = make(tmp_path, numbered)
    whole, _ = decoded(path)
    times = [frame.place.time for frame in whole]
    assert (len(times), len(set(times))) == (50, 25)
    rest, _ = decoded(path, whole[last].place)
    assert [frame.place for frame in rest] == [frame.place for frame in whole[last + 1 :]]
    assert brightness(rest) == brightness(whole[last + 1 :])
    # Another frame of that time would be worse than none.
    assert Clip(path).at(whole[last].place) is None


def test_reading_carries_on_where_no_frame_has_that_time(tmp_path, numbered):
    path = write_clip(tmp_path / "clip.avi", numbered, codec="mpeg4")
    whole, _ = decoded(path)
    odd = whole[20].place.__class__(20, whole[20].place.time + 1e-4)
    rest, _ = decoded(path, odd)
    assert [frame.place for frame in rest] == [frame.place for frame in whole[21:]]


def test_a_length_does_not_count_from_zero(tmp_path, numbered):
    times = [20_000 + number / 25 for number in range(50)]
    clip = Clip(write_clip(tmp_path / "late.ts", numbered, times))
    assert clip.start == pytest.approx(20_000, abs=2)
    assert clip.end - clip.start == pytest.approx(clip.length) == pytest.approx(2)
    assert [frame.place.time - clip.start for frame in clip.frames()] == pytest.approx(
        [number / 25 for number in range(50)]
    )


def test_what_a_video_says_of_itself_may_have_any_encoding(tmp_path, numbered):
    path = write_clip(tmp_path / "clip.mp4", numbered)
    content = path.read_bytes()
    assert b"VideoHandler" in content
    path.write_bytes(content.replace(b"VideoHandler", b"Vid\xe9o handl."))
    assert len(decoded(path)[0]) == 50


def test_a_cover_is_no_video(tmp_path, numbered):
    path = with_cover(tmp_path / "song.m4a", "aac")
    with pytest.raises(VideoError, match=r"song\.m4a holds only sound"):
        Clip(path)
    path = with_cover(tmp_path / "film.mp4", "libx264")
    frames, problems = decoded(path)
    assert ([frame.size for frame in frames], problems) == ([(64, 48)] * 5, [])
    assert Clip(path).rate == 25
    assert Clip(path).end == pytest.approx(0.2)


def with_cover(path, codec):
    """A song, or a film of five frames of 64x48, behind a cover of 16x16."""
    with av.open(str(path), "w", format="mp4") as file:
        cover = file.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 16, 16, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        track = file.add_stream(codec, rate=16_000 if codec == "aac" else 25)
        if codec != "aac":
            track.width, track.height, track.pix_fmt = 64, 48, "yuv420p"
        file.mux(cover.encode(av.VideoFrame(16, 16, "yuvj420p")))
        file.mux(cover.encode())
        for number in range(5):
            if codec == "aac":
                silence = np.zeros((1, 1024), np.float32)
                frame = av.AudioFrame.from_ndarray(silence, "fltp", "mono")
                frame.sample_rate, frame.pts = 16_000, 1024 * number
            else:
                frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24")
            file.mux(track.encode(frame))
        file.mux(track.encode())
    return path


def test_a_single_frame_is_found(tmp_path, numbered):
    path = write_clip(tmp_path / "clip.mp4", numbered)
    whole, _ = decoded(path)
    for index in (0, 17, 49):
        frame = Clip(path).at(whole[index].place)
        assert np.array_equal(frame.picture, whole[index].picture)


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_video_that_is_cut_short_is_read_as_far_as_it_goes(tmp_path, pictures, share):
    whole = write_clip(tmp_path / "whole.mp4", pictures, movflags="faststart")
    content = whole.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(content[: int(len(content) * share)])
    frames, problems = decoded(cut)
    assert 5 < len(frames) < 50
    assert len(problems) >= 1
    assert "cut short" in problems[-1] or "cannot be read beyond" in problems[-1]
    assert str(cut) in problems[-1]


def test_a_damaged_video_is_read_around_the_damage(tmp_path, pictures):
    path = write_clip(tmp_path / "clip.mkv", pictures)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = os.urandom(400)
    path.write_bytes(content)
    frames, problems = decoded(path)
    assert len(frames) >= 30
    assert frames[-1].place.time > 1.5
    assert "is damaged" in problems[0]


def sound_only(path):
    with av.open(str(path), "w") as file:
        track = file.add_stream("aac", rate=16_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate, frame.pts = 16_000, 0
        file.mux(track.encode(frame))
        file.mux(track.encode())
    return path


def no_frames(path):
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        file.start_encoding()
    return path


def as_text(path):
    path.write_text("not a video")
    return path


def headless(path):
    path.write_bytes(b"\0\0\0\x18ftypisom" + os.urandom(500))
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (sound_only, "holds only sound"),
        (no_frames, "clip.mp4"),
        (as_text, "cannot be opened as a video"),
        (headless, "has no index"),
        (lambda path: path, "does not exist"),
        (lambda path: path.mkdir() or path, "is a folder"),
        (lambda path: path.touch() or path, "is empty"),
    ],
)
def test_what_is_no_video_is_one_sentence(tmp_path, make, message):
    path = make(tmp_path / "clip.mp4")
    with pytest.raises(VideoError, match=message) as caught:
        decoded(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).count("\n") == 0


def test_a_wrong_suffix_does_not_matter(tmp_path, numbered):
    path = write_clip(tmp_path / "clip.mp4", numbered).rename(tmp_path / "clip.jpg")
    assert is_video(path)
    assert len(decoded(path)[0]) == 50


def test_photos_are_no_videos(portrait, tmp_path):
    assert not is_video(portrait)
    assert not is_video(tmp_path)
    assert not is_video(tmp_path / "missing.jpg")
    assert is_video(tmp_path / "missing.MOV")


@pytest.mark.data
def test_real_clips_are_read_to_the_end(shared_media):
    frames, problems = decoded(shared_media / "single_face.mp4")
    assert (len(frames), problems) == (72, [])
    assert frames[-1].place.time == pytest.approx(71 / 30)


def test_a_file_without_its_index_says_so(tmp_path, numbered):
    path = write_clip(tmp_path / "clip.mp4", numbered)
    content = path.read_bytes()
    assert content.index(b"moov") > content.index(b"mdat")
    for length in (content.index(b"moov") - 4, 40, 24):
        path.write_bytes(content[:length])
        with pytest.raises(VideoError, match=r"clip\.mp4 has no index \(moov\): it was cut short"):
            Clip(path)
    # With an index that is damaged, the index is not what is missing.
    start = content.index(b"moov")
    path.write_bytes(content[: start + 4] + b"\xff" * 40)
    with pytest.raises(VideoError, match="holds no picture"):
        Clip(path)


def test_a_photo_is_said_to_be_one(tmp_path, portrait):
    path = tmp_path / "photo.jpg"
    path.write_bytes(portrait.read_bytes()[:1000])
    with pytest.raises(VideoError, match=r"photo\.jpg is a photo, not a video"):
        list(Clip(path).frames())


def test_a_gif_that_is_cut_short_says_so(tmp_path, numbered):
    path = write_clip(tmp_path / "clip.gif", numbered, codec="gif")
    content = path.read_bytes()
    assert decoded(path)[1] == []
    path.write_bytes(content + b"behind the end")
    assert decoded(path)[1] == []
    for share in (0.3, 0.6, 0.9):
        path.write_bytes(content[: int(share * len(content))])
        frames, problems = decoded(path)
        assert 1 <= len(frames) < 50
        assert len(problems) == 1
        assert problems[0].startswith(f"{path} is ")
