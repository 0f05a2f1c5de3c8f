"""Writing frames as H.264 with the timestamps they came with."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from mien.errors import VideoError
from mien.inference.video.container import for_ffmpeg, reason
from mien.preprocess import Image

TICKS = Fraction(1, 90_000)
"""The unit of timestamps, in seconds: fine enough for every usual frame rate."""

QUALITY = {"crf": "20", "preset": "veryfast"}
"""What x264 is told: hardly any visible loss, in less time than the analysis takes."""

LONGEST = (2**31 - 1) // 4
"""Ticks between two frames, at most: 1 h 39 min. An MP4 holds four times as many between a frame's
turn to be decoded and to be shown, and x264's frames that depend on later ones need as many steps.
"""

USUAL_RATE = 25
"""Frames per second that a file claims where nothing is known; timestamps say the truth."""


class VideoWriter:
    """Writes frames into an MP4 or Matroska file as H.264. It is a context manager.

    Args:
        path: The file; its suffix names the container.
        size: Width and height of the frames in pixels. To odd ones a pixel is added, which repeats
            the edge: with halved colour planes, which every player knows, edges are even.
        rate: Frames per second on average; 0 if it is not known.
        name: What errors call the file; None for its path.

    Attributes:
        file: The open file, for a sound beside the frames.

    Raises:
        VideoError: If the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        rate: float,
        name: Path | None = None,
    ) -> None:
        self._name = name or path
        try:
            self.file: OutputContainer = av.open(for_ffmpeg(path), "w")
        except (FFmpegError, OSError) as error:
            raise VideoError(f"{self._name} cannot be written: {reason(error)}.") from error
        usual = Fraction(rate or USUAL_RATE).limit_denominator(1001)
        self._stream = self.file.add_stream("libx264", rate=usual, options=dict(QUALITY))
        self._stream.width, self._stream.height = (edge + edge % 2 for edge in size)
        self._stream.pix_fmt = "yuv420p"
        codec = self._stream.codec_context
        codec.time_base = TICKS
        codec.colorspace, codec.color_range = Colorspace.SMPTE170M, ColorRange.MPEG
        self._converter = VideoReformatter()
        self._last = -1

    def write(self, picture: Image, time: float) -> None:
        """Write a frame.

        Args:
            picture: uint8 (H, W, 3) RGB; scaled where it is not of the writer's size.
            time: When it is shown, in seconds from 0; later than the frame before.

        Raises:
            VideoError: If the file cannot be written, or not hold so long a step.
        """
        frame = av.VideoFrame.from_ndarray(_even(picture), format="rgb24")
        frame = self._converter.reformat(
            frame,
            self._stream.width,
            self._stream.height,
            format=self._stream.pix_fmt,
            dst_colorspace=Colorspace.ITU601,
            dst_color_range=ColorRange.MPEG,
        )
        self._last = self._tick(time)
        frame.pts, frame.time_base = self._last, TICKS
        self._mux(frame)

    def _tick(self, time: float) -> int:
        # Two frames at one time, which broken videos have, would not be accepted.
        tick = max(self._last + 1, round(time / TICKS))
        if 0 <= self._last < tick - LONGEST:
            longest, lasts = (float(t * TICKS) / 3600 for t in (LONGEST, tick - self._last))
            raise VideoError(
                f"{self._name} cannot be written: no frame may last longer than {longest:.1f} h, "
                f"and one lasts {lasts:.1f} h."
            )
        return tick

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._mux(None)
        finally:
            self._close()

    def _mux(self, frame: av.VideoFrame | None) -> None:
        try:
            self.file.mux(self._stream.encode(frame))
        except (FFmpegError, OSError) as error:
            raise VideoError(f"{self._name} cannot be written: {reason(error)}.") from error

    def _close(self) -> None:
        try:
            self.file.close()
        except (FFmpegError, OSError) as error:
            raise VideoError(f"{self._name} cannot be written: {reason(error)}.") from error


def _even(picture: Image) -> Image:
    height, width = picture.shape[:2]
    if not (height % 2 or width % 2):
        return picture
    return np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
