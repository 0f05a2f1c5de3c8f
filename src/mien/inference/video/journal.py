"""What has been read from videos so far: it survives an interruption."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, BinaryIO, Literal

from mien.inference.face import Box, Face, Verdict
from mien.inference.journal import Settings, printable
from mien.inference.lines import Lines, Record
from mien.inference.video.frame import Place
from mien.inference.video.reading import FaceReading, FrameReadings
from mien.labels import LabelSet
from mien.preprocess import Square


class VideoSettings(Settings):
    """What the rows of a run over videos depend on.

    Args:
        every: Every so many frames one was read.
        fps: At most so many frames a second were read; None for all.
        start: The first time read, in seconds; None for the beginning.
        end: The time from which no more was read; None for the end.
        detect_every: The detector looked at every so many of the frames read.
        thorough: Seconds between two thorough searches.
        pictures: "upright" where they were turned, mirrored and made square as the video says, and
            times rise; "as stored" in journals of before that, which cannot be carried on.
        times: "as played" where those of MPEG's streams are from the file's beginning; "as stored"
            in journals of before that, and of videos whose times begin at 0 anyway.
    """

    every: int = 1
    fps: float | None = None
    start: float | None = None
    end: float | None = None
    detect_every: int = 1
    thorough: float = 1.0
    pictures: Literal["as stored", "upright"] = "as stored"
    times: Literal["as stored", "as played"] = "as stored"


class VideoJournal(Lines):
    """The frames of videos in the order in which they were read, each written at once.

    After the last frame of a video comes a line that says what was wrong with it, if anything. Its
    lines follow each other, but where a run was interrupted in it: whoever carries that on first
    tries again the videos before it that failed, whose lines then stand between.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        super().__init__(path, file)
        self._count = 0
        # Where each video's lines begin, and where they go on behind those of another one.
        self._begins: dict[str, list[int]] = {}
        self._written: str | None = None
        self._frames: Counter[str] = Counter()
        self._faceless: Counter[str] = Counter()
        self._messages: dict[str, str] = {}
        self._first: dict[str, float] = {}
        self._last: dict[str, Place] = {}
        self._until: dict[str, float] = {}

    def __len__(self) -> int:
        return self._count

    def __contains__(self, source: str | Path) -> bool:
        """Return whether a video was read to its end."""
        return printable(str(source)) in self._messages

    def frames(self, source: str | Path) -> int:
        """Return how many frames of a video were read."""
        return self._frames[printable(str(source))]

    def faceless(self, source: str | Path) -> int:
        """Return in how many of them no face was found."""
        return self._faceless[printable(str(source))]

    def span(self, source: str | Path) -> tuple[float, float] | None:
        """Return when the first frame read of a video is shown and what was read ends, in seconds.

        None if no frame was read. Of a video that has not ended, or not said where, its last
        frame's time is all that is known.
        """
        name = printable(str(source))
        return (self._first[name], self._until[name]) if name in self._first else None

    def message(self, source: str | Path) -> str:
        """Return what was wrong with a video; empty for nothing, or if it has not ended."""
        return self._messages.get(printable(str(source)), "")

    def last(self, source: str | Path) -> Place | None:
        """Return the last frame read of a video; None if there is none."""
        return self._last.get(printable(str(source)))

    def add(self, read: FrameReadings) -> None:
        """Write down what was read from a frame."""
        record = frame_record(read)
        self._take(record, self._append(record))

    def end(self, source: str | Path, problems: Sequence[str], until: float | None = None) -> None:
        """Write down that a video was read to its end.

        Args:
            source: The video.
            problems: What was wrong with it.
            until: When what was read of it ends, in seconds; None if that is not known.
        """
        message = printable(" ".join(problems))
        record = {"source": printable(str(source)), "ended": True, "message": message}
        record["until"] = until
        self._take(record, self._append(record))

    def records(self) -> Iterator[Record]:
        """Give the finished frames and the ends of videos, video by video as the run has them."""
        order = {printable(name): number for number, name in enumerate(self.settings().inputs)}
        for source in sorted(self._begins, key=lambda name: order.get(name, len(order))):
            yield from self.records_of(source)

    def records_of(self, source: str | Path) -> Iterator[Record]:
        """Give the finished frames and the end of one video; the other videos are not looked at."""
        name = printable(str(source))
        with self.path.open("rb") as file:
            for offset in self._begins.get(name, ()):
                file.seek(offset)
                records = map(json.loads, _whole(file))
                yield from takewhile(lambda record: record["source"] == name, records)

    def settings(self) -> VideoSettings:
        """Return what the rows depend on."""
        with self.path.open("rb") as file:
            return VideoSettings.model_validate(json.loads(file.readline())["settings"])

    def _take(self, record: Record, offset: int) -> None:
        self._count += 1
        source = record["source"]
        if source in self._messages:  # it failed, and was tried again
            self._forget(source)
        if source != self._written or source not in self._begins:
            self._begins.setdefault(source, []).append(offset)
        self._written = source
        if "ended" in record:
            self._messages[source] = record["message"]
        else:
            self._frames[source] += 1
            self._faceless[source] += not record["faces"]
            self._first.setdefault(source, record["time"])
            self._last[source] = place_of(record)
        until = record.get("time", record.get("until"))
        if until is not None:
            self._until[source] = until

    def _forget_failed(self) -> None:
        failed = [s for s, message in self._messages.items() if message and not self._frames[s]]
        for source in failed:
            self._forget(source)

    def _forget(self, source: str) -> None:
        del self._messages[source], self._begins[source]


def _whole(file: BinaryIO) -> Iterator[bytes]:
    # A full disk cuts the last line short.
    return (line for line in file if line.endswith(b"\n"))


def frame_record(read: FrameReadings) -> Record:
    """Return what was read from a frame as plain values."""
    record = {
        "source": printable(read.source),
        "frame": read.place.index,
        "time": read.place.time,
        "damaged": read.place.damaged,
        "size": read.size,
        "faces": [_face_record(reading) for reading in read.readings],
    }
    return record if read.clock is None else {**record, "clock": read.clock}


def place_of(record: Record) -> Place:
    """Return where the frame of a record stands."""
    return Place(record["frame"], record["time"], record["damaged"])


def readings_of(record: Record, labels: LabelSet) -> FrameReadings:
    """Return what `frame_record` was made from; the faces' eyes are not kept."""
    place = place_of(record)
    readings = (
        _reading(record["source"], index, face, place, labels)
        for index, face in enumerate(record["faces"])
    )
    size, clock = tuple(record["size"]), record.get("clock")
    return FrameReadings(record["source"], place, size, tuple(readings), clock)


def _face_record(reading: FaceReading) -> Record:
    box, square, verdict = reading.face.box, reading.face.square, reading.verdict
    return {
        "track": reading.track,
        "detected": reading.detected,
        "box": [box.x, box.y, box.width, box.height],
        "square": [square.x, square.y, square.side],
        "score": reading.face.score,
        "probabilities": reading.probabilities,
        "verdict": [verdict.outcome, verdict.agreement, verdict.not_a_face],
    }


def _reading(
    source: str, index: int, found: dict[str, Any], place: Place, labels: LabelSet
) -> FaceReading:
    x, y, side = found["square"]
    face = Face(Box(*found["box"]), found["score"], Square(x=x, y=y, side=side))
    probabilities = tuple(found["probabilities"])
    track, detected = found["track"], found["detected"]
    verdict = Verdict(*found["verdict"])
    return FaceReading(
        source, index, face, labels, probabilities, place, track, detected, verdict=verdict
    )
