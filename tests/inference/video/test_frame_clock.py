from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from clips import write_clip

from mien.inference.video.clip import Clip
from mien.inference.video.frame_clock import FrameClock

LASTS = [0, 10, 11, 12, 24, 25, 30, 31, 47, 48]


def reordered(path, pictures):
    """Write frames that are decoded in another order than they are shown, with x264's defaults."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"bf": "3", "g": "12"}
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def joined(path, pictures, sound=None):
    """Write two videos into one file: the times of the second begin anew, and are others."""
    first = write_clip(path.with_name("first.ts"), pictures[:25], sound=sound)
    times = [0.01 + number / 25 for number in range(25)]
    second = write_clip(path.with_name("second.ts"), pictures[25:], times, sound=sound)
    path.write_bytes(first.read_bytes() + second.read_bytes())
    return path


def decoded(path, after=None):
    clip = Clip(path)
    return list(clip.frames(after)), clip.problems


def test_times_rise_where_frames_are_decoded_in_another_order(tmp_path, numbered):
    path = reordered(tmp_path / "clip.avi", numbered)
    with av.open(str(path)) as file:
        stamps = [frame.pts for frame in file.decode(video=0)]
    assert stamps != sorted(stamps)
    frames, problems = decoded(path)
    times = [frame.place.time - frames[0].place.time for frame in frames]
    assert times == pytest.approx([number / 25 for number in range(50)])
    assert problems == []


@pytest.mark.parametrize("last", LASTS)
@pytest.mark.parametrize(("make", "name"), [(reordered, "clip.avi"), (joined, "joined.ts")])
def test_reading_carries_on_at_the_same_times(tmp_path, numbered, make, name, last):
    path = make(tmp_path / name, numbered)
    whole, _ = decoded(path)
    rest, _ = decoded(path, whole[last].place)
    assert [frame.place for frame in rest] == [frame.place for frame in whole[last + 1 :]]
    assert all(map(same, rest, whole[last + 1 :]))
    found = Clip(path).at(whole[last].place)
    # Of a joined file another frame with that timestamp would be worse than none.
    assert found is None if make is joined else same(found, whole[last])


def same(one, other):
    return np.array_equal(one.picture, other.picture)


def test_times_of_a_joined_file_are_carried_on(tmp_path, numbered):
    path = joined(tmp_path / "joined.ts", numbered)
    frames, problems = decoded(path)
    times = [frame.place.time - frames[0].place.time for frame in frames]
    assert times == pytest.approx([number / 25 for number in range(50)], abs=1e-6)
    (problem,) = problems
    start = frames[25].place.time
    assert problem.startswith(f"The timestamps of {path} begin again at {start:.2f} s")


def stamped(pts, dts):
    frame = av.VideoFrame(16, 16, "gray")
    frame.pts, frame.time_base = pts, Fraction(1, 10)
    if dts is not None:
        frame.dts = dts
    return frame


def times(stamps, **options):
    clock = FrameClock(0.1, decoding=False, **options)
    return [clock.at(stamped(*stamp)) for stamp in stamps], clock.restarts


def test_stamps_made_up_in_the_order_of_decoding_are_not_taken():
    found, restarts = times([(1, 0), (4, 1), (3, 2), (5, 3), (2, 4), (7, 5), (8, 6)])
    assert found == pytest.approx([0.1, 0.4, 0.4, 0.4, 0.4, 0.5, 0.6])
    assert restarts == []


def test_what_begins_again_follows_what_was_before():
    # The last frames of the first part come when packets of the second are decoded already.
    stamps = [(5, 5), (6, 6), (7, 0), (8, 1), (0, 2), (1, 3), (2, None), (0, None)]
    found, restarts = times(stamps)
    assert found == pytest.approx([0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2])
    assert restarts == pytest.approx([0.9, 1.2])


def test_frames_without_a_stamp_follow_the_one_before():
    found, restarts = times([(None, None), (None, None), (5, None), (None, None), (6, None)])
    assert found == pytest.approx([0.0, 0.1, 0.5, 0.6, 0.6])
    assert restarts == []
