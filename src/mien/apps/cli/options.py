"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

Model = Annotated[
    str, typer.Option("--model", help="A shipped model (see `mien models`) or an ONNX file.")
]
Detector = Annotated[
    str,
    typer.Option(
        "--detector",
        help="haar: quick, upright frontal faces. yunet: also tilted, covered and side faces.",
    ),
]
DetectorWeights = Annotated[
    Path | None,
    typer.Option("--detector-weights", help="The detector's weights, if not its usual ones."),
]
Labels = Annotated[
    str | None,
    typer.Option(
        "--labels", help="Read in ferplus8, basic7 or four; probabilities sum to 1 within it."
    ),
]


def given(**options: Any) -> dict[str, Any]:
    """Return the options that were given; of the others, None, what they belong to has defaults."""
    return {name: value for name, value in options.items() if value is not None}
