"""One row per face and frame, with what is computed beside it on request."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.errors import MienError
from mien.inference.face import Outcome
from mien.inference.lines import Record
from mien.inference.sinks import BESIDE, NUMBERS, Row, csv_table, parquet_table
from mien.inference.video.baseline import neutral_baseline
from mien.inference.video.smoothing import centred, check_seconds
from mien.inference.video.timeline import OUTCOMES, Timeline, timelines

Person = tuple[str, int]
Extra = Mapping[Person, NDArray[np.float64]]


@dataclass(frozen=True)
class Beside:
    """What is written beside the raw probabilities.

    Args:
        uncertain: Readings whose leading expression is less probable are marked as uncertain, 0 to
            1; None to mark what the model itself is uncertain of.
        smooth: Standard deviation in seconds of the Gaussian that smooths over time, for the
            columns `smooth_…`; None for no such columns.
        baseline: Whether there are columns `change_…`: probabilities, smoothed ones if there are
            any, minus those of the same person at rest; empty if no rest is found.
        clock: Whether there is a column `clock`, behind `time`: when a frame came from a camera or
            a stream.

    Raises:
        MienError: If a value makes no sense.
    """

    uncertain: float | None = None
    smooth: float | None = None
    baseline: bool = False
    clock: bool = False

    def __post_init__(self) -> None:
        if self.uncertain is not None and not 0 <= self.uncertain <= 1:
            raise MienError(
                f"The probability below which a reading is uncertain must be 0 to 1. "
                f"Got {self.uncertain:g} instead."
            )
        if self.smooth is not None:
            check_seconds(self.smooth)

    def shown(self, timeline: Timeline) -> Timeline:
        """Return a timeline as it is summed up and drawn: with its own doubt, and smoothed.

        What was answered "not a face" is a hand or a wall, and no part of what the face shows.
        """
        timeline = self._doubted(timeline)
        if self.smooth is None:
            return timeline
        smoothed = centred(timeline.times, timeline.probabilities, self.smooth, timeline.shows_face)
        return timeline.with_probabilities(smoothed)

    def _doubted(self, timeline: Timeline) -> Timeline:
        pairs = zip(timeline.outcomes.tolist(), timeline.probabilities.max(axis=1), strict=True)
        found = [OUTCOMES.index(self._outcome(OUTCOMES[given], p)) for given, p in pairs]
        return replace(timeline, outcomes=np.array(found, dtype=np.int8))

    def _outcome(self, given: Outcome, confidence: float) -> Outcome:
        """Return the model's verdict, or what the threshold says instead, if there is one."""
        if self.uncertain is None or given == "not a face":
            return given
        return "uncertain" if confidence < self.uncertain else "sure"

    def columns(self, expressions: Sequence[str]) -> dict[str, type]:
        """Return the columns of a table, in order, each with its type."""
        clock = {"clock": str} if self.clock else {}
        where = {"source": str, "frame": int, "time": float, **clock, "track": int, "face": int}
        what = {"status": str, "answer": str, "expression": str, "confidence": float}
        numbers = dict.fromkeys([*expressions, *BESIDE, *NUMBERS], float)
        smooth = _named("smooth", expressions) if self.smooth is not None else []
        leading = {"smooth_expression": str} if smooth else {}
        change = _named("change", expressions) if self.baseline else []
        extra = {**dict.fromkeys(smooth, float), **leading, **dict.fromkeys(change, float)}
        marked = {"uncertain": bool}
        return {**where, **what, **marked, **numbers, **extra, "message": str}

    def rows(
        self, records: Callable[[], Iterable[Record]], expressions: tuple[str, ...]
    ) -> Iterator[Row]:
        """Give one row per face and frame, per frame without a face, and per damaged video.

        Args:
            records: Gives the records of a journal; called again for another pass.
            expressions: The order of the records' probabilities.
        """
        smooth, change = self._extras(records, expressions)
        empty = dict.fromkeys(self.columns(expressions))
        seen: dict[Person, int] = defaultdict(int)
        for record in records():
            for row, person in self._rows(record, expressions):
                if person is not None:
                    number = seen[person]
                    seen[person] += 1
                    row |= _extra_cells("smooth", smooth, person, number, expressions)
                    row |= _extra_cells("change", change, person, number, expressions)
                yield {**empty, **row}

    def _extras(
        self, records: Callable[[], Iterable[Record]], expressions: tuple[str, ...]
    ) -> tuple[Extra, Extra]:
        if self.smooth is None and not self.baseline:
            return {}, {}
        shown = {(t.source, t.track): self.shown(t) for t in timelines(records(), expressions)}
        smooth = {p: t.probabilities for p, t in shown.items()} if self.smooth is not None else {}
        return smooth, _changes(shown) if self.baseline else {}

    def _rows(
        self, record: Record, expressions: tuple[str, ...]
    ) -> Iterator[tuple[Row, Person | None]]:
        if "ended" in record:
            if record["message"]:
                source, message = record["source"], record["message"]
                yield {"source": source, "status": "error", "message": message}, None
            return
        where = {key: record[key] for key in ("source", "frame", "time")}
        if self.clock:
            where["clock"] = record.get("clock")
        if not record["faces"]:
            yield {**where, "status": "no face"}, None
        for number, face in enumerate(record["faces"]):
            row = {**where, "face": number, **self._face(face, expressions)}
            yield row, (record["source"], face["track"])

    def _face(self, face: Record, expressions: tuple[str, ...]) -> Row:
        probabilities = face["probabilities"]
        confidence = max(probabilities)
        expression = expressions[probabilities.index(confidence)]
        given, agreement, not_a_face = face["verdict"]
        outcome = self._outcome(given, confidence)
        x, y, width, height = face["box"]
        return {
            "track": face["track"],
            "status": "ok",
            "answer": expression if outcome == "sure" else outcome,
            "expression": expression,
            "confidence": confidence,
            "uncertain": outcome == "uncertain",
            "agreement": agreement,
            "not_a_face": not_a_face,
            **dict(zip(expressions, probabilities, strict=True)),
            **{"x": x, "y": y, "width": width, "height": height},
            "detector_score": face["score"] if face["detected"] else None,
        }


def write_jsonl(found: Iterable[Row], names: Mapping[str, type], path: Path) -> None:
    """Write rows as JSON lines, UTF-8; null where a column says nothing."""
    with path.open("w", encoding="utf-8") as file:
        for row in found:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


TABLES: dict[str, Callable[[Iterable[Row], Mapping[str, type], Path], None]] = {
    "csv": csv_table,
    "jsonl": write_jsonl,
    "parquet": parquet_table,
}
"""What writes the rows of videos to a file, by the name of the format."""


def _changes(shown: Mapping[Person, Timeline]) -> Extra:
    """Return how far each person is from their own rest; those who have none are left out."""
    rests = {person: neutral_baseline(timeline) for person, timeline in shown.items()}
    return {p: shown[p].probabilities - rest for p, rest in rests.items() if rest is not None}


def _named(prefix: str, expressions: Sequence[str]) -> list[str]:
    return [f"{prefix}_{expression}" for expression in expressions]


def _extra_cells(
    prefix: str, extra: Extra, person: Person, number: int, expressions: tuple[str, ...]
) -> Row:
    if person not in extra:
        return {}
    values = extra[person][number]
    cells: Row = dict(zip(_named(prefix, expressions), values.tolist(), strict=True))
    if prefix == "smooth":
        cells["smooth_expression"] = expressions[int(values.argmax())]
    return cells
