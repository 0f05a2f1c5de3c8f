from __future__ import annotations

import sys
import time
import traceback

import cv2
import pytest
from clips import write_clip

from mien.errors import VideoError
from mien.inference.live.sources import Camera, Player, Stream, live_source


def test_numbers_addresses_and_paths_are_told_apart(clip_path):
    assert isinstance(live_source("0"), Camera)
    assert isinstance(live_source("rtsp://host/stream"), Stream)
    assert isinstance(live_source("HTTP://host/stream"), Stream)
    assert isinstance(live_source("rtmps://host/stream"), Stream)
    assert isinstance(live_source("rtp://host:5004"), Stream)
    assert isinstance(live_source(str(clip_path)), Player)


@pytest.mark.parametrize("number", [97, 99999999999])
def test_a_camera_that_is_not_there_is_one_sentence(number):
    with pytest.raises(VideoError, match=f"Camera {number} cannot be opened: it is missing") as it:
        next(Camera(number).shots())
    assert ("(found: " in str(it.value)) == sys.platform.startswith("linux")


def test_a_number_no_camera_can_have_is_a_sentence(mien, tiny_model):
    code, _, err = mien("live", "99999999999", "--model", tiny_model, "--view", "none")
    assert (code, "Traceback" in err) == (2, False)
    assert "Camera 99999999999 cannot be opened" in err


def test_opencv_before_4_13_is_told_to_be_silent(monkeypatch):
    levels = [3]

    def set_level(level):
        levels.append(level)
        return levels[-2]

    monkeypatch.delattr(cv2.utils, "logging", raising=False)
    monkeypatch.setattr(cv2, "setLogLevel", set_level, raising=False)
    with pytest.raises(VideoError, match="Camera 97 cannot be opened"):
        next(Camera(97).shots())
    assert levels == [3, 0, 3]


def test_a_file_is_played_at_its_own_speed(clip_path):
    start = time.monotonic()
    shots = list(Player(clip_path).shots())
    assert time.monotonic() - start >= 49 / 25
    assert [shot.time for shot in shots] == pytest.approx([n / 25 for n in range(50)])
    # Frames never come early.
    assert all(shot.arrived - shots[0].arrived >= shot.time - 1e-6 for shot in shots)


@pytest.mark.parametrize("address", ["rtsp://{}host/a@b", "http://{}127.0.0.1:9/none?to=a@b"])
@pytest.mark.parametrize("user", ["", "bob@", "bob:secret@", "bob:sec@ret@"])
def test_a_password_is_not_told(address, user):
    stream = live_source(address.format(user))
    assert stream.name == address.format("")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (
            "rtsp://10.0.0.5:554/user=admin&password=s3cret&channel=1&stream=0.sdp",
            "rtsp://10.0.0.5:554/user=…&password=…&channel=1&stream=0.sdp",
        ),
        ("http://host/video.cgi?Usr=x&Pwd=s3cret#a", "http://host/video.cgi?Usr=x&Pwd=…#a"),
        ("http://host/video?token=s3cret", "http://host/video?token=…"),
        ("http://host/bypass=1/tokens=2", "http://host/bypass=1/tokens=2"),
    ],
)
def test_a_password_among_the_parameters_is_not_told(address, name):
    assert live_source(address).name == name


def test_a_password_is_not_in_an_error():
    stream = Stream("http://bob:secret@127.0.0.1:9/none")
    with pytest.raises(VideoError, match=r"http://127\.0\.0\.1:9/none cannot be opened") as caught:
        next(stream.shots())
    assert "secret" not in "".join(traceback.format_exception(caught.value))


def test_what_is_wrong_with_a_file_that_is_played_is_said_at_its_end(numbered, tmp_path):
    whole = write_clip(tmp_path / "whole.mp4", numbered[:20], movflags="faststart")
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: int(0.6 * whole.stat().st_size)])
    shots = []
    with pytest.raises(VideoError, match=r"cut\.mp4 (is cut short|cannot be read beyond)"):
        shots.extend(Player(cut).shots())
    assert shots
