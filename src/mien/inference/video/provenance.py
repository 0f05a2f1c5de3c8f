"""What the numbers of a video were made with."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from mien import __version__
from mien.inference.video.outcome import VideoOutcome


def provenance(outcome: VideoOutcome) -> dict[str, Any]:
    """Return mien's version, the model, the detector, the labels, and every option, by name."""
    made, beside = {"mien": __version__}, asdict(outcome.beside)
    del beside["clock"]  # of live sessions, which are not summed up
    if outcome.settings is None:
        return {**made, **beside}
    # The video stands elsewhere, and of the weights the name says enough.
    settings = outcome.settings.model_dump(mode="json", exclude={"inputs", "marked_copies"})
    settings["detector_weights"] = Path(settings["detector_weights"]).name
    return {**made, **settings, **beside}
