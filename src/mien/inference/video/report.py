"""A folder that shows what the persons of a video expressed: a page, plots and the numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mien import pages
from mien.errors import MienError
from mien.files import whole_file
from mien.inference.detectors import shrunk
from mien.inference.journal import printable
from mien.inference.percent import percent
from mien.inference.video.clip import Clip
from mien.inference.video.episodes import Episode
from mien.inference.video.frame import Frame
from mien.inference.video.outcome import VideoOutcome
from mien.inference.video.provenance import provenance
from mien.inference.video.summary import NO_REST, PersonSummary, peaks
from mien.inference.video.timeline import Timeline
from mien.inference.video.timeline_plot import timeline_plot
from mien.preprocess import Image

MOST_PERSONS = 20
"""Persons that are shown, those seen longest first; the numbers have all."""

MOST_PEAKS = 6
"""Frames that are shown of each person."""

MOST_EPISODES = 50
"""Episodes that the page lists of each person; the numbers have all."""

FRAME_SIDE = 640
"""Longer side in pixels of a frame on the page."""

READING = (
    "Shares say for how much of a person's time an expression was the most probable one. An "
    "episode is a time in which one expression led: from its onset to its offset, most probable at "
    "its apex. A reading says how people would label a face, not what the person feels. The last "
    "two shares are of the time in which the answer was no expression, but that the reading is "
    "uncertain, or that this is not a face; the other shares count that time, too."
)

WITHOUT_REST = (
    "neutral leads in none of the frames that would count as rest, so there is nothing to compare "
    "this person with, and the columns change_… are empty."
)


@dataclass(frozen=True)
class VideoReport:
    """What is shown of one video.

    Args:
        outcome: What was read from it.
        most_pixels: Frames that are larger, as they are stored, are damage; 0 for any size.
        name: What the page calls the video; "" for its file's name.
    """

    outcome: VideoOutcome
    most_pixels: int = 0
    name: str = ""

    @property
    def files(self) -> list[str]:
        """The names of the files that `write` makes."""
        return ["summary.json", *(_plot(line) for line, _ in self._shown), "index.html"]

    def write(self, folder: Path) -> None:
        """Write `index.html`, `summary.json` and `person-<number>.png` into a folder.

        Raises:
            MienError: If a file cannot be written.
        """
        try:
            _put(folder / "summary.json", self._numbers().encode())
            sections = [self._overview([summary for _, summary in self._shown])]
            sections += [self._person(*person, folder) for person in self._shown]
            sections += [_made_with(provenance(self.outcome))]
            name = printable(self.name or self.outcome.path.name)
            page = pages.page(f"Expressions in {name}", sections)
            _put(folder / "index.html", page.encode())
        except OSError as error:
            raise MienError(f"{folder} cannot be written: {error.strerror or error}.") from error

    @cached_property
    def _shown(self) -> list[tuple[Timeline, PersonSummary]]:
        persons = zip(self.outcome.timelines, self.outcome.persons, strict=True)
        longest = sorted(persons, key=lambda p: -p[1].seconds)[:MOST_PERSONS]
        return sorted(longest, key=lambda p: p[0].track)

    def _numbers(self) -> str:
        numbers = {
            "source": printable(str(self.outcome.path)),
            "frames": self.outcome.frames,
            "share_no_face": self.outcome.share_no_face,
            "message": self.outcome.message or None,
            "made_with": provenance(self.outcome),
            "persons": [summary.as_dict() for summary in self.outcome.persons],
        }
        return json.dumps(numbers, indent=2) + "\n"

    def _overview(self, persons: Sequence[PersonSummary]) -> str:
        smooth = self.outcome.beside.smooth
        smoothed = f", smoothed over {smooth:g} s" if smooth is not None else ""
        count = (
            f"{len(self.outcome.timelines)} person{'' if len(self.outcome.timelines) == 1 else 's'}"
        )
        frames = f"{self.outcome.frames:,} frames"
        without = f"{percent(self.outcome.share_no_face or 0)} of them without a face"
        parts = [pages.paragraph(f"{frames}, {without}, {count}{smoothed}.")]
        parts += [pages.paragraph(self.outcome.message)] if self.outcome.message else []
        if not persons:
            return pages.section("Overview", *parts, pages.paragraph("No face was found."))
        names = [*persons[0].shares, *persons[0].answered]
        rows = [
            (f"{p.track}", f"{p.seconds:.1f}", *map(percent, (p.shares | p.answered).values()))
            for p in persons
        ]
        table = pages.table(["person", "seconds", *names], rows)
        return pages.section("Overview", *parts, table, pages.paragraph(READING, note=True))

    def _person(self, timeline: Timeline, summary: PersonSummary, folder: Path) -> str:
        # Drawn in memory: a kill while a file is written leaves a hidden one behind.
        drawn = BytesIO()
        timeline_plot(timeline, summary.episodes, drawn)
        _put(folder / _plot(timeline), drawn.getvalue())
        plot = pages.picture(drawn.getvalue(), f"Probabilities of person {timeline.track}")
        found = list(self._peaks(summary))
        restless = summary.rest == NO_REST
        return pages.section(
            f"Person {timeline.track}",
            *([pages.paragraph(f"{NO_REST.capitalize()}: {WITHOUT_REST}")] if restless else []),
            plot,
            *([pages.gallery(found)] if found else []),
            _episode_table(summary.episodes),
            _transition_table(summary),
        )

    @cached_property
    def _clip(self) -> Clip:
        return Clip(self.outcome.path, self.most_pixels)

    def _peaks(self, summary: PersonSummary) -> Iterator[tuple[bytes, str]]:
        for episode in peaks(summary.episodes, MOST_PEAKS):
            frame = self._clip.at(episode.place)
            if frame:
                caption = f"{episode.apex:.2f} s: {episode.expression} {percent(episode.peak)}"
                yield _jpeg(_marked(frame, episode)), caption


def _plot(timeline: Timeline) -> str:
    return f"person-{timeline.track}.png"


def _marked(frame: Frame, episode: Episode) -> Image:
    """Return a frame in which the person's face is framed, small enough for a page."""
    picture, factor = shrunk(frame.picture, FRAME_SIDE)
    box, picture = episode.box, picture.copy()
    left, top = round(box.x / factor), round(box.y / factor)
    right, bottom = round((box.x + box.width) / factor), round((box.y + box.height) / factor)
    for colour, width in ((22, 22, 22), 7), ((255, 255, 255), 3):
        cv2.rectangle(picture, (left, top), (right, bottom), colour, width, cv2.LINE_AA)
    return picture


