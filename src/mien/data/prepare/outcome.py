"""What became of one picture, and how a journal keeps it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, fields
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.data.prepare.frame import NO_FRAME, Frame
from mien.inference.journal import printable
from mien.inference.lines import Record

Status = Literal["ok", "no face", "unreadable"]


@dataclass(frozen=True, eq=False)
class Outcome:
    """One picture after preparation.

    Args:
        id: The picture's.
        status: "ok" where there is a face.
        face: uint8 (size, size), grey; None without one.
        faces: How many faces were found; the largest is taken.
        box: x, y, width and height of the face in the picture's pixels; None if not looked for.
        frame: What was cut off the picture's edges.
        rotation: By how many degrees the face was turned, counter-clockwise.
        eyes: Whether the eyes were found; None if they were not looked for.
        note: Why there is no face.
    """

    id: str
    status: Status
    face: NDArray[np.uint8] | None = None
    faces: int = 0
    box: tuple[float, float, float, float] | None = None
    frame: Frame = NO_FRAME
    rotation: float = 0.0
    eyes: bool | None = None
    note: str = ""

    def record(self) -> Record:
        """Return it as plain values for a journal; the face as a PNG in base 64."""
        record = {field.name: getattr(self, field.name) for field in fields(self)}
        del record["id"]
        if self.face is not None:
            content = cv2.imencode(".png", self.face)[1].tobytes()
            record["face"] = base64.b64encode(content).decode("ascii")
        return {"source": self.id, **record, "note": printable(self.note)}

    @classmethod
    def from_record(cls, record: Record) -> Outcome:
        """Return what `record` was made of."""
        face, box = record["face"], record["box"]
        rest = {name: record[name] for name in ("status", "faces", "rotation", "eyes", "note")}
        return cls(
            id=record["source"],
            face=None if face is None else _decoded(face),
            box=None if box is None else tuple(box),
            frame=Frame(*record["frame"]),
            **rest,
        )


def _decoded(text: str) -> NDArray[np.uint8]:
    content = np.frombuffer(base64.b64decode(text), np.uint8)
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)
