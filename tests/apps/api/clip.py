"""A real face as a video."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from mien.inference.pictures import read_picture

RATE = 20


def write_clip(
    path: Path,
    portrait: Path,
    frames: int,
    side: int = 240,
    start: float = 0.0,
    aspect: Fraction = Fraction(1),
) -> Path:
    """Write the portrait as a video of so many frames that zooms in a little.

    Args:
        path: The video; its suffix says what container it gets.
        portrait: The picture.
        frames: How many.
        side: Width and height in pixels.
        start: The time of the first frame, in seconds.
        aspect: Of a pixel, width by height.
    """
    picture = read_picture(portrait)[:400, 50:450]
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=RATE, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = side, side, "yuv420p"
        stream.codec_context.sample_aspect_ratio = aspect
        for number in range(frames):
            edge = number % 20
            part = np.ascontiguousarray(picture[edge : 400 - edge, edge : 400 - edge])
            frame = av.VideoFrame.from_ndarray(part, format="rgb24")
            frame = frame.reformat(side, side, "yuv420p")
            frame.pts, frame.time_base = round(start * RATE) + number, Fraction(1, RATE)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def write_camera(path: Path, portrait: Path) -> Path:
    """Write what a camera would see, as Chromium's fake camera takes it: MJPEG, 640x480."""
    room = np.full((480, 640, 3), 120, np.uint8)
    room[:, 130:510] = read_picture(portrait)[20:500, 60:440]
    with av.open(str(path), "w", format="mjpeg") as file:
        stream = file.add_stream("mjpeg", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
        for shift in range(RATE):
            frame = av.VideoFrame.from_ndarray(np.roll(room, shift, axis=1), format="rgb24")
            file.mux(stream.encode(frame.reformat(format="yuvj420p")))
        file.mux(stream.encode())
    return path
