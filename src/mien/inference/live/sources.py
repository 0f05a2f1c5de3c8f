"""Where live frames come from: a camera, a stream, or a file played at its own speed."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from mien.errors import VideoError
from mien.inference.silence import silent
from mien.inference.video.clip import Clip
from mien.inference.video.container import open_video
from mien.inference.video.decoding import Decoding, frame_rate
from mien.preprocess import Image

SCHEMES = (
    *("rtsp://", "rtsps://", "rtmp://", "rtmps://", "rtp://", "http://", "https://"),
    *("udp://", "tcp://", "srt://"),
)
"""How the address of a stream begins."""

USER = re.compile(r"(?<=://)[^/?#]*@")
"""The user and the password in an address."""

SECRET = re.compile(r"(?<=[/?&;])(user(?:name)?|pass(?:word|wd)?|pwd|token)=[^/?&;#]*", re.I)
"""The same where cameras take them as parameters of the path or the query."""

TIMEOUT = 5.0
"""Seconds without a frame after which a stream counts as lost."""

LARGEST = 2**31 - 1
"""The largest number that OpenCV takes for a camera."""

LOW_DELAY = {"flags": "low_delay", "rtsp_transport": "tcp"}
"""What FFmpeg is told of a stream. What it holds back while it finds out what the stream is comes
at once then, and all but the newest frame is dropped."""


@dataclass(frozen=True)
class Shot:
    """A frame as it came.

    Args:
        picture: uint8 (H, W, 3) in RGB order.
        arrived: When, on the clock of `time.monotonic`.
        time: Its time in a played file, in seconds; None where `arrived` says when it was taken.
    """

    picture: Image
    arrived: float
    time: float | None = None


class Source(Protocol):
    """Gives frames as they come.

    Attributes:
        name: What errors and rows call it.
        returns: Whether it is worth opening again after it ended or failed.
    """

    name: str
    returns: bool

    def shots(self) -> Generator[Shot]:
        """Open the source and give its frames; waits for each.

        Raises:
            VideoError: If it cannot be opened, or fails.
        """
        ...


def live_source(text: str) -> Source:
    """Return the source that a number, an address or a path stands for.

    Args:
        text: A camera's number from 0, the address of a stream, or a video file.
    """
    if text.isdecimal():
        return Camera(int(text))
    if text.lower().startswith(SCHEMES):
        return Stream(text)
    return Player(Path(text))


class Camera:
    """A camera of this machine, by its number."""

    returns = True

    def __init__(self, number: int) -> None:
        self.name = f"camera {number}"
        self._number = number

    def shots(self) -> Generator[Shot]:
        """Give the camera's frames."""
        capture = _opened(self._number)
        try:
            while True:
                good, picture = capture.read()
                if not good:
                    raise VideoError(f"{self.name.capitalize()} stopped: it was unplugged.")
                rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
                yield Shot(np.asarray(rgb, dtype=np.uint8), time.monotonic())
        finally:
            capture.release()


class Stream:
    """A stream by its address: RTSP, HTTP and what else FFmpeg knows.

    Its name is the address without the user and the password that may stand in it, before the host
    or as parameters. One that ends where it says that it does, such as a film, does not return.
    """

    returns = True

    def __init__(self, address: str) -> None:
        self.name = SECRET.sub(r"\1=…", USER.sub("", address))
        self._address = address

    def shots(self) -> Generator[Shot]:
        """Give the stream's frames."""
        with open_video(self._address, LOW_DELAY, TIMEOUT, self.name) as container:
            decoding = Decoding(container, frame_rate(container), delay=False)
            for found in decoding:
                yield Shot(found.frame().picture, time.monotonic())
            if decoding.stopped:
                raise VideoError(f"{self.name} was lost: {decoding.stopped}.")
            self.returns = container.duration is None


class Player:
    """A video file, played at its own speed as if it were a camera."""

    returns = False

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path

    def shots(self) -> Generator[Shot]:
        """Give the frames when they are due."""
        start: float | None = None
        clip = Clip(self._path)
        for frame in clip.frames():
            if start is None:
                start = time.monotonic() - frame.place.time
            due = start + frame.place.time
            time.sleep(max(0.0, due - time.monotonic()))
            yield Shot(frame.picture, due, frame.place.time)
        if clip.problems:
            raise VideoError(" ".join(clip.problems))


def _opened(number: int) -> cv2.VideoCapture:
    # That there is no camera is said below; OpenCV would print it, too.
    with silent():
        capture = cv2.VideoCapture(number) if number <= LARGEST else cv2.VideoCapture()
    if not capture.isOpened():
        raise VideoError(
            f"Camera {number} cannot be opened: it is missing, or another program uses it"
            f"{_found()}."
        )
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return capture


def _found() -> str:
    """Return which cameras there are, where that is known."""
    if not sys.platform.startswith("linux"):
        return ""
    found = ", ".join(sorted(path.name for path in Path("/dev").glob("video*")))
    return f" (found: {found or 'none'})"
