"""Reading videos one after the other into a journal, from where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from mien.errors import VideoError
from mien.inference.analyzer import Analyzer
from mien.inference.face import Face
from mien.inference.video.clip import Clip
from mien.inference.video.finder import FaceFinder, Search
from mien.inference.video.frame import Place
from mien.inference.video.journal import VideoJournal, VideoSettings, readings_of
from mien.inference.video.outcome import frames_of
from mien.inference.video.pipeline import read_frames
from mien.inference.video.reading import FrameReadings
from mien.inference.video.sampling import Sampling

RECORDED = (".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".vob")
"""The suffixes of videos whose stored times begin anywhere, and are counted from the beginning."""


@dataclass(frozen=True)
class VideoReader:
    """Reads videos: which of their frames, and how closely.

    Args:
        analyzer: Reads the faces.
        sampling: Which frames.
        search: How often and how closely the detector looks.
        most_pixels: Frames that are larger, as they are stored, are damage; 0 for any size.
    """

    analyzer: Analyzer
    sampling: Sampling = field(default_factory=Sampling)
    search: Search = field(default_factory=Search)
    most_pixels: int = 0

    def settings(self, inputs: Sequence[Path]) -> VideoSettings:
        """Return what the rows of these videos depend on."""
        shared = {**self.analyzer.settings.model_dump(), "inputs": tuple(map(str, inputs))}
        return VideoSettings(
            **shared,
            **asdict(self.sampling),
            detect_every=self.search.every,
            thorough=self.search.thorough,
            pictures="upright",
            times=_times(inputs),
        )

    def read(self, clip: Clip) -> Iterator[FrameReadings]:
        """Read a video from its beginning; decoding, finding and classifying run at once.

        Raises:
            VideoError: If not one frame can be decoded.
        """
        finder = FaceFinder(self.analyzer.new_detector(), self.search)
        yield from self._read(clip, finder, None)

    def read_into(self, journal: VideoJournal, path: Path) -> Iterator[FrameReadings]:
        """Read what the journal lacks of a video, and write it down before giving it.

        What is wrong with the video is written down at its end.

        Yields:
            What is read from each frame, in order.
        """
        if path in journal:
            return
        problems: list[str] = []
        until: float | None = None
        try:
            clip = Clip(path, self.most_pixels)
            for read in self._carried_on(clip, journal):
                journal.add(read)
                yield read
            problems = clip.problems
            ends = (clip.until, self.sampling.end)
            until = min((end for end in ends if end is not None), default=None)
            if journal.last(path) is None:
                raise VideoError(self._nothing(clip))
        except VideoError as error:
            problems = [str(error)]
        journal.end(path, problems, until)

    def _carried_on(self, clip: Clip, journal: VideoJournal) -> Iterator[FrameReadings]:
        finder = FaceFinder(self.analyzer.new_detector(), self.search)
        after = journal.last(clip.path)
        if after is not None:
            self._replay(finder, journal, clip.path)
        yield from self._read(clip, finder, after)

    def _read(self, clip: Clip, finder: FaceFinder, after: Place | None) -> Iterator[FrameReadings]:
        picked = self.sampling.pick(clip.decoded(after), after)
        frames = (found.frame() for found in picked)
        yield from read_frames(self.analyzer, frames, finder, str(clip.path))

    def _nothing(self, clip: Clip) -> str:
        ends = "" if clip.end is None else f" and ends at {clip.end:.2f} s"
        return (
            f"{clip.path} has no frame {self.sampling.span}: it begins at {clip.start:.2f} s{ends}."
        )

    def _replay(self, finder: FaceFinder, journal: VideoJournal, path: Path) -> None:
        for record in frames_of(journal, path):
            read = readings_of(record, self.analyzer.labels)
            faces: list[Face] = [reading.face for reading in read.readings]
            finder.replay(read.place, read.size, faces)


def _times(inputs: Sequence[Path]) -> Literal["as stored", "as played"]:
    return "as played" if any(path.suffix.lower() in RECORDED for path in inputs) else "as stored"
