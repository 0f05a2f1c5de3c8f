"""What the numbers of a video were made with."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from mien import __version__
from mien.inference.video.outcome import VideoOutcome


def provenance(outcome: VideoOutcome) -> dict[str, Any]:
    """Return mien's version, the model, the detector, the labels, and every option, by name."""
    made = {"mien": __version__}
    if outcome.settings is None:
        return {**made, **asdict(outcome.beside)}
    # The video stands elsewhere, and of the weights the name says enough.
    settings = outcome.settings.model_dump(mode="json", exclude={"inputs", "marked_copies"})
    settings["detector_weights"] = Path(settings["detector_weights"]).name
    return {**made, **settings, **asdict(outcome.beside)}
