"""The training curves of the run."""

from __future__ import annotations

from mien.evaluation.judged import Judged
from mien.evaluation.sections.section import Drawing, Section
from mien.training.curves import draw_curves


def trained(judged: Judged) -> Section | None:
    """Return the section of the training; None unless a run made the predictions."""
    if judged.metrics_file is None:
        return None
    drawing = Drawing(
        "training", "Loss and accuracy over the epochs", draw_curves(judged.metrics_file)
    )
    return Section(name="training", title="Training", drawings=(drawing,))
