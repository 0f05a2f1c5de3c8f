"""Small data that tests make: FER2013-like files with faces a network can tell apart."""

from __future__ import annotations

import csv
import io
import tarfile
import zipfile
from pathlib import Path

import cv2
import numpy as np
import PIL.Image

from mien.data.prepare.frame import CLEAR, Frame
from mien.data.readers.fer2013 import CODES, USAGES
from mien.labels import VOTES

FER_PLUS_COLUMNS = [
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
]
IMED_FRAME = Frame(30, 44, 26, 40)
"""A black frame around a photograph, as IMED has it."""

USAGE_OF = {split: usage for usage, split in USAGES.items()}

SMALL_RECIPE = [
    "network.options={stem = 16, channels = [16, 32], blocks = [1, 1], dropout = 0.0}",
    "augmentation={shift = 0.02}",
    "training.batch_size=8",
    "training.epochs=14",
    "training.ema_decay=0.5",
    "training.precision=fp32",
    "optimiser.learning_rate=0.1",
    "schedule.warmup_epochs=0.5",
    "signals=[{name='agreement', weight=0.1}, {name='not_a_face', weight=0.1}]",
]
"""Overrides that make mien-base's recipe a matter of seconds, in which the network does learn."""


def drawn_face(code: int, generator: np.random.Generator) -> np.ndarray:
    """A 48x48 drawing whose mouth and hair tell the class, with noise and a random place."""
    image = np.full((48, 48), 120, np.uint8)
    dx, dy = generator.integers(-3, 4, 2).tolist()
    cv2.circle(image, (24 + dx, 24 + dy), 18, 190, -1)
    for eye in (17, 31):
        cv2.circle(image, (eye + dx, 19 + dy), 2, 30, -1)
    axes = (4 + code, 1 + (code * 2) % 7)
    cv2.ellipse(image, (24 + dx, 32 + dy), axes, 0, 180 * (code % 2), 180 + 180 * (code % 2), 20, 2)
    # Hair, so that a tiny network needs only seconds.
    cv2.rectangle(image, (6 * code + dx, 0), (6 * code + 8 + dx, 10), 30, -1)
    return np.clip(image + generator.normal(0, 6, image.shape), 0, 255).astype(np.uint8)


def fer_rows(per_split: int = 14, seed: int = 0) -> list[list[str]]:
    """Rows of a small fer2013.csv: every class in every split, one twin of a test face in train."""
    generator = np.random.default_rng(seed)
    rows = []
    for usage in USAGES:
        count = per_split * 4 if usage == "Training" else per_split
        for number in range(count):
            code = number % len(CODES)
            rows.append([str(code), text(drawn_face(code, generator)), usage])
    rows[0][1] = rows[-len(CODES)][1]
    return rows


def text(image: np.ndarray) -> str:
    """An image as FER2013 writes it."""
    return " ".join(map(str, image.ravel().tolist()))


def fer_csv(rows: list[list[str]]) -> bytes:
    """The bytes of a fer2013.csv."""
    out = io.StringIO()
    csv.writer(out).writerows([["emotion", "pixels", "Usage"], *rows])
    return out.getvalue().encode()


def write_fer2013(path: Path, content: bytes) -> Path:
    """Write a CSV, or an archive that holds it in a folder, by the path's suffix."""
    name = "fer2013/fer2013.csv"
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("fer2013/README", "about")
            archive.writestr(name, content)
    elif path.name.endswith((".tar.gz", ".tgz", ".tar")):
        with tarfile.open(path, "w" if path.suffix == ".tar" else "w:gz") as tar:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    else:
        path.write_bytes(content)
    return path


def ferplus_rows(rows: list[list[str]], seed: int = 0) -> list[list[str]]:
    """Ten votes a face, seven of them for the label."""
    generator = np.random.default_rng(seed)
    columns = ["NF" if vote == "not_a_face" else vote for vote in VOTES]
    out = []
    for number, row in enumerate(rows):
        votes = dict.fromkeys(columns, 0)
        votes[CODES[int(row[0])]] = 7
        for other in generator.choice(columns, 3):
            votes[str(other)] += 1
        counts = [str(votes[column]) for column in FER_PLUS_COLUMNS]
        out.append([row[2], f"fer{number:07d}.png", *counts])
    return out


def write_ferplus(path: Path, rows: list[list[str]]) -> Path:
    """Write a fer2013new.csv."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["Usage", "Image name", *FER_PLUS_COLUMNS], *rows])
    return path


def framed(picture: np.ndarray, frame: tuple[int, int, int, int], black: int = 0) -> np.ndarray:
    """Put a frame, top, right, bottom and left, around a picture, uint8 RGB."""
    top, right, bottom, left = frame
    colour = (black,) * 3
    return cv2.copyMakeBorder(picture, top, bottom, left, right, cv2.BORDER_CONSTANT, value=colour)


def bright_picture(seed: int, height: int = 60, width: int = 90) -> np.ndarray:
    """Noise, uint8 RGB, whose border is not black, though half of it may be."""
    generator = np.random.default_rng(seed)
    picture = generator.integers(0, 256, (height, width, 3)).astype(np.uint8)
    picture[:, ::2] = np.maximum(picture[:, ::2], CLEAR + 1)
    picture[::2] = np.maximum(picture[::2], CLEAR + 1)
    return picture


def photograph(
    portrait: np.ndarray, frame: tuple[int, int, int, int] = (0, 0, 0, 0), tilt: float = 0
) -> np.ndarray:
    """A photograph of 720x480 pixels as IMED has them: one face, uint8 RGB, in a black frame.

    The frame is top, right, bottom and left; the tilt is in degrees, counter-clockwise.
    """
    top, right, bottom, left = frame
    width, height = 720 - left - right, 480 - top - bottom
    scale = height / portrait.shape[0]
    turn = cv2.getRotationMatrix2D((portrait.shape[1] / 2, portrait.shape[0] / 2), tilt, scale)
    turn[:, 2] += (np.array([width, height]) - portrait.shape[1::-1]) / 2
    wall = (150, 160, 170)
    inside = cv2.warpAffine(
        portrait, turn, (width, height), borderMode=cv2.BORDER_CONSTANT, borderValue=wall
    )
    return framed(inside, frame)


def write_photo(path: Path, picture: np.ndarray) -> Path:
    """Write a picture, uint8 RGB or grey, in the format its suffix names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(picture).save(path)
    return path


def guesses(
    seed: int, faces: int, classes: int, steps: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Truth, int (faces,), and probabilities, float (faces, classes), that know nothing of it.

    With steps, all probabilities are multiples of 1 / steps, so that many are equal.
    """
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, classes, faces)
    shares = generator.dirichlet(np.ones(classes) * 0.5, faces)
    return truth, shares if steps is None else generator.multinomial(steps, shares) / steps


def pictures(top: Path, *paths: str) -> Path:
    """Write small grey pictures, one a path below a folder; returns the folder."""
    for number, path in enumerate(paths):
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.new("L", (4, 4), number).save(top / path, "PNG")
    return top
