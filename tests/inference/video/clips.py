"""Small videos that tests make: real faces that move along known paths."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

TICKS = Fraction(1, 90_000)
RATE = 25

Path2D = Callable[[float], tuple[float, float] | None]
"""Where the middle of a sprite is at a time, in pixels; None while it is not there."""


@dataclass(frozen=True)
class Sprite:
    """A picture with one face, and where the face's box is in it, (x, y, width, height)."""

    picture: np.ndarray
    box: tuple[float, float, float, float]

    def scaled(self, face_width: float) -> Sprite:
        factor = face_width / self.box[2]
        size = [max(1, round(edge * factor)) for edge in self.picture.shape[1::-1]]
        picture = cv2.resize(self.picture, size, interpolation=cv2.INTER_AREA)
        return Sprite(picture, tuple(edge * factor for edge in self.box))

    def mirrored(self) -> Sprite:
        x, y, width, height = self.box
        left = self.picture.shape[1] - x - width
        return Sprite(self.picture[:, ::-1].copy(), (left, y, width, height))


def sprite(picture: np.ndarray, face) -> Sprite:
    """Cut a head, with what surrounds it, out of a picture."""
    box = face.box
    margin = 0.35 * box.width
    left, top = max(0, int(box.x - margin)), max(0, int(box.y - margin))
    right, bottom = int(box.x + box.width + margin), int(box.y + box.height + margin)
    cut = picture[top:bottom, left:right]
    return Sprite(cut.copy(), (box.x - left, box.y - top, box.width, box.height))


def wall(width: int, height: int) -> np.ndarray:
    """A background with some structure and no face."""
    rows, columns = np.mgrid[:height, :width]
    base = 110 + 40 * np.sin(columns / 90) + 30 * rows / height
    return np.repeat(base[:, :, None], 3, axis=2).astype(np.uint8)


@dataclass(frozen=True)
class Scene:
    """Sprites on paths before a wall; the later ones in front; then bars in front of all.

    The bars are (left, right) in pixels.
    """

    actors: Sequence[tuple[Sprite, Path2D]]
    size: tuple[int, int] = (640, 360)
    bars: Sequence[tuple[int, int]] = ()

    def draw(self, time: float) -> tuple[np.ndarray, dict[int, tuple[float, ...]]]:
        """A frame, and the boxes of the faces of which more than half can be seen, by actor."""
        width, height = self.size
        frame = wall(width, height)
        owner = np.full((height, width), -1)
        boxes = {}
        for number, (actor, path) in enumerate(self.actors):
            where = path(time)
            if where is not None:
                boxes[number] = _paste(frame, owner, actor, where, number)
        for left, right in self.bars:
            frame[:, left:right] = (70, 90, 60)
            owner[:, left:right] = -1
        seen = {n: box for n, box in boxes.items() if _visible(owner, box, n) > 0.5}
        return frame, seen


def _paste(frame, owner, actor, where, number):
    height, width = actor.picture.shape[:2]
    x, y, face_width, face_height = actor.box
    left, top = round(where[0] - x - face_width / 2), round(where[1] - y - face_height / 2)
    rows = slice(max(0, top), max(0, min(frame.shape[0], top + height)))
    columns = slice(max(0, left), max(0, min(frame.shape[1], left + width)))
    from_rows = slice(rows.start - top, rows.stop - top)
    from_columns = slice(columns.start - left, columns.stop - left)
    if rows.start < rows.stop and columns.start < columns.stop:
        frame[rows, columns] = actor.picture[from_rows, from_columns]
        owner[rows, columns] = number
    return (left + x, top + y, face_width, face_height)


def _visible(owner, box, number):
    x, y, width, height = (round(edge) for edge in box)
    inside = owner[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)]
    return float((inside == number).sum()) / max(1, width * height)