def _jpeg(picture: Image) -> bytes:
    bgr = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


def _episode_table(found: Sequence[Episode]) -> str:
    if not found:
        return pages.paragraph("No expression led for long enough to be an episode.")
    rows = [
        (e.expression, f"{e.onset:.2f}", f"{e.apex:.2f}", f"{e.offset:.2f}", percent(e.peak))
        for e in found[:MOST_EPISODES]
    ]
    left_out = len(found) - len(rows)
    more = pages.paragraph(f"… and {left_out:,} more in summary.json.") if left_out else ""
    return pages.table(["episode of", "onset (s)", "apex (s)", "offset (s)", "peak"], rows) + more


def _transition_table(summary: PersonSummary) -> str:
    counts = summary.transitions
    if not counts.any():
        return ""
    names = list(summary.shares)
    used = [i for i in range(len(names)) if counts[i].any() or counts[:, i].any()]
    rows = [[names[i], *counts[i, used].tolist()] for i in used]
    title = pages.paragraph("How often what was left (row) for what (column), at once:")
    return title + pages.table(["", *(names[j] for j in used)], rows)


def _made_with(made: Mapping[str, Any]) -> str:
    rows = [(name.replace("_", " "), _text(value)) for name, value in made.items()]
    return pages.section("Made with", pages.table(["what", "value"], rows))


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value in (None, "") else printable(str(value))


def _put(path: Path, content: bytes) -> None:
    with whole_file(path) as temporary:
        temporary.write_bytes(content)
