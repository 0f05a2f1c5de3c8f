"""One pass over a video: packets, frames, and what could not be decoded on the way."""

from __future__ import annotations

import statistics
from array import array
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from mien.inference.video.ahead import check_wanted
from mien.inference.video.container import picture_stream, reason
from mien.inference.video.frame import DecodedFrame, Place
from mien.inference.video.frame_clock import FrameClock
from mien.inference.video.upright import upright
from mien.preprocess import Image

USUAL_RATE = 25.0
"""Frames per second of a video that has neither timestamps nor a rate."""

TOLERANCE = 1.5
"""How many frames may be missing at the end before a video counts as cut short: one, and what
rounded times add."""

WINDOW = 25
"""Steps between the last frames whose median is the usual one: the rate that a file claims may be
that of the finest time it can tell."""

BY_DECODING = ("avi",)
"""FFmpeg's names of formats that hold no timestamps of presentation: those it gives were made up in
the order of decoding, and are wrong where frames are decoded in another order than shown."""

BY_RECORDER = ("mpegts", "mpeg")
"""FFmpeg's names of formats whose timestamps are of the recorder's or the sender's clock and begin
anywhere. Players and programs for coding count their times from the beginning of the file."""


class Decoding:
    """Decodes a video once; iterating over it gives the frames that are still to come.

    Args:
        container: The open video.
        rate: Frames per second, for frames without a timestamp; 0 if it is not known.
        delay: Whether frames may wait in the decoder, several of them decoded at once.
        most_pixels: Frames that are larger, as they are stored, are damage; 0 for any size.

    Attributes:
        stopped: Why reading stopped before the end; empty if it did not.
        until: When the last frame so far ends, in seconds.
    """

    def __init__(
        self,
        container: InputContainer,
        rate: float,
        *,
        delay: bool = True,
        most_pixels: int = 0,
    ) -> None:
        self._container = container
        self._stream = picture_stream(container)
        if most_pixels:  # before it opens: the decoder itself must not make room for more
            self._stream.codec_context.options = {"max_pixels": str(most_pixels)}
        self._stream.thread_type = "AUTO" if delay else "SLICE"
        self._step = 1 / (rate or USUAL_RATE)
        decoding = container.format.name in BY_DECODING
        self._origin = origin(container)
        self._clock = FrameClock(self._step, decoding=decoding, origin=self._origin)
        self._last: Place | None = None
        self._steps: deque[float] = deque(maxlen=WINDOW)
        self._until = 0.0
        self.until = 0.0
        self._damaged = 0
        self.stopped = ""
        self._converter = VideoReformatter()
        self._decoded = self._decode()

    def __iter__(self) -> Iterator[DecodedFrame]:
        return self._decoded

    def find(self, wanted: Place, margin: float) -> DecodedFrame | None:
        """Wind to a frame; the frames still to come are then those behind it.

        Only for videos that `can_be_wound`: elsewhere it may be another frame of that time.

        Args:
            wanted: Where the frame stands.
            margin: Seconds before it at which decoding begins.

        Returns:
            The frame; None if there is none with exactly that timestamp after winding, and it is
            not known where the video stands.
        """
        first = min(0.0, start_of_picture(self._container))
        stamp = max(first, wanted.time - margin) + float(self._origin)
        start = int(stamp / float(self._stream.time_base or 1))
        try:
            self._container.seek(start, stream=self._stream)
        except (FFmpegError, OSError):
            return None
        for found in self:
            if found.place.time >= wanted.time:
                self._last, self._damaged = wanted, wanted.damaged
                same = found.place.time == wanted.time
                return replace(found, place=wanted) if same else None
        return None

    def problems(self, name: str, end: float | None) -> list[str]:
        """Return sentences on what could not be decoded, once the frames have ended.

        Args:
            name: What they call the video.
            end: When its picture should end, in seconds; None if that is not known.
        """
        found = []
        if self._clock.restarts:
            found.append(
                f"The timestamps of {name} begin again at {self._clock.restarts[0]:.2f} s, as in "
                "joined files: the times of what follows are carried on from there."
            )
        if self._damaged:
            parts = "1 part of it is" if self._damaged == 1 else f"{self._damaged} parts of it are"
            found.append(f"{name} is damaged: {parts} left out or blurred.")
        if self.stopped:
            found.append(f"{name} cannot be read beyond {self._until:.2f} s: {self.stopped}.")
        elif end is not None and end - self._until > TOLERANCE * self._usual_step():
            found.append(f"{name} is cut short: it ends at {self._until:.2f} s of {end:.2f} s.")
        return found

    def _usual_step(self) -> float:
        return max(self._step, statistics.median(self._steps) if self._steps else 0.0)

    def _decode(self) -> Iterator[DecodedFrame]:
        for packet in self._packets():
            check_wanted()  # many frames may be passed over before one is given
            try:
                frames = self._stream.decode(packet)
            except (FFmpegError, ValueError):
                self._damaged += 1
                continue
            for frame in frames:
                self._damaged += bool(frame.is_corrupt)
                yield DecodedFrame(self._place(frame), frame, self._convert)

    def _packets(self) -> Iterator[Packet[VideoStream] | None]:
        try:
            yield from self._container.demux(self._stream)
        except (FFmpegError, OSError) as error:
            self.stopped = reason(error)
            yield None  # the frames that the decoder still holds

    def _place(self, frame: av.VideoFrame) -> Place:
        index = self._last.index + 1 if self._last else 0
        time = self._clock.at(frame)
        if self._last:
            self._steps.append(time - self._last.time)
        self._last = Place(index, time, self._damaged)
        lasts = float((frame.duration or 0) * (frame.time_base or 0))
        self.until = time + (lasts or self._step)
        # A frame may say that it is shorter than the usual one: no reason to miss the next.
        self._until = max(self.until, time + self._step)
        return self._last

    def _convert(self, frame: av.VideoFrame) -> Image:
        return upright(frame, self._stream.sample_aspect_ratio, self._converter)


def frame_rate(container: InputContainer) -> float:
    """Return a video's frames per second on average; 0 where it does not say."""
    stream = picture_stream(container)
    return float(stream.average_rate or stream.base_rate or 0)


def can_be_wound(container: InputContainer) -> bool:
    """Return whether no two frames of a video have one time, and its timestamps never begin again.

    Reads it all and decodes nothing. Timestamps that follow the order of decoding, of a codec that
    shows frames in another, are made up: what FFmpeg makes of them depends on where it began.
    """
    stream = picture_stream(container)
    shown, decoded = array("q"), array("q")
    try:
        for packet in container.demux(stream):
            check_wanted()
            if packet.size:  # the last, empty one only says that the video has ended
                if packet.pts is None:
                    return False
                shown.append(packet.pts)
                if packet.dts is not None:
                    decoded.append(packet.dts)
    except (FFmpegError, OSError):
        pass  # the end of a video that is cut short
    made_up = stream.codec_context.has_b_frames and shown == decoded
    in_order = bool(np.all(np.diff(decoded) >= 0))
    return not made_up and in_order and len(np.unique(shown)) == len(shown)


def origin(container: InputContainer) -> Fraction:
    """Return the timestamp that is second 0 of a video, in seconds.

    In formats of `BY_RECORDER` it is where the file begins, with its picture or its sound, so that
    both stay together; 0 in all others.
    """
    start = container.start_time
    if container.format.name not in BY_RECORDER or start is None:
        return Fraction(0)
    # The file says it in whole microseconds: by that its first frame could be before 0.
    said = Fraction(start, av.time_base)
    begins = [begin for begin in map(_start, container.streams) if begin is not None]
    return min(begins, key=lambda begin: abs(begin - said), default=said)


def start_of_picture(container: InputContainer) -> float:
    """Return when the first frame of a video is shown, in seconds; 0 where it does not say."""
    start = _start(picture_stream(container))
    return 0.0 if start is None else float(start - origin(container))


def _start(stream: Stream) -> Fraction | None:
    """Return a stream's first timestamp in seconds; None where the file does not say."""
    if stream.start_time is None or stream.time_base is None:
        return None
    return stream.start_time * stream.time_base


def length_of_picture(container: InputContainer) -> float | None:
    """Return how many seconds of picture a video has; None where it does not say."""
    end = end_of_picture(container)
    return None if end is None else end - start_of_picture(container)


def end_of_picture(container: InputContainer) -> float | None:
    """Return when the last frame of a video ends, in seconds; None where it does not say."""
    end = _stamp_of_end(container)
    return None if end is None else end - float(origin(container))


def _stamp_of_end(container: InputContainer) -> float | None:
    stream, kind = picture_stream(container), container.format.name
    if stream.duration is not None and stream.time_base is not None:
        # What ASF calls a duration is counted from 0.
        start = 0 if kind == "asf" else stream.start_time or 0
        return float((start + stream.duration) * stream.time_base)
    if "DURATION" in stream.metadata:  # Matroska, where it is the end
        return _seconds(stream.metadata["DURATION"])
    # With sound beside it, the file's duration may be that of the sound.
    if len(container.streams) > 1 or not container.duration:
        return None
    start = 0 if "matroska" in kind else container.start_time or 0
    return (start + container.duration) / av.time_base


def _seconds(clock: str) -> float | None:
    """Return hours:minutes:seconds in seconds; None if it is none."""
    try:
        hours, minutes, seconds = map(float, clock.split(":"))
    except ValueError:
        return None
    return hours * 3600 + minutes * 60 + seconds
