from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import MienError
from mien.inference.video.frame import Frame, Place
from mien.inference.video.sampling import Sampling

PICTURE = np.zeros((1, 1, 3), np.uint8)


def frames(times):
    return [Frame(Place(index, time), PICTURE) for index, time in enumerate(times)]


def picked(sampling, times, after=None):
    rest = frames(times) if after is None else frames(times)[after.index + 1 :]
    return [frame.place for frame in sampling.pick(rest, after)]


STEADY = [number / 30 for number in range(90)]


def test_every_nth_frame():
    assert [p.index for p in picked(Sampling(every=7), STEADY)] == list(range(0, 90, 7))


def test_frames_per_second_of_the_video():
    assert [p.index for p in picked(Sampling(fps=10), STEADY)] == list(range(0, 90, 3))


def test_more_frames_per_second_than_there_are_is_all():
    assert len(picked(Sampling(fps=1000), STEADY)) == 90


def test_start_and_end_are_times_of_the_stream():
    places = picked(Sampling(start=1.0, end=2.0), STEADY)
    assert [p.index for p in places] == list(range(30, 60))


def test_what_is_shown_before_0_is_read_unless_a_start_is_given():
    early = [number / 10 - 1 for number in range(20)]
    assert picked(Sampling(), early) == [frame.place for frame in frames(early)]
    assert [p.index for p in picked(Sampling(end=-0.5), early)] == list(range(5))
    assert [p.index for p in picked(Sampling(start=0.0), early)] == list(range(10, 20))
    assert [p.index for p in picked(Sampling(fps=5), early)] == list(range(0, 20, 2))


@given(
    steps=st.lists(st.floats(0.001, 0.5), min_size=2, max_size=60),
    fps=st.one_of(st.none(), st.floats(0.5, 60)),
    every=st.integers(1, 5),
    data=st.data(),
)
def test_carrying_on_behind_a_picked_frame_picks_the_same(steps, fps, every, data):
    times = np.cumsum(steps).tolist()
    sampling = Sampling(fps=fps) if fps else Sampling(every=every)
    whole = picked(sampling, times)
    last = data.draw(st.integers(0, len(whole) - 1)) if whole else None
    if last is not None:
        assert picked(sampling, times, whole[last]) == whole[last + 1 :]


@given(steps=st.lists(st.floats(0.001, 0.5), min_size=2, max_size=60), fps=st.floats(0.5, 30))
def test_no_second_has_more_frames_than_asked_for(steps, fps):
    places = picked(Sampling(fps=fps), np.cumsum(steps).tolist())
    span = places[-1].time - places[0].time
    assert len(places) <= span * fps + 2


@pytest.mark.parametrize(
    "options",
    [
        {"every": 0},
        {"fps": 0.0},
        {"fps": float("nan")},
        {"fps": 1e308},
        {"fps": 5.0, "every": 2},
        {"start": 2.0, "end": 1.0},
        {"start": float("-inf")},
        {"end": float("nan")},
    ],
)
def test_impossible_samplings_are_refused(options):
    with pytest.raises(MienError):
        Sampling(**options)