def write_clip(
    path: Path,
    pictures: Iterable[np.ndarray],
    times: Sequence[float] | None = None,
    *,
    codec: str = "libx264",
    sound: str | None = None,
    rotation: int = 0,
    aspect: Fraction = Fraction(1),
    **options: str,
) -> Path:
    """Write RGB pictures as a video, 25 a second or at the times given; sound is a codec."""
    with av.open(str(path), "w", options=options) as file:
        stream = file.add_stream(codec, rate=RATE)
        track = file.add_stream(sound, rate=16_000, layout="mono") if sound else None
        # MPEG-4's timestamps have at most 16 bits in a second, MPEG-2 knows usual rates alone.
        ticks = Fraction(1, RATE) if codec in ("mpeg4", "mpeg2video") else TICKS
        if rotation:
            stream.set_display_rotation(rotation)
        stream.codec_context.sample_aspect_ratio = aspect
        number = 0
        for number, picture in enumerate(pictures):
            if number == 0:
                _shape(stream, picture, ticks)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            time = number / RATE if times is None else times[number]
            frame.pts, frame.time_base = round(time / ticks), ticks
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
        if track:
            _write_sound(file, track, (number + 1) / RATE)
    return path


def _shape(stream, picture, ticks):
    height, width = picture.shape[:2]
    stream.width, stream.height = width, height
    odd = width % 2 or height % 2
    stream.pix_fmt = {"gif": "rgb8", "mjpeg": "yuvj420p"}.get(
        stream.codec_context.codec.name, "yuv444p" if odd else "yuv420p"
    )
    stream.codec_context.time_base = ticks
    if stream.codec_context.codec.name == "libx264":
        stream.options = {"preset": "ultrafast", "crf": "18", "g": "12"}


def _write_sound(file, track, seconds):
    rate = 16_000
    wave = 0.5 * np.sin(np.arange(int(seconds * rate)) * 2 * np.pi * 440 / rate)
    kind = track.codec_context.format.name
    scaled = {
        "fltp": wave.astype(np.float32),
        "s16": (32767 * wave).astype(np.int16),
        "u8": (128 + 127 * wave).astype(np.uint8),
    }[kind]
    for start in range(0, len(wave), 1024):
        piece = np.ascontiguousarray(scaled[None, start : start + 1024])
        frame = av.AudioFrame.from_ndarray(piece, kind, "mono")
        frame.sample_rate, frame.pts = rate, start
        file.mux(track.encode(frame))
    file.mux(track.encode())


def remuxed(source: Path, path: Path, later: Fraction) -> Path:
    """Put the packets of a video into another file as they are, so many seconds later."""
    options = {"avoid_negative_ts": "disabled"}
    with av.open(str(source)) as old, av.open(str(path), "w", options=options) as new:
        streams = {stream.index: new.add_stream_from_template(stream) for stream in old.streams}
        for packet in old.demux():
            if packet.dts is not None:
                packet.pts += round(later / packet.time_base)
                packet.dts += round(later / packet.time_base)
                packet.stream = streams[packet.stream.index]
                new.mux(packet)
    return path


def with_unknown_sound(path: Path, pictures: Iterable[np.ndarray]) -> Path:
    """Write an AVI whose sound says that it has a format that nobody knows."""
    write_clip(path, pictures, codec="mpeg4", sound="pcm_u8")
    content = bytearray(path.read_bytes())
    # Behind the second chunk `strf`, that of the sound, and its length.
    tag = content.index(b"strf", content.index(b"strf") + 4) + 8
    content[tag : tag + 2] = b"\xcd\xab"
    path.write_bytes(content)
    return path


def settled(taken: Sequence[object]) -> int:
    """Wait until what is appended to a list from other threads has stopped; return its length."""
    before = -1
    while before != len(taken):
        before = len(taken)
        time.sleep(0.05)
    return before


def iou(one, other) -> float:
    """Intersection over union of two boxes (x, y, width, height)."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    shared = max(0, width) * max(0, height)
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)


def idf1(truth: Sequence[dict], found: Sequence[dict], least: float = 0.5) -> float:
    """IDF1 (Ristani et al., 2016): each frame's boxes by identity, true and found."""
    true_ids = sorted({number for frame in truth for number in frame})
    found_ids = sorted({number for frame in found for number in frame})
    hits = np.zeros((len(true_ids), len(found_ids)))
    for boxes, others in zip(truth, found, strict=True):
        for number, box in boxes.items():
            for other, guess in others.items():
                hit = iou(box, guess) >= least
                hits[true_ids.index(number), found_ids.index(other)] += hit
    matched = hits[linear_sum_assignment(-hits)].sum()
    return 2 * matched / (sum(map(len, truth)) + sum(map(len, found)))
