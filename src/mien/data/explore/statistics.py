"""Figures of each image, and what is missing: pure functions on a dataset."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.data.dataset import NO_TARGET, FaceDataset

BLOCK = 256
"""Images measured at once."""


def shape_table(dataset: FaceDataset) -> list[tuple[str, str]]:
    """Return shapes, types and missing values, as name and text."""
    height, width = dataset.images.shape[1:]
    missing = {
        "labels": int((dataset.targets == NO_TARGET).sum()),
        "splits": int((dataset.splits == "").sum()),
        "subjects": int((dataset.subjects == "").sum()),
    }
    return [
        ("faces", f"{len(dataset):,}"),
        ("images", f"{dataset.images.dtype}, {width}x{height} pixels, grey"),
        ("label set", f"{dataset.labels.name}: {', '.join(dataset.labels.expressions)}"),
        ("votes", "none" if dataset.votes is None else f"{dataset.votes.shape[1]} columns"),
        ("subjects", f"{len(np.unique(dataset.subjects[dataset.subjects != '']))}"),
        ("sources", ", ".join(np.unique(dataset.sources).tolist())),
        *((f"missing {name}", f"{count:,}") for name, count in missing.items()),
    ]


def counts_table(dataset: FaceDataset) -> tuple[list[str], list[list[str | int]]]:
    """Return a header and rows: how many faces each split holds of each expression, and of all."""
    counts = dataset.counts()
    header = ["expression", *(split or "no split" for split in counts)]
    rows: list[list[str | int]] = [
        [e, *(column[e] for column in counts.values())] for e in dataset.labels.expressions
    ]
    return header, [*rows, ["all", *(sum(column.values()) for column in counts.values())]]


def brightness(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the mean grey value, 0 to 255, of each image of (N, H, W)."""
    return np.asarray(images.mean(axis=(1, 2)))


def contrast(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the standard deviation of the grey values of each image of (N, H, W)."""
    # In blocks, because each pixel becomes eight bytes.
    blocks = (images[start : start + BLOCK] for start in range(0, len(images), BLOCK))
    return np.concatenate([block.std(axis=(1, 2)) for block in blocks])


def sharpness(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the variance of the Laplacian of each image of (N, H, W); small means blurred."""
    return np.array([cv2.Laplacian(image, cv2.CV_64F).var() for image in images])


def measures(images: NDArray[np.uint8]) -> dict[str, NDArray[np.float64]]:
    """Return brightness, contrast and sharpness of each image of (N, H, W), by name."""
    return {
        "brightness": brightness(images),
        "contrast": contrast(images),
        "sharpness": sharpness(images),
    }


def mean_faces(dataset: FaceDataset) -> dict[str, NDArray[np.uint8]]:
    """Return the mean image, uint8 (H, W), of each expression that occurs."""
    masks = {e: dataset.targets == i for i, e in enumerate(dataset.labels.expressions)}
    return {
        expression: dataset.images[mask].mean(axis=0).round().astype(np.uint8)
        for expression, mask in masks.items()
        if mask.any()
    }
