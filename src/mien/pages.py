"""Reports as one HTML file that opens without a network: text, tables and small pictures."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 0 auto; padding: 1.5rem; }
h1 { margin-bottom: .2rem } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line) }
.scroll { overflow-x: auto } table { border-collapse: collapse; font-size: .95rem }
th, td { padding: .3rem .8rem; border-bottom: 1px solid var(--line); text-align: left }
td.number { text-align: right; font-variant-numeric: tabular-nums }
.faces { display: flex; flex-wrap: wrap; gap: .6rem }
.group { display: flex; gap: .3rem; padding: .4rem; background: var(--soft); border-radius: .4rem }
figure { margin: 0; width: 6.2rem; font-size: .72rem; line-height: 1.25; overflow-wrap: anywhere }
figure img { width: 6.2rem; height: 6.2rem; image-rendering: pixelated; border-radius: .2rem }
.gallery { display: flex; flex-wrap: wrap; gap: .8rem; margin: .8rem 0 }
.gallery figure { width: 20rem; max-width: 100%; font-size: .85rem }
.gallery img { width: 100%; height: auto; image-rendering: auto }
img.plot { max-width: 100%; background: white; border-radius: .4rem }
img.wide { max-width: none; width: max(100%, 48rem) }
p.note { opacity: .8 }
"""


@dataclass(frozen=True)
class Face:
    """A small picture with a caption: uint8 (H, W), grey."""

    image: NDArray[np.uint8]
    caption: str


def page(title: str, sections: Iterable[str]) -> str:
    """Return a whole HTML document; the sections are HTML, the title is text."""
    name = html.escape(title)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{name}</title><style>{STYLE}</style></head>\n"
        f"<body><h1>{name}</h1>\n{''.join(sections)}\n</body></html>\n"
    )


def section(title: str, *parts: str) -> str:
    """Return a section with a heading; the parts are HTML."""
    return f"<section><h2>{html.escape(title)}</h2>\n{''.join(parts)}</section>\n"


def paragraph(text: str, *, note: bool = False) -> str:
    """Return text as a paragraph."""
    return f"<p{' class=note' if note else ''}>{html.escape(text)}</p>\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str | int | float]]) -> str:
    """Return a table; numbers are set to the right, with thousands separated."""
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
    body = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>\n" for row in rows)
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>\n{body}</tbody></table></div>\n"
    )


def faces(groups: Iterable[Sequence[Face]]) -> str:
    """Return pictures with captions; those of one group stand together."""
    boxes = (f'<div class="group">{"".join(_figure(face) for face in g)}</div>' for g in groups)
    return f'<div class="faces">{"".join(boxes)}</div>\n'


def picture(png: bytes, alt: str, *, wide: bool = False) -> str:
    """Return a PNG file's content as a picture as wide as the page allows.

    One that is `wide` is never made too narrow to be read: it is scrolled on a small screen.
    """
    content = base64.b64encode(png).decode()
    source = f"data:image/png;base64,{content}"
    kind = "plot wide" if wide else "plot"
    image = f'<img class="{kind}" alt="{html.escape(alt)}" src="{source}">\n'
    return f'<div class="scroll">{image}</div>\n' if wide else image


def gallery(pictures: Iterable[tuple[bytes, str]]) -> str:
    """Return JPEG files' contents as pictures side by side, each with its caption."""
    figures = (
        f'<figure><img alt="{html.escape(caption)}" src="data:image/jpeg;base64,'
        f'{base64.b64encode(jpeg).decode()}"><figcaption>{html.escape(caption)}</figcaption>'
        "</figure>\n"
        for jpeg, caption in pictures
    )
    return f'<div class="gallery">{"".join(figures)}</div>\n'


def _cell(value: str | int | float) -> str:
    if isinstance(value, str):
        return f"<td>{html.escape(value)}</td>"
    return f'<td class="number">{value:,}</td>'


def _figure(face: Face) -> str:
    content = base64.b64encode(cv2.imencode(".png", face.image)[1].tobytes()).decode()
    caption = html.escape(face.caption)
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{content}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )
