"""Readings drawn into their picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageColor
import PIL.ImageDraw
import PIL.ImageFont

from mien.inference.face import Box, Reading
from mien.inference.pictures import as_picture
from mien.preprocess import Image

COLOURS = {
    "anger": "#D55E00",
    "contempt": "#CC79A7",
    "disgust": "#009E73",
    "fear": "#0072B2",
    "happiness": "#F0E442",
    "neutral": "#BBBBBB",
    "sadness": "#56B4E9",
    "surprise": "#E69F00",
    "uncertain": "#6B6B6B",
    "not a face": "#2E2E2E",
}
"""A colour per answer: for expressions Okabe and Ito's palette, told apart by colour-blind eyes
too, and dark greys for what is none."""

DARK, LIGHT = "#161616", "#FFFFFF"

LONG_BAR = 5
"""Length of a bar of probability 1, over the height of the text."""

TALLEST_PANEL = 1.5
"""Height of the bars over that of the face, above which they would hide more than they tell."""

Font = PIL.ImageFont.FreeTypeFont | PIL.ImageFont.ImageFont


@dataclass(frozen=True)
class Rectangle:
    """A rectangle in whole pixels; `right` and `bottom` lie outside it."""

    left: int
    top: int
    right: int
    bottom: int

    def overlaps(self, other: Rectangle) -> bool:
        """Return whether two rectangles share a pixel."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


def annotate(picture: Image, readings: Sequence[Reading]) -> Image:
    """Draw a box, the expression and, where there is room, all probabilities for each face.

    Args:
        picture: uint8 (H, W, 3) in RGB order, (H, W, 4) or (H, W); it is not changed.
        readings: Its faces.

    Returns:
        uint8 (H, W, 3) in RGB order, which may be drawn on.

    Raises:
        ImageError: If `picture` is not a picture.
    """
    image = PIL.Image.fromarray(as_picture(picture).copy())
    style = Style.of(image.width, image.height)
    draw = PIL.ImageDraw.Draw(image, "RGBA")
    for reading in readings:
        _draw_box(draw, reading, style)
    taken = [_whole(reading.face.box) for reading in readings]
    for reading in readings:
        taken.append(_draw_label(draw, reading, style, image.size, taken))
    for reading in readings:
        panel = _free_place(reading, style, image.size, taken)
        if panel:
            _draw_panel(draw, reading, style, panel)
            taken.append(panel)
    return np.array(image)  # np.asarray's cannot be written to


@dataclass(frozen=True)
class Style:
    """Sizes in pixels that suit a picture: its text, the width of lines, and the padding."""

    text: int
    line: int
    pad: int

    @classmethod
    def of(cls, width: int, height: int) -> Style:
        """Return the style for a picture of this size."""
        # By the geometric mean: a panorama's text must fit its height as well as its width.
        text = max(10, round((width * height) ** 0.5 / 45))
        return cls(text=text, line=max(1, round(text / 7)), pad=max(2, round(text / 4)))

    def smaller(self) -> Style:
        """Return the style of the bars beside a face."""
        return Style(text=max(9, round(self.text * 0.72)), line=self.line, pad=self.pad)


@lru_cache(maxsize=16)
def _font(size: int) -> Font:
    # Found without importing matplotlib, which takes longer than reading a picture.
    spec = find_spec("matplotlib")
    if spec and spec.origin:
        path = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
        if path.is_file():
            return PIL.ImageFont.truetype(str(path), size)
    return PIL.ImageFont.load_default(size)


def _whole(box: Box) -> Rectangle:
    left, top = round(box.x), round(box.y)
    return Rectangle(left, top, round(box.x + box.width), round(box.y + box.height))


def _draw_box(draw: PIL.ImageDraw.ImageDraw, reading: Reading, style: Style) -> None:
    box = _whole(reading.face.box)
    edges = (box.left, box.top, max(box.left, box.right - 1), max(box.top, box.bottom - 1))
    radius = 2 * style.line
    # A dark rim keeps a light box visible on a light picture.
    draw.rounded_rectangle(edges, radius, outline=(22, 22, 22, 160), width=style.line * 2)
    draw.rounded_rectangle(
        edges, radius, outline=COLOURS[reading.answer], width=style.line + style.line // 2
    )


