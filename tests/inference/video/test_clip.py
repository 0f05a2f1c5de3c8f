from __future__ import annotations

import os

import av
import numpy as np
import pytest
from av.stream import Disposition
from clips import write_clip

from mien.errors import VideoError
from mien.inference.video.ahead import wanted_if
from mien.inference.video.clip import Clip
from mien.inference.video.container import open_video
from mien.inference.video.decoding import end_of_picture, start_of_picture
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


def paired(folder, pictures):
    """Two frames in each 40 ms; Matroska writes one time for both."""
    times = [number // 2 / 25 + number % 2 / 5000 for number in range(50)]
    return write_clip(folder / "paired.mkv", pictures, times)


@pytest.mark.parametrize("last", [0, 10, 11, 30, 31, 48])
def test_reading_carries_on_where_two_frames_have_one_time(tmp_path, numbered, last):
    path = paired(tmp_path, numbered)
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
    clip = Clip(write_clip(tmp_path / "late.mkv", numbered, times))
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


def test_a_single_frame_before_0_is_found(tmp_path, numbered):
    times = [number / 25 - 1 for number in range(50)]
    options = {"codec": "wmv2", "avoid_negative_ts": "disabled"}
    path = write_clip(tmp_path / "early.wmv", numbered, times, **options)
    whole, _ = decoded(path)
    assert whole[0].place.time == pytest.approx(-1)
    assert np.array_equal(Clip(path).at(whole[3].place).picture, whole[3].picture)


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


def test_frames_that_are_too_large_are_not_even_decoded(tmp_path, numbered):
    """A file may say that it is small, and grow."""
    path = tmp_path / "grows.ts"
    large = [np.zeros((480, 640, 3), np.uint8)] * 10
    for number, pictures in enumerate((numbered, large)):
        part = write_clip(tmp_path / f"{number}.ts", pictures)
        with path.open("ab") as file:
            file.write(part.read_bytes())
    small = len(numbered)
    frames, problems = decoded(path)
    assert {frame.picture.shape[:2] for frame in frames[small:]} == {(480, 640)}
    clip = Clip(path, most_pixels=100_000)
    shapes = {frame.picture.shape for frame in clip.frames()}
    assert shapes == {numbered[0].shape}
    assert any("is damaged" in problem for problem in clip.problems)
    assert not any("is damaged" in problem for problem in problems)


def test_a_search_for_a_frame_ends_when_nobody_wants_it(tmp_path, numbered):
    clip = Clip(write_clip(tmp_path / "clip.mp4", numbered))
    wanted = list(clip.frames())[-1].place
    looked = []

    def check():
        looked.append(None)
        if len(looked) > 60:  # the file is looked through once, and then decoded up to the frame
            raise VideoError("enough")

    with wanted_if(check), pytest.raises(VideoError, match="enough"):
        clip.at(wanted)
    found = clip.at(wanted)
    assert found is not None
    assert found.place == wanted


def test_a_wrong_suffix_does_not_matter(tmp_path, numbered):
    path = write_clip(tmp_path / "clip.mp4", numbered).rename(tmp_path / "clip.jpg")
    assert is_video(path)
    assert len(decoded(path)[0]) == 50


@pytest.mark.parametrize("suffix", ["mod", "dat", "bin"])
def test_a_transport_stream_is_known_by_its_content(tmp_path, numbered, suffix):
    path = write_clip(tmp_path / "clip.ts", numbered).rename(tmp_path / f"clip.{suffix}")
    assert is_video(path)
    path.write_bytes(b"G" * 100)
    assert not is_video(path)
    path.write_bytes(b"")
    assert not is_video(path)


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


def test_a_whole_video_that_claims_too_fine_a_rate_is_not_cut_short(tmp_path, numbered):
    path = write_clip(tmp_path / "fine.avi", numbered[:30], codec="mjpeg")
    assert Clip(path).rate == 600
    frames, problems = decoded(path)
    assert (len(frames), problems) == (30, [])


@pytest.mark.parametrize("start", [0.0, 100.0])
@pytest.mark.parametrize(
    ("suffix", "codec"), [("flv", "flv1"), ("wmv", "wmv2"), ("mkv", "libx264"), ("ts", "libx264")]
)
def test_a_video_ends_after_it_began(tmp_path, numbered, suffix, codec, start):
    times = [start + n / 25 for n in range(50)]
    path = write_clip(
        tmp_path / f"clip.{suffix}",
        numbered[:50],
        times,
        codec=codec,
        avoid_negative_ts="disabled",
    )
    with open_video(path) as container:
        begin = start_of_picture(container)
        assert begin == pytest.approx(0 if suffix == "ts" else start, abs=0.1)
        assert end_of_picture(container) == pytest.approx(begin + 2, abs=0.1)
    assert decoded(path)[1] == []


def test_a_video_whose_timestamps_are_made_up_resumes_at_every_frame(tmp_path):
    """Its packets say that frames are shown in the order in which they are decoded."""
    path = tmp_path / "made-up.ts"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25, options={"bf": "3", "g": "50", "crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        packets = []
        for number in range(150):
            picture = np.full((48, 64, 3), 40, np.uint8)
            picture[:, number % 64] = 255
            packets += stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24"))
        for number, packet in enumerate([*packets, *stream.encode()]):
            packet.pts = packet.dts = number
            file.mux(packet)
    whole, _ = decoded(path)
    for number in range(0, len(whole) - 1, 7):
        rest, _ = decoded(path, whole[number].place)
        assert [f.place for f in rest] == [f.place for f in whole[number + 1 :]]
        assert brightness(rest) == brightness(whole[number + 1 :])
