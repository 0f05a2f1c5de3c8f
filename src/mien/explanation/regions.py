"""The regions of a face: every pixel of a crop belongs to exactly one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mien.explanation.landmarks import CANONICAL, Points

Plane = NDArray[np.float64]
Shape = Callable[[Plane, Plane], NDArray[np.bool_]]
"""Says which places belong to a region, by their distance from the midline and from the top, both
in 48ths of the side of a canonical crop."""

UNITS = 48

REGIONS = ("forehead", "brows", "eyes", "nose", "mouth", "cheeks", "chin", "outside")
"""What a region's index means."""

OUTSIDE = REGIONS.index("outside")

EYE_X = 8.75
"""Distance of the middle of an eye from the midline."""


def _ellipse(x: Plane, y: Plane, centre: tuple[float, float], axes: tuple[float, float]) -> Plane:
    """Return values that are 1 on an ellipse, less inside and more outside."""
    return np.asarray(((x - centre[0]) / axes[0]) ** 2 + ((y - centre[1]) / axes[1]) ** 2)


def _face(x: Plane, y: Plane) -> NDArray[np.bool_]:
    return _ellipse(x, y, (0, 22), (19, 26.5)) <= 1


# Later shapes lie over earlier ones. Brows include what frowns between them; cheeks are what is
# left of the face. The sizes were fitted by eye to the mean faces of FER2013 and CK+48.
SHAPES: dict[str, Shape] = {
    "cheeks": _face,
    "forehead": lambda x, y: _face(x, y) & (y < 10.6),
    "chin": lambda x, y: _face(x, y) & (y >= 41.3) & (x <= 12.3),
    "mouth": lambda x, y: _ellipse(x, y, (0, 37.2), (10, 5.4)) <= 1,
    "brows": lambda x, y: _face(x, y) & (y >= 10.6) & (y < 15.7) & (x <= 17),
    "nose": lambda x, y: (y >= 15.7) & (y < 32.3) & (x <= 2.6 + (y - 15.7) * 0.19),
    "eyes": lambda x, y: _ellipse(x, y, (EYE_X, 18.7), (5.9, 3.3)) <= 1,
}


def region_map(side: int, landmarks: Points | None = None) -> NDArray[np.intp]:
    """Return the region of each pixel of a crop.

    The regions are drawn in a canonical crop, as FER2013 and CK+48 frame faces, and carried to
    where a face's landmarks are by the affine map that takes them nearest.

    Args:
        side: Height and width of the crop in pixels.
        landmarks: Where they are in the crop; None for the canonical places.

    Returns:
        intp (side, side), index into `REGIONS`.
    """
    y, x = (np.mgrid[:side, :side] + 0.5) / side
    places = np.stack([x, y], axis=-1)
    if landmarks is not None:
        places = _canonical(places, landmarks)
    # Rounded, so that both halves of a face fall on the same side of a border they lie on.
    across = (np.abs(places[..., 0] - 0.5) * UNITS).round(6)
    down = (places[..., 1] * UNITS).round(6)
    regions = np.full((side, side), OUTSIDE, dtype=np.intp)
    for name, shape in SHAPES.items():
        regions[shape(across, down)] = REGIONS.index(name)
    return regions


def areas(regions: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return each region's share of a crop's pixels, float64 (R,)."""
    return np.bincount(regions.ravel(), minlength=len(REGIONS)) / regions.size


def _canonical(places: NDArray[np.float64], landmarks: Points) -> NDArray[np.float64]:
    ones = np.ones((len(landmarks), 1))
    affine = np.linalg.lstsq(np.hstack([landmarks, ones]), CANONICAL, rcond=None)[0]
    return np.asarray(places @ affine[:2] + affine[2])