def label_place(
    box: Box, size: tuple[int, int], picture: tuple[int, int], taken: Sequence[Rectangle] = ()
) -> Rectangle:
    """Return where a face's label goes: above the box, else below it, else at its top inside.

    Args:
        box: The face.
        size: Width and height of the label.
        picture: Width and height of the picture.
        taken: What the label should not cover, if that can be done.

    Returns:
        A rectangle inside the picture, of the label's size unless the picture is smaller.
    """
    face = _whole(box)
    tops = (face.top - size[1], face.bottom, face.top)
    lefts = (face.left, face.right - size[0])
    wanted = [(left, top) for top in tops for left in lefts]
    places = [_inside(left, top, size, picture) for left, top in wanted]
    exact = [p for p, w in zip(places, wanted, strict=True) if p.top == w[1]]
    free = [p for p in exact if not any(p.overlaps(other) for other in taken if other != face)]
    return (free or exact or places)[0]


def _inside(left: int, top: int, size: tuple[int, int], picture: tuple[int, int]) -> Rectangle:
    width, height = min(size[0], picture[0]), min(size[1], picture[1])
    left = max(0, min(left, picture[0] - width))
    top = max(0, min(top, picture[1] - height))
    return Rectangle(left, top, left + width, top + height)


def _draw_label(
    draw: PIL.ImageDraw.ImageDraw,
    reading: Reading,
    style: Style,
    picture: tuple[int, int],
    taken: Sequence[Rectangle],
) -> Rectangle:
    text = reading.caption
    font = _fitting_font(text, style, picture)
    left, top, right, bottom = map(round, font.getbbox(text, anchor="ls"))
    size = (right - left + 2 * style.pad, bottom - top + 2 * style.pad)
    place = label_place(reading.face.box, size, picture, taken)
    edges = (place.left, place.top, place.right - 1, place.bottom - 1)
    draw.rounded_rectangle(edges, style.line, fill=COLOURS[reading.answer])
    origin = (place.left + style.pad - left, place.top + style.pad - top)
    draw.text(origin, text, fill=_ink(reading.answer), font=font, anchor="ls")
    return place


def _ink(answer: str) -> str:
    """Return the text colour that is read best on an answer's colour."""
    red, green, blue = PIL.ImageColor.getrgb(COLOURS[answer])[:3]
    return DARK if 0.299 * red + 0.587 * green + 0.114 * blue > 110 else LIGHT


def _fitting_font(text: str, style: Style, picture: tuple[int, int]) -> Font:
    for size in range(style.text, 5, -1):
        font = _font(size)
        if font.getbbox(text)[2] + 2 * style.pad <= picture[0]:
            return font
    return _font(5)


def _panel_size(reading: Reading, style: Style) -> tuple[int, int]:
    font = _font(style.text)
    names = max(round(font.getlength(name)) for name in reading.labels.expressions)
    height = len(reading.labels) * _row_height(style) + 2 * style.pad
    return names + LONG_BAR * style.text + 4 * style.pad, height


def _row_height(style: Style) -> int:
    return round(style.text * 1.35)


def _free_place(
    reading: Reading, style: Style, picture: tuple[int, int], taken: Sequence[Rectangle]
) -> Rectangle | None:
    """Return a place for the bars beside or below the face that covers nothing; None if none."""
    face, (width, height) = _whole(reading.face.box), _panel_size(reading, style.smaller())
    if height > TALLEST_PANEL * (face.bottom - face.top):
        return None
    gap = style.pad
    corners = [
        (face.right + gap, face.top),
        (face.left - gap - width, face.top),
        (face.left, face.bottom + gap),
        (face.left, face.top - gap - height),
    ]
    for left, top in corners:
        place = _inside(left, top, (width, height), picture)
        moved = place.left != left or abs(place.top - top) > height // 3
        whole = (place.right - place.left, place.bottom - place.top) == (width, height)
        if whole and not moved and not any(place.overlaps(other) for other in taken):
            return place
    return None


def _draw_panel(
    draw: PIL.ImageDraw.ImageDraw, reading: Reading, style: Style, place: Rectangle
) -> None:
    style = style.smaller()
    edges = (place.left, place.top, place.right - 1, place.bottom - 1)
    draw.rounded_rectangle(edges, 2 * style.line, fill=(22, 22, 22, 175))
    font, row = _font(style.text), _row_height(style)
    full = LONG_BAR * style.text
    start = place.right - style.pad - full
    pairs = zip(reading.labels.expressions, reading.probabilities, strict=True)
    for number, (name, probability) in enumerate(pairs):
        top = place.top + style.pad + number * row
        middle = top + row // 2
        draw.text((place.left + style.pad, middle), name, fill=LIGHT, font=font, anchor="lm")
        bar, length = round(row * 0.3), max(1, round(full * probability))
        draw.rectangle(
            (start, middle - bar, start + full - 1, middle + bar), fill=(255, 255, 255, 40)
        )
        draw.rectangle((start, middle - bar, start + length - 1, middle + bar), fill=COLOURS[name])
