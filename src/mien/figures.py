"""One style for every figure: colour-blind safe, readable in print, as PNG and SVG."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien import pages
from mien.files import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#222222"
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#8A8A8A"
"""Okabe and Ito's colours, told apart by colour-blind eyes too, for lines and marks."""

CYCLE = (BLUE, ORANGE, GREEN, "#CC79A7", "#56B4E9", "#E69F00", "#555555", "#9A8B00")

SEQUENTIAL = "Blues"
"""Colour map of shares: light is little, in grey print, too."""

STYLE: dict[str, Any] = {
    "axes.edgecolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.labelsize": 10,
    "font.size": 10,
    "grid.alpha": 0.3,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "text.parse_math": False,  # a dollar in a file's name is a dollar
    "svg.hashsalt": "mien",
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
}

DPI = 150

WIDE = 8.0
"""Inches above which a figure is scrolled on a small screen instead of made too small to read."""


@contextmanager
def style() -> Iterator[None]:
    """Give figures made and saved inside the block the common style."""
    import matplotlib
    from cycler import cycler

    given: Any = {**STYLE, "axes.prop_cycle": cycler(color=CYCLE)}
    with matplotlib.rc_context(given):
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure, in inches, whose parts make room for each other."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DPI, layout="constrained")


def light_grid(axes: Axes) -> None:
    """Draw a grid behind the marks."""
    axes.grid(visible=True)
    axes.set_axisbelow(True)


def png(figure: Figure, about: Mapping[str, str] | None = None) -> bytes:
    """Return a figure as the content of a PNG file, which can hold texts about it, by key."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    buffer = io.BytesIO()
    # `savefig` would draw twice and lay out once, and where sides must be equal, as in a matrix,
    # the room for titles is right in the second layout only. Drawing is the second.
    if (layout := figure.get_layout_engine()) is not None:
        layout.execute(figure)
    FigureCanvasAgg(figure).print_png(buffer, metadata=about)  # type: ignore[no-untyped-call]
    return buffer.getvalue()


def on_page(figure: Figure, path: Path, alt: str) -> str:
    """Write a figure twice, `path` with the suffixes `.png` and `.svg`, and return it as HTML.

    That uses it up: size and layout are those of the SVG afterwards. Two figures of the same
    content give the same files.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    content = png(figure)
    # Its parts have made room for each other, which would take as long again.
    figure.set_layout_engine("none")
    with whole_file(path.with_suffix(".png")) as temporary:
        temporary.write_bytes(content)
    with whole_file(path.with_suffix(".svg")) as temporary:
        FigureCanvasSVG(figure).print_svg(  # type: ignore[no-untyped-call]
            temporary, metadata={"Date": None}
        )
    return pages.picture(content, alt, wide=figure.get_figwidth() > WIDE)


def interval_mark(axes: Axes, place: int, value: float, low: float, high: float) -> None:
    """Draw a value as a dot on the line of its interval, both at a height of the y axis."""
    axes.plot([low, high], [place, place], color=BLUE, linewidth=2)
    axes.plot(value, place, "o", color=BLUE)


def value_above(axes: Axes, place: int, value: float, digits: int) -> None:
    """Write a value just above its mark."""
    axes.annotate(
        f"{value:.{digits}f}",
        (value, place),
        (0, 6),
        textcoords="offset points",
        ha="center",
        fontsize=9,
    )
