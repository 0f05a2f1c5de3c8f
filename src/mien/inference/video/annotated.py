"""A marked copy of a video: boxes, persons and expressions drawn into its frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from av.error import FFmpegError

from mien.errors import VideoError
from mien.files import whole_file
from mien.inference.lines import Record
from mien.inference.render import annotate
from mien.inference.video.ahead import Ahead
from mien.inference.video.clip import Clip
from mien.inference.video.container import reason
from mien.inference.video.decoding import origin
from mien.inference.video.encoding import VideoWriter
from mien.inference.video.frame import Frame
from mien.inference.video.journal import readings_of
from mien.inference.video.reading import FaceReading
from mien.inference.video.sound import Sound, known_track
from mien.labels import LabelSet

AHEAD = 4
"""Frames that are decoded, and drawn, ahead of the encoder."""


def write_annotated(
    clip: Clip, records: Iterable[Record], labels: LabelSet, path: Path
) -> Iterator[Frame]:
    """Write a marked copy with the timing, size and sound of the video, if the sound is known.

    Where the size is odd, a pixel is added.

    Frames between two that were read show the earlier one's readings.

    Args:
        clip: The video.
        records: What was read from its frames, in order.
        labels: The expressions of the records.
        path: The MP4 to write; it is there, whole, when the iteration ends.

    Yields:
        The frames that have been written.

    Raises:
        MienError: If the video cannot be read, or the file cannot be written.
    """
    readings = _Readings(records, labels)
    with whole_file(path) as temporary, ExitStack() as stack:
        frames = stack.enter_context(Ahead(clip.frames(), size=AHEAD))
        marked = stack.enter_context(Ahead(_marked(frames, readings), size=AHEAD))
        try:
            yield from _write(clip, marked, (temporary, path), stack)
        except FFmpegError as error:
            raise VideoError(f"{path} cannot be written: {reason(error)}.") from error


def _marked(frames: Iterable[Frame], readings: _Readings) -> Iterator[Frame]:
    for frame in frames:
        yield replace(frame, picture=annotate(frame.picture, readings.of(frame.place.index)))


def _write(
    clip: Clip, frames: Iterable[Frame], target: tuple[Path, Path], stack: ExitStack
) -> Iterator[Frame]:
    path, name = target
    source = stack.enter_context(clip.opened())
    track = known_track(source)
    writer: VideoWriter | None = None
    sound: Sound | None = None
    later = 0.0
    for frame in frames:
        if writer is None:
            # An MP4 cannot say that a frame is shown before 0.
            later = max(0.0, -frame.place.time)
            writer = VideoWriter(path, frame.size, clip.rate, name)
            stack.enter_context(writer)
            shift = later - float(origin(source))
            sound = Sound(source, track, writer.file, shift) if track else None
        if sound:
            sound.until(frame.place.time + later)
        writer.write(frame.picture, frame.place.time + later)
        yield frame
    if sound:
        sound.finish()


class _Readings:
    """The readings of each frame, from records that come in order."""

    def __init__(self, records: Iterable[Record], labels: LabelSet) -> None:
        self._records = iter(records)
        self._labels = labels
        self._shown: Record | None = None
        self._next = next(self._records, None)

    def of(self, index: int) -> tuple[FaceReading, ...]:
        """Return what to draw into a frame; indices come in increasing order."""
        while self._next and self._next["frame"] <= index:
            self._shown, self._next = self._next, next(self._records, None)
        over = self._next is None and self._shown is not None and self._shown["frame"] < index
        if self._shown is None or over:
            return ()
        return readings_of(self._shown, self._labels).readings
