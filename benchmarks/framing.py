"""Measure how each detector's box must be widened and moved to become a FER2013 crop.

The classifier was trained on FER2013's crops, so it must be shown faces cut in the same way. Each
PublicTest image, enlarged four times, is put into a larger picture whose background repeats its
edge; a detector looks for the face there, and the crop's position relative to the detector's box
gives a scale and a shift. Their medians are the constants `FRAMING` in the detectors' files.

    python benchmarks/framing.py fer2013.zip \
        --weights face_detection_yunet_2026may.onnx
"""

from __future__ import annotations

import argparse
import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from mien.inference.detectors import DETECTORS, Detector

ENLARGE = 4
SIDE = 48 * ENLARGE
MARGIN = SIDE


def public_test(path: Path, count: int) -> Iterator[np.ndarray]:
    """Give the first images of PublicTest as uint8 (48, 48)."""
    with zipfile.ZipFile(path) as archive, archive.open("fer2013.csv") as file:
        rows = csv.DictReader(io.TextIOWrapper(file, "utf-8"))
        for row in rows:
            if row["Usage"] == "PublicTest":
                yield np.fromstring(row["pixels"], np.uint8, sep=" ").reshape(48, 48)
                count -= 1
            if count == 0:
                return


def scene(crop: np.ndarray) -> np.ndarray:
    """Return a picture, uint8 (3 SIDE, 3 SIDE), with the enlarged crop in its middle."""
    large = cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return cv2.copyMakeBorder(large, *[MARGIN] * 4, borderType=cv2.BORDER_REPLICATE)


def position(detector: Detector, picture: np.ndarray) -> tuple[float, ...] | None:
    """Return the crop's side and shifts right and down in widths of the box, and height / width."""
    faces = detector.detect(picture)
    if len(faces) != 1:
        return None
    box = faces[0].box
    centre = MARGIN + SIDE / 2
    right = (centre - box.x - box.width / 2) / box.width
    down = (centre - box.y - box.height / 2) / box.width
    return SIDE / box.width, right, down, box.height / box.width


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fer2013", type=Path, help="fer2013.zip")
    parser.add_argument("--weights", type=Path, help="YuNet's weights")
    parser.add_argument("--count", type=int, default=600)
    options = parser.parse_args()
    pictures = [scene(crop) for crop in public_test(options.fer2013, options.count)]
    table = Table("detector", "found", "scale", "shift right", "shift down", "height / width")
    for name in DETECTORS:
        detector = DETECTORS[name](options.weights if name == "yunet" else None)
        found = np.array([p for p in (position(detector, x) for x in pictures) if p is not None])
        quartiles = np.percentile(found, [50, 25, 75], axis=0).T
        cells = [f"{m:.3f} ({low:.3f} to {high:.3f})" for m, low, high in quartiles]
        table.add_row(name, f"{len(found)} of {len(pictures)}", *cells)
    Console(width=140).print(table, "Medians, with quartiles in parentheses.")


if __name__ == "__main__":
    main()
